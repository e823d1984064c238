//! A check of each token before it is first sent.

use std::fmt;

use super::AccessToken;
use crate::error::Error;

/// Checks each token before a client first sends it: for keys whose text shows where they may be used. Give it to
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
    /// Checks a token.
    ///
    /// # Errors
    /// Returns an error if the token must not be sent; then the client does not send the request. The message must not show the token.
    fn check_token(&self, token: &AccessToken) -> Result<(), Error>;
}
