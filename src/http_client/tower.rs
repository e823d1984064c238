//! Services of tower as HTTP clients.

use std::fmt;
use std::future::poll_fn;

use bytes::Bytes;
use tower_service::Service;

use super::{Body, HttpClient, SendError, Sending};

/// A service of `tower` that takes requests: layers around an HTTP client, or a server in the same process, such as an `axum::Router`.
///
/// Each request has a clone of the service. An error of the service is taken for one of a request that may have been sent, unless it is
/// a [`SendError`].
pub struct Tower<S>(pub S);

impl<S, B> HttpClient for Tower<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|context| service.poll_ready(context)).await.map_err(SendError::of)?;
            Ok(service.call(request).await.map_err(SendError::of)?.map(Body::new))
        })
    }
}

impl<S> fmt::Debug for Tower<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tower")
    }
}
