//! The one place that talks to a token endpoint.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Request, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::client_authentication::ClientAuthentication;
use super::encode::Parameters;
use super::outcome::{Failed, Grant};
use super::{AuthorizationCode, TokenError, TokenSet, answer, encode};
use crate::auth::SecretSource;
use crate::auth::http::{Http, checked_url};
use crate::error::body::{self, End};
use crate::error::redact::Redactor;
use crate::error::{Clock, Error, SystemClock};

/// How much of an answer is read, in bytes.
const BODY_LIMIT: usize = 1 << 20;
const FORM: &str = "application/x-www-form-urlencoded";

/// How the parameters of a token request are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum BodyEncoding {
    /// As a form, which RFC 6749 asks for.
    #[default]
    Form,
    /// As a JSON object, which Scopien's documentation shows.
    Json,
}

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
/// | 504, a connection that broke, no answer in time | again: another token harms nobody | not again: it may be redeemed |
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
    url: Url,
    client_id: String,
    authentication: ClientAuthentication,
    encoding: BodyEncoding,
    assumed_lifetime: Option<Duration>,
    are_refresh_tokens_reusable: bool,
    timeout: Duration,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl TokenEndpoint {
    /// Begins to describe an endpoint.
    pub fn builder(url: impl Into<String>, client_id: impl Into<String>) -> TokenEndpointBuilder {
        TokenEndpointBuilder {
            url: url.into(),
            client_id: client_id.into(),
            authentication: ClientAuthentication::Public,
            encoding: BodyEncoding::default(),
            assumed_lifetime: None,
            are_refresh_tokens_reusable: false,
            http: Http { keeps_connections: false, ..Http::default() },
            clock: Arc::new(SystemClock),
        }
    }

    /// Turns a code into tokens. Where the server does not say what it granted, the scopes are those that were asked
    /// for.
    ///
    /// # Errors
    /// A [`TokenError`] as the source, or why no answer came. The code is used up, unless the endpoint was busy all the time.
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

    /// Sends one token request, and sends it again within the time that it may take where the endpoint is busy or cannot be
    /// reached and the grant bears it. `secrets` are masked in what the server says.
    pub(super) async fn request(
        &self,
        grant: Grant,
        parameters: Parameters<'_>,
        secrets: &[&str],
    ) -> Result<TokenSet, Failed> {
        let Inner { clock, timeout, .. } = &*self.0;
        let began = clock.monotonic();
        let mut attempts = 0;
        loop {
            let left = timeout.saturating_sub(clock.monotonic().saturating_sub(began));
            // Made anew each time: a secret may have been rotated meanwhile.
            let (mut request, secrets) = self.prepare(parameters.clone(), secrets).await.map_err(Failed::unsent)?;
            *request.timeout_mut() = Some(left);
            let failed = match self.send(request, &secrets).await {
                Ok(tokens) => return Ok(tokens),
                Err(failed) => failed,
            };
            attempts += 1;
            let left = timeout.saturating_sub(clock.monotonic().saturating_sub(began));
            let Some(wait) = failed.wait(grant, attempts, left) else { return Err(failed) };
            clock.sleep(wait).await;
        }
    }

    /// The request, and what has to be masked in its answer.
    async fn prepare(&self, parameters: Parameters<'_>, secrets: &[&str]) -> Result<(Request, Redactor), Error> {
        let Inner { url, client_id, authentication, encoding, .. } = &*self.0;
        let secret = match authentication.source() {
            Some(source) => Some(source.read().await?),
            None => None,
        };
        let secret = secret.as_ref().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty());
        if secret.is_none() && authentication.source().is_some() {
            return Err(Error::credential(format!("the secret of the OAuth client {client_id} is empty")));
        }
        let mut request = Request::new(reqwest::Method::POST, url.clone());
        let mut pairs = parameters;
        if let Some(header) = authentication.apply(client_id, secret.unwrap_or_default(), &mut pairs)? {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let (kind, body) = match encoding {
            BodyEncoding::Form => (FORM, encode::form(pairs)),
            BodyEncoding::Json => ("application/json", json(pairs)?),
        };
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        let basic = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        let basic = basic.map(|(_, pair)| pair.to_owned());
        let secrets = Redactor::of_client(secrets.iter().copied().chain(secret).chain(basic.as_deref()));
        Ok((request, secrets))
    }

    #[expect(clippy::disallowed_methods, reason = "a token endpoint is no operation of an API; this is its transport")]
    async fn send(&self, request: Request, secrets: &Redactor) -> Result<TokenSet, Failed> {
        let endpoint = self.0.url.origin().ascii_serialization();
        let asked = self.0.http.execute(request).await;
        let mut response = asked.map_err(|error| Failed::unanswered(&endpoint, error))?;
        let received = self.0.clock.now();
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = body::read(&mut response, BODY_LIMIT).await;
        let text = as_json(&headers, &body.bytes);
        let refusal = TokenError::read(&endpoint, status, &headers, &text, Some(received), secrets);
        let is_an_object = text.trim_ascii_start().starts_with(b"{");
        let misfit = |reason| TokenError::misfit(&endpoint, status, &headers, reason, secrets);
        if !status.is_success() {
            return Err(Failed::refused(refusal, is_an_object));
        }
        match body.end {
            End::Whole => {}
            End::Limit => return Err(Failed::unfit(misfit("the answer is longer than 1 MiB"), None)),
            End::Broken(error) => return Err(Failed::unanswered(&endpoint, error)),
        }
        answer::read(&text, received, self.0.assumed_lifetime).map_err(|unfit| {
            // Some servers send their errors with 200.
            if refusal.code().is_some() {
                Failed::refused(refusal, is_an_object)
            } else {
                Failed::unfit(misfit(unfit.reason), unfit.refresh)
            }
        })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.0.client_id
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub(super) fn are_refresh_tokens_reusable(&self) -> bool {
        self.0.are_refresh_tokens_reusable
    }
}

/// The parameters as an object, in which each name has one value.
fn json(pairs: Parameters<'_>) -> Result<String, Error> {
    let mut object = serde_json::Map::new();
    for (name, value) in pairs {
        if object.insert(name.to_owned(), Value::from(value)).is_some() {
            return Err(Error::configuration(format!(
                "the parameter `{name}` of a token request is there twice, which JSON cannot say: give it once"
            )));
        }
    }
    Ok(Value::Object(object).to_string())
}

/// An answer as JSON: some servers write a form.
fn as_json<'a>(headers: &HeaderMap, body: &'a [u8]) -> Cow<'a, [u8]> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(FORM));
    match std::str::from_utf8(body) {
        Ok(text) if is_form => {
            let members = encode::pairs(text).into_iter().map(|(name, value)| (name, Value::from(value)));
            Cow::Owned(Value::Object(members.collect()).to_string().into_bytes())
        }
        _ => Cow::Borrowed(body),
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("url", &self.0.url.origin().ascii_serialization())
            .field("client_id", &self.0.client_id)
            .field("authentication", &self.0.authentication)
            .field("encoding", &self.0.encoding)
            .finish_non_exhaustive()
    }
}

/// Describes a [`TokenEndpoint`].
#[must_use]
pub struct TokenEndpointBuilder {
    url: String,
    client_id: String,
    authentication: ClientAuthentication,
    encoding: BodyEncoding,
    assumed_lifetime: Option<Duration>,
    are_refresh_tokens_reusable: bool,
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

    /// How parameters are written. Default: as a form.
    pub fn encoding(mut self, encoding: BodyEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// How long an access token counts as good where the answer does not say it (`expires_in` is optional). Default:
    /// nobody knows. A [`RefreshingSession`](super::RefreshingSession) then uses the token until a server refuses it;
    /// [`ClientCredentials`](super::ClientCredentials) ask for another every five minutes of use, see
    /// [`Refresh::recheck`](crate::auth::Refresh::recheck).
    pub fn assumed_lifetime(mut self, lifetime: Duration) -> Self {
        self.assumed_lifetime = Some(lifetime);
        self
    }

    /// The server takes a refresh token again after it was used: it never replaces one, or does so with a time of grace. A
    /// [`RefreshingSession`](super::RefreshingSession) then asks again where an answer is lost, and outlives a process that
    /// is killed in the middle of a refresh. Default: not known, which is found out with the first refresh.
    pub fn reusable_refresh_tokens(mut self) -> Self {
        self.are_refresh_tokens_reusable = true;
        self
    }

    /// How long connecting may take. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// How long a token request may take, from connecting to the last byte of the answer, with all that is sent again.
    /// Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout = timeout;
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
    /// A URL that is neither https nor on a loopback host, has a fragment or a password; an empty client id.
    pub fn build(self) -> Result<TokenEndpoint, Error> {
        let url = checked_url(&self.url, "the token endpoint")?;
        if self.client_id.is_empty() {
            return Err(Error::configuration("the id of the OAuth client is empty".to_owned()));
        }
        let Self {
            client_id,
            authentication,
            encoding,
            assumed_lifetime,
            are_refresh_tokens_reusable,
            http,
            clock,
            ..
        } = self;
        let timeout = http.timeout;
        let http = http.client(&url)?;
        Ok(TokenEndpoint(Arc::new(Inner {
            url,
            client_id,
            authentication,
            encoding,
            assumed_lifetime,
            are_refresh_tokens_reusable,
            timeout,
            http,
            clock,
        })))
    }
}

impl fmt::Debug for TokenEndpointBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL that is refused later may hold a password.
        f.debug_struct("TokenEndpointBuilder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
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
