//! A look at each token before it is first sent.

use std::fmt;

use super::AccessToken;
use crate::error::Error;

/// Looks at each token before a client first sends it: for keys that tell by their text where they may be used. Give it to
/// [`Config::token_check`](crate::Config::token_check).
///
/// ```
/// use keyfit::Error;
/// use keyfit::auth::{AccessToken, TokenCheck};
///
/// /// Test keys alone, which begin with `test_`.
/// #[derive(Debug)]
/// struct TestKeys;
///
/// impl TokenCheck for TestKeys {
///     fn check_token(&self, token: &AccessToken) -> Result<(), Error> {
///         if token.expose().starts_with("test_") {
///             return Ok(());
///         }
///         Err(Error::credential("a key of production is configured for the tests: use a test key"))
///     }
/// }
/// ```
pub trait TokenCheck: fmt::Debug + Send + Sync + 'static {
    /// Looks at a token.
    ///
    /// # Errors
    /// Returns an error if the token must not be sent; then nothing is. The message must not show the token.
    fn check_token(&self, token: &AccessToken) -> Result<(), Error>;
}
