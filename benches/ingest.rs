//! What the ingest writer costs and holds: `cargo bench --bench ingest`.
//!
//! Items per second against a bare reqwest client that posts the same bodies to the same server, as many at a time: bodies that it has
//! from before, and such that it writes, with answers that it reads; the memory of a million items; and how much of a rate
//! limit's ceiling is used without a 429.

#[path = "history/mod.rs"]
mod history;
mod server;

use std::fs;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use keyfit::batch_writer::{Builder, Writer};
use keyfit::instasent::ingest::{Client, DatasourceToken, types::Contact};
use keyfit::instasent::ingest_writer;
use keyfit::{Clock as _, Config, SystemClock};
use serde_json::Value;
use server::{Answering, Plain, accepted, serve};

const TOKEN: &str = "bench-token"; // not-a-secret
const IN_FLIGHT: usize = 8;
const ROUNDS: usize = 15;
/// Items of a request, as many as a batch has.
const BATCH: usize = 100;
/// Items of a round.
const ITEMS: usize = 20_000;
/// Requests of a window, and how many seconds it lasts.
const LIMIT: u64 = 300;
const WINDOW: u64 = 2;
const WINDOWS: u64 = 8;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        million().await;
        windowed().await;
        for latency in [0, 5] {
            against_bare(Duration::from_millis(latency)).await;
        }
    });
}

async fn million() {
    let client = client(&serve(Arc::new(Plain(Duration::ZERO))).await);
    let writer = writer(&client);
    let began = Instant::now();
    for number in 0..1_000_000 {
        writer.write(&contact(number)).await.expect("room");
    }
    let summary = writer.close().await.expect("an end");
    assert_eq!(summary.accepted, 1_000_000);
    let rate = 1_000_000.0 / began.elapsed().as_secs_f64();
    println!("a million items             {rate:>10.0} items/s, peak {} kB with the server", peak_kilobytes());
}

async fn windowed() {
    let server = Arc::new(Windowed::default());
    let client = client(&serve(Arc::clone(&server)).await);
    let writer = builder(&client).batch_items(10).start(|_| {}).expect("a writer");
    // From the beginning of a window.
    let now = epoch();
    let start = Duration::from_secs((now.as_secs() / WINDOW + 1) * WINDOW);
    SystemClock.sleep(start.saturating_sub(now)).await;
    let end = start + Duration::from_secs(WINDOW * WINDOWS);
    let mut number = 0;
    while epoch() < end {
        // A write may wait for the window after the last one.
        if tokio::time::timeout(end.saturating_sub(epoch()), writer.write(&contact(number))).await.is_err() {
            break;
        }
        number += 1;
    }
    let counts = server.counts.lock().expect("no panic").clone();
    drop(writer);
    let first = start.as_secs() / WINDOW;
    let used: Vec<u64> =
        (first..first + WINDOWS).map(|window| counts.iter().filter(|at| **at == window).count() as u64).collect();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let share = used.iter().sum::<u64>() as f64 / (LIMIT * WINDOWS) as f64;
    let refused = server.refused.load(Ordering::Relaxed);
    println!(
        "{LIMIT} requests a window of {WINDOW} s  {:>6.1} % of the ceiling used, {refused} answers of 429; {used:?}",
        share * 100.0
    );
}

async fn against_bare(latency: Duration) {
    let url = serve(Arc::new(Plain(latency))).await;
    let client = client(&url);
    let contacts: Arc<[Contact]> = (0..ITEMS).map(contact).collect();
    let body = |batch: &[Contact]| Bytes::from(serde_json::to_vec(batch).expect("JSON"));
    let bodies: Arc<[Bytes]> = contacts.chunks(BATCH).map(body).collect();
    let bare = reqwest::Client::new();
    let target = format!("{url}/project/p/datasource/d/stream/contacts");
    let writer = writer(&client);
    let (mut sent, mut written, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let known = Arc::clone(&bodies);
        let began = Instant::now();
        post(&bare, &target, move |batch| known[batch].clone(), drop).await;
        let prebuilt = began.elapsed().as_secs_f64();
        let items = Arc::clone(&contacts);
        let began = Instant::now();
        let read = |answer: Bytes| drop(black_box(serde_json::from_slice::<Value>(&answer).expect("JSON")));
        post(&bare, &target, move |batch| body(&items[batch * BATCH..][..BATCH]), read).await;
        let by_hand = began.elapsed().as_secs_f64();
        let began = Instant::now();
        for contact in &*contacts {
            writer.write(contact).await.expect("room");
        }
        writer.flush().await.expect("outcomes");
        let ours = began.elapsed().as_secs_f64();
        // The first round connects.
        if round > 0 {
            sent.push(prebuilt / ours);
            written.push(by_hand / ours);
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            rates.push(ITEMS as f64 / ours);
        }
    }
    writer.close().await.expect("an end");
    let server = format!("a server that takes {} ms", latency.as_millis());
    history::figure("ingest", &format!("items/s, {server}"), &rates);
    history::figure("ingest", &format!("of a bare client with bodies from before, {server}"), &sent);
    history::figure("ingest", &format!("of one that writes bodies and reads answers, {server}"), &written);
}

/// Posts as many bodies at a time as the writer does.
async fn post(
    client: &reqwest::Client,
    target: &str,
    body: impl Fn(usize) -> Bytes + Clone + Send + 'static,
    read: fn(Bytes),
) {
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..IN_FLIGHT {
        let (client, target, body) = (client.clone(), target.to_owned(), body.clone());
        tasks.spawn(async move {
            for batch in (lane..ITEMS / BATCH).step_by(IN_FLIGHT) {
                let request = client.post(&target).bearer_auth(TOKEN).header("content-type", "application/json");
                let answer = request.body(body(batch)).send().await.expect("an answer");
                assert_eq!(answer.status(), 202);
                read(answer.bytes().await.expect("a body"));
            }
        });
    }
    tasks.join_all().await;
}

fn writer(client: &Client) -> Writer<Contact> {
    builder(client).start(|_| {}).expect("a writer")
}

fn builder(client: &Client) -> Builder<Contact> {
    ingest_writer::contacts(client.stream_contacts_push().project("p").datasource("d")).max_in_flight(IN_FLIGHT)
}

fn client(url: &str) -> Client {
    let token = DatasourceToken::new(TOKEN).expect("a token");
    Client::with_config(token, Config::default().base_url(url)).expect("a client")
}

fn contact(number: usize) -> Contact {
    let contact = Contact::builder().user_id(format!("user-{number}")).email(format!("ada-{number}@example.com"));
    contact.phone_mobile("+34600000000").try_into().expect("a contact")
}

/// A fixed window that begins at a whole number of seconds, with the headers of the Ingest API.
#[derive(Default)]
struct Windowed {
    /// The window of each request that was served.
    counts: Mutex<Vec<u64>>,
    refused: AtomicU64,
}

impl Answering for Windowed {
    async fn answer(&self, body: &[u8]) -> Response<Full<Bytes>> {
        let (window, left) = {
            let mut counts = self.counts.lock().expect("no panic");
            let window = epoch().as_secs() / WINDOW;
            let used = counts.iter().rev().take_while(|at| **at == window).count() as u64;
            if used < LIMIT {
                counts.push(window);
            }
            (window, LIMIT.checked_sub(used + 1))
        };
        let mut answer = if left.is_some() { accepted(body) } else { Response::default() };
        if left.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            *answer.status_mut() = hyper::StatusCode::TOO_MANY_REQUESTS;
        }
        let values = [("limit", LIMIT), ("remaining", left.unwrap_or(0)), ("reset", (window + 1) * WINDOW)];
        for (name, value) in values {
            let name = hyper::header::HeaderName::try_from(format!("x-ratelimit-{name}")).expect("a name");
            answer.headers_mut().insert(name, value.into());
        }
        answer
    }
}

fn epoch() -> Duration {
    SystemClock.now().duration_since(UNIX_EPOCH).expect("it is later than 1970")
}

fn peak_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux counts memory");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("the peak");
    line.split_whitespace().nth(1).and_then(|field| field.parse().ok()).expect("a number")
}
