//! Interrupts and kills: what is confirmed stays so, what is not is sent by the next run.

use std::collections::HashMap;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::server::{Act, STORE, Server};
use super::{command, file, fs, run, stored, text};

const ROWS: usize = 20_000;

fn rows() -> String {
    let row = |number: usize| format!("{{\"_user_id\":\"user-{number}\",\"bad\":{}}}\n", number.is_multiple_of(500));
    (0..ROWS).map(row).collect()
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

#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(sent.expect("kill").success());
}

/// Eight gigabytes of empty lines in eight megabytes: nobody waits for the end of it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_before_anything_is_sent_says_so() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut member, &vec![b'\n'; 1 << 20]).expect("written");
    let path = file(&dir, "contacts.ndjson.gz", member.finish().expect("a member").repeat(8 << 10));
    let checkpoint = dir.path().join("state.json");
    let lock = dir.path().join("state.json.lock");
    let child = command(&server, &path, &["--checkpoint", text(&checkpoint)]).stderr(Stdio::piped()).spawn();
    let child = child.expect("it runs");
    while !lock.exists() {
        tokio::task::yield_now().await;
    }
    interrupt(&child);
    let output = end(child).await;
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("nothing was sent"), "{said}");
    assert!(!checkpoint.exists() && server.log(|log| log.requests.is_empty()));
}

/// The wait is for half a minute: what is sent after it would be taken.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_a_wait_for_the_rate_limit_and_what_was_refused_alone_was_not_sent() {
    let (server, dir) = (Server::start(vec![Act::Limited(30)], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", "{\"_user_id\":\"a\"}\n{\"_user_id\":\"b\"}\n");
    let checkpoint = dir.path().join("state.json");
    let more = ["--checkpoint", text(&checkpoint)];
    let child = command(&server, &path, &more).stderr(Stdio::piped()).spawn().expect("it runs");
    while server.log(|log| log.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    interrupt(&child);
    let output = end(child).await;
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("0 accepted, 0 rejected, 2 not sent") && said.contains("to go on, run"), "{said}");
    assert!(!said.contains("not confirmed"), "{said}");
    assert_eq!(server.log(|log| (log.requests.len(), log.stored.len())), (1, 0));
    assert_eq!(run(&server, &path, &more).await.0, 0);
    assert_eq!(stored(&server).len(), 2);
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

/// What a run leaves that is killed, or meets a full disk, after rows were rejected and before its first save after that.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_of_which_the_checkpoint_knows_nothing_yet_come_again() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", "{\"_user_id\":\"a\",\"bad\":true}\n{\"_user_id\":\"b\"}\n");
    let (checkpoint, rejects) = (dir.path().join("state.json"), dir.path().join("rejects"));
    let more = ["--checkpoint", text(&checkpoint), "--rejects", text(&rejects)];
    assert_eq!(run(&server, &path, &more).await.0, 1);
    let mut state: Value = serde_json::from_slice(&fs::read(&checkpoint).expect("a checkpoint")).expect("JSON");
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; // of SHA-256
    for (place, value) in [
        ("/input/bytes", 0.into()),
        ("/checkpoint", serde_json::json!({"through": null})),
        ("/accepted", 0.into()),
        ("/rejected", 0.into()),
        ("/rejects/bytes", 0.into()),
        ("/rejects/sha256", nothing.into()),
        ("/rejects/is_complete", false.into()),
    ] {
        *state.pointer_mut(place).expect(place) = value;
    }
    let first_save = state.to_string();
    fs::write(&checkpoint, &first_save).expect("a file");
    let kept = fs::read(&rejects).expect("rejects");
    let (code, said) = run(&server, &path, &more).await;
    assert!(code == 1 && said.ends_with("1 accepted, 1 rejected\n"), "{said}");
    assert_eq!(fs::read(&rejects).expect("rejects"), kept, "none is lost, none stands twice");
    // Another file under that name is somebody's.
    fs::write(&checkpoint, &first_save).expect("a file");
    fs::rename(&rejects, dir.path().join("away")).expect("a file");
    fs::write(&rejects, "ten years\n").expect("a file");
    let (code, said) = run(&server, &path, &more).await;
    assert!(code == 2 && said.contains("is not of this import"), "{said}");
    assert_eq!(fs::read_to_string(&rejects).expect("a file"), "ten years\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_written_to_while_it_is_read_is_told() {
    // Replaced, longer, and written anew in its place.
    for way in ["replaced", "grown", "changed"] {
        let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
        let path = file(&dir, "contacts.ndjson", rows());
        let other = file(&dir, "other", rows().replace("user-", "USER-"));
        let child = command(&server, &path, &[]).stderr(Stdio::piped()).spawn().expect("it runs");
        while server.log(|log| log.requests.is_empty()) {
            tokio::task::yield_now().await;
        }
        match way {
            "replaced" => fs::rename(other, &path).expect("a file"),
            "grown" => {
                let mut file = fs::OpenOptions::new().append(true).open(&path).expect("a file");
                std::io::Write::write_all(&mut file, b"{\"_user_id\":\"half").expect("written");
            }
            _ => drop(fs::copy(other, &path).expect("a file")),
        }
        let output = end(child).await;
        let said = String::from_utf8(output.stderr).expect("text");
        let (code, words) = match way {
            "replaced" => (1, "19960 accepted, 40 rejected\n"),
            "grown" => (1, "has grown since: a further run imports what was added"),
            _ => (2, "was changed while it was read"),
        };
        assert!(output.status.code() == Some(code) && said.contains(words), "{way}: {said}");
        assert!(way == "changed" || accepted(&server).keys().all(|user| user.contains("user-")), "{way}");
    }
}
