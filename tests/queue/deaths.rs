//! Workers that are killed at each step of a batch, or held for longer than their lease.

use std::time::Duration;

use keyfit::{Clock as _, SystemClock};
use rustix::process::Signal;

use super::api::Remembering;
use super::nats::{Nats, send};
use super::workers::{Running, end, start};
use super::{assert_whole, fill};

/// When a worker is killed.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// After so many milliseconds: while it signs in, takes partitions, takes items, or notes them.
    Early(u64),
    /// A batch of its is with the server.
    Sent,
    /// A batch is answered.
    Answered,
    /// An outcome is published, and its item is acknowledged or not.
    Published,
}

const STEPS: [Step; 10] = [
    Step::Sent,
    Step::Answered,
    Step::Published,
    Step::Early(20),
    Step::Early(45),
    Step::Early(70),
    Step::Early(110),
    Step::Sent,
    Step::Answered,
    Step::Published,
];

/// Each worker works alone until it is killed, so that the step is one of its own; then one empties the queue.
async fn is_whole_after_deaths(operation: &str) {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(15)).await;
    let count = 2000;
    fill(&nats.queue(), operation, 0..count, 100).await;
    for step in STEPS {
        let (came, answered) = (api.came.notified(), api.answered.notified());
        let published = nats.outcomes().await.len() as u64 + 1;
        let dying = start(&nats, &api, operation);
        match step {
            Step::Early(after) => SystemClock.sleep(Duration::from_millis(after)).await,
            Step::Sent => came.await,
            Step::Answered => answered.await,
            Step::Published => nats.has_published(published).await,
        }
        drop(dying);
        println!("killed: {step:?}, {} left", nats.left().await);
    }
    let last = start(&nats, &api, operation);
    end(last).await;
    let kinds = assert_whole(&nats, &api, operation, count).await;
    println!("{kinds:?}, {} received", api.received().len());
    if operation == "upsert" {
        assert_eq!(kinds, [("accepted".to_owned(), count)].into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_sent_twice_is_not_when_workers_are_killed() {
    is_whole_after_deaths("push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_workers_are_killed() {
    is_whole_after_deaths("upsert").await;
}

async fn is_whole_while_some_die(operation: &str) {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(30)).await;
    let count = 6000;
    fill(&nats.queue(), operation, 0..count, 300).await;
    let staying: Vec<Running> = (0..2).map(|_| start(&nats, &api, operation)).collect();
    for round in 0..5 {
        let dying = start(&nats, &api, operation);
        SystemClock.sleep(Duration::from_millis(300 + 170 * round)).await;
        drop(dying);
    }
    println!("{} left after the last death", nats.left().await);
    for worker in staying {
        end(worker).await;
    }
    let kinds = assert_whole(&nats, &api, operation, count).await;
    println!("{kinds:?}, {} received", api.received().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_with_the_partitions_of_the_dead() {
    is_whole_while_some_die("push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_a_key_holds_across_deaths() {
    is_whole_while_some_die("upsert").await;
}

async fn is_whole_after_a_long_sleep(operation: &str) {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(40)).await;
    let count = 3000;
    fill(&nats.queue(), operation, 0..count, 200).await;
    let came = api.came.notified();
    let sleeper = start(&nats, &api, operation);
    came.await;
    send(&sleeper.0, Signal::STOP);
    let other = start(&nats, &api, operation);
    // Its lease ends, and the other one takes what it had.
    SystemClock.sleep(Duration::from_millis(3500)).await;
    send(&sleeper.0, Signal::CONT);
    println!("{} left at its return", nats.left().await);
    end(other).await;
    end(sleeper).await;
    let kinds = assert_whole(&nats, &api, operation, count).await;
    println!("{kinds:?}, {} received", api.received().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_held_beyond_its_lease_sends_nothing_twice() {
    is_whole_after_a_long_sleep("push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_held_beyond_its_lease_keeps_the_order() {
    is_whole_after_a_long_sleep("upsert").await;
}
