//! One request and its answer, read whole.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use reqwest::{Request, Response};

use super::body::{self, End};
use super::classify::Outcome;
use super::{Failure, Fault};
use crate::auth::Held;
use crate::{Error, Operation};

/// An attempt that did not succeed, and what that says of the request.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) outcome: Outcome,
}

/// What a success brings beside its status and headers, on its way to the decoder.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    /// The token that it was sent with, which a server may echo.
    pub(crate) held: Held,
    /// How many requests the call took.
    pub(crate) attempts: u32,
    /// The body; `None` where it is handed on as a stream.
    pub(crate) body: Option<Bytes>,
}

/// Sends a request, once.
#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
pub(crate) async fn exchange(
    http: &reqwest::Client,
    request: Request,
    held: &Held,
    operation: &Operation,
    attempts: u32,
    now: impl Fn() -> SystemTime,
) -> Result<Response, Failed> {
    let mut response = http.execute(request).await.map_err(broken)?;
    let failed = |failure| Error::answered(failure, Some(now()), held.redactor());
    if !response.status().is_success() {
        let outcome = Outcome::Status(response.status());
        let failure = Failure::of_status(response).await;
        return Err(Failed { error: failed(failure), outcome });
    }
    let body = if operation.streams {
        None
    } else {
        // Without a limit: what a caller paid for is not thrown away for its length.
        let body = body::read(&mut response, usize::MAX).await;
        if let End::Broken(error) = body.end {
            let fault = Fault::Cut(Arc::new(error));
            let failure = Failure::of_success(fault, response.status(), response.headers().clone(), body.bytes);
            return Err(Failed { error: failed(failure), outcome: Outcome::Unknown });
        }
        Some(body.bytes)
    };
    response.extensions_mut().insert(Journey { held: held.clone(), attempts, body });
    Ok(response)
}

fn broken(error: reqwest::Error) -> Failed {
    // Connecting is over before the first byte of a request leaves.
    let outcome = if error.is_connect() {
        Outcome::Unsent
    } else if error.is_builder() {
        Outcome::Unfit
    } else {
        Outcome::Unknown
    };
    Failed { error: Error::transport(error), outcome }
}
