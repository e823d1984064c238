//! A client under test, as its caller sees it: it is called by operation id, and reports its results.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit_openapi::Operation;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::authorization::{Registration, TokenHolder};
use crate::contract::Carrier;
use crate::credential::secret::Secret;

/// A connected client.
pub trait Subject: Send + Sync {
    /// Calls an operation with each parameter under its name and the body under `body`.
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<CallResult, DriveError>>;

    /// Returns the total time that it waited between attempts in all its calls; `None` if it does not report it.
    fn waited(&self) -> Option<Duration>;

    /// Returns whether the argument `Accept` selects a streamed answer by its media type, if the operation also has a complete one.
    fn chooses_streams(&self) -> bool {
        false
    }

    /// Prepares for a case. A client that cannot recover from the previous case is recreated here, with the current content of the credential store; by
    /// default it is kept.
    fn begin(&self) -> BoxFuture<'_, Result<(), DriveError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The source of a client's credentials, which it may read repeatedly. Clones share the content.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    /// The first of them, which is the only one that is ever replaced.
    token: Arc<Mutex<Secret>>,
    credentials: Arc<[StoredCredential]>,
    is_usual: bool,
}

/// A credential with its kind.
#[derive(Clone, Debug)]
pub struct StoredCredential {
    /// The kind.
    pub kind: String,
    /// The place in a request.
    pub carrier: Carrier,
    /// The credential.
    pub secret: Secret,
}

impl CredentialStore {
    /// Creates a store with the credentials of one alternative. `is_usual` is true if that is the one token with which clients of the API are
    /// usually connected.
    pub(super) fn new(token: Secret, credentials: Vec<StoredCredential>, is_usual: bool) -> Self {
        Self { token: Arc::new(Mutex::new(token)), credentials: credentials.into(), is_usual }
    }

    /// Returns the current token; the first one of several credentials.
    pub fn current(&self) -> Secret {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the token.
    pub fn replace(&self, secret: Secret) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = secret;
    }

    /// Returns whether it only holds one token of the kind with which clients of the API are usually connected.
    pub fn is_usual(&self) -> bool {
        self.is_usual
    }

    /// Returns all credentials; empty if the API takes none.
    pub fn credentials(&self) -> Vec<StoredCredential> {
        self.credentials_with(&self.current())
    }

    /// Returns all credentials, with this token as the first one.
    pub(super) fn credentials_with(&self, token: &Secret) -> Vec<StoredCredential> {
        let mut credentials = self.credentials.to_vec();
        if let Some(first) = credentials.first_mut() {
            first.secret = token.clone();
        }
        credentials
    }
}

/// Creates clients of an API, for its operations or for its authorization.
pub trait Connect: Send + Sync {
    /// Creates a client.
    ///
    /// # Errors
    /// Returns an error if the client cannot be created.
    fn connect<'a>(
        &'a self,
        base_url: &'a str,
        credential_store: &'a CredentialStore,
    ) -> BoxFuture<'a, Result<Box<dyn Subject>, String>>;

    /// Creates a client that gets its tokens from an authorization server, or signs them.
    ///
    /// # Errors
    /// Returns an error if the client cannot be created.
    fn register(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String>;

    /// Returns the reason why none of its clients can be registered, if so: cases that need one are skipped.
    fn cannot_register(&self) -> Option<String> {
        None
    }
}

/// The result of a call.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// The result as the caller sees it.
    pub observed: CallOutcome,
    /// The arguments that the client does not support and that were left out: `page`, or `body/text` for a member of the body.
    pub left_out: Vec<String>,
}

/// The reason why there is no result to judge.
#[derive(Clone, Debug)]
pub enum DriveError {
    /// The client does not support the request, for this reason: the case is skipped.
    Unsupported(String),
    /// The client could not be driven: an error of the check.
    Broken(String),
}

/// The result as the caller of a client sees it.
#[derive(Clone, Debug)]
pub enum CallOutcome {
    /// A success.
    Success {
        /// Its status, if the client reports it.
        status: Option<u16>,
        /// Its value as JSON; null if there is none.
        value: Value,
    },
    /// A failure.
    Failure(Box<CallFailure>),
}

/// A failed call.
#[derive(Clone, Debug, Default)]
pub struct CallFailure {
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
    /// The wait that the client reports.
    pub retry_after: Option<Duration>,
    /// Limit, remaining calls and reset, as the client reports them.
    pub rate_limit: Option<(u64, u64, u64)>,
    /// All texts that the error prints.
    pub texts: Vec<String>,
}

impl From<CallOutcome> for CallResult {
    fn from(observed: CallOutcome) -> Self {
        Self { observed, left_out: Vec::new() }
    }
}
