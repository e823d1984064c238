//! Requests that are alike and on their way at the same instant: what a server with a race does not tell apart.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

/// A request that is answered while another one like it is.
#[derive(Clone)]
pub(super) struct Raced;

/// How many requests of each kind are on their way.
#[derive(Default)]
pub(super) struct Crowd(Mutex<HashMap<String, usize>>);

/// A request on its way.
pub(super) struct Place<'a> {
    crowd: &'a Crowd,
    request: String,
}

impl Crowd {
    /// Counts a request until its place is dropped.
    pub(super) fn enter(&self, parts: &Parts, body: &Bytes) -> Place<'_> {
        let request = format!("{} {} {:?} {body:?}", parts.method, parts.uri, parts.headers.get(AUTHORIZATION));
        *self.counts().entry(request.clone()).or_default() += 1;
        Place { crowd: self, request }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Whether another request like it is on its way.
    pub(super) fn has_others(&self) -> bool {
        self.crowd.counts().get(&self.request).is_some_and(|count| *count > 1)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts();
        let count = counts.get_mut(&self.request).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        if count == 0 {
            counts.remove(&self.request);
        }
    }
}
