//! A client takes the tokens of its own kinds: each line is checked by the compiler.

use keyfit::auth::{Credential, IntoCredential, Opens, TokenKind};
use keyfit::instasent::ingest::{self, DatasourceToken};
use keyfit::instasent::legacy::{self, LegacyToken};
use keyfit::instasent::product::{self, ProductToken};
use keyfit::instasent::transactional::{self, ApiSmsToken};
use keyfit::scopien::{self, Key};
use static_assertions::{assert_impl_all, assert_not_impl_any};

#[test]
fn a_client_takes_the_tokens_of_its_own_kinds() {
    assert_impl_all!(LegacyToken: IntoCredential<legacy::Api>);
    assert_not_impl_any!(
        LegacyToken: IntoCredential<transactional::Api>, IntoCredential<product::Api>, IntoCredential<ingest::Api>
    );

    assert_impl_all!(ApiSmsToken: IntoCredential<transactional::Api>);
    assert_not_impl_any!(ApiSmsToken: IntoCredential<legacy::Api>, IntoCredential<product::Api>, IntoCredential<ingest::Api>);

    assert_impl_all!(ProductToken: IntoCredential<product::Api>, IntoCredential<ingest::Api>);
    assert_not_impl_any!(ProductToken: IntoCredential<transactional::Api>, IntoCredential<scopien::Api>);

    assert_impl_all!(DatasourceToken: IntoCredential<ingest::Api>);
    assert_not_impl_any!(DatasourceToken: IntoCredential<product::Api>, IntoCredential<transactional::Api>);

    // Of several each has to open the API, also one that may be lacking.
    assert_impl_all!((DatasourceToken, ProductToken): IntoCredential<ingest::Api>);
    assert_impl_all!((Option<DatasourceToken>, (ProductToken, Credential<product::kind::Product>)): IntoCredential<ingest::Api>);
    assert_not_impl_any!((DatasourceToken, ApiSmsToken): IntoCredential<ingest::Api>);
    assert_not_impl_any!((DatasourceToken, ProductToken, Option<Key>): IntoCredential<ingest::Api>);

    assert_impl_all!(Key: IntoCredential<scopien::Api>);
    assert_impl_all!(Credential<scopien::kind::Key>: IntoCredential<scopien::Api>);
    assert_not_impl_any!(Key: IntoCredential<product::Api>);
    assert_not_impl_any!(Credential<scopien::kind::Key>: IntoCredential<product::Api>);

    // A text has no kind: it is named first.
    assert_not_impl_any!(&str: IntoCredential<scopien::Api>, IntoCredential<product::Api>);
    assert_not_impl_any!(String: IntoCredential<scopien::Api>, IntoCredential<product::Api>);
}

#[test]
fn the_variables_of_the_kinds_are_those_of_the_contracts() {
    let variables = [
        legacy::kind::Legacy::VARIABLE,
        transactional::kind::ApiSms::VARIABLE,
        product::kind::Product::VARIABLE,
        ingest::kind::Datasource::VARIABLE,
        scopien::kind::Key::VARIABLE,
    ];
    let expected = [
        "INSTASENT_LEGACY_TOKEN",
        "INSTASENT_SMS_TOKEN",
        "INSTASENT_PRODUCT_TOKEN",
        "INSTASENT_DATASOURCE_TOKEN",
        "SCOPIEN_API_KEY",
    ];
    assert_eq!(variables, expected);
    assert_eq!(scopien::kind::Key::PREFIXES, ["sk_live_", "sk_test_", "rk_"]);
}

/// A kind of this crate.
enum Gateway {}

impl TokenKind for Gateway {
    const NAME: &'static str = "gateway";
    const VARIABLE: &'static str = "GATEWAY_TOKEN";
}

impl Opens<scopien::Api> for Gateway {}

#[test]
fn a_kind_of_another_crate_opens_an_api_where_that_crate_says_so() {
    assert_impl_all!(keyfit::auth::Token<Gateway>: IntoCredential<scopien::Api>);
    assert_not_impl_any!(keyfit::auth::Token<Gateway>: IntoCredential<product::Api>);
}
