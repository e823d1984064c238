//! A secret in an environment variable.

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::SecretSource;
use crate::auth::environment;
use crate::error::Error;

/// An environment variable that holds the secret. A `.env` file is not read: whoever starts the program sets the
/// variable.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::EnvSource;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = EnvSource::new("KEYFIT_DOC_UNSET");
/// let error = source.read().await.expect_err("the variable is not set");
/// assert_eq!(error.to_string(), "the environment variable KEYFIT_DOC_UNSET is not set: set it and start again");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EnvSource {
    variable: String,
}

impl EnvSource {
    /// The variable's name.
    pub fn new(variable: impl Into<String>) -> Self {
        Self { variable: variable.into() }
    }
}

impl SecretSource for EnvSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let secret = environment::variable(&self.variable)?;
            if secret.trim().is_empty() {
                return Err(Error::credential(format!("the environment variable {} is empty", self.variable)));
            }
            Ok(secret.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_variable_is_read_as_it_stands() {
        // Cargo sets it for every test.
        let secret = EnvSource::new("CARGO_PKG_NAME").read().await.expect("it is set");
        assert_eq!(secret.expose_secret(), "keyfit");
    }
}
