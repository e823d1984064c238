//! The client side: a client before a scripted server, one answer a case, and a judgement of what it sent and what its
//! caller saw.

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

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

pub use authorization::{Flow, Refusal, Registration, Stored, TestClock, TokenHolder};
pub use defect::Defect;
pub use keyfit_client::Keyfit;
pub use naive::Naive;
pub use subject::{Connect, Failure, Observed, Subject, Wallet};

use self::authorization::Play;
use self::scene::Scene;
use self::script::{Received, Script};
use self::tokens::Tokens;
use crate::catalogue::{Case, Catalogue};
use crate::contract::Drive;
use crate::secret::Redactor;
use crate::verdict::{Exchange, Outcome, cut};

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
        let prefix = catalogue.contract.credentials.first().map_or("", |credential| credential.prefix.as_str());
        let script = Script::start(LANES).await;
        let clients = (0..LANES).map(|number| {
            let tokens = Tokens::new(prefix, number, redactor);
            let base_url = script.base_url(number, request::BASE_PATH);
            let client = catalogue.needs_client().then(|| connect.connect(&base_url, &tokens.wallet)).transpose()?;
            Ok(Lane { number, client, tokens })
        });
        let free = Mutex::new(clients.collect::<Result<Vec<_>, String>>()?);
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
        let result = self.play(catalogue, case, drive, &lane).await;
        let received = self.script.received(lane.number);
        self.free().push(lane);
        let mut outcome = match result {
            Ok(()) => Outcome::pass(),
            Err(finding) => {
                let mut outcome = Outcome::broken(case.level, finding);
                outcome.exchanges = received.iter().map(exchange).collect();
                outcome
            }
        };
        outcome.requests = received.len();
        outcome
    }

    async fn play(&self, catalogue: &Catalogue, case: &Case, drive: Drive, lane: &Lane) -> Result<(), String> {
        if let Drive::Authorization(drive) = drive {
            let server = catalogue.contract.authorization_server.as_ref();
            let play = Play {
                connect: &*self.connect,
                server: server.ok_or("the contract has no authorization server")?,
                script: &self.script,
                lane: lane.number,
                variant: case.variant.as_deref(),
                redactor: &self.redactor,
                secrets: Mutex::default(),
            };
            return play.play(drive).await;
        }
        let scene = Scene {
            catalogue,
            case,
            client: lane.client.as_deref().ok_or("no client is connected")?,
            script: &self.script,
            elsewhere: &self.elsewhere,
            tokens: &lane.tokens,
            lane: lane.number,
        };
        scene.play(drive).await
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Lane>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exchange(received: &Received) -> Exchange {
    let query: Vec<String> = received.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    Exchange {
        method: received.method.clone(),
        url: format!("{}{mark}{}", received.path, query.join("&")),
        headers: received.headers.clone(),
        body: cut(&String::from_utf8_lossy(&received.body)),
        ..Exchange::default()
    }
}
