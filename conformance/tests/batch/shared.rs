//! A rate budget that commands share: `--budget` with a store that answers, and one that goes away.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyfit::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use super::nats::Nats;
use super::queue::{batch, text};
use super::server::{Reply, Server, answer};
use super::{folder, items, rows, run, sent, stored};

/// Calls that the server allows in each window of so many seconds of its clock.
const LIMIT: u64 = 20;
const WINDOW: u64 = 2;

/// A store that ends with its value.
struct Store {
    process: Child,
    port: u16,
}

impl Store {
    /// `None`, with a word, where there is no such program.
    async fn start(folder: &TempDir) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let begin = |program: &str| {
            Command::new(program)
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string(), "--dir"])
                .arg(folder.path())
                .stdout(Stdio::null())
                .spawn()
                .ok()
        };
        let Some(process) = ["valkey-server", "redis-server"].into_iter().find_map(begin) else {
            println!("skipped: neither Valkey nor Redis is installed");
            return None;
        };
        let store = Self { process, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
        Some(store)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server with windows of its own, which says how much of one is left. The number counts calls that came beyond it.
async fn limited() -> (Server, std::sync::Arc<std::sync::atomic::AtomicU64>) {
    let refused = std::sync::Arc::<std::sync::atomic::AtomicU64>::default();
    let counted = std::sync::Arc::clone(&refused);
    let began = Instant::now();
    let (mut window, mut calls) = (0, 0);
    let server = Server::start(move |request| {
        let now = began.elapsed();
        if now.as_secs() / WINDOW != window {
            (window, calls) = (now.as_secs() / WINDOW, 0);
        }
        let is_within = calls < LIMIT;
        calls += 1;
        let mut reply = if is_within {
            answer(202, &stored(&items(request)))
        } else {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            answer(429, &serde_json::json!({}))
        };
        let reset = ((window + 1) * WINDOW).saturating_sub(now.as_secs());
        for (name, value) in [("limit", LIMIT), ("remaining", LIMIT.saturating_sub(calls)), ("reset", reset)] {
            let name = hyper::header::HeaderName::try_from(format!("x-ratelimit-{name}")).expect("a name");
            reply.headers_mut().insert(name, value.into());
        }
        Reply::Answer(reply)
    });
    (server.await, refused)
}

/// The folder of the API, whose contract has the limit.
fn limited_folder(rows: &str) -> (TempDir, std::path::PathBuf) {
    let (dir, file) = folder("parcels.ndjson", rows);
    let contract = dir.path().join("parcels/contract.toml");
    let limit = format!(
        "[rate-limit]\nlimit-header = \"X-RateLimit-Limit\"\nremaining-header = \"X-RateLimit-Remaining\"\n\
         reset-header = \"X-RateLimit-Reset\"\nreset = \"delta-seconds\"\nlimit = {LIMIT}\nwindow-seconds = {WINDOW}\n\
         bucket = \"credential\"\nretry-after = false\nsource = {{ page = \"page\" }}\n"
    );
    fs::write(&contract, fs::read_to_string(&contract).expect("a file") + &limit).expect("written");
    (dir, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_a_queue_keep_one_limit_together() {
    let Some(nats) = Nats::start("").await else { return };
    let (dir, file) = limited_folder(&rows(700));
    let Some(store) = Store::start(&dir).await else { return };
    let queue = format!("nats://{}/parcels", nats.place());
    let (code, _, said) = run(batch(&dir, &[text(&file), "note=spring", "--to", &queue])).await;
    assert_eq!(code, 0, "{said}");
    let (server, refused) = limited().await;
    let from = format!("{queue}/import");
    let work = || {
        batch(&dir, &["--from", &from, "note=spring", "--base-url", &server.url, "--budget", &store.url(), "--json"])
    };
    let (first, second, third) = tokio::join!(run(work()), run(work()), run(work()));
    let mut accepted = 0;
    for (code, printed, said) in [first, second, third] {
        assert_eq!(code, 0, "{said}");
        accepted += serde_json::from_str::<Value>(&printed).expect("JSON")["accepted"].as_u64().expect("a number");
    }
    let refused = refused.load(std::sync::atomic::Ordering::Relaxed);
    println!("{} calls, {refused} of them refused", server.received().len());
    assert_eq!((accepted, sent(&server).len()), (700, 700), "each was sent once");
    assert_eq!(refused, 0, "no call came beyond the limit");
    assert!(server.received().len() as u64 > 2 * LIMIT, "several windows were needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_stops_no_command() {
    let (dir, file) = limited_folder(&rows(300));
    let Some(mut store) = Store::start(&dir).await else { return };
    let (server, _) = limited().await;
    let budget = store.url();
    let more = [text(&file), "note=spring", "--base-url", &server.url, "--budget", &budget, "--json"];
    let command = tokio::spawn(run(batch(&dir, &more)));
    while server.received().is_empty() {
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
    store.kill();
    let (code, printed, said) = command.await.expect("no panic");
    assert_eq!(code, 0, "{said}");
    assert_eq!(serde_json::from_str::<Value>(&printed).expect("JSON")["accepted"], 300, "{said}");
}
