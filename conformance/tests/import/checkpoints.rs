//! A checkpoint is of one import: what it does not know is never skipped in silence.

use std::path::Path;

use super::server::{Act, STORE, Server};
use super::{file, fs, run, stored, text};

const OPTIONS: &str = "--checkpoint";

fn rows(users: &[&str]) -> String {
    users.iter().fold("_user_id,_first_name\n".to_owned(), |rows, user| format!("{rows}{user},Ada\n"))
}

fn users(server: &Server) -> Vec<String> {
    stored(server).iter().map(|item| item["_user_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_file_of_the_same_name_is_refused_with_the_two_ways_on() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let more = [OPTIONS, text(&checkpoint)];
    let path = file(&dir, "contacts.csv", rows(&["u-1", "u-2", "u-3"]));
    assert_eq!(run(&server, &path, &more).await.0, 0);
    // The same size, and longer.
    for week_2 in [&["u-4", "u-5", "u-6"][..], &["u-4", "u-5", "u-6", "u-7"], &["u-1"]] {
        fs::write(&path, rows(week_2)).expect("a file");
        let (code, said) = run(&server, &path, &more).await;
        assert!(code == 2 && said.contains("of another file"), "{said}");
        assert!(said.contains("--restart") && said.contains("--resume-changed to go on after line 4"), "{said}");
        assert_eq!(users(&server).len(), 3, "nothing is sent");
    }
    fs::write(&path, rows(&["u-4", "u-5", "u-6"])).expect("a file");
    let (code, said) = run(&server, &path, &[OPTIONS, text(&checkpoint), "--restart"]).await;
    assert_eq!((code, said.as_str()), (0, "3 accepted, 0 rejected\n"));
    assert_eq!(users(&server), ["u-1", "u-2", "u-3", "u-4", "u-5", "u-6"]);
    // Somebody mended a confirmed row, and knows.
    fs::write(&path, rows(&["u-4", "u-5", "u-06", "u-7"])).expect("a file");
    let (code, said) = run(&server, &path, &[OPTIONS, text(&checkpoint), "--resume-changed"]).await;
    assert_eq!((code, said.as_str()), (0, "4 accepted, 0 rejected (3 of them in an earlier run)\n"));
    assert_eq!(users(&server)[6..], ["u-7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_only_grew_goes_on() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let more = [OPTIONS, text(&checkpoint)];
    let path = file(&dir, "contacts.csv", rows(&["u-1", "u-2"]));
    assert_eq!(run(&server, &path, &more).await.0, 0);
    fs::write(&path, rows(&["u-1", "u-2", "u-3"])).expect("a file");
    // By another name too: a name says nothing of what is in the file.
    let moved = dir.path().join("moved.csv");
    fs::rename(&path, &moved).expect("a file");
    let (code, said) = run(&server, &moved, &more).await;
    assert_eq!((code, said.as_str()), (0, "3 accepted, 0 rejected (2 of them in an earlier run)\n"));
    assert_eq!(users(&server), ["u-1", "u-2", "u-3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_row_that_grew_is_not_taken_for_the_one_that_was_confirmed() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let more = [OPTIONS, text(&checkpoint)];
    let path = file(&dir, "contacts.csv", "_user_id,_first_name\nu-1,Ad");
    assert_eq!(run(&server, &path, &more).await.0, 0);
    fs::write(&path, "_user_id,_first_name\nu-1,Ada\n").expect("a file");
    let (code, said) = run(&server, &path, &more).await;
    assert!(code == 2 && said.contains("the last confirmed row has grown"), "{said}");
    fs::write(&path, "_user_id,_first_name\nu-1,Ad\nu-2,Grace\n").expect("a file");
    assert_eq!(run(&server, &path, &more).await.0, 0, "its line was only ended");
    assert_eq!(users(&server), ["u-1", "u-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_target_is_refused() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let other = Server::start(vec![], STORE).await;
    let checkpoint = dir.path().join("state.json");
    let path = file(&dir, "contacts.csv", rows(&["u-1"]));
    assert_eq!(run(&server, &path, &[OPTIONS, text(&checkpoint)]).await.0, 0);
    for (server, more, words) in [
        (&other, &[][..], "its base URL is http://127.0.0.1:"),
        (&server, &["--project", "q"], "its project is p, not q"),
        (&server, &["--datasource", "e"], "its data source is d, not e"),
    ] {
        // Whoever knows that the file has changed does not know that nothing of it went elsewhere.
        for also in [&[][..], &["--resume-changed"]] {
            let more = [&[OPTIONS, text(&checkpoint)], more, also].concat();
            let (code, said) = run(server, &path, &more).await;
            assert!(code == 2 && said.contains(words) && said.contains("--restart"), "{words}: {said}");
        }
    }
    assert_eq!((users(&server).len(), users(&other).len()), (1, 0));
    let (code, _) = run(&other, &path, &[OPTIONS, text(&checkpoint), "--restart"]).await;
    assert_eq!((code, users(&other).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_read_otherwise_are_not_the_same_rows() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let path = file(&dir, "contacts.csv", rows(&["u-1"]));
    assert_eq!(run(&server, &path, &[OPTIONS, text(&checkpoint)]).await.0, 0);
    let more = [OPTIONS, text(&checkpoint), "--column", "_first_name=name"];
    let (code, said) = run(&server, &path, &more).await;
    assert!(code == 2 && said.contains("other options"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_were_not_confirmed_are_sent_by_the_next_run() {
    let (server, dir) = (Server::start(vec![], Act::Status(401)).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let path = file(&dir, "contacts.csv", rows(&["u-1", "u-2"]));
    let (code, said) = run(&server, &path, &[OPTIONS, text(&checkpoint)]).await;
    assert!(code == 2 && said.contains("2 not sent") && said.contains("run the same command again"), "{said}");
    let state = fs::read_to_string(&checkpoint).expect("a checkpoint");
    // The same server under another address is another server.
    let good = Server::start(vec![], STORE).await;
    fs::write(&checkpoint, state.replace(&server.url, &good.url)).expect("a checkpoint");
    assert_eq!(run(&good, &path, &[OPTIONS, text(&checkpoint)]).await.0, 0);
    assert_eq!(users(&good), ["u-1", "u-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_checkpoint_is_not_replaced() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.csv", rows(&["u-1"]));
    let mine = file(&dir, "mine.json", "{\"mine\":1}");
    for more in [&[OPTIONS, text(&mine)][..], &[OPTIONS, text(&mine), "--restart"]] {
        let (code, said) = run(&server, &path, more).await;
        assert!(code == 2 && said.contains("not a checkpoint of this version"), "{said}");
    }
    assert_eq!(fs::read_to_string(&mine).expect("a file"), "{\"mine\":1}");
    let (code, said) = run(&server, Path::new("-"), &[OPTIONS, "state.json", "--format", "csv"]).await;
    assert!(code == 2 && said.contains("standard input cannot be compared"), "{said}");
    assert!(stored(&server).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_which_the_answer_says_nothing_are_named_and_sent_again() {
    let script = vec![Act::Forget { every: 2, by_list: false }];
    let (server, dir) = (Server::start(script, STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let path = file(&dir, "contacts.csv", rows(&["u-1", "u-2", "u-3"]));
    let more = [OPTIONS, text(&checkpoint)];
    let (code, said) = run(&server, &path, &more).await;
    assert!(code == 2 && said.contains("line 2: not confirmed: "), "{said}");
    assert!(said.contains("1 accepted, 0 rejected, 2 not confirmed"), "the one that is named is certain: {said}");
    let (code, said) = run(&server, &path, &more).await;
    assert_eq!((code, said.as_str()), (0, "3 accepted, 0 rejected (1 of them in an earlier run)\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_of_another_version_or_of_rows_that_were_never_read_skips_nothing() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let checkpoint = dir.path().join("state.json");
    let more = [OPTIONS, text(&checkpoint)];
    let path = file(&dir, "contacts.csv", rows(&["u-1", "u-2"]).replace('\n', "\r\n"));
    assert_eq!(run(&server, &path, &more).await.0, 0);
    let state = fs::read_to_string(&checkpoint).expect("a checkpoint");
    fs::write(&path, rows(&["u-1", "u-2", "u-3"]).replace('\n', "\r\n")).expect("a file");
    for (from, to, words) in [
        ("{\"target\"", "{\"version\":2,\"target\"", "of this version of the program"),
        ("\"through\":3", "\"through\":4", "it covers rows that were never read"),
    ] {
        fs::write(&checkpoint, state.replace(from, to)).expect("a file");
        let (code, said) = run(&server, &path, &more).await;
        assert!(code == 2 && said.contains(words), "{said}");
    }
    fs::write(&checkpoint, state).expect("a file");
    assert_eq!(run(&server, &path, &more).await.0, 0);
    assert_eq!(users(&server), ["u-1", "u-2", "u-3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_kill_left_of_a_checkpoint_is_removed_and_nothing_else() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.csv", rows(&["u-1"]));
    let checkpoint = dir.path().join("state.json");
    let left = file(&dir, ".state.json.a1B2c3.tmp", "{");
    let others = [".state.json.tmp", ".other.json.a1B2c3.tmp", ".state.json.a1B2c3d.tmp", "state.json.a1B2c3.tmp"];
    let others = others.map(|name| file(&dir, name, "mine"));
    assert_eq!(run(&server, &path, &[OPTIONS, text(&checkpoint)]).await.0, 0);
    assert!(!left.exists() && others.iter().all(|other| other.exists()));
    let names = fs::read_dir(dir.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.count(), 3 + others.len(), "rows, checkpoint and lock");
}
