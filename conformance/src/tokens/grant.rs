//! Tokens of the client credentials grant (RFC 6749, section 4.4).

use std::collections::BTreeSet;

use futures_core::future::BoxFuture;
use keyfit::Error;
use keyfit::auth::oauth::{BodyEncoding, ClientCredentials, TokenEndpoint};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{AccessToken, TokenSource};

use crate::contract::{AuthorizationServer, ClientAuthentication, TokenBody};
use crate::credential::identity::Client;

/// The token request: the requested token, and the endpoint and client for it.
pub(super) struct TokenRequest<'a> {
    /// The URL of the token endpoint.
    pub(super) url: &'a str,
    pub(super) server: Option<&'a AuthorizationServer>,
    pub(super) client: &'a Client,
    pub(super) scopes: BTreeSet<String>,
    /// True if the token must have exactly these scopes.
    pub(super) is_limited: bool,
    pub(super) audience: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
}

/// Client credentials that fail if the server grants other scopes than the requested ones.
#[derive(Debug)]
pub(super) struct ScopedClientCredentials {
    credentials: ClientCredentials,
    scopes: BTreeSet<String>,
    is_limited: bool,
}

impl ScopedClientCredentials {
    /// Creates the source of such tokens with this HTTP client. Does not send anything.
    ///
    /// # Errors
    /// Returns an error if the client has no secret, or the endpoint must not be called.
    pub(super) fn new(token_request: TokenRequest<'_>, http: reqwest::Client) -> Result<Self, String> {
        let TokenRequest { url, server, client, scopes, is_limited, audience, resource } = token_request;
        let secret = client.secret.as_ref().ok_or("a client without a secret is granted none for itself")?;
        let secret = MemorySource::new(secret.reveal());
        let builder = TokenEndpoint::builder(url, &client.id).http_client(http);
        let first = || server.and_then(|server| server.client_authentication.first().copied());
        let builder = match client.authentication.or_else(first) {
            Some(ClientAuthentication::Body) => builder.secret_in_body(secret),
            Some(ClientAuthentication::Basic) | None => builder.secret_in_header(secret),
        };
        let is_json = server.is_some_and(|server| server.token_body == TokenBody::Json);
        let builder = builder.encoding(if is_json { BodyEncoding::Json } else { BodyEncoding::Form });
        let endpoint = builder.build().map_err(|error| error.to_string())?;
        let mut credentials = ClientCredentials::new(endpoint).with_scopes(&scopes);
        if let Some(audience) = audience {
            credentials = credentials.with_audience(audience);
        }
        if let Some(resource) = resource {
            credentials = credentials.with_resource(resource);
        }
        Ok(Self { credentials, scopes, is_limited })
    }

    async fn ask(&self) -> Result<AccessToken, Error> {
        let tokens = self.credentials.request().await?;
        let granted: BTreeSet<String> = tokens.scopes().iter().cloned().collect();
        let is_as_asked = if self.is_limited { granted == self.scopes } else { granted.is_superset(&self.scopes) };
        // An answer without scopes grants the requested ones (RFC 6749, section 5.1).
        if granted.is_empty() || is_as_asked {
            return Ok(tokens.access().clone());
        }
        let listed = |scopes: &BTreeSet<String>| scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        Err(Error::credential(format!(
            "the scopes `{}` were asked for and `{}` are granted: say with `scopes` what the client is granted",
            listed(&self.scopes),
            listed(&granted)
        )))
    }
}

impl TokenSource for ScopedClientCredentials {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(self.ask())
    }
}
