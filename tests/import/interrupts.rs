//! Interrupts and kills: what is confirmed stays so, what is not is sent by the next run.

use std::collections::HashMap;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::server::{STORE, Server};
use super::{command, file, fs, run, stored, text};

const ROWS: usize = 20_000;

fn rows() -> String {
    (0..ROWS).fold(String::new(), |rows, number| {
        format!("{rows}{{\"_user_id\":\"user-{number}\",\"bad\":{}}}\n", number.is_multiple_of(500))
    })
}

fn accepted(server: &Server) -> HashMap<String, usize> {
    let mut users = HashMap::new();
    for item in stored(server) {
        *users.entry(item["_user_id"].to_string()).or_default() += 1;
    }
    users
}

async fn end(child: Child) -> Output {
    tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic").expect("it ends")
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_with_130_and_says_how_to_go_on() {
    for signal in ["INT", "TERM", "HUP"] {
        let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
        let path = file(&dir, "contacts.ndjson", rows());
        let (checkpoint, rejects) = (dir.path().join("state.json"), dir.path().join("rejects"));
        let more = ["--checkpoint", text(&checkpoint), "--rejects", text(&rejects)];
        let child = command(&server, &path, &more).stderr(Stdio::piped()).spawn().expect("it runs");
        while server.log(|log| log.requests.len()) < 3 {
            tokio::task::yield_now().await;
        }
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(sent.expect("kill").success());
        let output = end(child).await;
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(130), "{signal}: {said}");
        assert!(said.contains("to go on, run the same command again"), "{said}");
        assert!(
            !said.contains("not confirmed") && !said.contains("was halted"),
            "what was not sent is counted: {said}"
        );
        let state: Value = serde_json::from_slice(&fs::read(&checkpoint).expect("a checkpoint")).expect("JSON");
        let confirmed = state["accepted"].as_u64().expect("a count");
        assert_eq!(confirmed, stored(&server).len() as u64, "what was on its way was waited for");
        assert_eq!(run(&server, &path, &more).await.0, 1);
        let users = accepted(&server);
        assert!(users.len() == ROWS - 40 && users.values().all(|times| *times == 1), "none lost, none sent twice");
        assert_eq!(fs::read_to_string(&rejects).expect("rejects").lines().count(), 40);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_is_heard_while_standard_input_is_silent() {
    let server = Server::start(vec![], STORE).await;
    let mut command = command(&server, std::path::Path::new("-"), &["--format", "ndjson"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, b"{\"_user_id\":\"u\"}\n").expect("written");
    while server.log(|log| log.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    let sent = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
    assert!(sent.expect("kill").success());
    let output = end(child).await;
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stderr).expect("text").contains("1 accepted"));
    drop(input);
}

/// Kills at places all over the file, again and again, until a run comes to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_row() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", rows());
    let (checkpoint, rejects) = (dir.path().join("state.json"), dir.path().join("rejects"));
    let more = ["--checkpoint", text(&checkpoint), "--rejects", text(&rejects)];
    let mut kills = 0;
    for requests in [1, 2, 7, 20, 45, 80, 120, 170] {
        let mut child = command(&server, &path, &more).stderr(Stdio::null()).spawn().expect("it runs");
        let before = server.log(|log| log.requests.len());
        while server.log(|log| log.requests.len()) < before + requests {
            if child.try_wait().expect("a child").is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        kills += u32::from(child.try_wait().expect("a child").is_none());
        child.kill().expect("a child");
        child.wait().expect("a child");
    }
    let (code, said) = run(&server, &path, &more).await;
    assert_eq!(code, 1, "{said}");
    let users = accepted(&server);
    let lost = ROWS - 40 - users.len();
    let doubled = users.values().filter(|times| **times > 1).count();
    let rejected: Vec<String> = fs::read_to_string(&rejects).expect("rejects").lines().map(str::to_owned).collect();
    let distinct: std::collections::BTreeSet<&String> = rejected.iter().collect();
    println!("import: {kills} kills, {lost} rows lost, {doubled} rows sent again with their key");
    assert_eq!((lost, rejected.len(), distinct.len()), (0, 40, 40));
    assert!(kills > 0);
}
