//! Requests to secret stores over HTTP: one attempt, without redirects, with a bounded response.

use std::future::poll_fn;

use http::{Method, StatusCode};
use secrecy::zeroize::Zeroizing;
use url::Url;

use super::StoreFailure;
use crate::auth::http::{Http, checked_base};
use crate::error::Error;
use crate::http_client::{Fault, HttpClient, Own, Request, SendError, Sender};

/// The largest answer that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// A secret store at an address.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) base: Url,
    http: Http,
    /// The reason why there is no sender is reported at the first use, because a custom client may still be set.
    sender: Result<Sender, String>,
}

/// The response of a store. The body is zeroised on drop.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Remote {
    /// Checks the address: https, or http to a loopback host. `name` stands in the message. Nothing is sent.
    pub(super) fn new(name: &str, address: &str) -> Result<Self, Error> {
        let base = checked_base(address, name)?;
        Ok(Self::over(Http::default(), base))
    }

    /// The same at another address.
    pub(super) fn at(&self, name: &str, address: &str) -> Result<Self, Error> {
        Ok(Self::over(self.http.clone(), checked_base(address, name)?))
    }

    /// The same, asked by a client of the user's own.
    pub(super) fn by(self, client: impl HttpClient) -> Self {
        Self::over(Http { own: Some(Own::new(client)), ..self.http }, self.base)
    }

    fn over(http: Http, base: Url) -> Self {
        let sender = http.sender(&[&base]).map_err(|error| error.to_string());
        Self { base, http, sender }
    }

    /// A request, which says how long it may take.
    pub(super) fn request(&self, method: Method, url: Url) -> Request {
        let mut request = Request::new(method, url);
        request.set_timeout(self.http.timeout);
        request
    }

    /// Sends a request, once, and reads the answer. `place` names the store and the secret.
    pub(super) async fn send(&self, request: Request, place: &str) -> Result<Answer, Error> {
        Error::check_runtime()?;
        let sender = self.sender.as_ref().map_err(|why| Error::configuration(format!("{place}: {why}")))?;
        let failed = |error: SendError| {
            let (failure, why) = match error.fault() {
                Fault::Unfit => (StoreFailure::Refused, "the request cannot be built from these settings"),
                Fault::Redirect => {
                    (StoreFailure::Refused, "redirects are not followed: give the address that it leads to")
                }
                Fault::Timeout => (StoreFailure::Unreachable, "no answer came in time"),
                Fault::Connect => (StoreFailure::Unreachable, "the server could not be reached"),
                Fault::Broken => (StoreFailure::Unreachable, "the connection failed"),
            };
            failure.error(format!("{place}: {why}"))
        };
        let (head, mut from) = sender.send(request).await.map_err(failed)?.into_parts();
        let status = head.status;
        if status.is_redirection() {
            return Err(StoreFailure::Refused
                .error(format!("{place}: {status}: redirects are not followed: give the address that it leads to")));
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = poll_fn(|context| from.poll_chunk(context)).await {
            let chunk = chunk.map_err(failed)?;
            if body.len() + chunk.len() > LIMIT {
                return Err(StoreFailure::Unreadable.error(format!("{place}: the answer is larger than 1 MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}
