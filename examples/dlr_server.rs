//! A receiver of delivery reports and inbound messages: `cargo run --example dlr_server --features axum -- 8080`, then
//!
//! ```sh
//! curl -i -d '{"id": "sms_1", "status": "delivered", "code": 0, "eventAt": "2026-01-22T10:00:00Z"}' http://127.0.0.1:8080/dlr
//! ```
//!
//! It listens on this machine alone: put a proxy before it that speaks https and keeps the path to itself, for the posts
//! carry no signature. Reports are answered when they are in the queue. What is in the queue when the process ends is
//! lost: where that matters, let the handler write to a database or a broker in place of the queue.

use std::collections::{HashMap, HashSet};
use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use keyfit::instasent::webhook::{DeliveryState, DlrEvent, Transition};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How many reports wait at most. More are answered with 503, and posted again by the sender.
const QUEUE: usize = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("posts to http://{}/dlr are read", listener.local_addr()?);
    let (queue, reports) = mpsc::channel(QUEUE);
    tokio::spawn(work(reports, |event, transition| println!("{transition:?}: {event:?}")));
    axum::serve(listener, app(queue)).await?;
    Ok(())
}

/// The route. What is no report is answered by the extractor: 400, or 413 where it is too large.
pub(crate) fn app(queue: mpsc::Sender<DlrEvent>) -> Router {
    Router::new().route("/dlr", post(receive)).with_state(queue)
}

/// Answers at once: the sender waits 5 seconds at most, and takes anything but 2xx for a failure.
async fn receive(State(queue): State<mpsc::Sender<DlrEvent>>, event: DlrEvent) -> StatusCode {
    match queue.try_send(event) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What is known of all messages. A receiver that is to survive a restart keeps both in its database.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// Where each message stands, by its id.
    pub(crate) states: HashMap<String, DeliveryState>,
    /// The inbound messages, and reports with a status that is not known, each once: as their JSON.
    pub(crate) others: HashSet<String>,
}

impl Deliveries {
    /// Takes one report; whether it said anything new, and what.
    fn take(&mut self, event: &DlrEvent) -> Option<Transition> {
        let state = self.states.entry(event.id.clone()).or_default();
        let (next, transition) = state.after(event);
        *state = next;
        let is_new = match transition {
            Transition::Duplicate | Transition::Stale => false,
            Transition::Unranked => serde_json::to_string(event).is_ok_and(|json| self.others.insert(json)),
            _ => true,
        };
        is_new.then_some(transition)
    }
}

/// Works the queue off until it is closed. `act` is called once for each thing that is new.
pub(crate) async fn work(
    mut reports: mpsc::Receiver<DlrEvent>,
    mut act: impl FnMut(&DlrEvent, Transition),
) -> Deliveries {
    let mut deliveries = Deliveries::default();
    while let Some(event) = reports.recv().await {
        if let Some(transition) = deliveries.take(&event) {
            act(&event, transition);
        }
    }
    deliveries
}
