//! No file of the user's is emptied, mixed up or shared.

use std::path::Path;

use super::server::{STORE, Server};
use super::{file, fs, run, stored, text};

const ROWS: &str = "{\"_user_id\":\"a\"}\n{\"_user_id\":\"b\",\"bad\":true}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_existing_file_is_not_emptied() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    let mine = file(&dir, "thesis.txt", "ten years\n");
    let checkpoint = dir.path().join("state.json");
    for option in ["--rejects", "--reasons"] {
        for more in [&[option, text(&mine)][..], &[option, text(&mine), "--checkpoint", text(&checkpoint)]] {
            let (code, said) = run(&server, &path, more).await;
            assert!(code == 2 && said.contains("exists and is not of this import"), "{said}");
        }
    }
    assert_eq!(fs::read_to_string(&mine).expect("a file"), "ten years\n");
    assert!(stored(&server).is_empty(), "nothing is sent");
    fs::write(&mine, "").expect("a file");
    assert_eq!(run(&server, &path, &["--rejects", text(&mine)]).await.0, 1, "an empty file holds nothing");
    let (code, _) = run(&server, &path, &["--rejects", text(&mine)]).await;
    assert_eq!(code, 2, "rejects without a checkpoint are not overwritten by the next run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_that_were_edited_are_not_cut() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    let (rejects, checkpoint) = (dir.path().join("rejects"), dir.path().join("state.json"));
    let more = ["--rejects", text(&rejects), "--checkpoint", text(&checkpoint)];
    assert_eq!(run(&server, &path, &more).await.0, 1);
    assert_eq!(run(&server, &path, &more).await.0, 1, "the same files go on");
    let kept = fs::read_to_string(&rejects).expect("rejects");
    for edited in ["{\"_user_id\":\"b\",\"bad\":null}\n".to_owned(), kept.clone() + "more\n", "{}".to_owned()] {
        fs::write(&rejects, &edited).expect("a file");
        let (code, said) = run(&server, &path, &more).await;
        assert!(code == 2 && said.contains("has changed since"), "{said}");
        assert_eq!(fs::read_to_string(&rejects).expect("a file"), edited);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_has_one_role_by_whatever_name() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    fs::create_dir(dir.path().join("sub")).expect("a folder");
    let crooked = dir.path().join("sub/../contacts.ndjson");
    let (hard, soft, nowhere) = (dir.path().join("hard"), dir.path().join("soft"), dir.path().join("nowhere"));
    fs::hard_link(&path, &hard).expect("a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &soft).expect("a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink("new", &nowhere).expect("a link");
    let new = dir.path().join("new");
    let lock = dir.path().join("new.lock");
    for more in [
        &["--rejects", text(&path)][..],
        &["--rejects", text(&crooked)],
        &["--reasons", text(&hard)],
        &["--checkpoint", text(&soft)],
        &["--rejects", text(&new), "--reasons", text(&new)],
        &["--rejects", text(&new), "--checkpoint", text(&new)],
        &["--rejects", text(&new), "--checkpoint", text(&nowhere)],
        &["--rejects", text(&lock), "--checkpoint", text(&new)],
    ] {
        let (code, said) = run(&server, &path, more).await;
        assert!(code == 2 && said.contains("are the same file"), "{more:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&path).expect("a file"), ROWS);
    assert!(stored(&server).is_empty() && !new.exists() && !lock.exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_its_owners_alone_and_pipes_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    let names = ["rejects", "reasons", "state.json"].map(|name| dir.path().join(name));
    let more = ["--rejects", text(&names[0]), "--reasons", text(&names[1]), "--checkpoint", text(&names[2])];
    // An empty file that was there before, open to all.
    fs::write(&names[0], "").expect("a file");
    fs::set_permissions(&names[0], fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(run(&server, &path, &more).await.0, 1);
    for name in &names {
        let bits = fs::metadata(name).expect("a file").permissions().mode();
        assert_eq!(bits & 0o777, 0o600, "{}", name.display());
    }
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let zero = Path::new("/dev/zero");
    for (path, more) in [
        (&*path, &["--rejects", text(&pipe)][..]),
        (&*path, &["--checkpoint", text(&pipe)]),
        (&*pipe, &["--format", "csv"]),
        (zero, &["--format", "csv"]),
        (dir.path(), &["--format", "csv"]),
    ] {
        let (code, said) = run(&server, path, more).await;
        assert!(code == 2 && (said.contains("not a regular file") || said.contains("is a folder")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_at_the_same_time_is_refused() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    let (rejects, checkpoint) = (dir.path().join("rejects"), dir.path().join("state.json"));
    let lock = dir.path().join("state.json.lock");
    for (locked, more) in [(&lock, ["--checkpoint", text(&checkpoint)]), (&rejects, ["--rejects", text(&rejects)])] {
        let held = fs::File::create(locked).expect("a file");
        fs4::FileExt::try_lock(&held).expect("free");
        let (code, said) = run(&server, &path, &more).await;
        assert!(code == 2 && said.contains("is in use by another run"), "{said}");
        assert!(stored(&server).is_empty());
        drop(held);
    }
    assert_eq!(run(&server, &path, &["--checkpoint", text(&checkpoint)]).await.0, 1, "a lock ends with its run");
}

/// Another way to a folder is seen where the file is, not by its name. Skipped where nobody may mount.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_new_file_has_one_role_by_whatever_folder() {
    let (server, dir) = (Server::start(vec![], STORE).await, tempfile::tempdir().expect("a folder"));
    let path = file(&dir, "contacts.ndjson", ROWS);
    let (folder, also) = (dir.path().join("folder"), dir.path().join("also"));
    fs::create_dir(&folder).expect("a folder");
    fs::create_dir(&also).expect("a folder");
    let mounted = |then: &str| {
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command.arg(format!("mount --bind \"$0\" \"$1\" && shift && {then}")).arg(&folder).arg(&also);
        command
    };
    if !mounted("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: one_new_file_has_one_role_by_whatever_folder: no mounts here");
        return;
    }
    for (one, other) in [("--rejects", "--reasons"), ("--rejects", "--checkpoint"), ("--reasons", "--checkpoint")] {
        let (new, same) = (folder.join("new"), also.join("new"));
        let import = super::command(&server, &path, &[one, text(&new), other, text(&same)]);
        let mut command = mounted("exec \"$@\"");
        command.arg(import.get_program()).args(import.get_args()).env("TOKEN_OF_TESTS", super::TOKEN);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.code() == Some(2) && said.contains("are the same file"), "{one} {other}: {said}");
        assert!(stored(&server).is_empty());
    }
}
