//! A success: the value, and what came beside it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::SystemTime;

use http::StatusCode;
use http::header::{ETAG, HeaderMap, LAST_MODIFIED};

use crate::auth::Carried;
use crate::error::RateLimit;
use crate::error::problem::request_id;

/// A success of a call. It dereferences to its value.
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    attempts: u32,
    /// The tokens that it was sent with, which the value may repeat.
    carried: Option<Carried>,
}

impl<T> Response<T> {
    pub(crate) fn new(value: T, status: StatusCode, headers: HeaderMap, attempts: u32) -> Self {
        Self { value, status, headers, attempts, carried: None }
    }

    /// The same, whose `Debug` masks the tokens of the call.
    pub(crate) fn sent_with(self, carried: Option<Carried>) -> Self {
        Self { carried, ..self }
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status of the answer, a 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The server's name for this request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// The name of this version of what was asked for, as the server wrote it, quotes included: for
    /// [`CallOptions::if_none_match`](crate::CallOptions::if_none_match) and [`if_match`](crate::CallOptions::if_match).
    pub fn etag(&self) -> Option<&str> {
        self.headers.get(ETAG)?.to_str().ok().filter(|etag| !etag.trim().is_empty())
    }

    /// When what was asked for was last modified, by the server's clock, in whole seconds: for
    /// [`CallOptions::if_modified_since`](crate::CallOptions::if_modified_since).
    pub fn last_modified(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.headers.get(LAST_MODIFIED)?.to_str().ok()?.trim()).ok()
    }

    /// The rate limit that the answer reported.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        match &self.carried {
            Some(carried) => RateLimit::of(&self.headers, &carried.api().rate_limit),
            None => RateLimit::from_headers(&self.headers),
        }
    }

    /// Returns the number of requests of the call, the successful one included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The same answer with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        let Self { value, status, headers, attempts, carried } = self;
        Response { value: change(value), status, headers, attempts, carried }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> AsRef<T> for Response<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

/// Without the tokens of the call. The value by itself is the caller's, and prints itself whole.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the headers: they may hold cookies.
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("value", &Masked { value: &self.value, carried: self.carried.as_ref() })
            .finish_non_exhaustive()
    }
}

/// A value that prints itself without tokens.
struct Masked<'r, T> {
    value: &'r T,
    carried: Option<&'r Carried>,
}

impl<T: fmt::Debug> fmt::Debug for Masked<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(carried) = self.carried else { return self.value.fmt(f) };
        let text = if f.alternate() { format!("{:#?}", self.value) } else { format!("{:?}", self.value) };
        f.write_str(&carried.redactor().mask(&text))
    }
}
