//! A client under test, seen from outside: it is called by operation id and reports what its caller would see.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyfit_openapi::Operation;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::authorization::{Registration, TokenHolder};
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

    /// How long it has waited between attempts, all its calls together; `None` where it does not tell.
    fn waited(&self) -> Option<Duration>;
}

/// Where a client finds its token, again and again. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Wallet(Arc<Mutex<Secret>>);

impl Wallet {
    /// A wallet that holds a token.
    pub fn new(secret: Secret) -> Self {
        Self(Arc::new(Mutex::new(secret)))
    }

    /// The token in it.
    pub fn current(&self) -> Secret {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another token into it.
    pub fn replace(&self, secret: Secret) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }
}

/// Makes clients: for the operations of an API, and for the credentials of any API.
pub trait Connect: Send + Sync {
    /// A new client.
    ///
    /// # Errors
    /// Why there is none.
    fn connect(&self, base_url: &str, wallet: &Wallet) -> Result<Box<dyn Subject>, String>;

    /// A new client that gets its tokens from an authorization server, or signs them.
    ///
    /// # Errors
    /// Why there is none.
    fn register(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String>;
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
