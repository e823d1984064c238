//! Workers as processes of this test, and how many of them empty a queue.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keyfit::batch_writer::jetstream::{Address, Worker};

use super::api::Remembering;
use super::nats::Nats;
use super::{assert_whole, fill, writer};

/// How long the partitions of a worker that died stay with it.
const LEASE: Duration = Duration::from_secs(2);

/// A worker that ends with the queue, and prints what became of its items.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the tests in this file"]
async fn works_until_the_queue_is_empty() {
    let told = |name: &str| std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value).expect("told");
    let address = Address::parse(&told("KEYFIT_TEST_QUEUE")).expect("an address");
    let writer = writer(&told("KEYFIT_TEST_OPERATION"), &told("KEYFIT_TEST_SERVER"));
    let drained = Worker::new(address, writer).lease(LEASE).run(std::future::pending(), |_| {}).await;
    println!("drained: {drained:?}");
    drained.expect("an empty queue");
}

/// A worker that is killed with its value.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn start(nats: &Nats, api: &Remembering, operation: &str) -> Running {
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "workers::works_until_the_queue_is_empty", "--ignored", "--nocapture"])
        .env("KEYFIT_TEST_QUEUE", nats.queue())
        .env("KEYFIT_TEST_SERVER", &api.url)
        .env("KEYFIT_TEST_OPERATION", operation)
        .stdout(Stdio::piped())
        .spawn();
    Running(child.expect("this test runs"))
}

/// Waits for a worker to end with an empty queue, and returns its output.
pub(crate) async fn end(worker: Running) -> String {
    let (is_success, said) = end_anyhow(worker).await;
    assert!(is_success, "{said}");
    said
}

/// Waits for a worker to end, with success or without, and returns its output.
pub(crate) async fn end_anyhow(mut worker: Running) -> (bool, String) {
    let reading = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        worker.0.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
        (worker.0.wait().expect("it ends").success(), said)
    });
    tokio::time::timeout(Duration::from_secs(120), reading).await.expect("it ends in time").expect("no panic")
}

async fn empties(workers: usize, operation: &str) {
    let Some(nats) = Nats::start("").await else { return };
    let api = Remembering::start(Duration::from_millis(5)).await;
    let filled = fill(&nats.queue(), operation, 0..1500, 150).await;
    assert_eq!((filled.added, filled.known), (1500, 0));
    let running: Vec<Running> = (0..workers).map(|_| start(&nats, &api, operation)).collect();
    for worker in running {
        end(worker).await;
    }
    let kinds = assert_whole(&nats, &api, operation, 1500).await;
    assert_eq!(kinds, [("accepted".to_owned(), 1500)].into());
    assert_eq!(api.received().len(), 1500, "nothing came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_worker_empties_a_queue() {
    empties(1, "push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_empty_a_queue() {
    empties(2, "upsert").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_empty_a_queue() {
    empties(4, "push").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_empty_a_queue() {
    empties(8, "upsert").await;
}
