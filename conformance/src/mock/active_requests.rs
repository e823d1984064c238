//! Equal concurrent requests, which a server with a race condition does not handle correctly.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

/// Marks a request that is handled while an equal one is.
#[derive(Clone)]
pub(super) struct ConcurrentRequest;

/// The number of active requests of each kind.
#[derive(Default)]
pub(super) struct ActiveRequests(Mutex<HashMap<String, usize>>);

/// An active request.
pub(super) struct ActiveRequest<'a> {
    active_requests: &'a ActiveRequests,
    request: String,
}

impl ActiveRequests {
    /// Counts a request until its place is dropped.
    pub(super) fn enter(&self, parts: &Parts, body: &Bytes) -> ActiveRequest<'_> {
        let request = format!("{} {} {:?} {body:?}", parts.method, parts.uri, parts.headers.get(AUTHORIZATION));
        *self.counts().entry(request.clone()).or_default() += 1;
        ActiveRequest { active_requests: self, request }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveRequest<'_> {
    /// Returns whether an equal request is active.
    pub(super) fn has_others(&self) -> bool {
        self.active_requests.counts().get(&self.request).is_some_and(|count| *count > 1)
    }
}

impl Drop for ActiveRequest<'_> {
    fn drop(&mut self) {
        let mut counts = self.active_requests.counts();
        let count = counts.get_mut(&self.request).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        if count == 0 {
            counts.remove(&self.request);
        }
    }
}
