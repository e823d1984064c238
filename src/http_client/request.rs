//! A request before it is sent.

use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, Uri};
use url::Url;

use super::{Body, SendError};

/// A request before it is sent: its URL can still be read and changed in parts.
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Body>,
    pub(super) timeout: Option<Duration>,
}

/// The time limit of an attempt, up to the last byte of its answer. It is in the extensions of each request that an
/// [`HttpClient`](super::HttpClient) receives. It is enforced even if the client ignores it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeLimit(pub Duration);

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, timeout: None }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn url_mut(&mut self) -> &mut Url {
        &mut self.url
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body, where it has one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    pub(crate) fn body_mut(&mut self) -> &mut Option<Body> {
        &mut self.body
    }

    /// Sets the time limit, up to the last byte of the answer.
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    /// Adds pairs to the end of the query, encoded as a form.
    pub(crate) fn add_pairs<N: AsRef<str>, V: AsRef<str>>(&mut self, pairs: impl IntoIterator<Item: Borrow<(N, V)>>) {
        self.url.query_pairs_mut().extend_pairs(pairs);
        if self.url.query() == Some("") {
            self.url.set_query(None);
        }
    }

    /// Takes the place of headers with the same names.
    pub(crate) fn replace_headers(&mut self, headers: HeaderMap) {
        if self.headers.is_empty() {
            self.headers = headers;
            return;
        }
        let mut last = None;
        for (name, value) in headers {
            // Further values of a name come without it.
            match (name, &last) {
                (Some(name), _) => {
                    self.headers.insert(&name, value);
                    last = Some(name);
                }
                (None, Some(name)) => drop(self.headers.append(name, value)),
                (None, None) => {}
            }
        }
    }

    /// The same once more; the bytes of a body are shared. `None` where the body can be sent once.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let body = match &self.body {
            Some(body) => Some(body.try_clone()?),
            None => None,
        };
        let (method, url, headers) = (self.method.clone(), self.url.clone(), self.headers.clone());
        Some(Self { method, url, headers, body, timeout: self.timeout })
    }

    /// The request as an [`HttpClient`](super::HttpClient) takes it.
    pub(super) fn into_http(self) -> Result<http::Request<Body>, SendError> {
        let mut request = http::Request::new(self.body.unwrap_or_else(Body::empty));
        *request.uri_mut() = Uri::try_from(self.url.as_str()).map_err(SendError::unfit)?;
        *request.method_mut() = self.method;
        *request.headers_mut() = self.headers;
        if let Some(timeout) = self.timeout {
            request.extensions_mut().insert(TimeLimit(timeout));
        }
        Ok(request)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Path, query and headers may hold secrets and what is personal.
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}
