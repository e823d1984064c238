//! The one place that sends: by the client that is built in, or by one of the user's own.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderValue, USER_AGENT};

use super::deadline::Deadline;
#[cfg(feature = "reqwest")]
use super::of_reqwest::BuiltIn;
use super::{Body, HttpClient, Request, SendError};

/// The sender of requests: the built-in client, or a custom one.
#[derive(Clone, Debug)]
pub(crate) enum Sender {
    /// The client that is built in.
    #[cfg(feature = "reqwest")]
    BuiltIn(BuiltIn),
    /// One of the user's own, and the name that it is told to send, which it does not by itself.
    Own(Own, HeaderValue),
}

/// A client of the user's own.
#[derive(Clone)]
pub(crate) struct Own(Arc<dyn HttpClient>);

impl Sender {
    /// Sends a request, once.
    pub(crate) async fn send(&self, request: Request) -> Result<http::Response<Body>, SendError> {
        match self {
            #[cfg(feature = "reqwest")]
            Self::BuiltIn(client) => client.send(request).await,
            Self::Own(own, agent) => own.send(request, agent).await,
        }
    }
}

impl Own {
    pub(crate) fn new(client: impl HttpClient) -> Self {
        Self(Arc::new(client))
    }

    async fn send(&self, request: Request, agent: &HeaderValue) -> Result<http::Response<Body>, SendError> {
        let url = request.url().clone();
        let mut deadline = request.timeout.map(Deadline::of);
        let mut request = request.into_http()?;
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| agent.clone());
        let sent = self.0.send(request);
        let answer = match &mut deadline {
            Some(deadline) => deadline.within(sent).await.unwrap_or_else(|late| Err(SendError::timeout(late))),
            None => sent.await,
        };
        let answer = answer.map_err(|error| error.to(&url))?;
        Ok(match deadline {
            Some(deadline) => answer.map(|body| Body::new(deadline.of_body(body))),
            None => answer,
        })
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
