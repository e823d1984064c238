//! Hooks of a client's calls: what is asked before each attempt and told after it, and what signs requests.
//!
//! | You want | Take |
//! |---|---|
//! | to add headers, or to see requests and answers | a [`Hook`], by [`Config::hook`](crate::Config::hook) |
//! | to sign requests, the body included | a [`RequestSigner`], by [`Config::signer`](crate::Config::signer) |
//! | to count attempts | an [`Observer`](crate::observer::Observer) |
//!
//! All are called on every attempt: for retries, for each page of a list, when a stream is opened or taken up again. They are not called
//! for requests to token endpoints and secret stores.
//!
//! ```
//! use keyfit::hook::{AfterAttempt, BeforeAttempt, Hook, HookError};
//! use keyfit::http_client::http::HeaderMap;
//!
//! /// Passes a trace on, and logs what came of it.
//! #[derive(Debug)]
//! struct Trace;
//!
//! impl Hook for Trace {
//!     fn before(&self, attempt: &mut BeforeAttempt) -> Result<(), HookError> {
//!         attempt.insert_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
//!     }
//!
//!     fn after(&self, attempt: &AfterAttempt) {
//!         eprintln!("{} {:?} after {:?}", attempt.operation().id, attempt.status(), attempt.took());
//!     }
//! }
//!
//! let config = keyfit::Config::default().hook(Trace);
//! # let _ = config;
//! ```

use std::fmt;
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING};
use http::{Method, StatusCode};
use url::Url;

use super::call_options::checked_header;
use crate::error::redact::{MASK, Redactor};
use crate::error::{Error, ErrorKind, Operation};
use crate::http_client::{Body, Request};

/// The error with which a hook stops a call: any error. Its text becomes part of the call's error, so that it must hold no secret.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Is called before and after each attempt, on the task of the call. It sees headers with secrets masked, and no body.
pub trait Hook: fmt::Debug + Send + Sync + 'static {
    /// An attempt is about to be sent, with its credential. Several hooks are called in the order in which they were given, and
    /// signers after them.
    ///
    /// # Errors
    /// Returns an error if the call is not to be made: nothing is sent, and it is not tried again. A [`keyfit::Error`](crate::Error) is
    /// the error of the call as it is; any other becomes one of kind [`Refused`](ErrorKind::Refused).
    fn before(&self, attempt: &mut BeforeAttempt) -> Result<(), HookError> {
        let _ = attempt;
        Ok(())
    }

    /// An attempt that was sent is over: its answer was read, or its head where the body is handed on as a stream, or it failed.
    fn after(&self, attempt: &AfterAttempt) {
        let _ = attempt;
    }
}

/// Signs requests. It is called last, with the request as it is sent: credential and headers of hooks included.
///
/// ```
/// use keyfit::auth::source::BoxFuture;
/// use keyfit::hook::{HookError, RequestSigner, Signable};
///
/// #[derive(Debug)]
/// struct Digest;
///
/// impl RequestSigner for Digest {
///     fn sign<'a>(&'a self, request: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>> {
///         Box::pin(async move {
///             let body = request.body().ok_or("a stream cannot be signed")?;
///             let signature = sign_by_your_key(request.method().as_str(), request.path(), body);
///             request.insert_header("x-signature", &signature)
///         })
///     }
/// }
/// # fn sign_by_your_key(_: &str, _: &str, _: &[u8]) -> String { String::new() }
/// ```
pub trait RequestSigner: fmt::Debug + Send + Sync + 'static {
    /// Signs one attempt. It may wait, for a key that lives elsewhere; the deadline of the call ends it.
    ///
    /// # Errors
    /// Returns an error if the call is not to be made: nothing is sent, and it is not tried again. A [`keyfit::Error`](crate::Error) is
    /// the error of the call as it is; any other becomes one of kind [`Credential`](ErrorKind::Credential).
    fn sign<'a>(&'a self, request: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>>;
}

/// An attempt that is about to be sent.
pub struct BeforeAttempt {
    operation: &'static Operation,
    number: u32,
    url: String,
    shown: HeaderMap,
    body_length: Option<u64>,
    request: Request,
}

impl BeforeAttempt {
    pub(crate) fn new(operation: &'static Operation, number: u32, request: Request, secrets: &Redactor) -> Self {
        let body_length = match request.body() {
            Some(body) => body.as_bytes().map(|bytes| bytes.len() as u64),
            None => Some(0),
        };
        let url = secrets.mask(request.url().as_str()).into_owned();
        let shown = masked(request.headers(), secrets);
        Self { operation, number, url, shown, body_length, request }
    }

    pub(crate) fn into_request(self) -> Request {
        self.request
    }

    /// The operation that is called.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Its place among the attempts of the call, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The URL, with secrets masked. Path and query may hold what is personal.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers, with secrets masked: credentials, what callers added by options, and what repeats a token.
    pub fn headers(&self) -> &HeaderMap {
        &self.shown
    }

    /// The length of the body in bytes; `None` where it is a stream.
    pub fn body_length(&self) -> Option<u64> {
        self.body_length
    }

    /// Adds a header, or replaces the one of this name. Hooks after this one see that it is there.
    ///
    /// # Errors
    /// Returns an error if HTTP does not allow name or value, the client sets the header itself (`Accept`, `Authorization`,
    /// `Content-Length`, `Content-Type`, `Host`, `Transfer-Encoding`), or it carries a secret.
    pub fn insert_header(&mut self, name: &str, value: &str) -> Result<(), HookError> {
        let (name, value) = checked_header(name, value)?;
        if name == TRANSFER_ENCODING || self.request.headers().get(&name).is_some_and(HeaderValue::is_sensitive) {
            return Err(format!("the header `{name}` is set by the client: leave it out").into());
        }
        self.shown.insert(&name, HeaderValue::from_static(MASK));
        self.request.headers_mut().insert(name, value);
        Ok(())
    }
}

/// An attempt that is over.
pub struct AfterAttempt {
    operation: &'static Operation,
    number: u32,
    status: Option<StatusCode>,
    headers: HeaderMap,
    error: Option<ErrorKind>,
    took: Duration,
}

impl AfterAttempt {
    pub(crate) fn new(
        operation: &'static Operation,
        number: u32,
        took: Duration,
        answer: Result<(StatusCode, &HeaderMap), &Error>,
        secrets: &Redactor,
    ) -> Self {
        let (status, headers, error) = match answer {
            Ok((status, headers)) => (Some(status), Some(headers), None),
            Err(error) => (error.status(), error.headers(), Some(error.kind())),
        };
        let headers = headers.map(|headers| masked(headers, secrets)).unwrap_or_default();
        Self { operation, number, status, headers, error, took }
    }

    /// The operation that was called.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Its place among the attempts of the call, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The headers of the answer with secrets masked, cookies among them. Empty where there was none.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the kind of failure; `None` after a success. Whether its body fits is not yet known then.
    pub fn error(&self) -> Option<ErrorKind> {
        self.error
    }

    /// From sending to the last byte of the answer, or to its head where the body is handed on as a stream.
    pub fn took(&self) -> Duration {
        self.took
    }
}

/// A request that can be signed: all of it, secrets included. Do not print or keep what it shows.
pub struct Signable {
    operation: &'static Operation,
    now: SystemTime,
    request: Request,
}

impl Signable {
    pub(crate) fn new(operation: &'static Operation, now: SystemTime, request: Request) -> Self {
        Self { operation, now, request }
    }

    pub(crate) fn into_request(self) -> Request {
        self.request
    }

    /// The operation that is called.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The time of day by the client's clock, another one for each attempt.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The URL as it is sent. The header `Host` is its host, with the port where it is not the usual one.
    pub fn url(&self) -> &Url {
        self.request.url()
    }

    /// The path, percent-encoded as it is sent.
    pub fn path(&self) -> &str {
        self.request.url().path()
    }

    /// The query, percent-encoded as it is sent; `None` where there is none.
    pub fn query(&self) -> Option<&str> {
        self.request.url().query()
    }

    /// The headers, but for those that are written when it is sent: `Host`, `Content-Length`, `User-Agent`, `Accept-Encoding`.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The bytes of the body, none where there is none. `None` where it is a stream, whose bytes are not known before they are sent: an
    /// upload, or a form in parts.
    pub fn body(&self) -> Option<&[u8]> {
        self.request.body().map_or(Some(&[]), Body::as_bytes)
    }

    /// Adds a header, or replaces the one of this name, `Authorization` included. Its value prints nowhere.
    ///
    /// # Errors
    /// Returns an error if HTTP does not allow name or value, or the header says where the request goes or ends: `Host`,
    /// `Content-Length`, `Transfer-Encoding`.
    pub fn insert_header(&mut self, name: &str, value: &str) -> Result<(), HookError> {
        let name = HeaderName::try_from(name)
            .map_err(|_| format!("the header `{}` has no name that HTTP allows", name.escape_debug()))?;
        if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err(format!("the header `{name}` is set by the client: leave it out").into());
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| format!("the header `{name}` has a value that HTTP does not allow"))?;
        value.set_sensitive(true);
        self.request.headers_mut().insert(name, value);
        Ok(())
    }

    /// Adds a parameter to the end of the query, for an API that takes the signature there. URLs are logged on their way.
    pub fn append_query(&mut self, name: &str, value: &str) {
        self.request.url_mut().query_pairs_mut().append_pair(name, value);
    }
}

/// Headers as a hook may see them.
fn masked(headers: &HeaderMap, secrets: &Redactor) -> HeaderMap {
    let mask = || HeaderValue::from_static(MASK);
    let shown = |name: &HeaderName, value: &HeaderValue| {
        if value.is_sensitive() || name == SET_COOKIE {
            return mask();
        }
        let Ok(text) = value.to_str() else { return mask() };
        HeaderValue::from_str(&secrets.mask(text)).unwrap_or_else(|_| mask())
    };
    headers.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
}

/// The error of a call that a hook or a signer stops.
pub(crate) fn stopped(error: HookError, otherwise: fn(String) -> Error, secrets: &Redactor) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => otherwise(error.to_string()),
    };
    error.masked(secrets)
}

impl fmt::Debug for BeforeAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeforeAttempt")
            .field("operation", &self.operation.id)
            .field("number", &self.number)
            .field("headers", &self.shown)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AfterAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterAttempt")
            .field("operation", &self.operation.id)
            .field("number", &self.number)
            .field("status", &self.status)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Signable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signable").field("operation", &self.operation.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::api::UNKNOWN;
    use crate::error::operation::Retry;

    static CALL: Operation = Operation::undocumented("POST", Retry::Never);

    fn request(body: Option<Body>) -> Request {
        let mut request = Request::new(Method::POST, "https://a.example/b".parse().expect("a URL"));
        *request.body_mut() = body;
        request
    }

    #[test]
    fn a_body_that_is_a_stream_has_no_bytes_to_be_signed() {
        let signable = |body| Signable::new(&CALL, SystemTime::UNIX_EPOCH, request(body));
        let stream = || Some(Body::new(Body::from("a")));
        assert_eq!(signable(None).body(), Some(&[][..]));
        assert_eq!(signable(Some("ab".into())).body(), Some(&b"ab"[..]));
        assert_eq!(signable(stream()).body(), None);
        let length = |body| BeforeAttempt::new(&CALL, 1, request(body), &Redactor::default()).body_length();
        assert_eq!([length(None), length(Some("ab".into())), length(stream())], [Some(0), Some(2), None]);
    }

    #[test]
    fn a_signature_does_not_print_and_goes_nowhere_that_frames_the_request() {
        let mut signable = Signable::new(&CALL, SystemTime::UNIX_EPOCH, request(None));
        signable.insert_header("Authorization", "hunter2").expect("a signature may stand there");
        for name in ["host", "Content-Length", "transfer-encoding", "a b"] {
            assert!(signable.insert_header(name, "1").is_err(), "{name}");
        }
        assert!(!format!("{signable:?} {:?}", signable.headers()).contains("hunter2"));
        assert_eq!(signable.into_request().headers()["authorization"], "hunter2");
    }

    #[test]
    fn a_key_in_the_query_is_masked_in_the_url() {
        let mut request = request(None);
        request.url_mut().set_query(Some("key=hunter2-key"));
        let secrets = Redactor::new(["hunter2-key"]).with_prefixes(UNKNOWN.secret_prefixes);
        assert_eq!(BeforeAttempt::new(&CALL, 1, request, &secrets).url(), "https://a.example/b?key=[redacted]");
    }
}
