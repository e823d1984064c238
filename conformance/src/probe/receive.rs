//! One request of reqwest, to its answer or to the reason why there is none.

use super::Reply;
use crate::user_error::with_causes;

/// The longest body that is read: nothing that is judged is longer, and a server that does not end must not fill the memory.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// Why there is no answer.
pub(super) struct NoReply {
    pub(super) reason: String,
    /// Nothing was sent: there was no connection.
    pub(super) is_unconnected: bool,
    /// The same because nothing listens there.
    pub(super) is_refused: bool,
    /// It did not come in time.
    pub(super) is_late: bool,
}

impl NoReply {
    /// For a reason at this end.
    pub(super) fn unsent(reason: String) -> Self {
        Self { reason, is_unconnected: true, is_refused: false, is_late: false }
    }

    /// For what reqwest says.
    fn of(error: reqwest::Error) -> Self {
        Self {
            is_unconnected: error.is_connect(),
            is_refused: is_refused(&error),
            is_late: error.is_timeout(),
            reason: with_causes(&error.without_url()),
        }
    }
}

/// The head of the answer, or why there is none.
pub(super) async fn head(request: reqwest::RequestBuilder) -> Result<reqwest::Response, NoReply> {
    request.send().await.map_err(NoReply::of)
}

/// The whole answer, or why there is none.
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

/// Whether a connection was refused, as a machine does where nothing listens.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}
