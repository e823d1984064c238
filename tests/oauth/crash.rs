//! Token files of processes that are killed while they save.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use keyfit::auth::AccessToken;
use keyfit::auth::oauth::{FileStore, TokenSet, TokenStore as _};

/// More than a page of the disk: a write of it can be interrupted.
const PADDING: usize = 100_000;
/// What a killed process would go on to, were it not killed.
const SAVES: u64 = 1_000_000;

/// Tokens with a number that stands at the begin and at the end of what is written.
fn numbered(number: u64) -> TokenSet {
    let access = format!("{number}-{}", "a".repeat(PADDING));
    TokenSet::new(AccessToken::new(access)).refresh(format!("r{number}")).granting([format!("s{number}")])
}

fn number(tokens: &TokenSet) -> u64 {
    let access = tokens.access().expose();
    let (number, padding) = access.split_once('-').expect("a number");
    let number = number.parse().expect("a number");
    assert!(padding.len() == PADDING, "the access token is whole");
    assert_eq!(tokens.refresh_token(), Some(&*format!("r{number}")), "both tokens are of one save");
    assert_eq!(tokens.scopes(), [format!("s{number}")], "the end is of the same save");
    number
}

/// The process that is killed. It saves one set after the other in its folder, and prints the number of each that is saved.
#[tokio::test]
#[ignore = "run by the test below, which kills it"]
async fn saves_until_it_is_killed() {
    let store = FileStore::new("tokens.json");
    let first = store.load().await.expect("whole tokens").map_or(0, |tokens| number(&tokens));
    for next in first + 1..SAVES {
        let lock = store.lock().await.expect("a lock");
        store.save(&numbered(next)).await.expect("saved");
        drop(lock);
        println!("saved {next}");
    }
}

/// Runs the process until it has said so often that it saved, kills it, and returns the last number that it named.
fn kill_after(saves: usize, folder: &Path) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "crash::saves_until_it_is_killed", "--ignored", "--nocapture"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("saved ")?.parse().ok());
    let said = numbers.by_ref().take(saves).last().expect("it saves");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    // What it said between that and its end.
    numbers.last().unwrap_or(said)
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_the_tokens_before_or_after_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path().join("tokens.json"));
    for round in 0..25 {
        let said = kill_after(1 + round % 4, folder.path());
        let left = number(&store.load().await.expect("whole tokens").expect("tokens"));
        assert!(left == said || left == said + 1, "{left} is in the file, {said} was said to be saved");
    }
    // A lock of a process that has ended is free, and what it left behind goes.
    drop(store.lock().await.expect("free"));
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["tokens.json", "tokens.json.lock"]);
}
