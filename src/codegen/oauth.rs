//! Tokens by the flows of a document. Generated code is the same with and without the feature `oauth`.

use crate::auth::{Credential, OAuthFlow, SecretSource, TokenKind};
use crate::error::Error;

/// A credential by client credentials.
///
/// # Errors
/// Returns an error if a URL may not be used or the id is empty, and without the feature `oauth`.
#[cfg(feature = "oauth")]
pub fn client_credentials<K: TokenKind>(
    flow: &OAuthFlow,
    client_id: impl Into<String>,
    secret: impl SecretSource,
) -> Result<Credential<K>, Error> {
    flow.client_credentials(client_id, secret)
}

/// The same, at a server that describes itself.
///
/// # Errors
/// As [`client_credentials`], and if the server does not describe itself.
#[cfg(feature = "oauth")]
pub async fn discovered_client_credentials<K: TokenKind>(
    flow: &OAuthFlow,
    client_id: impl Into<String>,
    secret: impl SecretSource,
) -> Result<Credential<K>, Error> {
    flow.discovered_client_credentials(client_id, secret).await
}

#[cfg(not(feature = "oauth"))]
#[expect(missing_docs, clippy::missing_errors_doc, reason = "they are described above")]
pub fn client_credentials<K: TokenKind>(
    _: &OAuthFlow,
    _: impl Into<String>,
    _: impl SecretSource,
) -> Result<Credential<K>, Error> {
    Err(without_oauth())
}

#[cfg(not(feature = "oauth"))]
#[expect(missing_docs, clippy::missing_errors_doc, clippy::unused_async, reason = "they are described above")]
pub async fn discovered_client_credentials<K: TokenKind>(
    _: &OAuthFlow,
    _: impl Into<String>,
    _: impl SecretSource,
) -> Result<Credential<K>, Error> {
    Err(without_oauth())
}

#[cfg(not(feature = "oauth"))]
fn without_oauth() -> Error {
    Error::configuration("this build of keyfit has no OAuth: turn on its feature `oauth` in Cargo.toml".to_owned())
}
