//! Builds the requests of generated calls.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use serde::Serialize;
use url::Url;

use super::query::QueryParam;
use crate::http_client::{Body, Request, SendError};

/// Where the requests of generated calls begin.
#[derive(Clone, Copy, Debug)]
pub struct Requests;

/// A request that is being built. Its first flaw is told by [`build`](Self::build).
#[derive(Debug)]
#[must_use = "nothing is built before `build`"]
pub struct RequestBuilder(Result<Request, SendError>);

impl Requests {
    /// A request with this method to this URL.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder(Url::parse(url.as_ref()).map(|url| Request::new(method, url)).map_err(SendError::unfit))
    }

    /// A GET.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// A POST.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A PUT.
    pub fn put(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// A PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// A DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }
}

impl RequestBuilder {
    /// Adds a header.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.with(|request| {
            let name = HeaderName::try_from(name).map_err(Into::into)?;
            let value = HeaderValue::try_from(value).map_err(Into::into)?;
            request.headers_mut().append(name, value);
            Ok::<_, http::Error>(())
        })
    }

    /// Sets headers, in place of those of the same names.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|request| {
            request.replace_headers(headers);
            Ok::<_, SendError>(())
        })
    }

    /// Adds a parameter to the end of the query.
    pub fn query<T: Serialize>(self, parameter: &QueryParam<'_, T>) -> Self {
        self.with(|request| parameter.pairs().map(|pairs| request.add_pairs(pairs)))
    }

    /// Sets the body.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.with(|request| {
            *request.body_mut() = Some(body.into());
            Ok::<_, SendError>(())
        })
    }

    /// Sets the body to a value as JSON, and its media type where that is not set.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.with(|request| {
            let body = serde_json::to_vec(value)?;
            request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.into());
            Ok::<_, serde_json::Error>(())
        })
    }

    /// The request.
    ///
    /// # Errors
    /// Returns an error if something that was set is refused: the first of these.
    pub fn build(self) -> Result<Request, SendError> {
        self.0
    }

    fn with<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        self,
        set: impl FnOnce(&mut Request) -> Result<(), E>,
    ) -> Self {
        Self(self.0.and_then(|mut request| {
            set(&mut request).map_err(SendError::unfit)?;
            Ok(request)
        }))
    }
}
