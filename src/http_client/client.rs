//! The interface of an HTTP client.

use std::fmt;

use futures_core::future::BoxFuture;

use super::{Body, SendError};

/// The future of a client's [`send`](HttpClient::send): it gives the head of the answer, with a body that may still be on its way.
pub type Sending<'a> = BoxFuture<'a, Result<http::Response<Body>, SendError>>;

/// Sends a request, once, and follows no redirect.
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// The answer to one request. It is dropped where the time of the attempt is up.
    fn send(&self, request: http::Request<Body>) -> Sending<'_>;
}
