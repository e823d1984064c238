//! Sends a user to the authorization server.

use std::fmt;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::Url;

use super::client_authentication::checked_id;
use super::outcome::Grant;
use super::random::random_text;
use super::wire::Success;
use super::{PendingAuthorization, PendingAuthorizations, TokenEndpoint, Verifier};
use crate::auth::http;
use crate::error::Error;

/// The parameters that are ours to set.
const OWN: [&str; 7] =
    ["client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"];

/// Where users are sent to consent, and for what. Made once; [`begin`](Self::begin) makes the URL for one user.
///
/// ```
/// use keyfit::auth::oauth::{AuthorizationRequest, MemoryPendingAuthorizations};
///
/// # async fn login(session_cookie: &str, pending: &MemoryPendingAuthorizations) -> Result<(), keyfit::Error> {
/// let request = AuthorizationRequest::new(
///     "https://auth.example.com/oauth/authorize",
///     "my-client",
///     "https://app.example.com/callback",
/// )?
/// .scopes(["read", "offline_access"]);
/// let url = request.begin(session_cookie, pending).await?;
/// // Answer the browser with a redirect to `url`.
/// # let _ = url;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthorizationRequest {
    endpoint: Url,
    client_id: String,
    redirect_uri: String,
    scopes: Vec<String>,
    issuer: Option<String>,
    extra: Vec<(String, String)>,
}

/// The server's reference to a pushed authorization request.
#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

impl AuthorizationRequest {
    /// The authorization endpoint, the client that users give access to, and where they come back to. The redirect URI
    /// must be registered with the server, letter by letter.
    ///
    /// # Errors
    /// Returns an error if the endpoint is neither https nor on a loopback host, or sets a standard parameter itself; if the client id
    /// is empty or has control characters; or if the redirect URI is not a valid URL, has a fragment, or is plain http to a host that
    /// is not loopback.
    pub fn new(endpoint: &str, client_id: impl Into<String>, redirect_uri: impl Into<String>) -> Result<Self, Error> {
        let endpoint = http::checked_url(endpoint, "the authorization endpoint")?;
        if let Some((name, _)) = endpoint.query_pairs().find(|(name, _)| OWN.contains(&&**name)) {
            return Err(Error::configuration(format!("the authorization endpoint sets `{name}`, which Keyfit sets")));
        }
        let (client_id, redirect_uri) = (client_id.into(), redirect_uri.into());
        checked_id(&client_id)?;
        // Kept as text: the server compares it letter by letter, and a URL library would add a slash. A scheme of an
        // application (`com.example.app:/callback`) is allowed.
        match Url::parse(&redirect_uri) {
            Ok(url) if url.scheme() == "http" => http::check_place(&url, "the redirect URI")?,
            Ok(url) if url.fragment().is_none() => {}
            _ => {
                return Err(Error::configuration(
                    "the redirect URI is no absolute URL without a fragment: give it as it is registered".to_owned(),
                ));
            }
        }
        Ok(Self { endpoint, client_id, redirect_uri, scopes: Vec::new(), issuer: None, extra: Vec::new() })
    }

    /// The scopes to ask for. A server that follows OpenID Connect gives a refresh token for `offline_access` only.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The server's issuer identifier, for a server that names itself when it sends users back (RFC 9207; its metadata
    /// has `authorization_response_iss_parameter_supported`). A callback with another `iss`, or without one, is refused
    /// then. Give it where users can choose among several servers: else one of them could hand in the code of another.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The URL of the API that shall accept the token (RFC 8707). May be called again.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.parameter("resource", resource)
    }

    /// A parameter beside the standard ones, such as `prompt` or `audience`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// Makes the URL for one user, after remembering what his return is checked with. `session` names his browser: see
    /// [`PendingAuthorizations`].
    ///
    /// # Errors
    /// Returns an error if the store fails; if the session is empty, as of a missing cookie; or if an extra parameter is one of the
    /// standard ones.
    pub async fn begin(&self, session: &str, pending: &dyn PendingAuthorizations) -> Result<Url, Error> {
        let (url, entry) = self.prepare(session)?;
        pending.put(session, entry).await?;
        Ok(url)
    }

    /// As [`begin`](Self::begin), with the parameters pushed to the server and not shown to the browser (RFC 9126): the URL
    /// holds a name for them. The endpoint is of the same client, and was built with its
    /// [pushed authorization request endpoint](super::TokenEndpointBuilder::pushed_authorization_request_endpoint).
    ///
    /// # Errors
    /// Returns an error if `begin` would, or the server refuses: with a [`TokenError`](super::TokenError) as the source.
    pub async fn push(
        &self,
        endpoint: &TokenEndpoint,
        session: &str,
        pending: &dyn PendingAuthorizations,
    ) -> Result<Url, Error> {
        let place = endpoint.urls().pushed_authorization_request.as_ref();
        let place = endpoint.further("pushed_authorization_request_endpoint", place)?;
        let (whole, entry) = self.prepare(session)?;
        let pairs: Vec<(String, String)> = whole.query_pairs().into_owned().collect();
        let pushed = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let asked = endpoint.wire().ask(place, Grant::Repeatable, pushed, &[], Success::json::<Pushed>);
        let Pushed { request_uri } = asked.await.map_err(|failed| failed.error)?;
        pending.put(session, entry).await?;
        let mut url = self.endpoint.clone();
        url.query_pairs_mut().append_pair("client_id", &self.client_id).append_pair("request_uri", &request_uri);
        Ok(url)
    }

    /// The URL for one user, and what his return is checked with.
    fn prepare(&self, session: &str) -> Result<(Url, PendingAuthorization), Error> {
        if let Some((name, _)) = self.extra.iter().find(|(name, _)| OWN.contains(&name.as_str())) {
            return Err(Error::configuration(format!("the parameter `{name}` of an authorization is set by Keyfit")));
        }
        if session.is_empty() {
            return Err(Error::configuration(
                "the session of an authorization is empty: give the value of the browser's session cookie".to_owned(),
            ));
        }
        let state = random_text()?;
        let verifier = Verifier::random()?;
        let url = self.url(state.expose_secret(), &verifier);
        let (redirect_uri, scopes, issuer) = (self.redirect_uri.clone(), self.scopes.clone(), self.issuer.clone());
        Ok((url, PendingAuthorization::new(state, verifier, redirect_uri, scopes, issuer)))
    }

    fn url(&self, state: &str, verifier: &Verifier) -> Url {
        let mut url = self.endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("response_type", "code");
        if !self.scopes.is_empty() {
            query.append_pair("scope", &self.scopes.join(" "));
        }
        query
            .append_pair("state", state)
            .append_pair("code_challenge", &verifier.challenge())
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(&self.extra);
        drop(query);
        url
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Extra parameters may hold a login hint, which is personal.
        f.debug_struct("AuthorizationRequest")
            .field("endpoint", &self.endpoint.origin().ascii_serialization())
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryPendingAuthorizations;
    use super::*;

    const REDIRECT: &str = "https://app.example.com/callback";

    fn request(endpoint: &str) -> Result<AuthorizationRequest, Error> {
        AuthorizationRequest::new(endpoint, "my client", REDIRECT)
    }

    #[tokio::test]
    async fn every_parameter_is_encoded_and_there_once() {
        let request = request("https://auth.example.com/authorize?tenant=1").expect("a request");
        let request = request.scopes(["read", "contacts:read"]).parameter("prompt", "consent&login");
        let pending = MemoryPendingAuthorizations::new();
        let url = request.begin("s", &pending).await.expect("a URL");
        let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        let kept = pending.take("s", &state).await.expect("a store").expect("kept before the redirect");
        let expected = [
            ("tenant", "1"),
            ("client_id", "my client"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "read contacts:read"),
            ("state", &state),
            ("code_challenge", &kept.verifier().challenge()),
            ("code_challenge_method", "S256"),
            ("prompt", "consent&login"),
        ];
        assert_eq!(
            url.query_pairs().into_owned().collect::<Vec<_>>(),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(url.as_str().contains("scope=read+contacts%3Aread"), "{url}");
        assert!(!url.as_str().contains(kept.verifier().expose()));
    }

    #[tokio::test]
    async fn no_two_users_share_a_state_or_a_challenge() {
        let request = request("https://auth.example.com/authorize").expect("a request");
        let pending = MemoryPendingAuthorizations::new();
        let one = request.begin("s", &pending).await.expect("a URL");
        let two = request.begin("s", &pending).await.expect("a URL");
        for name in ["state", "code_challenge"] {
            let of = |url: &Url| url.query_pairs().find(|pair| pair.0 == name).map(|pair| pair.1.into_owned());
            assert_ne!(of(&one), of(&two));
        }
    }

    #[tokio::test]
    async fn a_standard_parameter_cannot_be_replaced() {
        for name in OWN {
            let request = request("https://auth.example.com/").expect("a request").parameter(name, "x");
            assert!(request.begin("s", &MemoryPendingAuthorizations::new()).await.is_err(), "{name}");
            assert!(super::AuthorizationRequest::new(&format!("https://a.example/?{name}=x"), "c", REDIRECT).is_err());
        }
    }

    #[test]
    fn plain_http_is_for_loopback_hosts() {
        assert!(request("http://127.0.0.1:1/authorize").is_ok());
        for endpoint in ["http://auth.example.com/", "https://u:p@auth.example.com/", "x", "https://a.example.com/#f"] {
            assert!(request(endpoint).is_err(), "{endpoint}");
        }
        let redirected = |to: &str| AuthorizationRequest::new("https://a.example.com", "c", to);
        for redirect in ["com.example.app:/callback", "http://127.0.0.1:8080/callback", "http://[::1]/callback"] {
            assert!(redirected(redirect).is_ok(), "{redirect}");
        }
        for redirect in ["/callback", "https://app.example.com/#x", "http://app.example.com/callback"] {
            assert!(redirected(redirect).is_err(), "{redirect}");
        }
        assert!(AuthorizationRequest::new("https://a.example.com", "", REDIRECT).is_err());
    }

    #[tokio::test]
    async fn an_empty_session_is_refused() {
        let request = request("https://auth.example.com/").expect("a request");
        let error = request.begin("", &MemoryPendingAuthorizations::new()).await.expect_err("no session");
        assert!(error.to_string().contains("session cookie"), "{error}");
    }
}
