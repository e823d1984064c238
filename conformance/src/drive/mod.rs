//! The client side: a client with a scripted server, one scripted answer per case, and a judgement of its requests and its results.

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
pub use subject::{Called, Connect, Failure, NoAnswer, Observed, Part, Subject, Wallet};

use self::authorization::Play;
use self::scene::Scene;
use self::script::{Received, Script, Scripted};
use self::tokens::Tokens;
use self::witness::Witness;
use crate::catalogue::{Case, Catalogue};
use crate::contract::{AuthorizationDrive, Contract, Credential, Drive};
use crate::credential::secret::Redactor;
use crate::judgement::verdict::{Exchange, Outcome, cut};

/// The number of connected clients, and so of concurrent cases.
const LANES: usize = 4;

/// A client under test, connected to scripted servers.
pub struct Stage {
    connect: Arc<dyn Connect>,
    redactor: Redactor,
    script: Script,
    /// Another origin, which redirects point to.
    elsewhere: Script,
    free: Mutex<Vec<Lane>>,
    permits: Semaphore,
}

/// Connected clients with their own lane of the scripted servers.
struct Lane {
    number: usize,
    /// A client for each set of credentials that operations accept, connected at its first use.
    clients: Vec<Client>,
}

/// A connected client with its credentials.
struct Client {
    subject: Box<dyn Subject>,
    kinds: Vec<String>,
    tokens: Tokens,
}

impl Stage {
    /// Starts the scripted servers and connects clients to them.
    ///
    /// # Errors
    /// Returns an error if a client cannot be connected.
    pub async fn start(catalogue: &Catalogue, connect: Arc<dyn Connect>, redactor: &Redactor) -> Result<Self, String> {
        let (script, elsewhere) = (Script::start(LANES).await, Script::start(LANES).await);
        let (free, redactor) = (Mutex::default(), redactor.clone());
        let stage = Self { connect, redactor, script, elsewhere, free, permits: Semaphore::new(LANES) };
        // A client that cannot be connected is reported before the first case.
        let usual: Vec<&Credential> = catalogue.contract.client_credential().into_iter().collect();
        for number in 0..LANES {
            let mut clients = Vec::new();
            if catalogue.needs_client() {
                clients.push(stage.client(&catalogue.contract, &usual, number).await?);
            }
            stage.free().push(Lane { number, clients });
        }
        Ok(stage)
    }

    async fn client(&self, contract: &Contract, kinds: &[&Credential], lane: usize) -> Result<Client, String> {
        let tokens = Tokens::new(contract, kinds, lane, &self.redactor);
        let base_url = self.script.base_url(lane, request::BASE_PATH);
        let subject = self.connect.connect(&base_url, &tokens.wallet).await?;
        Ok(Client { subject, kinds: kinds.iter().map(|kind| kind.kind.clone()).collect(), tokens })
    }

    /// Runs one client-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let Some(drive) = catalogue.rule(case).drive else {
            return Outcome::error("the rule is not one for clients");
        };
        let Ok(_permit) = self.permits.acquire().await else { return Outcome::error("the clients are gone") };
        let Some(mut lane) = self.free().pop() else { return Outcome::error("no client is free") };
        let mut outcome = match drive {
            Drive::Authorization(drive) => self.authorize(catalogue, case, drive, &lane).await,
            drive => self.call(catalogue, case, drive, &mut lane).await,
        };
        let received = self.script.received(lane.number);
        self.free().push(lane);
        if outcome.is_broken() {
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

    async fn call(&self, catalogue: &Catalogue, case: &Case, drive: Drive, lane: &mut Lane) -> Outcome {
        if let Some(gap) = catalogue.gap(case) {
            return Outcome::skip(format!("there is no example of a request, {gap}: an overlay can give one"));
        }
        // Answers and requests of the previous case must not affect this one.
        self.script.set(lane.number, Scripted::empty(599));
        let kinds = catalogue.contract.held_by_clients(catalogue.operation(case));
        let is_held = |client: &Client| client.kinds.iter().eq(kinds.iter().map(|kind| &kind.kind));
        let place = match lane.clients.iter().position(is_held) {
            Some(place) => place,
            None => match self.client(&catalogue.contract, &kinds, lane.number).await {
                Ok(client) => {
                    lane.clients.push(client);
                    lane.clients.len() - 1
                }
                Err(reason) => return Outcome::error(reason),
            },
        };
        let Client { subject, tokens, .. } = &lane.clients[place];
        if let Err(reason) = subject.begin().await {
            return unanswered(reason);
        }
        let client = Witness::new(&**subject);
        let scene = Scene {
            catalogue,
            case,
            client: &client,
            script: &self.script,
            elsewhere: &self.elsewhere,
            tokens,
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

/// Returns the outcome if the client could not be driven: the rule is not judged.
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
