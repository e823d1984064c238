//! One token for another: that of a user for one of a service behind (RFC 8693), and an assertion for an access token
//! (RFC 7523, section 2.1).

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::TokenEndpoint;
use crate::auth::{AccessToken, TokenSource};
use crate::error::Error;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges the token of a source for another one (RFC 8693): for another API, with fewer scopes, or on behalf of its
/// user. Each fetch is one token request. Give it to
/// [`Credential::from_source`](crate::auth::Credential::from_source).
///
/// ```
/// use keyfit::auth::Credential;
/// use keyfit::auth::oauth::{TokenEndpoint, TokenExchange};
/// use keyfit::auth::source::MemorySource;
///
/// # fn example(endpoint: TokenEndpoint, of_the_user: impl keyfit::auth::TokenSource) {
/// let exchange = TokenExchange::new(endpoint, of_the_user).scopes(["read"]).audience("parcels");
/// let credential: Credential<keyfit::scopien::kind::Key> = Credential::from_source(exchange);
/// # let _ = credential;
/// # }
/// ```
#[derive(Clone)]
pub struct TokenExchange {
    endpoint: TokenEndpoint,
    subject: Arc<dyn TokenSource>,
    subject_type: String,
    actor: Option<Arc<dyn TokenSource>>,
    parameters: Vec<(&'static str, String)>,
}

impl TokenExchange {
    /// Exchanges the access token of a source.
    pub fn new(endpoint: TokenEndpoint, subject: impl TokenSource) -> Self {
        let subject_type = ACCESS_TOKEN.to_owned();
        Self { endpoint, subject: Arc::new(subject), subject_type, actor: None, parameters: Vec::new() }
    }

    /// Sets the type of the source's token, if it is not an access token: `urn:ietf:params:oauth:token-type:jwt`, `…:id_token`.
    #[must_use]
    pub fn subject_token_type(mut self, kind: impl Into<String>) -> Self {
        self.subject_type = kind.into();
        self
    }

    /// The access token of whom acts for the subject.
    #[must_use]
    pub fn actor(mut self, actor: impl TokenSource) -> Self {
        self.actor = Some(Arc::new(actor));
        self
    }

    /// The scopes to ask for.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        self.parameters.push(("scope", scopes.join(" ")));
        self
    }

    /// The name of the API that shall accept the token. May be called again.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.parameters.push(("audience", audience.into()));
        self
    }

    /// The URL of the API that shall accept the token (RFC 8707). May be called again.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.parameters.push(("resource", resource.into()));
        self
    }

    async fn exchange(&self) -> Result<AccessToken, Error> {
        let subject = self.subject.fetch().await?;
        let actor = match &self.actor {
            Some(actor) => Some(actor.fetch().await?),
            None => None,
        };
        let mut parameters = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", subject.expose()),
            ("subject_token_type", &self.subject_type),
        ];
        if let Some(actor) = &actor {
            parameters.extend([("actor_token", actor.expose()), ("actor_token_type", ACCESS_TOKEN)]);
        }
        parameters.extend(self.parameters.iter().map(|(name, value)| (*name, value.as_str())));
        let secrets: Vec<&str> =
            [Some(&subject), actor.as_ref()].into_iter().flatten().map(AccessToken::expose).collect();
        self.endpoint.access_token(parameters, &secrets).await
    }
}

impl TokenSource for TokenExchange {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(self.exchange())
    }
}

impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange")
            .field("endpoint", &self.endpoint)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Exchanges an assertion, most often a JWT of a [`JwtSigner`](crate::auth::JwtSigner), for an access token (RFC 7523,
/// section 2.1): how services of several large providers log in. Each fetch is one token request.
///
/// ```
/// # #[cfg(feature = "jwt")]
/// # fn example(endpoint: keyfit::auth::oauth::TokenEndpoint, signer: keyfit::auth::JwtSigner) {
/// use keyfit::auth::Credential;
/// use keyfit::auth::oauth::JwtBearer;
///
/// let grant = JwtBearer::new(endpoint, signer).scopes(["read"]);
/// let credential: Credential<keyfit::scopien::kind::Key> = Credential::from_source(grant);
/// # let _ = credential;
/// # }
/// ```
#[derive(Clone)]
pub struct JwtBearer {
    endpoint: TokenEndpoint,
    assertion: Arc<dyn TokenSource>,
    scope: String,
}

impl JwtBearer {
    /// Exchanges what the source gives.
    pub fn new(endpoint: TokenEndpoint, assertion: impl TokenSource) -> Self {
        Self { endpoint, assertion: Arc::new(assertion), scope: String::new() }
    }

    /// The scopes to ask for.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scope = scopes.into_iter().map(Into::into).collect::<Vec<_>>().join(" ");
        self
    }
}

impl TokenSource for JwtBearer {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async {
            let assertion = self.assertion.fetch().await?;
            let mut parameters =
                vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.expose())];
            if !self.scope.is_empty() {
                parameters.push(("scope", &self.scope));
            }
            self.endpoint.access_token(parameters, &[assertion.expose()]).await
        })
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBearer")
            .field("endpoint", &self.endpoint)
            .field("assertion", &self.assertion)
            .field("scope", &self.scope)
            .finish()
    }
}
