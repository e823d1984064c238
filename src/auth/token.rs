//! Tokens, a type for each kind: handing a client the wrong kind does not compile.

use std::fmt;
use std::marker::PhantomData;

use secrecy::{ExposeSecret as _, SecretString};

use super::{BasicKind, Carrier, TokenKind, environment};
use crate::error::Error;

/// A token of one kind. The text is zeroised on drop and never printed.
///
/// The module of each client has the tokens that open it as aliases of this type, `parcels::Key` for one. An alias says which environment variable [`from_env`](Self::from_env) reads.
///
/// It travels as `Authorization: Bearer <token>`, or where its kind's [`CARRIER`](TokenKind::CARRIER) says, never in a URL.
/// Shape and length are the provider's business: any printable ASCII without spaces is taken. A kind of HTTP Basic
/// ([`Carrier::Basic`]) takes `user:password`, in which spaces and any letters are fine: see [`login`](Token::login).
///
/// ```
/// use keyfit::scopien::Key;
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let key = Key::new("the-key-from-your-secret-store")?;
/// assert_eq!(format!("{key:?}"), "Token<key>(redacted)");
/// # Ok(())
/// # }
/// ```
///
/// # What a token may do
/// Some APIs report it. If a program asks at its start, it finds a missing scope before the first
/// call that needs it, and logs an unneeded one:
///
/// ```no_run
/// use keyfit::auth::Needs;
/// use keyfit::instasent::product::{API, Client, ProductToken};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let client = Client::new(ProductToken::from_env()?)?;
/// // The needs of the operations that the program calls; `Needs::none().and("PROJECT_AUDIENCE_READ")` is the same by hand.
/// let called: Vec<_> = API.operations.iter().filter(|operation| operation.id == "audience-search-phone").collect();
/// if let Some(scopes) = client.granted_scopes_in("proj_xxx").await? {
///     Needs::of(&called).check(&scopes)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Refusals of the server
/// 401, [`Unauthorized`](crate::ErrorKind::Unauthorized): missing, unknown or revoked. 403,
/// [`Forbidden`](crate::ErrorKind::Forbidden): a scope is missing. Some APIs answer 404 where a token reaches other data.
///
/// A token of another kind does not fit:
///
/// ```compile_fail,E0277
/// let token = keyfit::instasent::ingest::DatasourceToken::new("a-token").unwrap();
/// let client = keyfit::instasent::product::Client::new(token);
/// ```
pub struct Token<K> {
    secret: SecretString,
    kind: PhantomData<fn() -> K>,
}

impl<K: TokenKind> Token<K> {
    /// Takes a token as text.
    ///
    /// # Errors
    /// Returns an error if the text is blank, contains spaces, line breaks or other characters that tokens do not have, begins with a
    /// pasted `Bearer `, or is a word that a missing variable becomes in other languages (`undefined`, `None`, `null`). The message
    /// never shows the text.
    pub fn new(secret: impl Into<String>) -> Result<Self, Error> {
        // Wrapped before it is looked at, so that a refused token is zeroised too.
        let secret = SecretString::from(secret.into());
        check(&format!("the {} token", K::NAME), K::CARRIER, secret.expose_secret())?;
        Ok(Self { secret, kind: PhantomData })
    }

    /// Reads the token from the kind's own environment variable, [`TokenKind::VARIABLE`].
    ///
    /// # Errors
    /// Returns an error if the variable is missing or [`new`](Self::new) refuses its value. The message names the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_env_var(K::VARIABLE)
    }

    /// Reads the token from an environment variable of your choice.
    ///
    /// # Errors
    /// Returns an error if [`from_env`](Self::from_env) would.
    pub fn from_env_var(name: &str) -> Result<Self, Error> {
        let secret = SecretString::from(environment::variable(name)?);
        check(&format!("the token in the environment variable {name}"), K::CARRIER, secret.expose_secret())?;
        Ok(Self { secret, kind: PhantomData })
    }
}

impl<K: BasicKind> Token<K> {
    /// Takes a user and a password.
    ///
    /// # Errors
    /// Returns an error if the user is blank or has a colon, which ends it (RFC 7617, section 2), or if either has control
    /// characters. The message shows neither.
    pub fn login(user: &str, password: &str) -> Result<Self, Error> {
        if user.contains(':') {
            let text = format!("the user of the {} login holds a colon, where the password would begin", K::NAME);
            return Err(Error::credential(text));
        }
        Self::new(format!("{user}:{password}"))
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

/// Refuses a text that cannot be a token. `what` is the start of the message.
pub(super) fn check(what: &str, carrier: Carrier, text: &str) -> Result<(), Error> {
    let flaw = if carrier == Carrier::Basic { flaw_of_login(text) } else { flaw(text) };
    flaw.map_or(Ok(()), |flaw| Err(Error::credential(format!("{what} {flaw}"))))
}

/// Returns the defect of a text that must be a token, as the end of a sentence.
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

/// Returns the defect of a user and a password.
fn flaw_of_login(text: &str) -> Option<&'static str> {
    let Some((user, _)) = text.split_once(':') else {
        return Some("has no colon: give `user:password`, or the password left out behind the colon");
    };
    if user.trim().is_empty() {
        return Some("has no user before its colon: an unset variable, most likely");
    }
    // RFC 7617, section 2: neither half has control characters. A line break is one that was copied along.
    text.chars().any(char::is_control).then_some("holds a line break or another control character: copy it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Account {}

    impl TokenKind for Account {
        const NAME: &'static str = "account";
        const VARIABLE: &'static str = "KEYFIT_TEST_NO_SUCH_VARIABLE";
        const CARRIER: Carrier = Carrier::Basic;
    }

    impl BasicKind for Account {}

    #[test]
    fn a_login_may_hold_what_a_password_may_and_is_refused_without_being_shown() {
        for (user, password) in [("ada", "a b:c\u{e9}"), ("key", ""), ("ada@example.com", "x")] {
            let login = Token::<Account>::login(user, password).expect("a login");
            assert_eq!(login.into_secret().expose_secret(), format!("{user}:{password}"));
        }
        for text in ["do-not-print", ":do-not-print", " :do-not-print", "do-not:print\n", ""] {
            let error = Token::<Account>::new(text).expect_err(text).to_string();
            assert!(error.starts_with("the account token ") && !error.contains("do-not"), "{error}");
        }
        assert!(Token::<Account>::login("a:b", "c").expect_err("a colon").to_string().contains("colon"));
    }

    enum Parcels {}

    impl TokenKind for Parcels {
        const NAME: &'static str = "key";
        const VARIABLE: &'static str = "KEYFIT_TEST_NO_SUCH_VARIABLE";
    }

    type ParcelsKey = Token<Parcels>;

    #[test]
    fn a_text_that_is_no_token_is_refused_without_being_shown() {
        for text in
            ["", "  ", "undefined", "null", "None", "Bearer", "Bearer abc-xyz", "abc xyz", "abc-xyz\n", "abc\u{e9}-xyz"]
        {
            let message = ParcelsKey::new(text).expect_err(text).to_string();
            assert!(message.starts_with("the key token "), "{message}");
            assert!(!message.contains("xyz"), "{message}");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let token = ParcelsKey::new("do-not-print-me").expect("a token");
        assert_eq!(format!("{token:?}"), "Token<key>(redacted)");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = ParcelsKey::from_env().expect_err("it is not set");
        assert!(error.to_string().contains("KEYFIT_TEST_NO_SUCH_VARIABLE"), "{error}");
        assert_eq!(error.kind(), crate::error::ErrorKind::Credential);
    }

    #[test]
    fn a_variable_is_read_and_its_value_never_shown() {
        // Cargo sets both for every test.
        assert!(ParcelsKey::from_env_var("CARGO_PKG_NAME").is_ok());
        let error = ParcelsKey::from_env_var("CARGO_PKG_DESCRIPTION").expect_err("it holds spaces").to_string();
        assert!(error.contains("CARGO_PKG_DESCRIPTION") && error.contains("a space"), "{error}");
        assert!(!error.contains(env!("CARGO_PKG_DESCRIPTION")), "{error}");
    }
}
