//! Tokens for a service that acts for itself (RFC 6749, section 4.4).

use std::fmt;

use futures_core::future::BoxFuture;

use super::outcome::Grant;
use super::{TokenEndpoint, TokenSet};
use crate::auth::{AccessToken, TokenSource};
use crate::error::Error;

/// The parameters that are ours to set.
const OWN: [&str; 5] = ["grant_type", "scope", "audience", "client_id", "client_secret"];

/// Gets access tokens with the client's own credentials. Each fetch is one token request: give it to
/// [`Credential::from_source`](crate::auth::Credential::from_source), which keeps the token until it is about to
/// expire. A refresh token is neither needed nor kept.
///
/// One source is for one set of scopes and one audience; [`with_scopes`](Self::with_scopes) and
/// [`with_audience`](Self::with_audience) make another source and leave this one as it is.
///
/// ```
/// use keyfit::auth::Credential;
/// use keyfit::auth::oauth::{ClientCredentials, TokenEndpoint};
///
/// # fn example(endpoint: TokenEndpoint) -> Result<(), keyfit::Error> {
/// let grant = ClientCredentials::new(endpoint);
/// let reading: Credential<keyfit::scopien::kind::Key> = Credential::from_source(grant.with_scopes(["read"]));
/// let writing: Credential<keyfit::scopien::kind::Key> = Credential::from_source(grant.with_scopes(["read", "write"]));
/// # let _ = (reading, writing);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCredentials {
    endpoint: TokenEndpoint,
    scopes: Vec<String>,
    audience: Option<String>,
    extra: Vec<(String, String)>,
}

impl ClientCredentials {
    /// For the scopes that the server gives by itself.
    pub fn new(endpoint: TokenEndpoint) -> Self {
        Self { endpoint, scopes: Vec::new(), audience: None, extra: Vec::new() }
    }

    /// Another source, for these scopes.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..self.clone() }
    }

    /// Another source, for tokens that this API accepts.
    #[must_use]
    pub fn with_audience(&self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self.clone() }
    }

    /// Another source, for tokens that the API with this URL accepts (RFC 8707). May be called again.
    #[must_use]
    pub fn with_resource(&self, resource: impl Into<String>) -> Self {
        self.with_parameter("resource", resource)
    }

    /// Another source, with one more parameter. One of the standard ones makes each fetch an error.
    #[must_use]
    pub fn with_parameter(&self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let mut source = self.clone();
        source.extra.push((name.into(), value.into()));
        source
    }

    /// Asks for a token now, and returns all that the server says of it. Where it does not say which scopes it granted, there
    /// are none: they are those that were asked for (RFC 6749, section 5.1).
    ///
    /// # Errors
    /// Returns an error if the server refuses, with a [`TokenError`](super::TokenError) as the source; if no answer came; or if one of
    /// the standard parameters was also given as an extra one.
    pub async fn request(&self) -> Result<TokenSet, Error> {
        if let Some((name, _)) = self.extra.iter().find(|(name, _)| OWN.contains(&name.as_str())) {
            return Err(Error::configuration(format!("the parameter `{name}` of a token request is set by Keyfit")));
        }
        let scope = self.scopes.join(" ");
        let mut parameters = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            parameters.push(("scope", &scope));
        }
        parameters.extend(self.audience.iter().map(|audience| ("audience", audience.as_str())));
        parameters.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        // An assertion is a secret, and what else a caller adds may be one.
        let secrets: Vec<&str> = self.extra.iter().map(|(_, value)| value.as_str()).collect();
        self.endpoint.request(Grant::Repeatable, parameters, &secrets).await.map_err(|failed| failed.error)
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parameters may hold secrets.
        f.debug_struct("ClientCredentials")
            .field("endpoint", &self.endpoint)
            .field("scopes", &self.scopes)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl TokenSource for ClientCredentials {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { self.request().await.map(|tokens| tokens.access().clone()) })
    }
}
