//! Commands over a queue that are interrupted, or wait for more.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::nats::{Nats, send};
use super::queue::{batch, text};
use super::server::Server;
use super::{folder, rows, run, sent};

/// A command that runs on.
fn start(dir: &TempDir, more: &[&str]) -> Child {
    let mut command = batch(dir, more);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// Waits for its end: exit code, summary, and messages.
async fn end(command: Child) -> (i32, Value, String) {
    let waited = tokio::task::spawn_blocking(move || command.wait_with_output()).await.expect("no panic");
    let output = waited.expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().expect("a code"), printed, said)
}

/// Returns once the server has so many items.
async fn has_come(server: &Server, count: usize) {
    while sent(server).len() < count {
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
}

async fn fill(dir: &TempDir, file: &str, queue: &str) {
    let (code, printed, said) = run(batch(dir, &[file, "note=spring", "--to", queue, "--json"])).await;
    assert_eq!(code, 0, "{printed} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_follows_sends_what_comes_later_and_ends_with_an_interrupt() {
    let Some(nats) = Nats::start("").await else { return };
    let (dir, file) = folder("parcels.ndjson", rows(20));
    let server = super::storing().await;
    let queue = format!("nats://{}/parcels", nats.place());
    fill(&dir, text(&file), &queue).await;
    let from = format!("{queue}/import");
    let following = start(&dir, &["--from", &from, "--follow", "note=spring", "--base-url", &server.url, "--json"]);
    has_come(&server, 20).await;
    let later = dir.path().join("later.ndjson");
    let more: Vec<String> = rows(50).lines().skip(20).map(str::to_owned).collect();
    std::fs::write(&later, more.join("\n")).expect("written");
    fill(&dir, text(&later), &queue).await;
    has_come(&server, 50).await;
    nats.has_published(50).await;
    send(&following, Signal::INT);
    let (code, summary, said) = end(following).await;
    assert_eq!(code, 130, "{said}");
    assert_eq!(summary, json!({ "accepted": 50, "rejected": 0, "unknown": 0, "returned": 0 }));
    assert_eq!((sent(&server).len(), nats.left().await), (50, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_that_is_interrupted_waits_for_what_is_on_its_way_and_leaves_the_rest() {
    let Some(nats) = Nats::start("").await else { return };
    let (dir, file) = folder("parcels.ndjson", rows(4000));
    let server = super::storing().await;
    let queue = format!("nats://{}/parcels", nats.place());
    fill(&dir, text(&file), &queue).await;
    let from = format!("{queue}/import");
    let call = ["--from", &from, "note=spring", "--base-url", &server.url, "--json"];
    let first = start(&dir, &call);
    has_come(&server, 50).await;
    send(&first, Signal::INT);
    let (code, summary, said) = end(first).await;
    assert_eq!(code, 130, "{said}");
    let count = |summary: &Value, name: &str| summary[name].as_u64().expect("a number");
    let (accepted, left) = (count(&summary, "accepted"), nats.left().await);
    assert_eq!((accepted + left, count(&summary, "unknown")), (4000, 0), "{summary} {said}");
    assert!(left > 0 && accepted == sent(&server).len() as u64, "{summary}");
    assert!(count(&summary, "returned") <= left, "{summary}");
    let (code, summary, said) = end(start(&dir, &call)).await;
    assert_eq!((code, count(&summary, "accepted")), (0, left), "{summary} {said}");
    assert_eq!(sent(&server).len(), 4000, "each was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filling_that_is_interrupted_says_how_far_it_came_and_the_rest_is_filled_later() {
    let Some(nats) = Nats::start("").await else { return };
    let (dir, file) = folder("parcels.ndjson", rows(90));
    let queue = format!("nats://{}/parcels", nats.place());
    let mut filling = start(&dir, &["-", "note=spring", "--format", "ndjson", "--to", &queue, "--json"]);
    let mut input = filling.stdin.take().expect("a pipe");
    input.write_all(rows(60).as_bytes()).expect("it reads");
    while !nats.is_there().await || nats.left().await < 60 {
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
    send(&filling, Signal::INT);
    let (code, summary, said) = end(filling).await;
    drop(input);
    assert_eq!((code, &summary["added"]), (130, &json!(60)), "{said}");
    assert!(said.contains("lines up to 60 are done"), "{said}");
    let rest = dir.path().join("rest.ndjson");
    let all = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&rest, all.lines().skip(60).collect::<Vec<_>>().join("\n")).expect("written");
    fill(&dir, text(&rest), &queue).await;
    let server = super::storing().await;
    let from = format!("{queue}/import");
    let (code, _, said) = run(batch(&dir, &["--from", &from, "note=spring", "--base-url", &server.url])).await;
    assert_eq!(code, 0, "{said}");
    let mut names: Vec<String> = sent(&server).iter().map(|item| item["ref"].to_string()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), sent(&server).len()), (90, 90), "each once");
}
