//! Several sources, asked in order.

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::SecretSource;
use crate::error::Error;

/// The first source that answers. Each read starts at the first one again, and a source that fails is passed over,
/// whatever the reason: do not put an old key behind a store that may be down.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::{ChainSource, EnvSource, MemorySource};
/// use secrecy::ExposeSecret as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let source = ChainSource::new().then(EnvSource::new("KEYFIT_DOC_UNSET")).then(MemorySource::new("fallback"));
/// assert_eq!(source.read().await?.expose_secret(), "fallback");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ChainSource {
    sources: Vec<Box<dyn SecretSource>>,
}

impl ChainSource {
    /// A chain without sources, which has no secret.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source, asked after those before it.
    #[must_use]
    pub fn then(mut self, source: impl SecretSource) -> Self {
        self.sources.push(Box::new(source));
        self
    }
}

impl SecretSource for ChainSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let mut said = Vec::new();
            for source in &self.sources {
                match source.read().await {
                    Ok(secret) => return Ok(secret),
                    Err(error) => said.push(error.to_string()),
                }
            }
            Err(Error::credential(match said.as_slice() {
                [] => "the chain has no source".to_owned(),
                said => format!("no source of the chain has the secret: {}", said.join("; ")),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::auth::source::{EnvSource, MemorySource};

    #[tokio::test]
    async fn the_first_that_answers_wins() {
        let chain = ChainSource::new()
            .then(EnvSource::new("KEYFIT_UNSET"))
            .then(MemorySource::new("first"))
            .then(MemorySource::new("second"));
        assert_eq!(chain.read().await.expect("a secret").expose_secret(), "first");
        assert!(!format!("{chain:?}").contains("second"));
    }

    #[tokio::test]
    async fn an_error_says_what_each_source_said_in_order() {
        let chain = ChainSource::new().then(EnvSource::new("KEYFIT_UNSET_A")).then(EnvSource::new("KEYFIT_UNSET_B"));
        let said = chain.read().await.expect_err("none is set").to_string();
        let place = |name: &str| said.find(name).expect("it is named");
        assert!(place("KEYFIT_UNSET_A") < place("KEYFIT_UNSET_B"), "{said}");
        assert_eq!(ChainSource::new().read().await.expect_err("empty").to_string(), "the chain has no source");
    }
}
