//! One import by many workers: a queue in NATS JetStream, workers that are processes, and an API that remembers what it was sent.
//! The server of the queue is a real one, which the tests start on 127.0.0.1, kill, hold and fill; where there is no `nats-server`,
//! they say so and pass.

mod api;
mod connecting;
mod deaths;
#[expect(dead_code, reason = "the tests of the command use the rest")]
mod nats;
mod outages;
mod parcels;
mod restarts;
mod workers;

use std::collections::BTreeMap;

use parcels::{fill, item, writer};

/// Asserts what holds of every run: each item has one outcome, the items of an owner came in order, and what must not be sent
/// twice was not.
async fn assert_whole(nats: &nats::Nats, api: &api::Remembering, operation: &str, count: u64) -> BTreeMap<String, u64> {
    let outcomes = nats.outcomes().await;
    assert_eq!(nats.left().await, 0, "the queue is empty");
    assert_eq!(outcomes.len() as u64, count, "each item has an outcome");
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for (sequence, told) in &outcomes {
        assert_eq!(told.len(), 1, "one outcome of {sequence}: {told:?}");
        *kinds.entry(told[0].clone()).or_default() += 1;
    }
    let received = api.received();
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    let mut newest: BTreeMap<String, u64> = BTreeMap::new();
    for (_, number) in &received {
        *times.entry(*number).or_default() += 1;
    }
    if operation == "push" {
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "nothing is sent twice: {twice:?}");
    }
    for (owner, number) in &received {
        let newest = newest.entry(owner.clone()).or_default();
        assert!(*number >= *newest, "{owner}: {number} came after {newest}");
        *newest = *number;
    }
    if operation != "push" {
        assert_eq!(times.len() as u64, count, "everything is sent");
    }
    let unsent = count - times.len() as u64;
    let unknown = kinds.get("unknown").copied().unwrap_or_default();
    assert!(unsent <= unknown, "{unsent} were not sent, {unknown} are unknown");
    kinds
}
