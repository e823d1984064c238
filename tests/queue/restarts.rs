//! The server of the queue is killed at each step of a batch, and starts again.

use std::time::Duration;

use futures_core::Stream as _;
use keyfit::{Clock as _, SystemClock};

use super::api::Remembering;
use super::nats::Nats;
use super::workers::{Running, end, start};
use super::{assert_whole, fill};

/// When the server of the queue is killed.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A batch is with the API.
    Sent,
    /// The API answers.
    Answered,
    /// What must not be sent twice is being noted.
    Noted,
    /// Outcomes are being published.
    Published,
    /// Items are being acknowledged.
    Acknowledged,
    /// So many milliseconds after items began to be acknowledged.
    Later(u64),
}

/// The items of a batch at most.
const BATCH: u64 = 20;

const STEPS: [Step; 9] = [
    Step::Sent,
    Step::Noted,
    Step::Answered,
    Step::Published,
    Step::Acknowledged,
    Step::Later(1),
    Step::Later(7),
    Step::Published,
    Step::Later(40),
];

/// Returns with the first message on a subject.
async fn first_of(nats: &Nats, subject: &str) {
    let client = async_nats::connect(nats.place()).await.expect("it answers");
    let mut messages = std::pin::pin!(client.subscribe(subject.to_owned()).await.expect("subscribed"));
    let _ = std::future::poll_fn(|context| messages.as_mut().poll_next(context)).await;
}

async fn reach(step: Step, nats: &Nats, api: &Remembering) {
    match step {
        Step::Sent => api.came.notified().await,
        Step::Answered => api.answered.notified().await,
        Step::Noted => first_of(nats, "$KV.parcels-import-partitions.>").await,
        Step::Published => first_of(nats, "parcels.outcomes.>").await,
        Step::Acknowledged => first_of(nats, "$JS.ACK.parcels.>").await,
        Step::Later(milliseconds) => {
            first_of(nats, "$JS.ACK.parcels.>").await;
            SystemClock.sleep(Duration::from_millis(milliseconds)).await;
        }
    }
}

/// Two workers, and three more that are killed with the server one after the other where `die_too`.
async fn is_whole_after_restarts(operation: &str, settings: &str, die_too: bool) {
    let Some(mut nats) = Nats::start(settings).await else { return };
    let api = Remembering::start(Duration::from_millis(15)).await;
    let count = 4000;
    fill(&nats.queue(), operation, 0..count, 200).await;
    let mut workers: Vec<Running> = (0..if die_too { 5 } else { 2 }).map(|_| start(&nats, &api, operation)).collect();
    for (round, step) in STEPS.into_iter().enumerate() {
        let left = nats.left().await;
        if left == 0 {
            break;
        }
        println!("{step:?}, {left} left");
        // None where the workers are done before.
        let reached = tokio::time::timeout(Duration::from_secs(20), reach(step, &nats, &api)).await;
        assert!(reached.is_ok(), "{} left, and no {step:?}", nats.left().await);
        nats.kill();
        if die_too && round % 3 == 1 {
            drop(workers.pop());
        }
        SystemClock.sleep(Duration::from_millis(50)).await;
        nats.restart().await;
    }
    for worker in workers {
        end(worker).await;
    }
    let kinds = assert_whole(&nats, &api, operation, count).await;
    println!("{kinds:?}, {} received", api.received().len());
    if !die_too {
        // A batch that was noted and not sent when the server was killed is doubted where the worker's lease ended before it was back.
        let doubted = kinds.get("unknown").copied().unwrap_or_default();
        assert_eq!(kinds["accepted"] + doubted, count, "{kinds:?}");
        assert!(doubted <= BATCH, "{kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_sent_twice_is_sent_once_when_the_queue_is_killed() {
    is_whole_after_restarts("push", "", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_a_key_holds_when_the_queue_is_killed() {
    is_whole_after_restarts("upsert", "", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_sent_twice_is_not_when_workers_and_the_queue_are_killed() {
    is_whole_after_restarts("push", "", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_workers_and_the_queue_are_killed() {
    is_whole_after_restarts("upsert", "", true).await;
}
