//! A request as the mock reads it, and the answer that it gives.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use keyfit_openapi::schema::Mismatch;
use serde_json::Value;

use super::crowd::Raced;

/// A request, read whole.
pub(super) struct Call {
    pub(super) method: String,
    /// The whole path, as it was written.
    pub(super) path: String,
    /// The segments below the base path, percent-decoded.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The positions of items that are to be rejected whatever they are.
    pub(super) reject: BTreeSet<usize>,
    /// Whether two slashes stand in a row in its path.
    pub(super) has_doubled_slash: bool,
    /// Whether another request like it is answered at the same instant.
    pub(super) is_raced: bool,
}

/// A body that was read.
pub(super) enum Sent {
    /// None, or one that is not to be read.
    Nothing,
    /// One value.
    Body(Value),
    /// Items, each with what is wrong with it.
    Batch(Vec<(Value, Option<Mismatch>)>),
}

/// An answer.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// Why a request is not served.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// The outcome of each item, where the refusal tells it.
    pub(super) outcome: Option<Value>,
}

impl Call {
    /// Takes a request apart; `None` if its path lies outside the base path.
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
            is_raced: request.extensions.get::<Raced>().is_some(),
        })
    }

    /// A query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Sent {
    /// Rejects the items at these positions, where there are any, on account of a field.
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
    /// An answer with a JSON body.
    pub(super) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::of(status, "application/json", body)
    }

    /// An answer with a body of some media type.
    pub(super) fn of(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self { status, headers: Vec::with_capacity(5), body: body.into() };
        answer.header("content-type", media_type);
        answer
    }

    /// An answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::with_capacity(4), body: Bytes::new() }
    }

    /// Adds a header. A name or value that HTTP does not allow is left out: contracts can hold any text.
    pub(super) fn header(&mut self, name: &str, value: impl AsRef<str>) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.as_ref()))
        {
            self.headers.push((name, value));
        }
    }
}

impl Refusal {
    /// A refusal with a message for people.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new(), outcome: None }
    }

    /// With a header.
    pub(super) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// With more to the message.
    pub(super) fn saying(mut self, more: &str) -> Self {
        let _ = write!(self.message, ": {more}");
        self
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
