//! The client side: a client before a scripted server, one answer a case, and a judgement of what it sent and what its
//! caller saw.

mod keyfit_client;
mod naive;
mod odd;
mod request;
mod scene;
mod script;
mod subject;

use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

pub use keyfit_client::Keyfit;
pub use naive::{Defect, Naive};
pub use subject::{Connect, Failure, Observed, Subject};

use self::scene::Scene;
use self::script::{Received, Script};
use crate::catalogue::{Case, Catalogue};
use crate::secret::{Redactor, Secret};
use crate::verdict::{Exchange, Outcome, cut};

/// Clients that are connected: as many cases run at once.
const LANES: usize = 4;

/// A client under test, connected to scripted servers.
pub struct Stage {
    script: Script,
    /// Another origin, to which redirects lead.
    elsewhere: Script,
    free: Mutex<Vec<(usize, Box<dyn Subject>)>>,
    permits: Semaphore,
    secret: Secret,
}

impl Stage {
    /// Starts the scripted servers and connects clients to them.
    ///
    /// # Errors
    /// A client that cannot be connected.
    pub async fn start(catalogue: &Catalogue, connect: &dyn Connect, redactor: &Redactor) -> Result<Self, String> {
        let prefix = catalogue.contract.credentials.first().map_or("", |credential| credential.prefix.as_str());
        let secret = Secret::new(format!("{prefix}canary0canary0canary0canary0"));
        redactor.learn(&secret);
        let script = Script::start(LANES).await;
        let clients = (0..LANES).map(|lane| {
            let client = connect.connect(&script.base_url(lane, request::BASE_PATH), &secret)?;
            Ok((lane, client))
        });
        let free = Mutex::new(clients.collect::<Result<Vec<_>, String>>()?);
        let elsewhere = Script::start(LANES).await;
        Ok(Self { script, elsewhere, free, permits: Semaphore::new(LANES), secret })
    }

    /// Runs one client-side case.
    pub async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        let Some(drive) = catalogue.rule(case).drive else {
            return Outcome::error("the rule is not one for clients");
        };
        let Ok(_permit) = self.permits.acquire().await else { return Outcome::error("the clients are gone") };
        let Some((lane, client)) = self.free().pop() else { return Outcome::error("no client is free") };
        let scene = Scene {
            catalogue,
            case,
            client: &*client,
            script: &self.script,
            elsewhere: &self.elsewhere,
            secret: &self.secret,
            lane,
        };
        let result = scene.play(drive).await;
        let received = self.script.received(lane);
        self.free().push((lane, client));
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

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<(usize, Box<dyn Subject>)>> {
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
