//! A token endpoint, what is beside it, and the client that uses them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::client_authentication::{ClientAuthentication, checked_id};
use super::encode::Parameters;
use super::outcome::{Failed, Grant};
use super::wire::{BodyEncoding, Success, Wire};
use super::{AuthorizationCode, TokenSet, answer};
use crate::auth::http::{Http, checked_url};
use crate::auth::{AccessToken, SecretSource};
use crate::error::{Clock, Error, SystemClock};
use crate::http_client::{HttpClient, Own};

/// A token endpoint and the client that uses it. Cloning shares it.
///
/// It is asked over https, or plain http on a loopback host, each time over a connection of its own; redirects are not
/// followed; an answer may hold 1 MiB. A client without a secret is a public one, for which PKCE alone vouches.
///
/// # Asked again
/// Within [`timeout`](TokenEndpointBuilder::timeout), 30 s, up to three times, after the wait that a `Retry-After` names or
/// else half a second and a second:
///
/// | What came | Client credentials | A code, a refresh token |
/// |---|---|---|
/// | no connection; 429, 500, 502, 503 | again: nothing was granted | again: nothing was redeemed |
/// | 504, a connection that broke, half an answer, no answer in time | again: another token harms nobody | not again: it may be redeemed |
/// | anything else | not again | not again |
///
/// A refresh token that its server leaves in force is asked for like client credentials.
///
/// ```
/// use keyfit::auth::SecretSource;
/// use keyfit::auth::oauth::{BodyEncoding, TokenEndpoint};
///
/// # fn example(secret: impl SecretSource) -> Result<(), keyfit::Error> {
/// let endpoint = TokenEndpoint::builder("https://auth.example.com/oauth/token", "my-client")
///     .secret_in_body(secret)
///     .encoding(BodyEncoding::Json)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenEndpoint(Arc<Inner>);

struct Inner {
    wire: Wire,
    urls: Urls,
    assumed_lifetime: Option<Duration>,
    are_refresh_tokens_reusable: bool,
    refresh_grace_period: Option<Duration>,
}

/// The endpoints of a server.
pub(super) struct Urls {
    token: Url,
    refresh: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) introspection: Option<Url>,
    pub(super) device_authorization: Option<Url>,
    pub(super) pushed_authorization_request: Option<Url>,
}

impl TokenEndpoint {
    /// Begins to describe an endpoint.
    pub fn builder(url: impl Into<String>, client_id: impl Into<String>) -> TokenEndpointBuilder {
        TokenEndpointBuilder {
            url: url.into(),
            refresh: None,
            revocation: None,
            introspection: None,
            device_authorization: None,
            pushed_authorization_request: None,
            client_id: client_id.into(),
            authentication: ClientAuthentication::Public,
            encoding: BodyEncoding::default(),
            assumed_lifetime: None,
            are_refresh_tokens_reusable: false,
            refresh_grace_period: None,
            http: Http { keeps_connections: false, ..Http::default() },
            clock: Arc::new(SystemClock),
        }
    }

    /// Turns a code into tokens. Where the server does not say what it granted, the scopes are those that were asked
    /// for.
    ///
    /// # Errors
    /// Returns an error if the server refuses, with a [`TokenError`](super::TokenError) as the source, or if no answer came. The code
    /// is used up, unless the endpoint was busy all the time.
    pub async fn exchange(&self, code: AuthorizationCode) -> Result<TokenSet, Error> {
        let (text, verifier, redirect_uri, asked) = code.parts();
        let parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", text),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        let secrets = [text, verifier.expose()];
        let tokens = self.request(Grant::Once, parameters, &secrets).await.map_err(|failed| failed.error)?;
        Ok(if tokens.scopes().is_empty() { tokens.granting(asked) } else { tokens })
    }

    /// Sends a token request: see [`Wire::ask`].
    pub(super) async fn request(
        &self,
        grant: Grant,
        parameters: Parameters<'_>,
        secrets: &[&str],
    ) -> Result<TokenSet, Failed> {
        self.request_at(&self.0.urls.token, grant, parameters, secrets).await
    }

    /// Redeems a refresh token.
    pub(super) async fn refresh(&self, grant: Grant, token: &str, secrets: &[&str]) -> Result<TokenSet, Failed> {
        let parameters = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        let url = self.0.urls.refresh.as_ref().unwrap_or(&self.0.urls.token);
        self.request_at(url, grant, parameters, secrets).await
    }

    async fn request_at(
        &self,
        url: &Url,
        grant: Grant,
        parameters: Parameters<'_>,
        secrets: &[&str],
    ) -> Result<TokenSet, Failed> {
        let assumed = self.0.assumed_lifetime;
        let read = |success: Success| match answer::read(&success.text, success.received, assumed) {
            Ok(tokens) => Ok(tokens),
            Err(unfit) => Err(success.unfit(unfit.reason, unfit.is_cut).with_rotated(unfit.refresh)),
        };
        self.0.wire.ask(url, grant, parameters, secrets, read).await
    }

    /// The access token of a grant that may be asked for again.
    pub(super) async fn access_token(
        &self,
        parameters: Parameters<'_>,
        secrets: &[&str],
    ) -> Result<AccessToken, Error> {
        let asked = self.request(Grant::Repeatable, parameters, secrets).await;
        asked.map(|tokens| tokens.access().clone()).map_err(|failed| failed.error)
    }

    pub(super) fn client_id(&self) -> &str {
        &self.0.wire.client_id
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.wire.clock
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.0.wire
    }

    pub(super) fn urls(&self) -> &Urls {
        &self.0.urls
    }

    /// An endpoint beside the one for tokens.
    pub(super) fn further<'a>(&self, name: &str, url: Option<&'a Url>) -> Result<&'a Url, Error> {
        url.ok_or_else(|| {
            let server = self.0.urls.token.origin().ascii_serialization();
            Error::configuration(format!(
                "the `{name}` of {server} is not known: give its URL to the builder of the token endpoint"
            ))
        })
    }

    pub(super) fn are_refresh_tokens_reusable(&self) -> bool {
        self.0.are_refresh_tokens_reusable
    }

    pub(super) fn refresh_grace_period(&self) -> Option<Duration> {
        self.0.refresh_grace_period
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("url", &self.0.urls.token.origin().ascii_serialization())
            .field("wire", &self.0.wire)
            .finish_non_exhaustive()
    }
}

/// Describes a [`TokenEndpoint`].
#[must_use]
pub struct TokenEndpointBuilder {
    url: String,
    refresh: Option<String>,
    revocation: Option<String>,
    introspection: Option<String>,
    device_authorization: Option<String>,
    pushed_authorization_request: Option<String>,
    client_id: String,
    authentication: ClientAuthentication,
    encoding: BodyEncoding,
    assumed_lifetime: Option<Duration>,
    are_refresh_tokens_reusable: bool,
    refresh_grace_period: Option<Duration>,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl TokenEndpointBuilder {
    /// A confidential client that sends its secret among the parameters. The secret is read anew for each request.
    pub fn secret_in_body(mut self, secret: impl SecretSource) -> Self {
        self.authentication = ClientAuthentication::Body(Arc::new(secret));
        self
    }

    /// A confidential client that sends id and secret in the `Authorization` header, which every server of RFC 6749
    /// must accept. The secret is read anew for each request.
    pub fn secret_in_header(mut self, secret: impl SecretSource) -> Self {
        self.authentication = ClientAuthentication::Basic(Arc::new(secret));
        self
    }

    /// A confidential client that signs a JWT for each request (RFC 7523, section 2.2): `private_key_jwt`, and with a secret
    /// for HS256 `client_secret_jwt`. It is good for a minute, and once.
    #[cfg(feature = "jwt")]
    pub fn assertion(mut self, key: impl Into<crate::auth::JwtKey>) -> Self {
        self.authentication = ClientAuthentication::Assertion(key.into());
        self
    }

    /// Where tokens are refreshed. Default: where they are had.
    pub fn refresh_endpoint(mut self, url: impl Into<String>) -> Self {
        self.refresh = Some(url.into());
        self
    }

    /// Where tokens are revoked (RFC 7009): see [`TokenEndpoint::revoke`].
    pub fn revocation_endpoint(mut self, url: impl Into<String>) -> Self {
        self.revocation = Some(url.into());
        self
    }

    /// Where tokens are asked about (RFC 7662): see [`TokenEndpoint::introspect`].
    pub fn introspection_endpoint(mut self, url: impl Into<String>) -> Self {
        self.introspection = Some(url.into());
        self
    }

    /// Where codes for other devices are had (RFC 8628): see [`TokenEndpoint::authorize_device`].
    pub fn device_authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.device_authorization = Some(url.into());
        self
    }

    /// Where authorization requests are pushed (RFC 9126): see
    /// [`AuthorizationRequest::push`](super::AuthorizationRequest::push).
    pub fn pushed_authorization_request_endpoint(mut self, url: impl Into<String>) -> Self {
        self.pushed_authorization_request = Some(url.into());
        self
    }

    /// Sets the encoding of the parameters. Default: a form.
    pub fn encoding(mut self, encoding: BodyEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Sets the lifetime of an access token if the answer does not state it (`expires_in` is optional). Default:
    /// not known. A [`RefreshingSession`](super::RefreshingSession) then uses the token until a server refuses it;
    /// [`ClientCredentials`](super::ClientCredentials) ask for another every five minutes of use, see
    /// [`Refresh::recheck`](crate::auth::Refresh::recheck).
    pub fn assumed_lifetime(mut self, lifetime: Duration) -> Self {
        self.assumed_lifetime = Some(lifetime);
        self
    }

    /// The server takes a refresh token any number of times: it never replaces one. A
    /// [`RefreshingSession`](super::RefreshingSession) then asks again where an answer is lost, and outlives a process that
    /// is killed in the middle of a refresh. Default: not known, which is found out with the first refresh. For a server that takes one
    /// again for a while alone there is [`refresh_grace_period`](Self::refresh_grace_period).
    pub fn reusable_refresh_tokens(mut self) -> Self {
        self.are_refresh_tokens_reusable = true;
        self
    }

    /// The server replaces a refresh token with each use, and takes the old one again for so long after its first use: a grace period, a
    /// reuse interval, a leeway. A [`RefreshingSession`](super::RefreshingSession) then asks once more where an answer is lost, and goes on
    /// after a process that was killed in the middle of a refresh, but never later than this, counted from before the token was first sent,
    /// nor in its last second. After that time the user has to consent again, as without a grace period: by then the server would take
    /// the token for theft and end the session.
    ///
    /// Whoever goes on holds the lock of the store. A lock that outlives its process has to end within the grace period to be of use: see
    /// `auth::store::SharedStore::lease`. Default: none.
    pub fn refresh_grace_period(mut self, time: Duration) -> Self {
        self.refresh_grace_period = Some(time);
        self
    }

    /// Sets the timeout for connecting. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of a token request, from connecting to the last byte of the answer, including all retries.
    /// Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout = timeout;
        self
    }

    /// A client of your own that sends the requests, as that of [`Config::http_client`](crate::Config::http_client).
    /// [`connect_timeout`](Self::connect_timeout) is its own business; the [`timeout`](Self::timeout) stays in force.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http.own = Some(Own::new(client));
        self
    }

    /// The name and version of your application, put in front of ours in `User-Agent`.
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.http.user_agent = Some(agent.into());
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the description. Nothing is sent.
    ///
    /// # Errors
    /// Returns an error if a URL is neither https nor on a loopback host, or has a fragment or a password; or if the client id is empty
    /// or has control characters.
    pub fn build(self) -> Result<TokenEndpoint, Error> {
        let further = |url: Option<String>, name| url.map(|url| checked_url(&url, name)).transpose();
        let urls = Urls {
            token: checked_url(&self.url, "the token endpoint")?,
            refresh: further(self.refresh, "the refresh endpoint")?,
            revocation: further(self.revocation, "the revocation endpoint")?,
            introspection: further(self.introspection, "the introspection endpoint")?,
            device_authorization: further(self.device_authorization, "the device authorization endpoint")?,
            pushed_authorization_request: further(
                self.pushed_authorization_request,
                "the pushed authorization request endpoint",
            )?,
        };
        checked_id(&self.client_id)?;
        let wire = Wire {
            client_id: self.client_id,
            authentication: self.authentication,
            encoding: self.encoding,
            audience: urls.token.clone(),
            timeout: self.http.timeout,
            sender: self.http.sender(&[&urls.token])?,
            clock: self.clock,
        };
        let Self { assumed_lifetime, are_refresh_tokens_reusable, refresh_grace_period, .. } = self;
        Ok(TokenEndpoint(Arc::new(Inner {
            wire,
            urls,
            assumed_lifetime,
            are_refresh_tokens_reusable,
            refresh_grace_period,
        })))
    }
}

impl fmt::Debug for TokenEndpointBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL that is refused later may hold a password.
        f.debug_struct("TokenEndpointBuilder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "reqwest"))]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_a_loopback_host() {
        let build = |url: &str| TokenEndpoint::builder(url, "c").build();
        assert!(build("https://auth.example.com/oauth/token?tenant=1").is_ok());
        assert!(build("http://[::1]:1/token").is_ok());
        for url in
            ["http://auth.example.com/", "https://u:hunter2@a.example.com/", "https://a.example.com/#hunter2", "x"]
        {
            let error = build(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        assert!(TokenEndpoint::builder("https://a.example.com", "").build().is_err());
    }
}
