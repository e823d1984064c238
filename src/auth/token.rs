//! Bearer tokens, a type for each kind: handing a client the wrong kind does not compile.

use std::fmt;
use std::marker::PhantomData;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Carrier, environment};
use crate::error::Error;

/// A bearer token of one kind. The text is zeroised on drop and never printed.
///
/// | Kind | Opens | Reaches | Variable |
/// |---|---|---|---|
/// | [`LegacyToken`] | Legacy | the account | `INSTASENT_LEGACY_TOKEN` |
/// | [`SmsToken`] | Transactional | a project or an organization | `INSTASENT_SMS_TOKEN` |
/// | [`ProductToken`] | Product, and Ingest with `PROJECT_DATASOURCE_WRITE` | its scopes | `INSTASENT_PRODUCT_TOKEN` |
/// | [`DatasourceToken`] | Ingest | one data source | `INSTASENT_DATASOURCE_TOKEN` |
/// | [`ScopienKey`] | Scopien | its scopes | `SCOPIEN_API_KEY` |
///
/// It travels as `Authorization: Bearer <token>`, or where its kind's [`CARRIER`](TokenKind::CARRIER) says, never in a URL. Shape and length are the provider's business: any
/// printable ASCII without spaces is taken. Tokens of Instasent are shown once, do not expire, and keep the scopes that
/// they were made with; replace them at least once a year ([`source`](super::source) finds the new one).
///
/// ```
/// use keyfit::auth::ProductToken;
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let token = ProductToken::new("the-token-from-your-secret-store")?;
/// assert_eq!(format!("{token:?}"), "Token<product>(redacted)");
/// # Ok(())
/// # }
/// ```
///
/// # What a token may do
/// Product, Ingest and Scopien say it. Asked for at the start of a program, a missing scope is found before the first
/// call that needs it, and a needless one is logged:
///
/// ```no_run
/// use keyfit::auth::{Needs, ProductToken};
/// use keyfit::instasent::product::{Client, OPERATIONS};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let client = Client::new(ProductToken::from_env()?)?;
/// // What the operations need that the program calls; `Needs::none().and("PROJECT_AUDIENCE_READ")` says it by hand.
/// let called: Vec<_> = OPERATIONS.iter().filter(|operation| operation.id == "audience-search-phone").collect();
/// if let Some(scopes) = client.granted_scopes_in("proj_xxx").await? {
///     Needs::of(&called).check(&scopes)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Refusals of the server
/// 401, [`Unauthorized`](crate::ErrorKind::Unauthorized): missing, unknown or revoked. 403,
/// [`Forbidden`](crate::ErrorKind::Forbidden): a scope is missing, or Product withholds personal data. Ingest answers 404
/// to a token of another data source. Source: the authentication and error pages of Instasent's API documentation.
///
/// A token of another kind does not fit:
///
/// ```compile_fail
/// use keyfit::auth::DatasourceToken;
///
/// let token = DatasourceToken::new("a-token").unwrap();
/// let client = keyfit::instasent::product::Client::new(token);
/// ```
pub struct Token<K> {
    secret: SecretString,
    kind: PhantomData<fn() -> K>,
}

/// A kind of token. Each API has its own, so that a client takes no other: implement it for a type of yours, which no
/// value needs to have.
///
/// ```
/// use keyfit::auth::{Carrier, Token, TokenKind};
///
/// /// The kind of [`ParcelsKey`].
/// pub enum Parcels {}
///
/// impl TokenKind for Parcels {
///     const NAME: &'static str = "parcels";
///     const VARIABLE: &'static str = "PARCELS_API_KEY";
///     const CARRIER: Carrier = Carrier::Header("X-Api-Key");
/// }
///
/// /// A key of the API, from `PARCELS_API_KEY`.
/// pub type ParcelsKey = Token<Parcels>;
/// ```
pub trait TokenKind {
    /// The kind's name in messages and contracts: `api-sms`.
    const NAME: &'static str;
    /// The environment variable that [`Token::from_env`] reads.
    const VARIABLE: &'static str;
    /// Where requests carry it. `Authorization: Bearer <token>`, unless the kind says otherwise.
    const CARRIER: Carrier = Carrier::Bearer;
}

/// The kind of [`LegacyToken`].
#[derive(Debug)]
pub enum Legacy {}
/// The kind of [`SmsToken`].
#[derive(Debug)]
pub enum Sms {}
/// The kind of [`ProductToken`].
#[derive(Debug)]
pub enum Product {}
/// The kind of [`DatasourceToken`].
#[derive(Debug)]
pub enum Datasource {}
/// The kind of [`ScopienKey`].
#[derive(Debug)]
pub enum Scopien {}
/// What opens the Ingest API: a data source's token or a Product token.
#[derive(Debug)]
pub enum Ingest {}

/// An account-wide token of the Instasent Legacy API, from `INSTASENT_LEGACY_TOKEN`.
pub type LegacyToken = Token<Legacy>;
/// An `api_sms` token of the Instasent Transactional API, from `INSTASENT_SMS_TOKEN`.
pub type SmsToken = Token<Sms>;
/// A token of the Instasent Product API, from `INSTASENT_PRODUCT_TOKEN`. It holds the scopes that were ticked when it
/// was made, and no others: a new scope needs a new token.
pub type ProductToken = Token<Product>;
/// A token of one Instasent data source, from `INSTASENT_DATASOURCE_TOKEN`. It reaches that data source only.
pub type DatasourceToken = Token<Datasource>;
/// A Scopien API key, from `SCOPIEN_API_KEY`.
pub type ScopienKey = Token<Scopien>;

/// What opens the Ingest API: a data source's own token, or a Product token with `PROJECT_DATASOURCE_WRITE`.
#[derive(Clone, Debug)]
pub enum IngestToken {
    /// The token of one data source.
    Datasource(DatasourceToken),
    /// A Product token.
    Product(ProductToken),
}

impl TokenKind for Legacy {
    const NAME: &'static str = "legacy";
    const VARIABLE: &'static str = "INSTASENT_LEGACY_TOKEN";
}
impl TokenKind for Sms {
    const NAME: &'static str = "api-sms";
    const VARIABLE: &'static str = "INSTASENT_SMS_TOKEN";
}
impl TokenKind for Product {
    const NAME: &'static str = "product";
    const VARIABLE: &'static str = "INSTASENT_PRODUCT_TOKEN";
}
impl TokenKind for Datasource {
    const NAME: &'static str = "datasource";
    const VARIABLE: &'static str = "INSTASENT_DATASOURCE_TOKEN";
}
impl TokenKind for Scopien {
    const NAME: &'static str = "key";
    const VARIABLE: &'static str = "SCOPIEN_API_KEY";
}

impl<K: TokenKind> Token<K> {
    /// Takes a token as text.
    ///
    /// # Errors
    /// A blank text, one with spaces, line breaks or other characters that no token has, a pasted `Bearer ` in front,
    /// and the words that a missing variable turns into in other languages (`undefined`, `None`, `null`). The message
    /// never shows the text.
    pub fn new(secret: impl Into<String>) -> Result<Self, Error> {
        // Wrapped before it is looked at, so that a refused token is zeroised too.
        let secret = SecretString::from(secret.into());
        check(&format!("the {} token", K::NAME), secret.expose_secret())?;
        Ok(Self { secret, kind: PhantomData })
    }

    /// Reads the token from the kind's own environment variable, [`TokenKind::VARIABLE`].
    ///
    /// # Errors
    /// A variable that is missing, and what [`new`](Self::new) refuses. The message names the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_env_var(K::VARIABLE)
    }

    /// Reads the token from an environment variable of your choice.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_env_var(name: &str) -> Result<Self, Error> {
        let secret = SecretString::from(environment::variable(name)?);
        check(&format!("the token in the environment variable {name}"), secret.expose_secret())?;
        Ok(Self { secret, kind: PhantomData })
    }
}

impl<K> Token<K> {
    pub(super) fn into_secret(self) -> SecretString {
        self.secret
    }
}

impl<K> Clone for Token<K> {
    fn clone(&self) -> Self {
        Self { secret: self.secret.clone(), kind: PhantomData }
    }
}

impl<K: TokenKind> fmt::Debug for Token<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token<{}>(redacted)", K::NAME)
    }
}

impl From<DatasourceToken> for IngestToken {
    fn from(token: DatasourceToken) -> Self {
        Self::Datasource(token)
    }
}

impl From<ProductToken> for IngestToken {
    fn from(token: ProductToken) -> Self {
        Self::Product(token)
    }
}

/// Refuses a text that can be no token. `what` is the start of the message.
pub(super) fn check(what: &str, text: &str) -> Result<(), Error> {
    flaw(text).map_or(Ok(()), |flaw| Err(Error::credential(format!("{what} {flaw}"))))
}

/// What is wrong with a text that shall be a token, as the end of a sentence.
fn flaw(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("is blank: an unset variable or an empty secret, most likely");
    }
    let mut words = text.split_ascii_whitespace();
    if words.next().is_some_and(|word| word.eq_ignore_ascii_case("bearer")) {
        return Some("starts with `Bearer `: give the token alone, the client adds the scheme");
    }
    if matches!(text, "undefined" | "null" | "None") {
        return Some("is the word for a missing value: the variable that should hold it is not set");
    }
    // RFC 6750 allows fewer characters still; these are the ones that would break the header or the token apart.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("holds a space, a line break or another character that no token has: copy it again");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_token_is_refused_without_being_shown() {
        for text in
            ["", "  ", "undefined", "null", "None", "Bearer", "Bearer abc-xyz", "abc xyz", "abc-xyz\n", "abc\u{e9}-xyz"]
        {
            let message = ScopienKey::new(text).expect_err(text).to_string();
            assert!(message.starts_with("the key token "), "{message}");
            assert!(!message.contains("xyz"), "{message}");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let token = SmsToken::new("do-not-print-me").expect("a token");
        let ingest = IngestToken::from(DatasourceToken::new("do-not-print-me").expect("a token"));
        assert_eq!(format!("{token:?} {ingest:?}"), "Token<api-sms>(redacted) Datasource(Token<datasource>(redacted))");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = ScopienKey::from_env_var("KEYFIT_TEST_NO_SUCH_VARIABLE").expect_err("it is not set");
        assert!(error.to_string().contains("KEYFIT_TEST_NO_SUCH_VARIABLE"), "{error}");
        assert_eq!(error.kind(), crate::error::ErrorKind::Credential);
    }

    #[test]
    fn a_variable_is_read_and_its_value_never_shown() {
        // Cargo sets both for every test.
        assert!(ScopienKey::from_env_var("CARGO_PKG_NAME").is_ok());
        let error = ScopienKey::from_env_var("CARGO_PKG_DESCRIPTION").expect_err("it holds spaces").to_string();
        assert!(error.contains("CARGO_PKG_DESCRIPTION") && error.contains("a space"), "{error}");
        assert!(!error.contains(env!("CARGO_PKG_DESCRIPTION")), "{error}");
    }
}
