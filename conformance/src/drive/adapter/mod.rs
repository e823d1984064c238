//! A client in any language as a test subject: a program reads requests line by line, calls the client, and reports the results of the
//! calls. `conformance/README.md` describes the protocol.

mod message;
mod process;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit_openapi::Operation;
use serde_json::{Map, Value};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use self::message::{Ask, CallAnswer, Named, Settled};
use self::process::Process;
use super::authorization::{Registration, TokenHolder};
use super::subject::{CallResult, Connect, CredentialStore, DriveError, Subject};
use crate::credential::secret::{Redactor, Secret};
use crate::judgement::verdict::cut;

pub use message::json_schema;

/// The default time limit for an answer of a program.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of crashes without an answered call in between after which a program is not restarted.
const MAX_CRASHES: usize = 3;

/// Connects clients through a program, one process for each.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// The program and its arguments. They are not interpreted by a shell.
    pub command: Vec<String>,
    /// The short name of the API: `transactional`.
    pub api: String,
    /// The time limit for an answer. If it is exceeded, the check reports an error and kills the process.
    pub time_limit: Duration,
    /// Masks the program's stderr, which is passed on.
    pub redactor: Redactor,
}

struct Client {
    adapter: Adapter,
    base_url: String,
    credential_store: CredentialStore,
    process_state: AsyncMutex<ProcessState>,
    /// The total reported wait of all its calls.
    waited: Mutex<Duration>,
}

/// The state of the communication with the process.
#[derive(Default)]
struct ProcessState {
    /// `None` before the first start, after a crash, and while an answer is pending: a cancelled call takes its process with it, so that its
    /// answer is not mistaken for that of another call.
    process: Option<Process>,
    /// The last token that was sent to it.
    sent_token: Option<Secret>,
    calls: u64,
    /// The number of crashes since the last answered call, and the reason of the last one.
    crashes: usize,
    last_crash: String,
}

impl Connect for Adapter {
    fn connect<'a>(
        &'a self,
        base_url: &'a str,
        credential_store: &'a CredentialStore,
    ) -> BoxFuture<'a, Result<Box<dyn Subject>, String>> {
        Box::pin(async move {
            let client = Client {
                adapter: self.clone(),
                base_url: base_url.to_owned(),
                credential_store: credential_store.clone(),
                process_state: AsyncMutex::default(),
                waited: Mutex::default(),
            };
            match client.begin().await {
                // Missing support is reported again before each case.
                Ok(()) | Err(DriveError::Unsupported(_)) => Ok(Box::new(client) as Box<dyn Subject>),
                Err(DriveError::Broken(reason)) => Err(reason),
            }
        })
    }

    fn register(&self, _: &Registration) -> Result<Box<dyn TokenHolder>, String> {
        Err("an adapter has no logins".to_owned())
    }

    fn cannot_register(&self) -> Option<String> {
        Some("the adapter protocol has no logins and signs no JWTs".to_owned())
    }
}

impl Subject for Client {
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<CallResult, DriveError>> {
        Box::pin(async move {
            let mut process_state = self.process_state.lock().await;
            let current = self.credential_store.current();
            if process_state.sent_token.as_ref() != Some(&current) {
                let ask = Ask::Token { token: current.reveal() };
                self.ask(&mut process_state, ask, Settled::read)
                    .await?
                    .result()
                    .map_err(|reason| self.with_adapter_name(reason))?;
                process_state.sent_token = Some(current);
            }
            process_state.calls += 1;
            let id = process_state.calls;
            let ask = Ask::Call { id, operation: Named::new(operation), arguments };
            let asked = Instant::now();
            let (called, waited) = self.ask(&mut process_state, ask, |line| CallAnswer::read(line, id)).await?;
            process_state.crashes = 0;
            let waited = waited.unwrap_or_else(|| asked.elapsed());
            *self.waited.lock().unwrap_or_else(PoisonError::into_inner) += waited;
            called
        })
    }

    fn waited(&self) -> Option<Duration> {
        Some(*self.waited.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) -> BoxFuture<'_, Result<(), DriveError>> {
        Box::pin(async move {
            if !self.credential_store.is_usual() {
                let kinds: Vec<String> =
                    self.credential_store.credentials().into_iter().map(|part| format!("`{}`", part.kind)).collect();
                let reason = format!(
                    "the adapter protocol hands over one token, of the kind that the contract names first, and this takes {}",
                    kinds.join(" with ")
                );
                return Err(DriveError::Unsupported(reason));
            }
            let mut process_state = self.process_state.lock().await;
            if process_state.process.is_none() {
                if process_state.crashes >= MAX_CRASHES {
                    let reason = format!(
                        "{}; after {MAX_CRASHES} such losses it is not started again",
                        process_state.last_crash
                    );
                    return Err(DriveError::Broken(reason));
                }
                let started = Process::start(&self.adapter.command, &self.adapter.redactor);
                process_state.process = Some(started.map_err(|reason| self.broken(&reason))?);
            }
            let current = self.credential_store.current();
            let ask = Ask::Connect { base_url: &self.base_url, token: current.reveal(), api: &self.adapter.api };
            self.ask(&mut process_state, ask, Settled::read)
                .await?
                .result()
                .map_err(|reason| self.with_adapter_name(reason))?;
            process_state.sent_token = Some(current);
            Ok(())
        })
    }
}

impl Client {
    /// Sends a request and reads the answer. The process ends if there is no valid answer.
    async fn ask<T>(
        &self,
        process_state: &mut ProcessState,
        ask: Ask<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, DriveError> {
        let Some(mut process) = process_state.process.take() else { return Err(self.broken("it is not running")) };
        let name = ask.name();
        let reason = match process.ask(&ask.line(), self.adapter.time_limit).await {
            Ok(line) => match read(&line) {
                Ok(answer) => {
                    process_state.process = Some(process);
                    return Ok(answer);
                }
                Err(problem) => {
                    let line = cut(&self.adapter.redactor.mask(&String::from_utf8_lossy(&line)));
                    format!("{name} was answered by what is no answer, {problem}: {line}")
                }
            },
            Err(loss) => format!("{loss}; it was asked for {name}"),
        };
        let stderr_tail = process.end().await;
        let reason = if stderr_tail.is_empty() { reason } else { format!("{reason}; its last words: {stderr_tail}") };
        process_state.crashes += 1;
        process_state.last_crash = self.adapter_message(&reason);
        Err(DriveError::Broken(process_state.last_crash.clone()))
    }

    fn with_adapter_name(&self, reason: DriveError) -> DriveError {
        match reason {
            DriveError::Broken(reason) => self.broken(&reason),
            unsupported @ DriveError::Unsupported(_) => unsupported,
        }
    }

    fn broken(&self, reason: &str) -> DriveError {
        DriveError::Broken(self.adapter_message(reason))
    }

    fn adapter_message(&self, reason: &str) -> String {
        self.adapter.redactor.mask(&format!("the adapter `{}`: {reason}", self.adapter.command.join(" ")))
    }
}
