//! An answer that is not a plain success.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use super::api::Api;
use super::body::{self, End};
use super::json;
use super::operation::{ItemCounts, Operation};
use super::problem::Problem;
use super::rate_limit;
use crate::error::redact::{OneLine, Redactor};
use crate::http_client;

/// The largest part of an error body that is kept, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// An answer and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// True if the body is complete: not cut off, not over the limit.
    pub(crate) is_whole: bool,
    pub(crate) problem: Problem,
    /// The API that answered.
    pub(crate) api: &'static Api,
    /// The secrets that the server was sent and may repeat: the body is kept unchanged, and is masked where it is read.
    pub(crate) secrets: Vec<Redactor>,
}

/// The defect of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Its status.
    Status,
    /// A success whose body does not fit; why, without the values at fault.
    Decode(String),
    /// A success that tells of work that failed, in the server's word.
    Work(String),
    /// A success that tells of items that failed.
    Partial(ItemCounts),
    /// A success whose body ended early.
    Cut(Arc<dyn StdError + Send + Sync>),
    /// A success whose body is longer than this limit, in bytes.
    TooLong(usize),
    /// A success of items of which one is longer than this limit, in bytes.
    LongItem(usize),
    /// A success of items that ended where it could not.
    Unfinished,
}

impl Failure {
    /// Reads an answer that is no success. A body that is cut off, or too long, is kept as far as it came: status and
    /// headers matter more.
    pub(crate) async fn of_status(
        response: http::Response<http_client::Body>,
        api: &'static Api,
        operation: &Operation,
    ) -> Self {
        let (head, mut body) = response.into_parts();
        let body = body::read(&mut body, BODY_LIMIT).await;
        Self::of_refusal(head.status, head.headers, (body.bytes, matches!(body.end, End::Whole)), api, operation)
    }

    /// The same of what was read already: the body, and whether that is all of it.
    pub(crate) fn of_refusal(
        status: StatusCode,
        headers: HeaderMap,
        (body, is_whole): (Bytes, bool),
        api: &'static Api,
        operation: &Operation,
    ) -> Self {
        let problem = Problem::of(api, api.envelope(operation), &headers, &body);
        Self { fault: Fault::Status, status, headers, body, is_whole, problem, api, secrets: Vec::new() }
    }

    /// Returns whether it refuses a call for a limit.
    pub(crate) fn is_limit(&self) -> bool {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::FORBIDDEN => rate_limit::is_meant(&self.headers, &self.api.rate_limit),
            _ => false,
        }
    }

    /// Returns the reason why the body is not a value of the type, in words that show nothing of it.
    pub(crate) fn misfit<T: DeserializeOwned>(&self, error: &serde_json::Error) -> String {
        let media_type = || self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("of no type");
        let why = if self.body.trim_ascii().is_empty() {
            format!("the answer with {} has no body", self.status.as_u16())
        } else if error.is_data() {
            json::misfit::<T>(&self.body)
        } else if self.is_whole {
            format!("the body is {}, not JSON", OneLine::of_server(media_type()))
        } else {
            format!("the body was cut off after {} bytes", self.body.len())
        };
        // A place is named by what the server wrote.
        self.secrets.iter().fold(why, |why, secrets| secrets.mask(&why).into_owned())
    }

    /// A success that is none for its body. It has no error envelope, but its headers may name the request.
    pub(crate) fn of_success(
        fault: Fault,
        api: &'static Api,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let problem = Problem::read(&headers, &[]);
        let is_whole = !matches!(fault, Fault::Cut(_) | Fault::TooLong(_) | Fault::LongItem(_) | Fault::Unfinished);
        Self { fault, status, headers, body, is_whole, problem, api, secrets: Vec::new() }
    }
}
