//! The one place that sends: by the client that is built in, or by one of the user's own.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::{Request, Response};

use super::deadline::Deadline;
use super::{Body, HttpClient, SendError};

/// What sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// What requests are built with, and what sends them where the user has no other.
    reqwest: reqwest::Client,
    own: Option<(Own, HeaderValue)>,
}

/// A client of the user's own.
#[derive(Clone)]
pub(crate) struct Own(Arc<dyn HttpClient>);

impl Sender {
    pub(crate) fn new(reqwest: reqwest::Client) -> Self {
        Self { reqwest, own: None }
    }

    /// By a client of the user's own, under this name, which such a client does not send by itself.
    pub(crate) fn of_own(reqwest: reqwest::Client, own: Own, agent: HeaderValue) -> Self {
        Self { reqwest, own: Some((own, agent)) }
    }

    /// What requests are built with.
    pub(crate) fn reqwest(&self) -> &reqwest::Client {
        &self.reqwest
    }

    /// Sends a request, once.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SendError> {
        let Some((Own(own), agent)) = &self.own else { return send(&self.reqwest, request).await };
        let (url, time) = (request.url().clone(), request.timeout().copied());
        let mut request: http::Request<reqwest::Body> = request.try_into()?;
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| agent.clone());
        let mut deadline = time.map(Deadline::of);
        let sent = own.send(request.map(Body::from));
        let answer = match &mut deadline {
            Some(deadline) => deadline.within(sent).await.unwrap_or_else(|late| Err(SendError::timeout(late))),
            None => sent.await,
        };
        let answer = answer.map_err(|error| error.to(&url))?;
        let answer = match deadline {
            Some(deadline) => answer.map(|body| Body::new(deadline.of_body(body))),
            None => answer,
        };
        Ok(answer.map(reqwest::Body::from).into())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
pub(super) async fn send(http: &reqwest::Client, request: Request) -> Result<Response, SendError> {
    Ok(http.execute(request).await?)
}

impl Own {
    pub(crate) fn new(client: impl HttpClient) -> Self {
        Self(Arc::new(client))
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
