//! The client side: a client before a scripted server, one answer a case, and a judgement of what it sent and what its
//! caller saw.

pub mod adapter;
mod authorization;
mod defect;
mod keyfit_client;
mod naive;
mod odd;
mod request;
mod scene;
mod script;
mod subject;
mod tokens;
mod witness;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

pub use adapter::Adapter;
pub use authorization::{Flow, Refusal, Registration, Stored, TestClock, TokenHolder};
pub use defect::Defect;
pub use keyfit_client::Keyfit;
pub use naive::Naive;
pub use subject::{Called, Connect, Failure, NoAnswer, Observed, Subject, Wallet};

use self::authorization::Play;
use self::scene::Scene;
use self::script::{Received, Script, Scripted};
use self::tokens::Tokens;
use self::witness::Witness;
use crate::catalogue::{Case, Catalogue};
use crate::contract::{AuthorizationDrive, Drive};
use crate::secret::Redactor;
use crate::verdict::{Exchange, Outcome, Verdict, cut};

/// Clients that are connected: as many cases run at once.
const LANES: usize = 4;

/// A client under test, connected to scripted servers.
pub struct Stage {
    connect: Arc<dyn Connect>,
    redactor: Redactor,
    script: Script,
    /// Another origin, to which redirects lead.
    elsewhere: Script,
    free: Mutex<Vec<Lane>>,
    permits: Semaphore,
}

/// A connected client with a lane of the scripted servers to itself.
struct Lane {
    number: usize,
    /// `None` where no case calls an operation.
    client: Option<Box<dyn Subject>>,
    tokens: Tokens,
}

impl Stage {
    /// Starts the scripted servers and connects clients to them.
    ///
    /// # Errors
    /// A client that cannot be connected.
    pub async fn start(catalogue: &Catalogue, connect: Arc<dyn Connect>, redactor: &Redactor) -> Result<Self, String> {
        let kind = catalogue.contract.client_credential();
        let script = Script::start(LANES).await;
        let mut lanes = Vec::new();
        for number in 0..LANES {
            let tokens = Tokens::new(kind, number, redactor);
            let base_url = script.base_url(number, request::BASE_PATH);
            let client =
                if catalogue.needs_client() { Some(connect.connect(&base_url, &tokens.wallet).await?) } else { None };
            lanes.push(Lane { number, client, tokens });
        }
        let free = Mutex::new(lanes);
        let elsewhere = Script::start(LANES).await;
        let redactor = redactor.clone();
        Ok(Self { connect, redactor, script, elsewhere, free, permits: Semaphore::new(LANES) })
    }

    /// Runs one client-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let Some(drive) = catalogue.rule(case).drive else {
            return Outcome::error("the rule is not one for clients");
        };
        let Ok(_permit) = self.permits.acquire().await else { return Outcome::error("the clients are gone") };
        let Some(lane) = self.free().pop() else { return Outcome::error("no client is free") };
        let mut outcome = match drive {
            Drive::Authorization(drive) => self.authorize(catalogue, case, drive, &lane).await,
            drive => self.call(catalogue, case, drive, &lane).await,
        };
        let received = self.script.received(lane.number);
        self.free().push(lane);
        if matches!(outcome.verdict, Verdict::Fail | Verdict::Warn | Verdict::Info) {
            outcome.exchanges = received.iter().map(|received| exchange(received, &self.redactor)).collect();
        }
        outcome.requests = received.len();
        outcome
    }

    async fn authorize(&self, catalogue: &Catalogue, case: &Case, drive: AuthorizationDrive, lane: &Lane) -> Outcome {
        if let Some(reason) = self.connect.cannot_register() {
            return Outcome::skip(reason);
        }
        let Some(server) = &catalogue.contract.authorization_server else {
            return Outcome::error("the contract has no authorization server");
        };
        let play = Play {
            connect: &*self.connect,
            server,
            script: &self.script,
            lane: lane.number,
            variant: case.variant.as_deref(),
            redactor: &self.redactor,
            secrets: Mutex::default(),
        };
        play.play(drive).await.map_or_else(|finding| Outcome::broken(case.level, finding), |()| Outcome::pass())
    }

    async fn call(&self, catalogue: &Catalogue, case: &Case, drive: Drive, lane: &Lane) -> Outcome {
        let Some(client) = lane.client.as_deref() else { return Outcome::error("no client is connected") };
        if let Some(gap) = catalogue.gap(case) {
            return Outcome::skip(format!("there is no example of a request, {gap}: an overlay can give one"));
        }
        // What the case before was answered, or received, is not this one's.
        self.script.set(lane.number, Scripted::empty(599));
        if let Err(reason) = client.begin().await {
            return unanswered(reason);
        }
        let client = Witness::new(client);
        let scene = Scene {
            catalogue,
            case,
            client: &client,
            script: &self.script,
            elsewhere: &self.elsewhere,
            tokens: &lane.tokens,
            lane: lane.number,
        };
        let result = scene.play(drive).await;
        match (client.unanswered(), result) {
            (Some(reason), _) => unanswered(reason),
            (None, Err(finding)) => Outcome::broken(case.level, finding),
            (None, Ok(())) if drive == Drive::RequestAsSent && !client.left_out().is_empty() => {
                let names = client.left_out().join("`, `");
                Outcome::skip(format!("the client has no `{names}`; what it has was sent as documented"))
            }
            (None, Ok(())) => Outcome::pass(),
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Lane>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client did not do its part: nothing is said of the rule.
fn unanswered(reason: NoAnswer) -> Outcome {
    match reason {
        NoAnswer::Unsupported(reason) => Outcome::skip(format!("the client does not have it: {reason}")),
        NoAnswer::Broken(reason) => Outcome::error(reason),
    }
}

fn exchange(received: &Received, redactor: &Redactor) -> Exchange {
    let query: Vec<String> = received.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    Exchange {
        method: received.method.clone(),
        url: format!("{}{mark}{}", received.path, query.join("&")),
        headers: received.headers.clone(),
        body: cut(&redactor.mask(&String::from_utf8_lossy(&received.body))),
        ..Exchange::default()
    }
}
