//! The client side: a client with a scripted server, one scripted answer per case, and a judgement of its requests and its results.

pub mod adapter;
mod authorization;
mod call_case;
mod defect;
mod future_answer;
mod keyfit_client;
mod naive;
mod recording_client;
mod request;
mod scripted_server;
mod subject;
mod token_generator;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

pub use adapter::Adapter;
pub use authorization::{GrantFlow, HolderError, Registration, TestClock, TokenHolder, UserTokens};
pub use defect::Defect;
pub use keyfit_client::Keyfit;
pub use naive::Naive;
pub use subject::{
    CallFailure, CallOutcome, CallResult, Connect, CredentialStore, DriveError, StoredCredential, Subject,
};

use self::authorization::AuthorizationCase;
use self::call_case::CallCase;
use self::recording_client::RecordingClient;
use self::scripted_server::{ReceivedRequest, ScriptedAnswer, ScriptedServer};
use self::token_generator::TokenGenerator;
use crate::catalogue::{Case, Catalogue};
use crate::contract::{AuthorizationDrive, Contract, Credential, Drive};
use crate::credential::secret::Redactor;
use crate::judgement::verdict::{Exchange, Outcome, cut};

/// The number of connected clients, and so of concurrent cases.
const WORKERS: usize = 4;

/// A client under test, connected to scripted servers.
pub struct ClientHarness {
    connect: Arc<dyn Connect>,
    redactor: Redactor,
    scripted_server: ScriptedServer,
    /// Another origin, which redirects point to.
    other_origin: ScriptedServer,
    free: Mutex<Vec<Worker>>,
    permits: Semaphore,
}

/// Connected clients with their own base path on the scripted servers.
struct Worker {
    number: usize,
    /// A client for each set of credentials that operations accept, connected at its first use.
    clients: Vec<Client>,
}

/// A connected client with its credentials.
struct Client {
    subject: Box<dyn Subject>,
    kinds: Vec<String>,
    token_generator: TokenGenerator,
}

impl ClientHarness {
    /// Starts the scripted servers and connects clients to them.
    ///
    /// # Errors
    /// Returns an error if a client cannot be connected.
    pub async fn start(catalogue: &Catalogue, connect: Arc<dyn Connect>, redactor: &Redactor) -> Result<Self, String> {
        let (scripted_server, other_origin) =
            (ScriptedServer::start(WORKERS).await, ScriptedServer::start(WORKERS).await);
        let (free, redactor) = (Mutex::default(), redactor.clone());
        let stage = Self { connect, redactor, scripted_server, other_origin, free, permits: Semaphore::new(WORKERS) };
        // A client that cannot be connected is reported before the first case.
        let usual: Vec<&Credential> = catalogue.contract.client_credential().into_iter().collect();
        for number in 0..WORKERS {
            let mut clients = Vec::new();
            if catalogue.needs_client() {
                clients.push(stage.client(&catalogue.contract, &usual, number).await?);
            }
            stage.free().push(Worker { number, clients });
        }
        Ok(stage)
    }

    async fn client(&self, contract: &Contract, kinds: &[&Credential], worker: usize) -> Result<Client, String> {
        let token_generator = TokenGenerator::new(contract, kinds, worker, &self.redactor);
        let base_url = self.scripted_server.base_url(worker, request::BASE_PATH);
        let subject = self.connect.connect(&base_url, &token_generator.credential_store).await?;
        Ok(Client { subject, kinds: kinds.iter().map(|kind| kind.kind.clone()).collect(), token_generator })
    }

    /// Runs one client-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let Some(drive) = catalogue.rule(case).drive else {
            return Outcome::error("the rule is not one for clients");
        };
        let Ok(_permit) = self.permits.acquire().await else { return Outcome::error("the clients are gone") };
        let Some(mut worker) = self.free().pop() else { return Outcome::error("no client is free") };
        let mut outcome = match drive {
            Drive::Authorization(drive) => self.authorize(catalogue, case, drive, &worker).await,
            drive => self.call(catalogue, case, drive, &mut worker).await,
        };
        let received = self.scripted_server.received(worker.number);
        self.free().push(worker);
        if outcome.is_broken() {
            outcome.exchanges = received.iter().map(|received| exchange(received, &self.redactor)).collect();
        }
        outcome.requests = received.len();
        outcome
    }

    async fn authorize(
        &self,
        catalogue: &Catalogue,
        case: &Case,
        drive: AuthorizationDrive,
        worker: &Worker,
    ) -> Outcome {
        if let Some(reason) = self.connect.cannot_register() {
            return Outcome::skip(reason);
        }
        let Some(server) = &catalogue.contract.authorization_server else {
            return Outcome::error("the contract has no authorization server");
        };
        let authorization_case = AuthorizationCase {
            connect: &*self.connect,
            server,
            scripted_server: &self.scripted_server,
            worker: worker.number,
            variant: case.variant.as_deref(),
            redactor: &self.redactor,
            secrets: Mutex::default(),
        };
        authorization_case
            .run(drive)
            .await
            .map_or_else(|finding| Outcome::broken(case.level, finding), |()| Outcome::pass())
    }

    async fn call(&self, catalogue: &Catalogue, case: &Case, drive: Drive, worker: &mut Worker) -> Outcome {
        if let Some(gap) = catalogue.gap(case) {
            return Outcome::skip(format!("there is no example of a request, {gap}: an overlay can give one"));
        }
        // Answers and requests of the previous case must not affect this one.
        self.scripted_server.set(worker.number, ScriptedAnswer::empty(599));
        let kinds = catalogue.contract.held_by_clients(catalogue.operation(case));
        let is_held = |client: &Client| client.kinds.iter().eq(kinds.iter().map(|kind| &kind.kind));
        let place = match worker.clients.iter().position(is_held) {
            Some(place) => place,
            None => match self.client(&catalogue.contract, &kinds, worker.number).await {
                Ok(client) => {
                    worker.clients.push(client);
                    worker.clients.len() - 1
                }
                Err(reason) => return Outcome::error(reason),
            },
        };
        let Client { subject, token_generator, .. } = &worker.clients[place];
        if let Err(reason) = subject.begin().await {
            return unanswered(reason);
        }
        let client = RecordingClient::new(&**subject);
        let call_case = CallCase {
            catalogue,
            case,
            client: &client,
            scripted_server: &self.scripted_server,
            other_origin: &self.other_origin,
            token_generator,
            worker: worker.number,
        };
        let result = call_case.run(drive).await;
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

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the outcome if the client could not be driven: the rule is not judged.
fn unanswered(reason: DriveError) -> Outcome {
    match reason {
        DriveError::Unsupported(reason) => Outcome::skip(format!("the client does not have it: {reason}")),
        DriveError::Broken(reason) => Outcome::error(reason),
    }
}

fn exchange(received: &ReceivedRequest, redactor: &Redactor) -> Exchange {
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
