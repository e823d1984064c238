//! The clients of reqwest: the one that is built in, and one that the user has set up.

use std::error::Error as StdError;
use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::redirect::Policy;

use super::{Body, Fault, HttpClient, Request, SendError, Sending, TimeLimit};

type BoxError = Box<dyn StdError + Send + Sync>;

/// The client that is built in.
#[derive(Clone, Debug)]
pub(crate) struct BuiltIn {
    client: reqwest::Client,
    /// Of a request that says nothing else.
    timeout: Duration,
}

/// The settings of the client.
pub(crate) struct Setup<'a> {
    /// The name that it calls itself.
    pub(crate) agent: &'a str,
    pub(crate) connect_timeout: Duration,
    /// From connecting to the last byte of the answer, where a request says nothing else.
    pub(crate) timeout: Duration,
    /// True if a connection serves several requests.
    pub(crate) keeps_connections: bool,
    /// True if the client uses a proxy from the environment.
    pub(crate) uses_proxy: bool,
    #[cfg(feature = "rustls-no-provider")]
    pub(crate) trust: Trust<'a>,
    /// Shown to a server that asks for one.
    #[cfg(feature = "rustls-no-provider")]
    pub(crate) identity: Option<Identity>,
}

/// Which certificate authorities are trusted.
#[cfg(feature = "rustls-no-provider")]
pub(crate) enum Trust<'a> {
    /// None: TLS is never spoken.
    Nobody,
    /// Those of the system, and these.
    SystemAnd(&'a [Authority]),
}

/// The certificate of an authority.
#[cfg(feature = "rustls-no-provider")]
#[derive(Clone, Debug)]
pub(crate) struct Authority(reqwest::Certificate);

/// A certificate with its private key.
#[cfg(feature = "rustls-no-provider")]
pub(crate) struct Identity(reqwest::Identity);

impl BuiltIn {
    /// # Errors
    /// Returns an error if the certificate and its key do not fit, the name is no header, or the TLS backend cannot be initialized.
    pub(crate) fn new(setup: Setup<'_>) -> Result<Self, SendError> {
        #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(SendError::of_fault(
                Fault::Unfit,
                "rustls has no cryptography: install one before the first client, such as \
                 `rustls::crypto::ring::default_provider().install_default()`, or turn on the feature `rustls` of keyfit",
            ));
        }
        let builder = reqwest::Client::builder()
            .user_agent(setup.agent)
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(setup.connect_timeout)
            .timeout(setup.timeout)
            // The attempt loop alone sends anything again.
            .retry(reqwest::retry::never());
        let builder = if setup.keeps_connections { builder } else { builder.pool_max_idle_per_host(0) };
        let builder = if setup.uses_proxy { builder } else { builder.no_proxy() };
        #[cfg(feature = "rustls-no-provider")]
        let builder = match setup.trust {
            Trust::Nobody => builder.tls_certs_only([]),
            Trust::SystemAnd(authorities) => builder.tls_certs_merge(authorities.iter().map(|one| one.0.clone())),
        };
        #[cfg(feature = "rustls-no-provider")]
        let builder = match setup.identity {
            Some(Identity(identity)) => builder.identity(identity),
            None => builder,
        };
        Ok(Self { client: builder.build()?, timeout: setup.timeout })
    }

    /// Sends a request, once.
    pub(super) async fn send(&self, request: Request) -> Result<http::Response<Body>, SendError> {
        let Request { method, url, headers, body, timeout } = request;
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = body.map(reqwest::Body::from);
        // The usual one is the client's own already.
        if let Some(timeout) = timeout.filter(|timeout| *timeout != self.timeout) {
            *request.timeout_mut() = Some(timeout);
        }
        Ok(answer(execute(&self.client, request).await?))
    }
}

#[cfg(feature = "rustls-no-provider")]
impl Authority {
    /// Those in a text in PEM; `None` where there is none.
    pub(crate) fn all_in(pem: &[u8]) -> Option<Vec<Self>> {
        let read = reqwest::Certificate::from_pem_bundle(pem).ok()?;
        (!read.is_empty()).then(|| read.into_iter().map(Self).collect())
    }
}

#[cfg(feature = "rustls-no-provider")]
impl Identity {
    /// The one in a text in PEM, certificate and key.
    pub(crate) fn from_pem(pem: &[u8]) -> Option<Self> {
        reqwest::Identity::from_pem(pem).ok().map(Self)
    }
}

/// A client with settings of your own. One that follows redirects fails with the first: build it with
/// `redirect(reqwest::redirect::Policy::none())`.
impl HttpClient for reqwest::Client {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            let time = request.extensions().get::<TimeLimit>().copied();
            let mut request = reqwest::Request::try_from(request)?;
            *request.timeout_mut() = time.map(|TimeLimit(time)| time);
            let url = request.url().clone();
            let response = execute(self, request).await?;
            if *response.url() != url {
                return Err(SendError::new(
                    "the client followed a redirect, and may have taken the credential along: build it with \
                     `redirect(reqwest::redirect::Policy::none())`",
                ));
            }
            Ok(answer(response))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
async fn execute(http: &reqwest::Client, request: reqwest::Request) -> Result<reqwest::Response, SendError> {
    Ok(http.execute(request).await?)
}

fn answer(mut response: reqwest::Response) -> http::Response<Body> {
    let (status, headers) = (response.status(), mem::take(response.headers_mut()));
    let mut answer = http::Response::new(Body::of_chunks(Box::pin(Answered(response))));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// The body of an answer: as the answer itself, since a body for itself would stand in a box of its own.
struct Answered(reqwest::Response);

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // It keeps nothing between two looks.
        let chunk = pin!(self.0.chunk()).poll(context);
        chunk.map(|chunk| match chunk {
            Ok(chunk) => chunk.map(|chunk| Ok(Frame::data(chunk))),
            Err(error) => Some(Err(SendError::from(Within(error)).into())),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.0.content_length().map(SizeHint::with_exact).unwrap_or_default()
    }
}

impl From<reqwest::Body> for Body {
    fn from(body: reqwest::Body) -> Self {
        match body.as_bytes() {
            Some(bytes) => Bytes::copy_from_slice(bytes).into(),
            None => Self::new(body),
        }
    }
}

impl From<Body> for reqwest::Body {
    fn from(body: Body) -> Self {
        body.into_bytes().map_or_else(Self::wrap, Self::from)
    }
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        let (fault, place) = (fault(&error), error.url().cloned());
        // The URL may hold phone numbers and addresses.
        let error = Self::of_fault(fault, error.without_url());
        match place {
            Some(url) => error.to(&url),
            None => error,
        }
    }
}

fn fault(error: &reqwest::Error) -> Fault {
    if error.is_connect() {
        Fault::Connect
    } else if error.is_builder() {
        Fault::Unfit
    } else if error.is_timeout() {
        Fault::Timeout
    } else {
        Fault::Broken
    }
}

/// An error of a body, without the one that the body of an answer puts around its own.
struct Within(reqwest::Error);

impl From<Within> for SendError {
    fn from(error: Within) -> Self {
        Self::of_fault(fault(&error.0), error)
    }
}

impl Within {
    fn inner(&self) -> &(dyn StdError + 'static) {
        self.0.source().filter(|inner| inner.is::<reqwest::Error>()).unwrap_or(&self.0)
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner(), f)
    }
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.inner(), f)
    }
}

impl StdError for Within {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner().source()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    #[test]
    fn a_client_without_cryptography_says_how_to_get_it() {
        let error = crate::auth::http::Http::default().sender(&[]).expect_err("none is installed").to_string();
        assert!(error.contains("install_default()") && error.contains("the feature `rustls` of keyfit"), "{error}");
    }
}
