//! A client under test, seen from outside: it is called by operation id and reports what its caller would see.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit_openapi::Operation;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::authorization::{Registration, TokenHolder};
use crate::contract::Carrier;
use crate::secret::Secret;

/// A connected client.
pub trait Subject: Send + Sync {
    /// Calls an operation with each parameter under its name and the body under `body`.
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Called, NoAnswer>>;

    /// How long it has waited between attempts, all its calls together; `None` where it does not tell.
    fn waited(&self) -> Option<Duration>;

    /// Whether an answer that comes item by item beside a whole one is asked for by the argument `Accept`, which names its media
    /// type.
    fn chooses_streams(&self) -> bool {
        false
    }

    /// Called before each case. A client that cannot be expected to find its way back from what the last case did to it
    /// is made anew here, with what is in the wallet now; by default it stays.
    fn begin(&self) -> BoxFuture<'_, Result<(), NoAnswer>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Where a client finds its credentials, again and again. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Wallet {
    /// The first of them, which alone is ever replaced.
    token: Arc<Mutex<Secret>>,
    parts: Arc<[Part]>,
    is_usual: bool,
}

/// A credential with its kind.
#[derive(Clone, Debug)]
pub struct Part {
    /// The kind.
    pub kind: String,
    /// Where it is sent.
    pub carrier: Carrier,
    /// The credential.
    pub secret: Secret,
}

impl Wallet {
    /// A wallet with the credentials of one alternative. `is_usual` where that is the one token which clients of the API are
    /// connected with.
    pub(super) fn new(token: Secret, parts: Vec<Part>, is_usual: bool) -> Self {
        Self { token: Arc::new(Mutex::new(token)), parts: parts.into(), is_usual }
    }

    /// The token in it; of several credentials the first.
    pub fn current(&self) -> Secret {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another token into it.
    pub fn replace(&self, secret: Secret) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// Whether it holds one token of the kind that clients of the API are connected with, and nothing else.
    pub fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// Every credential in it; none where the API takes none.
    pub fn parts(&self) -> Vec<Part> {
        self.parts_with(&self.current())
    }

    /// The same with this token.
    pub(super) fn parts_with(&self, token: &Secret) -> Vec<Part> {
        let mut parts = self.parts.to_vec();
        if let Some(first) = parts.first_mut() {
            first.secret = token.clone();
        }
        parts
    }
}

/// Makes clients: for the operations of an API, and for the credentials of any API.
pub trait Connect: Send + Sync {
    /// A new client.
    ///
    /// # Errors
    /// Why there is none.
    fn connect<'a>(&'a self, base_url: &'a str, wallet: &'a Wallet) -> BoxFuture<'a, Result<Box<dyn Subject>, String>>;

    /// A new client that gets its tokens from an authorization server, or signs them.
    ///
    /// # Errors
    /// Why there is none.
    fn register(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String>;

    /// Why none of its clients can be registered, where that is so: cases that need one are skipped.
    fn cannot_register(&self) -> Option<String> {
        None
    }
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Called {
    /// What the caller saw.
    pub observed: Observed,
    /// The arguments that the client has no place for, and that were left out: `page`, or `body/text` for a member of
    /// the body.
    pub left_out: Vec<String>,
}

/// Why there is nothing to judge.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// The client does not have what was asked for, and why: the case is skipped.
    Unsupported(String),
    /// The client could not be driven: an error of the check.
    Broken(String),
}

/// What the caller of a client sees.
#[derive(Clone, Debug)]
pub enum Observed {
    /// A success.
    Success {
        /// Its status, where the client tells it.
        status: Option<u16>,
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

impl From<Observed> for Called {
    fn from(observed: Observed) -> Self {
        Self { observed, left_out: Vec::new() }
    }
}
