//! The documented success of each operation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::body::Bytes;
use keyfit_openapi::schema::Direction;
use keyfit_openapi::{Api, Operation, ResponseShape, example};
use serde_json::Value;

use crate::document::body::plain;

/// The highest number of bytes of stored bodies; others are generated for each request.
const MOST_KEPT: usize = 64 * 1024 * 1024;

/// Statuses and bodies of successes; a body is generated at its first use.
pub(super) struct Successes {
    statuses: Vec<u16>,
    bodies: Vec<OnceLock<Option<Bytes>>>,
    kept: AtomicUsize,
}

impl Successes {
    pub(super) fn new(api: &Api) -> Self {
        let redirect = |operation: &Operation| {
            let mut statuses = operation.responses.keys().filter_map(|status| status.parse().ok());
            statuses.find(|status| (301..304).contains(status) || (307..309).contains(status))
        };
        let statuses = |operation: &Operation| {
            operation.success_statuses().first().copied().or_else(|| redirect(operation)).unwrap_or(200)
        };
        Self {
            statuses: api.operations.iter().map(statuses).collect(),
            bodies: api.operations.iter().map(|_| OnceLock::new()).collect(),
            kept: AtomicUsize::new(0),
        }
    }

    /// Returns the first documented 2xx, or a redirect if the document has no other success.
    pub(super) fn status(&self, index: usize) -> u16 {
        self.statuses[index]
    }

    /// Returns a body that matches the schema of that status; `None` if it has no schema.
    pub(super) fn body(&self, api: &Api, index: usize) -> Option<Bytes> {
        if let Some(body) = self.bodies[index].get() {
            return body.clone();
        }
        let written = || {
            let shape = shape(&api.operations[index], self.statuses[index])?;
            let value = example::value(api, Direction::Answer, shape.schema.as_ref()?);
            Some(Bytes::from(if shape.is_json() { value.to_string() } else { plain(&value) }))
        };
        let body = written();
        let size = body.as_ref().map_or(0, Bytes::len);
        if self.kept.fetch_add(size, Ordering::Relaxed) + size <= MOST_KEPT {
            // A concurrent request generated the same body.
            let _ = self.bodies[index].set(body.clone());
        } else {
            self.kept.fetch_sub(size, Ordering::Relaxed);
        }
        body
    }

    /// Returns the media type of that body.
    pub(super) fn media_type(&self, operation: &Operation, index: usize) -> String {
        let documented = shape(operation, self.statuses[index]).filter(|shape| !shape.is_json());
        match documented.and_then(|shape| shape.media_type.as_deref()) {
            Some(range) if range.contains('*') => "application/octet-stream".to_owned(),
            Some(media_type) => media_type.to_owned(),
            None => "application/json".to_owned(),
        }
    }
}

fn shape(operation: &Operation, status: u16) -> Option<&ResponseShape> {
    operation.responses.get(&status.to_string()).or_else(|| operation.responses.get("2XX"))
}

/// Returns the schema of the success with a status.
pub(super) fn schema(operation: &Operation, status: u16) -> Option<&Value> {
    shape(operation, status)?.schema.as_ref()
}
