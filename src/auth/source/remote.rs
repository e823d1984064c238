//! How secret stores are asked over HTTP: once, without redirects, with a bounded answer.

use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::zeroize::Zeroizing;

use super::StoreFailure;
use crate::auth::http::{Http, checked_base};
use crate::error::Error;

/// The largest answer that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// A secret store at an address.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) base: Url,
    pub(super) http: Client,
}

/// What a store answered. The body is zeroised on drop.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Remote {
    /// Checks the address: https, or http to a loopback host. `name` stands in the message. Nothing is sent.
    pub(super) fn new(name: &str, address: &str) -> Result<Self, Error> {
        let base = checked_base(address, name)?;
        Ok(Self { http: Http::default().sender(&[&base])?.reqwest().clone(), base })
    }

    /// Sends a request, once, and reads the answer. `place` names the store and the secret.
    #[expect(clippy::disallowed_methods, reason = "a secret store is no API of ours and has no operations")]
    pub(super) async fn send(&self, request: RequestBuilder, place: &str) -> Result<Answer, Error> {
        // The errors of the HTTP client name the address and the path, never the headers; the place says as much.
        let unreachable = |error: reqwest::Error| {
            let why = if error.is_timeout() {
                "no answer came in time"
            } else if error.is_connect() {
                "the server could not be reached"
            } else {
                "the connection failed"
            };
            StoreFailure::Unreachable.error(format!("{place}: {why}"))
        };
        let request = request.build().map_err(|_| {
            StoreFailure::Refused.error(format!("{place}: the request cannot be built from these settings"))
        })?;
        let mut response = self.http.execute(request).await.map_err(unreachable)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(StoreFailure::Refused
                .error(format!("{place}: {status}: redirects are not followed: give the address that it leads to")));
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LIMIT {
                return Err(StoreFailure::Unreadable.error(format!("{place}: the answer is larger than 1 MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}
