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
use super::subject::{Called, Connect, NoAnswer, Subject, Wallet};
use crate::credential::secret::{Redactor, Secret};
use crate::judgement::verdict::cut;

pub use message::json_schema;

/// The default time limit for an answer of a program.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The number of crashes without an answered call in between after which a program is not restarted.
const MOST_LOSSES: usize = 3;

/// Connects clients through a program, one process for each.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// The program and its arguments. They are not interpreted by a shell.
    pub command: Vec<String>,
    /// The short name of the API: `transactional`.
    pub api: String,
    /// The time limit for an answer. If it is exceeded, the check reports an error and kills the process.
    pub patience: Duration,
    /// Masks the program's stderr, which is passed on.
    pub redactor: Redactor,
}

struct Client {
    adapter: Adapter,
    base_url: String,
    wallet: Wallet,
    talk: AsyncMutex<Talk>,
    /// The total reported wait of all its calls.
    waited: Mutex<Duration>,
}

/// The state of the communication with the process.
#[derive(Default)]
struct Talk {
    /// `None` before the first start, after a crash, and while an answer is pending: a cancelled call takes its process with it, so that its
    /// answer is not mistaken for that of another call.
    process: Option<Process>,
    /// The last token that was sent to it.
    told: Option<Secret>,
    calls: u64,
    /// The number of crashes since the last answered call, and the reason of the last one.
    losses: usize,
    lost: String,
}

impl Connect for Adapter {
    fn connect<'a>(&'a self, base_url: &'a str, wallet: &'a Wallet) -> BoxFuture<'a, Result<Box<dyn Subject>, String>> {
        Box::pin(async move {
            let client = Client {
                adapter: self.clone(),
                base_url: base_url.to_owned(),
                wallet: wallet.clone(),
                talk: AsyncMutex::default(),
                waited: Mutex::default(),
            };
            match client.begin().await {
                // Missing support is reported again before each case.
                Ok(()) | Err(NoAnswer::Unsupported(_)) => Ok(Box::new(client) as Box<dyn Subject>),
                Err(NoAnswer::Broken(reason)) => Err(reason),
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
    ) -> BoxFuture<'a, Result<Called, NoAnswer>> {
        Box::pin(async move {
            let mut talk = self.talk.lock().await;
            let current = self.wallet.current();
            if talk.told.as_ref() != Some(&current) {
                let ask = Ask::Token { token: current.reveal() };
                self.ask(&mut talk, ask, Settled::read).await?.result().map_err(|reason| self.named(reason))?;
                talk.told = Some(current);
            }
            talk.calls += 1;
            let id = talk.calls;
            let ask = Ask::Call { id, operation: Named::new(operation), arguments };
            let asked = Instant::now();
            let (called, waited) = self.ask(&mut talk, ask, |line| CallAnswer::read(line, id)).await?;
            talk.losses = 0;
            let waited = waited.unwrap_or_else(|| asked.elapsed());
            *self.waited.lock().unwrap_or_else(PoisonError::into_inner) += waited;
            called
        })
    }

    fn waited(&self) -> Option<Duration> {
        Some(*self.waited.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) -> BoxFuture<'_, Result<(), NoAnswer>> {
        Box::pin(async move {
            if !self.wallet.is_usual() {
                let kinds: Vec<String> =
                    self.wallet.parts().into_iter().map(|part| format!("`{}`", part.kind)).collect();
                let reason = format!(
                    "the adapter protocol hands over one token, of the kind that the contract names first, and this takes {}",
                    kinds.join(" with ")
                );
                return Err(NoAnswer::Unsupported(reason));
            }
            let mut talk = self.talk.lock().await;
            if talk.process.is_none() {
                if talk.losses >= MOST_LOSSES {
                    let reason = format!("{}; after {MOST_LOSSES} such losses it is not started again", talk.lost);
                    return Err(NoAnswer::Broken(reason));
                }
                let started = Process::start(&self.adapter.command, &self.adapter.redactor);
                talk.process = Some(started.map_err(|reason| self.broken(&reason))?);
            }
            let current = self.wallet.current();
            let ask = Ask::Connect { base_url: &self.base_url, token: current.reveal(), api: &self.adapter.api };
            self.ask(&mut talk, ask, Settled::read).await?.result().map_err(|reason| self.named(reason))?;
            talk.told = Some(current);
            Ok(())
        })
    }
}

impl Client {
    /// Sends a request and reads the answer. The process ends if there is no valid answer.
    async fn ask<T>(
        &self,
        talk: &mut Talk,
        ask: Ask<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, NoAnswer> {
        let Some(mut process) = talk.process.take() else { return Err(self.broken("it is not running")) };
        let name = ask.name();
        let reason = match process.ask(&ask.line(), self.adapter.patience).await {
            Ok(line) => match read(&line) {
                Ok(answer) => {
                    talk.process = Some(process);
                    return Ok(answer);
                }
                Err(problem) => {
                    let line = cut(&self.adapter.redactor.mask(&String::from_utf8_lossy(&line)));
                    format!("{name} was answered by what is no answer, {problem}: {line}")
                }
            },
            Err(loss) => format!("{loss}; it was asked for {name}"),
        };
        let last_words = process.end().await;
        let reason = if last_words.is_empty() { reason } else { format!("{reason}; its last words: {last_words}") };
        talk.losses += 1;
        talk.lost = self.described(&reason);
        Err(NoAnswer::Broken(talk.lost.clone()))
    }

    fn named(&self, reason: NoAnswer) -> NoAnswer {
        match reason {
            NoAnswer::Broken(reason) => self.broken(&reason),
            unsupported @ NoAnswer::Unsupported(_) => unsupported,
        }
    }

    fn broken(&self, reason: &str) -> NoAnswer {
        NoAnswer::Broken(self.described(reason))
    }

    fn described(&self, reason: &str) -> String {
        self.adapter.redactor.mask(&format!("the adapter `{}`: {reason}", self.adapter.command.join(" ")))
    }
}
