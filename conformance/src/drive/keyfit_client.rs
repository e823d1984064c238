//! Clients that keyfit generated as test subjects: those that ship, and those of users.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit::auth::{AccessToken, Credential, Refresh, TokenSource};
use keyfit::codegen::unknown_operation;
use keyfit::dispatch::{Access, Dispatch};
use keyfit::testing::TestClock;
use keyfit::{Config, Error, ErrorKind, RetryPolicy};
use keyfit_openapi::Operation;
use serde_json::{Map, Value};

use super::authorization::{KeyfitHolder, Registration, TokenHolder};
use super::subject::{CallFailure, CallOutcome, CallResult, Connect, CredentialStore, DriveError, Subject};
use crate::credential::carrier::of_client;
use crate::credential::secret::Secret;

/// Creates clients with the `connect` function of generated code.
pub struct Keyfit(Arc<Factory>);

/// The `connect` function of generated code.
type Factory = dyn Fn(Config, Access) -> Result<Box<dyn Dispatch>, Error> + Send + Sync;

struct Client {
    factory: Arc<Factory>,
    base_url: String,
    source: StoreTokenSource,
    connection: Mutex<Connection>,
}

/// A client in its latest connection.
#[derive(Clone)]
struct Connection {
    dispatch: Arc<dyn Dispatch>,
    clock: TestClock,
}

/// A token source that reads the credential store, with the token that it returned last.
#[derive(Clone, Debug)]
struct StoreTokenSource {
    credential_store: CredentialStore,
    last_fetched: Arc<Mutex<Option<Secret>>>,
}

impl Keyfit {
    /// Creates clients with this `connect` function.
    pub fn new(connect: impl Fn(Config, Access) -> Result<Box<dyn Dispatch>, Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(connect))
    }

    /// Creates clients of an API that ships, by the name of its folder: `instasent-ingest`.
    pub fn shipped(api: impl Into<String>) -> Self {
        let api = api.into();
        Self::new(move |config, access| keyfit::dispatch::connect(&api, config, access))
    }
}

impl Connect for Keyfit {
    fn connect<'a>(
        &'a self,
        base_url: &'a str,
        credential_store: &'a CredentialStore,
    ) -> BoxFuture<'a, Result<Box<dyn Subject>, String>> {
        let source = StoreTokenSource { credential_store: credential_store.clone(), last_fetched: Arc::default() };
        let client = connection(&*self.0, base_url, &source).map(|connection| {
            let (factory, base_url, connection) = (Arc::clone(&self.0), base_url.to_owned(), Mutex::new(connection));
            Box::new(Client { factory, base_url, source, connection }) as Box<dyn Subject>
        });
        Box::pin(std::future::ready(client))
    }

    fn register(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String> {
        match KeyfitHolder::new(registration) {
            Ok(holder) => Ok(Box::new(holder)),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn connection(connect: &Factory, base_url: &str, source: &StoreTokenSource) -> Result<Connection, String> {
    // The check rotates tokens faster than any API.
    let refresh = Refresh::default().refusal_floor(Duration::ZERO);
    let clock = TestClock::running();
    // For a client, the check looks like one long outage.
    let retry = RetryPolicy::default().budget(u32::MAX);
    let config = Config::default().base_url(base_url).clock(clock.clone()).retry(retry);
    // The servers are on this machine, and only the check reads their log.
    let config = config.allow_query_keys();
    let dispatch = source.access(refresh).and_then(|access| connect(config, access));
    dispatch.map(|dispatch| Connection { dispatch: dispatch.into(), clock }).map_err(|error| error.to_string())
}

impl StoreTokenSource {
    /// Returns the access for a connection. The first of several credentials comes from this source.
    fn access(&self, refresh: Refresh) -> Result<Access, Error> {
        let token = Access::Source(Arc::new(self.clone()), refresh);
        if self.credential_store.is_usual() {
            return Ok(token);
        }
        let rest = self
            .credential_store
            .credentials()
            .into_iter()
            .skip(1)
            .map(|part| Access::Token(part.secret.reveal().into()));
        let mut held = Credential::none();
        for (access, part) in [token].into_iter().chain(rest).zip(self.credential_store.credentials()) {
            if let Some(carrier) = of_client(&part.carrier) {
                held = held.and(&access.credential(&part.kind, carrier)?);
            }
        }
        Ok(Access::Held(held))
    }
}

impl TokenSource for StoreTokenSource {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<AccessToken, Error>> + Send + '_>> {
        Box::pin(async {
            let current = self.credential_store.current();
            let token = AccessToken::new(current.reveal());
            *self.last_fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
            Ok(token)
        })
    }
}

impl Client {
    fn connection(&self) -> Connection {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin_anew(&self) -> Result<(), String> {
        let anew = connection(&*self.factory, &self.base_url, &self.source)?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = anew;
        Ok(())
    }
}

impl Subject for Client {
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<CallResult, DriveError>> {
        Box::pin(async move {
            let observed = match self.connection().dispatch.call(&operation.id, arguments).await {
                Ok(answer) => CallOutcome::Success { status: Some(answer.status), value: answer.value },
                // A client may be generated with a part of the operations.
                Err(error) if error.to_string() == unknown_operation(&operation.id).to_string() => {
                    return Err(DriveError::Unsupported(format!("there is no method for `{}`", operation.id)));
                }
                Err(error) => CallOutcome::Failure(Box::new(observed(&error))),
            };
            Ok(observed.into())
        })
    }

    fn chooses_streams(&self) -> bool {
        true
    }

    fn waited(&self) -> Option<Duration> {
        Some(self.connection().clock.waited())
    }

    fn begin(&self) -> BoxFuture<'_, Result<(), DriveError>> {
        // Limits from the previous case have expired; otherwise the client would wait for them first.
        self.connection().clock.advance(Duration::from_secs(3600));
        // A replaced token is refreshed here if the previous case ended before the client noticed.
        let last_fetched = self.source.last_fetched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_stale = last_fetched.is_some_and(|last_fetched| last_fetched != self.source.credential_store.current());
        let begun = if is_stale { self.begin_anew() } else { Ok(()) };
        Box::pin(std::future::ready(begun.map_err(DriveError::Broken)))
    }
}

fn observed(error: &Error) -> CallFailure {
    let rate_limit = error.rate_limit().and_then(|rate| Some((rate.limit?, rate.remaining?, rate.reset?)));
    CallFailure {
        kind: kebab(error.kind()),
        status: error.status().map(|status| status.as_u16()),
        headers: error.headers().cloned().unwrap_or_default(),
        body: error.body().to_vec(),
        code: error.code().map(str::to_owned),
        message: error.message().map(str::to_owned),
        retry_after: error.retry_after(),
        rate_limit,
        texts: vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")],
    }
}

/// Returns the kind in kebab-case: `RateLimited` as `rate-limited`.
fn kebab(kind: ErrorKind) -> String {
    let mut name = String::new();
    for character in format!("{kind:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
