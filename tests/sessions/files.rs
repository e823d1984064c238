//! Files of SQLite that are not as they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use keyfit::auth::store::SharedStore;

use super::processes::told;
use super::{KEY, OTHER_KEY, keys};

const NOBODY: u32 = 65534;

async fn refused(path: &Path) -> String {
    let error = SharedStore::sqlite(path, keys(KEY).await).await.expect_err("it is not as it should be");
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "the file is named: {text}");
    text
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own");
}

fn run(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).expect("a file").execute_batch(sql).expect("it runs");
}

#[tokio::test]
async fn a_file_that_is_somebody_elses_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    fs::write(&path, "precious, and no database of anybody, of some length").expect("written");
    mode(&path, 0o600);
    let held = fs::read(&path).expect("a file");
    assert!(refused(&path).await.contains("not a database of SQLite"));
    assert_eq!(fs::read(&path).expect("a file"), held);

    fs::remove_file(&path).expect("removed");
    run(&path, "CREATE TABLE keyfit_record (precious TEXT); INSERT INTO keyfit_record VALUES ('x')");
    mode(&path, 0o600);
    let held = fs::read(&path).expect("a file");
    assert!(refused(&path).await.contains("a database of another program"));
    assert_eq!(fs::read(&path).expect("a file"), held);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is beside it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_several_processes_make_at_once_is_ours_for_each_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..60 {
        let path = folder.path().join(format!("{number}.db"));
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let path = path.clone();
            opening.spawn(async move { SharedStore::sqlite(&path, keys(KEY).await).await.map(drop) });
        }
        for opened in opening.join_all().await {
            opened.expect("it is a store");
        }
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_and_one_of_another_key_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    drop(SharedStore::sqlite(&path, keys(KEY).await).await.expect("a store"));
    drop(SharedStore::sqlite(&path, keys(KEY).await).await.expect("once more changes nothing"));
    let error = SharedStore::sqlite(&path, keys(OTHER_KEY).await).await.expect_err("another key").to_string();
    assert!(error.contains("a key that is not here"), "{error}");
    run(&path, "PRAGMA user_version = 7");
    assert!(refused(&path).await.contains("of version 7, which a newer keyfit has made"));
}

#[tokio::test]
async fn a_place_that_others_may_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing").join("store.db");
    assert!(refused(&missing).await.contains("No such file"));
    let path = folder.path().join("store.db");
    drop(SharedStore::sqlite(&path, keys(KEY).await).await.expect("a store"));
    mode(&path, 0o644);
    assert!(refused(&path).await.contains("chmod 600"));
    mode(&path, 0o600);
    let link = folder.path().join("link.db");
    symlink(&path, &link).expect("a link");
    assert!(refused(&link).await.contains("symbolic link"));
    mode(folder.path(), 0o777);
    assert!(refused(&path).await.contains("chmod o-w"));
    mode(folder.path(), 0o700);
    assert!(refused(folder.path()).await.contains("a folder and not a regular file"));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused_when_it_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    drop(SharedStore::sqlite(&path, keys(KEY).await).await.expect("a store"));
    mode(&path, 0o400);
    if !rustix::process::getuid().is_root() {
        assert!(refused(&path).await.contains("read-only for this process"));
        return;
    }
    // Root may write whatever the mode says.
    mode(folder.path(), 0o755);
    for file in fs::read_dir(folder.path()).expect("a folder").flatten() {
        chown(file.path(), Some(NOBODY), None).expect("root may");
    }
    let opened = Command::new("setpriv")
        .args([&format!("--reuid={NOBODY}"), "--clear-groups"])
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", "files::says_why_a_store_is_not_opened", "--ignored", "--nocapture"])
        .env("KEYFIT_TEST_STORE", &path)
        .current_dir("/")
        .output();
    let said = opened.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if said.contains("running 1 test") {
        assert!(said.contains("read-only for this process"), "{said}");
    } else {
        println!("skipped: another user cannot run this test");
    }
}

/// A process of this test that is not root's.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn says_why_a_store_is_not_opened() {
    println!("{}", refused(Path::new(&told("KEYFIT_TEST_STORE"))).await);
}
