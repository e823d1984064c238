//! Answers and errors that tests make without a call.

use bytes::Bytes;

use crate::client::Response;
use crate::error::failure::Failure;
use crate::error::redact::Redactor;
use crate::error::{Api, Clock as _, Error, SystemClock};
use crate::http_client::SendError;

/// A success with this value, as a call has it that was answered with this status and these headers, at its first attempt.
///
/// ```
/// use keyfit::testing;
///
/// let answer = http::Response::builder().status(201).header("x-request-id", "req_1").body(()).unwrap();
/// let response = testing::response(vec![1, 2], answer);
/// assert_eq!((response.len(), response.request_id()), (2, Some("req_1")));
/// ```
pub fn response<T>(value: T, answer: http::Response<()>) -> Response<T> {
    let (parts, ()) = answer.into_parts();
    Response::new(value, parts.status, parts.headers, 1)
}

/// The error of a call that is answered in this way: as the client of the API has it, whatever the status. An operation that the API
/// does not have gives the error that says so.
///
/// ```
/// use keyfit::{ErrorKind, scopien, testing};
///
/// let answer = http::Response::builder().status(429).header("retry-after", "3").body(r#"{"message":"slow down"}"#).unwrap();
/// let error = testing::refusal(&scopien::API, "accounts-list", answer);
/// assert_eq!((error.kind(), error.message()), (ErrorKind::RateLimited, Some("slow down")));
/// assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3));
/// ```
pub fn refusal(api: &'static Api, operation: &str, answer: http::Response<impl Into<Bytes>>) -> Error {
    let Some(operation) = api.operation(operation) else { return Error::unknown_operation(operation) };
    let (parts, body) = answer.into_parts();
    let failure = Failure::of_refusal(parts.status, parts.headers, (body.into(), true), api, operation);
    let error = Error::answered(failure, Some(SystemClock.now()), &Redactor::of_client::<&str>([]));
    error.after(1, true, parts.status.is_server_error()).of_operation(operation)
}

/// The error of a call that was not answered.
///
/// ```
/// use keyfit::http_client::SendError;
/// use keyfit::{scopien, testing};
///
/// let error = testing::unanswered(&scopien::API, "accounts-list", SendError::timeout("no answer"));
/// assert!(error.is_network() && error.may_have_been_sent());
/// ```
pub fn unanswered(api: &'static Api, operation: &str, error: SendError) -> Error {
    let Some(operation) = api.operation(operation) else { return Error::unknown_operation(operation) };
    let error = Error::transport(error);
    let was_sent = error.may_have_been_sent();
    error.after(1, was_sent, was_sent).of_operation(operation)
}
