//! How fast 1, 2 and 4 workers empty a queue, behind a server that takes 5 ms for a batch of 20: `cargo bench --bench queue --features nats`.

#[path = "../tests/queue/api.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod api;
#[path = "../tests/queue/nats.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod nats;
#[path = "../tests/queue/parcels.rs"]
mod parcels;

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyfit::batch_writer::jetstream::{Address, Worker};

const ITEMS: u64 = 40_000;
/// Batches that a worker has on their way at most.
const IN_FLIGHT: usize = 2;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, operation, queue, api] = &arguments[..]
        && word == "work"
    {
        let writer = parcels::writer(operation, api).max_in_flight(IN_FLIGHT);
        let worker = Worker::new(Address::parse(queue).expect("an address"), writer);
        worker.run(std::future::pending(), |_| {}).await.expect("an empty queue");
        return;
    }
    for operation in ["upsert", "push"] {
        let mut of_one = None;
        for workers in [1, 2, 4] {
            let Some(nats) = nats::Nats::start("").await else { return };
            let api = api::Remembering::start(Duration::from_millis(5)).await;
            parcels::fill(&nats.queue(), operation, 0..ITEMS, ITEMS).await;
            let running: Vec<Child> = (0..workers).map(|_| start(operation, &nats, &api)).collect();
            // The time in which all are at work, without their start.
            api.came.notified().await;
            let began = Instant::now();
            for mut child in running {
                let ended = tokio::task::spawn_blocking(move || child.wait());
                assert!(ended.await.expect("no panic").expect("it ends").success());
            }
            #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
            let rate = ITEMS as f64 / began.elapsed().as_secs_f64();
            let received = api.received();
            let distinct: BTreeSet<u64> = received.iter().map(|(_, number)| *number).collect();
            let (lost, doubled) = (ITEMS - distinct.len() as u64, received.len() - distinct.len());
            let ratio = rate / *of_one.get_or_insert(rate);
            println!("{operation}, {workers} workers: {rate:.0} items/s, x{ratio:.2}, lost {lost}, doubled {doubled}");
        }
    }
}

fn start(operation: &str, nats: &nats::Nats, api: &api::Remembering) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["work", operation, &nats.queue(), &api.url]).stdout(Stdio::null());
    command.spawn().expect("it runs")
}
