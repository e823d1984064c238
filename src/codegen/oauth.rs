//! Tokens by the flows of a document. Generated code is the same with and without the feature `oauth`.

use crate::auth::{Credential, OAuthFlow, SecretSource, TokenKind};
use crate::error::Error;

/// A credential by client credentials.
///
/// # Errors
/// Returns an error if a URL may not be used or the id is empty, and without the feature `oauth`.
pub fn client_credentials<K: TokenKind>(
    flow: &OAuthFlow,
    client_id: impl Into<String>,
    secret: impl SecretSource,
) -> Result<Credential<K>, Error> {
    #[cfg(feature = "oauth")]
    {
        flow.client_credentials(client_id, secret)
    }
    #[cfg(not(feature = "oauth"))]
    without_oauth(flow, client_id, secret)
}

/// The same, at a server that describes itself.
///
/// # Errors
/// Returns an error if [`client_credentials`] would, or the server does not publish its metadata.
#[cfg_attr(not(feature = "oauth"), expect(clippy::unused_async, reason = "with the feature a server is asked"))]
pub async fn discovered_client_credentials<K: TokenKind>(
    flow: &OAuthFlow,
    client_id: impl Into<String>,
    secret: impl SecretSource,
) -> Result<Credential<K>, Error> {
    #[cfg(feature = "oauth")]
    {
        flow.discovered_client_credentials(client_id, secret).await
    }
    #[cfg(not(feature = "oauth"))]
    without_oauth(flow, client_id, secret)
}

#[cfg(not(feature = "oauth"))]
fn without_oauth<K>(_: &OAuthFlow, _: impl Into<String>, _: impl SecretSource) -> Result<Credential<K>, Error> {
    Err(Error::configuration("this build of keyfit has no OAuth: turn on its feature `oauth` in Cargo.toml".to_owned()))
}
