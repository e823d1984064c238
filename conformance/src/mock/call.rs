//! A request as the mock reads it, and its answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use keyfit_openapi::schema::Mismatch;
use serde_json::Value;

use super::active_requests::ConcurrentRequest;

/// A request that was read completely.
pub(super) struct Call {
    pub(super) method: String,
    /// The whole path, as it was sent.
    pub(super) path: String,
    /// The segments below the base path, percent-decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The positions of items that are rejected although they are valid.
    pub(super) reject: BTreeSet<usize>,
    /// True if the path contains two slashes in a row.
    pub(super) has_doubled_slash: bool,
    /// True if an equal request is handled concurrently.
    pub(super) is_concurrent: bool,
}

/// A body that was read.
pub(super) enum ParsedBody {
    /// No body, or one that is not parsed.
    Nothing,
    /// One value.
    Body(Value),
    /// Batch items, each with its flaw.
    Batch(Vec<(Value, Option<Mismatch>)>),
}

/// An answer.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// The refusal of a request.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// The outcome of each item, if the refusal contains it.
    pub(super) outcome: Option<Value>,
}

impl Call {
    /// Parses a request; returns `None` if its path is outside the base path.
    pub(super) fn read(request: &hyper::http::request::Parts, body: Bytes, base_path: &str) -> Option<Self> {
        let below = request.uri.path().strip_prefix(base_path)?;
        // Some clients end collection paths with a slash.
        let trimmed = below.trim_matches('/');
        let segments = trimmed.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let query = url::form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
        Some(Self {
            method: request.method.as_str().to_owned(),
            path: request.uri.path().to_owned(),
            segments,
            query: query.into_owned().collect(),
            headers: request.headers.clone(),
            body,
            reject: BTreeSet::new(),
            has_doubled_slash: below.contains("//"),
            is_concurrent: request.extensions.get::<ConcurrentRequest>().is_some(),
        })
    }

    /// Returns a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl ParsedBody {
    /// Rejects the items at these positions, with a field as the reason.
    pub(super) fn reject(&mut self, positions: &BTreeSet<usize>, field: &str) {
        let Self::Batch(items) = self else { return };
        for position in positions {
            if let Some((_, mismatch)) = items.get_mut(*position) {
                let problem = || Mismatch { at: format!("/{field}"), problem: "is rejected on demand".to_owned() };
                mismatch.get_or_insert_with(problem);
            }
        }
    }
}

impl Answer {
    /// Creates an answer with a JSON body.
    pub(super) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::of(status, "application/json", body)
    }

    /// Creates an answer with a body of this media type.
    pub(super) fn of(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self { status, headers: Vec::with_capacity(5), body: body.into() };
        answer.header("content-type", media_type);
        answer
    }

    /// Creates an answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::with_capacity(4), body: Bytes::new() }
    }

    /// Adds a header. A name or value that HTTP does not allow is omitted: contracts can contain any text.
    pub(super) fn header(&mut self, name: &str, value: impl AsRef<str>) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.as_ref()))
        {
            self.headers.push((name, value));
        }
    }
}

impl Refusal {
    /// Creates a refusal with a message for humans.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new(), outcome: None }
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Appends to the message.
    pub(super) fn saying(mut self, more: &str) -> Self {
        let _ = write!(self.message, ": {more}");
        self
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
