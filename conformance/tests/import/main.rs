//! `keyfit instasent import`, as its users run it.

#[path = "../../../tests/ingest_writer/server.rs"]
#[expect(dead_code, reason = "the writer's own tests use all of it")]
mod server;

mod checkpoints;
mod files;
mod interrupts;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use server::{Act, STORE, Server};
use tempfile::TempDir;

const TOKEN: &str = "fixture-token-0001"; // not-a-secret

pub(crate) fn command(server: &Server, file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyfit"));
    command.env_remove("INSTASENT_DATASOURCE_TOKEN").env("TOKEN_OF_TESTS", TOKEN);
    command.args(["instasent", "import"]).arg(file).args([
        "--project",
        "p",
        "--datasource",
        "d",
        "--base-url",
        &server.url,
    ]);
    command.args(["--token-env", "TOKEN_OF_TESTS"]).args(more);
    command
}

/// Runs it to its end; exit code and what it said.
pub(crate) async fn run(server: &Server, file: &Path, more: &[&str]) -> (i32, String) {
    let mut command = command(server, file, more);
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    assert!(stdout.is_empty());
    let said = String::from_utf8(stderr).expect("text");
    assert!(!said.contains(TOKEN), "{said}");
    (status.code().expect("a code"), said)
}

pub(crate) fn file(dir: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).expect("a file");
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// The JSON objects of a file.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

pub(crate) fn stored(server: &Server) -> Vec<Value> {
    server.log(|log| log.stored.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_good_rows_ends_with_0() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let rows = "\u{feff}{\"_user_id\":\"a\"}\r\n\n  {\"_user_id\":\"b\",\"color\":\"red\"}  \n{\"_user_id\":\"c\"}";
    let (code, said) = run(&server, &file(&dir, "contacts.ndjson", rows), &[]).await;
    assert_eq!((code, said.as_str()), (0, "3 accepted, 0 rejected\n"));
    assert_eq!(stored(&server).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_lines_are_named_and_kept_and_end_with_1() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let rows = [
        r#"{"_user_id":"a"}"#.to_owned(),
        "no json".to_owned(),
        r#"{"_email":"x@example.com"}"#.to_owned(),
        format!("{{\"_user_id\":\"{}\"}}", "x".repeat(3 << 20)),
        r#"{"_user_id":"b","bad":true}"#.to_owned(),
        r#"{"_user_id":"c"}"#.to_owned(),
    ];
    let (rejects, reasons) = (dir.path().join("rejects.ndjson"), dir.path().join("reasons.ndjson"));
    let path = file(&dir, "contacts.ndjson", rows.join("\n"));
    let more = ["--rejects", text(&rejects), "--reasons", text(&reasons)];
    let (code, said) = run(&server, &path, &more).await;
    assert_eq!(code, 1, "{said}");
    for words in
        ["line 2: is no JSON object", "line 3: _user_id: is missing", "line 4: takes more than", "line 5: bad: is bad"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.ends_with("2 accepted, 4 rejected\n"), "{said}");
    let mut kept: Vec<String> = fs::read_to_string(&rejects).expect("rejects").lines().map(str::to_owned).collect();
    kept.sort();
    let mut wanted = rows[1..5].to_vec();
    wanted.sort();
    assert!(kept == wanted, "each row as it stood");
    let mut told: Vec<Value> = lines(&reasons);
    told.sort_by_key(|row| row["line"].as_u64());
    assert_eq!(told.len(), 4);
    assert_eq!(told[3], json!({"line": 5, "reasons": [{"field": "bad", "message": "is bad"}]}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_become_attributes() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let rows = "Id;_client_tags;Note;color\n1;x| y;secret;\"red\nand green\"\n2;;;\n3;x\n";
    let path = file(&dir, "contacts.csv", rows);
    let (code, said) = run(&server, &path, &["--delimiter", ";", "--column", "Id=_user_id", "--column", "Note="]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("line 5: has 2 cells, the header has 4"), "{said}");
    let wanted =
        [json!({"_user_id": "1", "_client_tags": ["x", "y"], "color": "red\nand green"}), json!({"_user_id": "2"})];
    assert_eq!(stored(&server), wanted);

    let rows = "_user_id,_event_id,_event_type,source\nu,e,create,web\n";
    let (code, said) = run(&server, &file(&dir, "events.csv", rows), &["--rows", "events", "--sync"]).await;
    assert_eq!(code, 0, "{said}");
    let wanted =
        json!({"_user_id": "u", "_event_id": "e", "_event_type": "create", "_event_parameters": {"source": "web"}});
    assert_eq!(stored(&server)[2], wanted);
    assert!(
        server.log(|log| log.requests.last().is_some_and(|(target, _)| target.ends_with("/stream/events?_sync=true")))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_begin_or_go_on_ends_with_2() {
    let (server, dir) = (Server::start(vec![], Act::Status(401)).await, tempfile::tempdir().expect("a folder"));
    let good = file(&dir, "contacts.ndjson", "{\"_user_id\":\"a\"}\n");
    let (code, said) = run(&server, &good, &[]).await;
    assert_eq!(code, 2);
    assert!(said.contains("401") && said.contains("1 not sent") && said.contains("a further run begins"), "{said}");
    for (path, more, words) in [
        (good.clone(), &["--token-env", "NO_SUCH_VARIABLE_OF_TESTS"][..], "NO_SUCH_VARIABLE_OF_TESTS"),
        (dir.path().join("nothing.csv"), &[], "cannot be read"),
        (file(&dir, "contacts.txt", ""), &[], "--format"),
        (file(&dir, "none.csv", "a,b\n1,2\n"), &[], "the header has no `_user_id`"),
        (file(&dir, "empty.csv", ""), &[], "line 1: the header is missing"),
        (good.clone(), &["--encoding", "klingon"], "not the name of an encoding"),
        (good.clone(), &["--restart"], "--checkpoint"),
        (file(&dir, "twice.csv", "_user_id,a,a\n1,2,3\n"), &[], "`a` twice"),
        (good.clone(), &["--project", ".."], "project"),
        (good.clone(), &["--dry-run", "--checkpoint", "x"], "cannot be used with"),
    ] {
        let (code, said) = run(&server, &path, more).await;
        assert!(code == 2 && said.contains(words), "{words}: {code} {said}");
    }
    assert_eq!(server.log(|log| log.requests.len()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_not_sent_are_counted_with_the_reason() {
    let (server, dir) = (Server::start(vec![], Act::Status(409)).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", "{\"_user_id\":\"a\"}\n{\"_user_id\":\"b\"}\n");
    let (code, said) = run(&server, &path, &[]).await;
    assert!(code == 2 && said.starts_with("0 accepted, 0 rejected, 2 not sent\nerror: rows were not sent: "), "{said}");
    assert!(said.contains("409"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_gone_on_with() {
    const ROWS: usize = 40_000;
    // Slow at first: the run is to last until after its second checkpoint, on the fastest machine.
    let slow = vec![Act::StoreAfter(Duration::from_millis(100)); 200];
    let (server, dir) = (Server::start(slow, STORE).await, tempfile::tempdir().expect("a folder"));
    let row = |number: usize| format!("{{\"_user_id\":\"user-{number}\",\"bad\":{}}}\n", number.is_multiple_of(1000));
    let path = file(&dir, "contacts.ndjson", (0..ROWS).map(row).collect::<String>());
    let (checkpoint, rejects) = (dir.path().join("state.json"), dir.path().join("rejects.ndjson"));
    let more = ["--checkpoint", text(&checkpoint), "--rejects", text(&rejects)];
    let mut first = command(&server, &path, &more).stderr(Stdio::null()).spawn().expect("it runs");
    let confirmed = || {
        let state: Value = serde_json::from_slice(&fs::read(&checkpoint).ok()?).expect("JSON");
        Some(state["accepted"].as_u64()? + state["rejected"].as_u64()?).filter(|rows| *rows > 0)
    };
    while confirmed().is_none() {
        assert!(first.try_wait().expect("a child").is_none(), "it ended without a checkpoint");
        tokio::task::yield_now().await;
    }
    first.kill().expect("a child");
    first.wait().expect("a child");
    let confirmed = confirmed().expect("a checkpoint");

    let (code, said) = run(&server, &path, &more).await;
    assert_eq!(code, 1, "{said}");
    let words = format!("39960 accepted, 40 rejected ({confirmed} of them in an earlier run)\n");
    assert!(confirmed < ROWS as u64, "it was killed in the middle");
    assert!(said.ends_with(&words), "what was confirmed is skipped, and nothing else: {said}");
    let users: std::collections::BTreeSet<String> =
        stored(&server).iter().map(|item| item["_user_id"].to_string()).collect();
    assert_eq!(users.len(), ROWS - 40);
    let rejected: std::collections::BTreeSet<String> =
        lines(&rejects).iter().map(|item| item["_user_id"].to_string()).collect();
    assert_eq!((rejected.len(), lines(&rejects).len()), (40, 40), "no row is rejected twice");

    let sent = server.log(|log| log.requests.len());
    let (code, _) = run(&server, &path, &more).await;
    assert_eq!((code, server.log(|log| log.requests.len())), (1, sent), "nothing is left to send");
}
