//! Going through a flow that a document describes.

use super::{AuthorizationRequest, AuthorizationServer, ClientCredentials, TokenEndpoint, TokenEndpointBuilder};
use crate::auth::{Credential, OAuthFlow, SecretSource, TokenKind};
use crate::error::Error;

impl OAuthFlow {
    /// Begins to describe the token endpoint.
    ///
    /// # Errors
    /// Returns an error if the document names none.
    pub fn token_endpoint(&self, client_id: impl Into<String>) -> Result<TokenEndpointBuilder, Error> {
        let url = self.token_url.ok_or_else(|| without("token URL"))?;
        let builder = TokenEndpoint::builder(url, client_id);
        let builder = self.refresh_url.into_iter().fold(builder, TokenEndpointBuilder::refresh_endpoint);
        Ok(self.refresh_grace.into_iter().fold(builder, TokenEndpointBuilder::refresh_grace_period))
    }

    /// Where users are sent to consent to the [scopes](Self::scopes).
    ///
    /// # Errors
    /// Returns an error if the document does not say it, or [`AuthorizationRequest::new`] would.
    pub fn authorization(
        &self,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<AuthorizationRequest, Error> {
        let url = self.authorization_url.ok_or_else(|| without("authorization URL"))?;
        Ok(AuthorizationRequest::new(url, client_id, redirect_uri)?.scopes(self.scopes.iter().copied()))
    }

    /// A credential of a service that acts for itself: client credentials with the [scopes](Self::scopes), the secret in the
    /// `Authorization` header, which every server of RFC 6749 must accept. It is read anew for each token request. For anything
    /// else begin with [`token_endpoint`](Self::token_endpoint).
    ///
    /// # Errors
    /// Returns an error if the document names no token URL, or it is neither https nor on a loopback host, or the id is empty.
    pub fn client_credentials<K: TokenKind>(
        &self,
        client_id: impl Into<String>,
        secret: impl SecretSource,
    ) -> Result<Credential<K>, Error> {
        Ok(self.granted(self.token_endpoint(client_id)?.secret_in_header(secret).build()?))
    }

    /// Fetches the metadata of the server.
    ///
    /// # Errors
    /// Returns an error if the document names no issuer, or [`AuthorizationServer::discover`] would.
    pub async fn discover(&self) -> Result<AuthorizationServer, Error> {
        AuthorizationServer::discover(self.issuer.ok_or_else(|| without("issuer"))?).await
    }

    /// As [`client_credentials`](Self::client_credentials), at the token endpoint that the server describes.
    ///
    /// # Errors
    /// Returns an error if [`discover`](Self::discover) or [`client_credentials`](Self::client_credentials) would.
    pub async fn discovered_client_credentials<K: TokenKind>(
        &self,
        client_id: impl Into<String>,
        secret: impl SecretSource,
    ) -> Result<Credential<K>, Error> {
        Ok(self.granted(self.discover().await?.token_endpoint(client_id)?.secret_in_header(secret).build()?))
    }

    fn granted<K: TokenKind>(&self, endpoint: TokenEndpoint) -> Credential<K> {
        Credential::from_source(ClientCredentials::new(endpoint).with_scopes(self.scopes.iter().copied()))
    }
}

fn without(what: &str) -> Error {
    Error::configuration(format!("the document of the API names no {what} for this flow"))
}
