//! Watching the attempts of a client's calls, for metrics.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::error::{ErrorKind, Operation};

/// Is told of each attempt as it ends. It is called on the task of the call: count and return.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use keyfit::observer::{Attempt, Observer};
///
/// #[derive(Debug, Default)]
/// struct Resent(AtomicU64);
///
/// impl Observer for Resent {
///     fn attempt(&self, attempt: &Attempt<'_>) {
///         self.0.fetch_add(u64::from(attempt.number > 1), Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// An attempt ended.
    fn attempt(&self, attempt: &Attempt<'_>);
}

/// Both are told, one after the other.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn attempt(&self, attempt: &Attempt<'_>) {
        self.0.attempt(attempt);
        self.1.attempt(attempt);
    }
}

/// One request of a call, ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The host that it was sent to.
    pub host: &'a str,
    /// Its port, also where the URL leaves it to the scheme.
    pub port: Option<u16>,
    /// Its place among the attempts of the call, from 1.
    pub number: u32,
    /// The status of the answer, if there was one.
    pub status: Option<StatusCode>,
    /// The kind of failure; `None` after a success. Whether its body fits is not yet known then.
    pub error: Option<ErrorKind>,
    /// From sending to the last byte of the answer.
    pub took: Duration,
    /// The retry decision.
    pub next: Next,
}

/// The retry decision after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Next {
    /// The caller gets the answer.
    Done,
    /// The same request with another token, at once.
    Reauthorize,
    /// The same request after this wait.
    Wait(Duration),
    /// The caller gets the error.
    Stop,
}
