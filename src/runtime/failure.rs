//! An answer that is no success, on its way from the transport through generated code to [`crate::Error`].

use std::sync::Arc;

use bytes::Bytes;
use progenitor_client::Error as ClientError;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};

use super::Problem;
use super::body::{self, End};
use crate::Error;

/// How much of an error body is kept, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// An answer and what is wrong with it. It travels in the extensions of a rebuilt response, because generated code has
/// no other place for it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body is all that the server had to say: not cut off, not over the limit.
    pub(crate) is_whole: bool,
    pub(crate) problem: Problem,
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Its status.
    Status,
    /// A success whose body does not fit; why, without the values at fault.
    Decode(String),
    /// A success that reports items that failed.
    Partial(String),
    /// A success whose body ended early.
    Cut(Arc<reqwest::Error>),
}

/// Why a request was not sent, on the same way.
#[derive(Clone, Debug)]
pub(crate) struct Withheld(Arc<Error>);

impl Withheld {
    /// Wraps the error so that generated code hands it on.
    pub(crate) fn response(error: Error) -> Response {
        let mut response = http::Response::new(Bytes::new());
        // Anything but a success; nobody sees it.
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(Self(Arc::new(error)));
        response.into()
    }

    /// Takes the error out of a response that [`response`](Self::response) made.
    pub(crate) fn from_response(response: &mut Response) -> Option<Error> {
        let withheld: Self = response.extensions_mut().remove()?;
        Arc::into_inner(withheld.0)
    }
}

impl Failure {
    /// Reads an answer that is no success. A body that is cut off, or too long, is kept as far as it came: status and
    /// headers matter more.
    pub(crate) async fn of_status(mut response: Response, secret: &str) -> Self {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = body::read(&mut response, BODY_LIMIT).await;
        let (body, is_whole) = (body.bytes, matches!(body.end, End::Whole));
        let problem = Problem::read(&headers, &body).masked(secret);
        Self { fault: Fault::Status, status, headers, body, is_whole, problem }
    }

    /// Wraps the failure so that generated code hands it on unread.
    pub(crate) fn into_response(self) -> Response {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response.into()
    }

    /// Wraps the failure as the generator's error.
    pub(crate) fn into_client_error(self) -> ClientError<()> {
        ClientError::UnexpectedResponse(self.into_response())
    }

    /// Takes the failure out of a response that [`into_response`](Self::into_response) made.
    pub(crate) fn from_response(response: &mut Response) -> Option<Self> {
        response.extensions_mut().remove()
    }
}
