//! A client under test, seen from outside: it is called by operation id and reports what its caller would see.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use keyfit_openapi::Operation;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use crate::secret::Secret;

/// What a client shows of a secret that an answer holds.
pub(super) const WITHHELD: &str = "[redacted]";

/// A connected client.
pub trait Subject: Send + Sync {
    /// Calls an operation with each parameter under its name and the body under `body`.
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> Pin<Box<dyn Future<Output = Observed> + Send + 'a>>;
}

/// Connects a client to a base URL, with a credential.
pub trait Connect: Send + Sync {
    /// A new client.
    ///
    /// # Errors
    /// Why there is none.
    fn connect(&self, base_url: &str, secret: &Secret) -> Result<Box<dyn Subject>, String>;
}

/// What the caller of a client sees.
#[derive(Clone, Debug)]
pub enum Observed {
    /// A success.
    Success {
        /// Its status.
        status: u16,
        /// Its value as JSON; null where there is none.
        value: Value,
    },
    /// A failure.
    Failure(Box<Failure>),
}

/// A failed call.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The kind, in kebab-case: `rate-limited`.
    pub kind: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The body of the answer.
    pub body: Vec<u8>,
    /// The server's code.
    pub code: Option<String>,
    /// The server's message.
    pub message: Option<String>,
    /// How long to wait.
    pub retry_after: Option<Duration>,
    /// Limit, remaining calls and reset, as the client reports them.
    pub rate_limit: Option<(u64, u64, u64)>,
    /// Everything that the error prints.
    pub texts: Vec<String>,
}
