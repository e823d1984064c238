//! Sends one request and returns its answer, or the reason why there is none.

use super::Reply;
use crate::user_error::with_causes;

/// The longest body that is read, in bytes: no judged body is longer, and an endless body must not exhaust the memory.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// The reason why there is no answer.
pub(super) struct NoReply {
    pub(super) reason: String,
    /// True if nothing was sent because there was no connection.
    pub(super) is_unconnected: bool,
    /// True if the connection was refused because no process listens there.
    pub(super) is_refused: bool,
    /// True if the answer did not arrive in time.
    pub(super) is_late: bool,
}

impl NoReply {
    /// Creates an error of the local side.
    pub(super) fn unsent(reason: String) -> Self {
        Self { reason, is_unconnected: true, is_refused: false, is_late: false }
    }

    /// Converts an error of reqwest.
    fn of(error: reqwest::Error) -> Self {
        Self {
            is_unconnected: error.is_connect(),
            is_refused: is_refused(&error),
            is_late: error.is_timeout(),
            reason: with_causes(&error.without_url()),
        }
    }
}

/// Sends a request and returns the head of the answer.
pub(super) async fn head(request: reqwest::RequestBuilder) -> Result<reqwest::Response, NoReply> {
    request.send().await.map_err(NoReply::of)
}

/// Sends a request and returns the whole answer.
pub(super) async fn receive(request: reqwest::RequestBuilder) -> Result<Reply, NoReply> {
    let mut response = head(request).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(NoReply::of)? {
        if body.len() + chunk.len() > LONGEST_BODY {
            let reason = format!("the body of the {status} is longer than {LONGEST_BODY} bytes: the rest was not read");
            return Err(NoReply { reason, is_unconnected: false, is_refused: false, is_late: false });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

/// Returns whether a connection was refused because no process listens there.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}
