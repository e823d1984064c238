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

/// Sends a request, once. Of a success up to `limit` bytes are read.
#[expect(clippy::disallowed_methods, reason = "this is the one place that sends")]
pub(crate) async fn exchange(
    http: &reqwest::Client,
    request: Request,
    held: &Held,
    operation: &Operation,
    attempts: u32,
    limit: usize,
    now: impl Fn() -> SystemTime,
) -> Result<Response, Failed> {
    let mut response = http.execute(request).await.map_err(broken)?;
    let secret = held.token().expose();
    if !response.status().is_success() {
        let outcome = Outcome::Status(response.status());
        let failure = Failure::of_status(response, secret).await;
        return Err(Failed { error: Error::answered(failure, Some(now())), outcome });
    }
    let body = if operation.streams {
        None
    } else {
        // A declared length is not believed: what comes is counted, and what a caller paid for is kept up to the limit.
        let body = body::read(&mut response, limit).await;
        let cut = match body.end {
            End::Whole => None,
            End::Limit => Some((Fault::TooLong(limit), Outcome::Status(response.status()))),
            End::Broken(error) => Some((Fault::Cut(Arc::new(error)), Outcome::Unknown)),
        };
        if let Some((fault, outcome)) = cut {
            let failure = Failure::of_success(fault, response.status(), response.headers().clone(), body.bytes, secret);
            return Err(Failed { error: Error::answered(failure, Some(now())), outcome });
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
