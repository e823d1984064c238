//! A client takes the tokens of its own kind: each line is checked by the compiler.

use keyfit::auth::{DatasourceToken, LegacyToken, ProductToken, ScopienKey, SmsToken};
use keyfit::instasent::{ingest, legacy, product, transactional};
use keyfit::scopien;
use static_assertions::{assert_impl_all, assert_not_impl_any};

#[test]
fn a_client_takes_the_tokens_of_its_own_kind() {
    assert_impl_all!(LegacyToken: Into<legacy::Credential>);
    assert_not_impl_any!(LegacyToken: Into<transactional::Credential>, Into<product::Credential>, Into<ingest::Credential>);

    assert_impl_all!(SmsToken: Into<transactional::Credential>);
    assert_not_impl_any!(SmsToken: Into<legacy::Credential>, Into<product::Credential>, Into<ingest::Credential>);

    assert_impl_all!(ProductToken: Into<product::Credential>, Into<ingest::Credential>);
    assert_not_impl_any!(ProductToken: Into<transactional::Credential>, Into<scopien::Credential>);

    assert_impl_all!(DatasourceToken: Into<ingest::Credential>);
    assert_not_impl_any!(DatasourceToken: Into<product::Credential>, Into<transactional::Credential>);

    assert_impl_all!(ScopienKey: Into<scopien::Credential>);
    assert_not_impl_any!(ScopienKey: Into<product::Credential>);

    // A text has no kind: it is named first.
    assert_not_impl_any!(&str: Into<scopien::Credential>, Into<product::Credential>, Into<transactional::Credential>);
    assert_not_impl_any!(String: Into<scopien::Credential>, Into<product::Credential>, Into<transactional::Credential>);
}
