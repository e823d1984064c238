//! A flow of OAuth 2.0 as data.

use std::time::Duration;

/// A flow of OAuth 2.0, or OpenID Connect, as the document of an API describes it: its URLs, and the scopes that the operations of
/// the client need. A generated client has its flows in the module `oauth`, and a function `oauth` where a service can act for
/// itself. Going through a flow takes the feature `oauth`.
///
/// ```ignore
/// // Client credentials: all of it.
/// let client = parcels::Client::new(parcels::oauth("my-client", EnvSource::new("PARCELS_SECRET"))?)?;
/// // A user who consents: the two things that the code and its refresh need.
/// let request = parcels::oauth::AUTHORIZATION_CODE.authorization("my-client", "https://app.example.com/callback")?;
/// let endpoint = parcels::oauth::AUTHORIZATION_CODE.token_endpoint("my-client")?.build()?;
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct OAuthFlow {
    /// The token endpoint.
    pub token_url: Option<&'static str>,
    /// The endpoint for refreshes, if it is not the token endpoint.
    pub refresh_url: Option<&'static str>,
    /// The authorization endpoint, to which users are sent for their consent.
    pub authorization_url: Option<&'static str>,
    /// The issuer identifier of a server that publishes its metadata.
    pub issuer: Option<&'static str>,
    /// The scopes that the client's operations need. Empty if they name none: then the server grants its default scopes.
    pub scopes: &'static [&'static str],
    /// The time after its first use for which a refresh token is still accepted, as an overlay declares it.
    pub refresh_grace: Option<Duration>,
}

impl OAuthFlow {
    /// Makes a flow with no known values.
    pub const fn new() -> Self {
        Self {
            token_url: None,
            refresh_url: None,
            authorization_url: None,
            issuer: None,
            scopes: &[],
            refresh_grace: None,
        }
    }

    /// Returns the flow with its [token URL](Self::token_url).
    #[must_use]
    pub const fn with_token_url(self, url: &'static str) -> Self {
        Self { token_url: Some(url), ..self }
    }

    /// Returns the flow with its [refresh URL](Self::refresh_url).
    #[must_use]
    pub const fn with_refresh_url(self, url: &'static str) -> Self {
        Self { refresh_url: Some(url), ..self }
    }

    /// Returns the flow with its [authorization URL](Self::authorization_url).
    #[must_use]
    pub const fn with_authorization_url(self, url: &'static str) -> Self {
        Self { authorization_url: Some(url), ..self }
    }

    /// Returns the flow with its [issuer](Self::issuer).
    #[must_use]
    pub const fn with_issuer(self, issuer: &'static str) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    /// Returns the flow with its [scopes](Self::scopes).
    #[must_use]
    pub const fn with_scopes(self, scopes: &'static [&'static str]) -> Self {
        Self { scopes, ..self }
    }

    /// Returns the flow with its [grace period](Self::refresh_grace) of refresh tokens.
    #[must_use]
    pub const fn with_refresh_grace(self, time: Duration) -> Self {
        Self { refresh_grace: Some(time), ..self }
    }
}
