//! Rotations that any process goes on with, whatever dies.

use std::collections::HashSet;
use std::process::Child;
use std::sync::{Arc, Mutex};

use keyfit::Error;
use keyfit::auth::rotation::{KeyManager, NewKey};
use keyfit::auth::source::BoxFuture;
use keyfit::auth::store::{RotationStopped, SharedRotation, SharedStore};

use super::database::Database;
use super::keys::{ACTS, Act, Phase, Server};
use super::processes::{LEASE, Start, end, told};
use super::{Place, leases, run, store};

const NAME: &str = "billing";

async fn rotation(at: &str, url: &str) -> SharedRotation {
    rotation_in(&store(at).await.lease(LEASE), url)
}

fn rotation_in(store: &SharedStore, url: &str) -> SharedRotation {
    store.rotation(NAME, Server::manager(url), "key_old")
}

async fn go(rotation: &SharedRotation, url: &str) -> Result<String, RotationStopped> {
    let (at, also_at) = (url.to_owned(), url.to_owned());
    rotation.run(|_| Server::deploy(at, "distribute"), || Server::deploy(also_at, "switch")).await
}

/// A process of this test that rotates a key.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn rotates_until_it_is_killed() {
    let url = told("KEYFIT_TEST_ENDPOINT");
    match go(&rotation(&told("KEYFIT_TEST_STORE"), &url).await, &url).await {
        Ok(id) => println!("done: {id}"),
        Err(RotationStopped::MintLost { old, .. }) => println!("mint lost: {old}"),
        Err(stopped) => panic!("{stopped}"),
    }
}

/// A process of this test that rotates a key with the lease that is the default.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn rotates_to_the_end() {
    let url = told("KEYFIT_TEST_ENDPOINT");
    let rotation = rotation_in(&store(&told("KEYFIT_TEST_STORE")).await, &url);
    println!("done: {}", go(&rotation, &url).await.expect("a new key"));
}

/// Runs a process to its end, or to the trap.
async fn process(server: &Server, at: &str, trap: Option<(&'static str, Phase)>) -> String {
    process_of("rotations::rotates_until_it_is_killed", server, at, trap).await
}

/// Runs a process of this test to its end, or to the trap.
async fn process_of(test: &str, server: &Server, at: &str, trap: Option<(&'static str, Phase)>) -> String {
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    if let Some((act, phase)) = trap {
        let victim = Arc::clone(&victim);
        let kill: Act = Box::new(move || {
            victim.lock().expect("no panic").as_mut().expect("it runs").kill().expect("it can be killed");
        });
        server.set_trap(act, phase, kill);
    }
    let (out, complaint) = {
        let mut victim = victim.lock().expect("no panic");
        let mut child = Start { test, endpoint: &server.url, at }.start();
        let outs = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        *victim = Some(child);
        outs
    };
    let (said, complaint) = (end(out).await, end(complaint).await);
    victim.lock().expect("no panic").as_mut().expect("it ran").wait().expect("it ends");
    assert!(!complaint.contains("panicked"), "{said} {complaint}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_goes_on_wherever_one_is_killed_in_a_rotation() {
    let phases = [Phase::Asked, Phase::Done, Phase::Answered(0), Phase::Answered(3), Phase::Answered(12)];
    for place in Place::all().await {
        let mut lost = HashSet::new();
        for (act, phase) in ACTS.into_iter().flat_map(|act| phases.map(|phase| (act, phase))) {
            let at = place.at();
            let server = Server::start().await;
            process(&server, &at, Some((act, phase))).await;
            let mut said = process(&server, &at, None).await;
            if said.contains("mint lost") {
                assert_eq!(act, "mint", "{phase:?}: {said}");
                let made = server.log().iter().filter(|line| *line == "mint").count();
                assert!(process(&server, &at, None).await.contains("mint lost"), "until it was looked for");
                assert_eq!(server.log().iter().filter(|line| *line == "mint").count(), made, "nothing was sent");
                lost.insert(format!("{phase:?}"));
                rotation(&at, &server.url).await.forget_lost_mint().await.expect("one is lost");
                // Whoever looked has revoked the key that nobody has.
                said = process(&server, &at, None).await;
            } else {
                assert_eq!(server.log().iter().filter(|line| *line == "mint").count(), 1, "{act} {phase:?}");
            }
            assert!(said.contains("done: key_"), "{act} {phase:?}: {said}");
            check(&server.log(), &format!("{act} {phase:?}"));
            assert!(!server.valid().contains(&"key_old".to_owned()), "{act} {phase:?}");
            run(&at, "DELETE FROM keyfit_record WHERE kind = 'rotation'").await;
        }
        assert!(lost.contains("Asked") && lost.contains("Done"), "{lost:?}");
    }
}

/// The old key goes last, after each step before it, and no other key does.
fn check(log: &[String], when: &str) {
    let first =
        |line: &str| log.iter().position(|done| done == line).unwrap_or_else(|| panic!("{when}: {line} in {log:?}"));
    let revoked = first("revoke key_old");
    for act in ["mint", "distribute", "verify", "switch"] {
        assert!(log.iter().rposition(|done| done == act).is_some_and(|at| at < revoked), "{when}: {act} in {log:?}");
    }
    assert!(
        log.iter().filter(|line| line.starts_with("revoke")).all(|line| line == "revoke key_old"),
        "{when}: {log:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_rotate_a_key_at_once_make_one_key() {
    for place in Place::all().await {
        let server = Server::start().await;
        let at = place.at();
        let processes = [(); 4].map(|()| process_of("rotations::rotates_to_the_end", &server, &at, None));
        let said = futures_of(processes).await;
        assert!(said.iter().all(|said| said.contains("done: key_1")), "{said:?}");
        assert_eq!(server.log(), ["mint", "distribute", "verify", "switch", "revoke key_old"]);
        assert_eq!((server.valid(), leases(&at).await), (vec!["key_1".to_owned()], 0));
    }
}

/// All of them at once.
async fn futures_of<F: Future<Output = String>>(processes: [F; 4]) -> Vec<String> {
    let [one, two, three, four] = processes;
    let (one, two, three, four) = tokio::join!(one, two, three, four);
    vec![one, two, three, four]
}

#[tokio::test]
async fn a_step_that_fails_revokes_the_new_key_and_the_next_run_begins_anew() {
    for place in Place::all().await {
        for act in ["distribute", "verify", "switch"] {
            let server = Server::start().await;
            let rotation = rotation(&place.at(), &server.url).await;
            server.fail(act, 400);
            let stopped = go(&rotation, &server.url).await.expect_err("it fails");
            let RotationStopped::Aborted(aborted) = &stopped else { panic!("{stopped}") };
            assert_eq!((aborted.step().to_string().as_str(), aborted.leftover().is_none()), (act, true));
            assert_eq!(server.valid(), ["key_old"]);
            server.mend();
            assert_eq!(go(&rotation, &server.url).await.expect("it ends"), "key_2");
            assert_eq!(server.valid(), ["key_2"]);
            assert_eq!(go(&rotation, &server.url).await.expect("it has ended"), "key_2", "once is enough");
            assert_eq!(server.log().iter().filter(|line| *line == "mint").count(), 2);
            run(&place.at(), "DELETE FROM keyfit_record WHERE kind = 'rotation'").await;
        }
    }
}

#[tokio::test]
async fn a_new_key_that_cannot_be_revoked_is_named_and_revoked_by_the_next_run() {
    let place = Place::sqlite();
    let server = Server::start().await;
    let rotation = rotation(&place.at(), &server.url).await;
    server.fail("verify", 401);
    server.fail("revoke", 400);
    let stopped = go(&rotation, &server.url).await.expect_err("it fails");
    assert!(stopped.to_string().contains("the new key key_1 could not be revoked"), "{stopped}");
    let again = go(&rotation, &server.url).await.expect_err("it cannot be revoked yet");
    assert!(again.to_string().contains("the new key key_1 of a rotation that was given up"), "{again}");
    server.mend();
    assert_eq!(go(&rotation, &server.url).await.expect("it ends"), "key_2");
    assert_eq!(server.valid(), ["key_2"]);
}

#[tokio::test]
async fn an_old_key_that_cannot_be_revoked_is_revoked_by_the_next_run() {
    let place = Place::sqlite();
    let server = Server::start().await;
    let rotation = rotation(&place.at(), &server.url).await;
    server.fail("revoke", 400);
    let stopped = go(&rotation, &server.url).await.expect_err("it fails");
    assert!(matches!(&stopped, RotationStopped::RevokeFailed { old, .. } if old == "key_old"), "{stopped}");
    server.mend();
    assert_eq!(go(&rotation, &server.url).await.expect("it ends"), "key_1");
    assert_eq!(server.log(), ["mint", "distribute", "verify", "switch", "revoke key_old"]);
}

#[tokio::test]
async fn a_mint_that_is_clearly_refused_is_tried_again_and_one_whose_answer_is_lost_is_not() {
    let place = Place::sqlite();
    let server = Server::start().await;
    let rotation = rotation(&place.at(), &server.url).await;
    server.fail("mint", 403);
    let stopped = go(&rotation, &server.url).await.expect_err("refused");
    assert!(matches!(stopped, RotationStopped::Aborted(_)), "{stopped}");
    server.mend();
    server.fail("mint", 500);
    for _ in 0..2 {
        let stopped = go(&rotation, &server.url).await.expect_err("nobody knows");
        assert!(matches!(&stopped, RotationStopped::MintLost { old, .. } if old == "key_old"), "{stopped}");
        assert!(stopped.to_string().contains("look in the list of keys"), "{stopped}");
    }
    server.mend();
    rotation.forget_lost_mint().await.expect("it is lost");
    let error = rotation.forget_lost_mint().await.expect_err("none is lost");
    assert!(error.to_string().contains("no mint is lost"), "{error}");
    assert_eq!(go(&rotation, &server.url).await.expect("it ends"), "key_1");
}

/// Makes no key, and cannot say whether the server did.
#[derive(Debug)]
struct Unsure;

impl KeyManager for Unsure {
    fn mint<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<NewKey, Error>> {
        Box::pin(std::future::ready(Err(Error::credential("the answer is lost").possibly_sent())))
    }

    fn verify<'a>(&'a self, _: &'a NewKey) -> BoxFuture<'a, Result<(), Error>> {
        unreachable!("there is no key")
    }

    fn revoke<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        unreachable!("there is no key")
    }
}

#[tokio::test]
async fn a_mint_of_a_manager_of_your_own_is_not_repeated_where_its_error_says_that_it_was_possibly_sent() {
    let place = Place::sqlite();
    let rotation = place.store().await.rotation(NAME, Unsure, "key_old");
    for _ in 0..2 {
        let stopped = rotation.run(async |_| Ok(()), async || Ok(())).await.expect_err("nobody knows");
        assert!(matches!(&stopped, RotationStopped::MintLost { old, .. } if old == "key_old"), "{stopped}");
    }
}

#[tokio::test]
async fn a_process_that_comes_late_changes_nothing_and_revokes_no_key() {
    for place in Place::all().await {
        let server = Server::start().await;
        let at = place.at();
        let late = rotation(&at, &server.url).await;
        let (url, other) = (server.url.clone(), server.url.clone());
        let stopped = late
            .run(
                async |_| {
                    // It stalls for longer than its lease, and another process goes on.
                    run(&at, "UPDATE keyfit_record SET leased_until = NULL, holder = NULL").await;
                    let next = rotation(&at, &url).await;
                    assert_eq!(go(&next, &url).await.expect("it ends"), "key_1");
                    Err(Error::credential("too late"))
                },
                async || Server::deploy(other.clone(), "switch").await,
            )
            .await
            .expect_err("another process has gone on");
        assert!(stopped.to_string().contains("another process has gone on with it"), "{stopped}");
        assert_eq!(server.valid(), ["key_1"]);
    }
}

#[tokio::test]
async fn a_step_that_is_done_while_the_database_is_down_is_recorded_once_it_is_back() {
    let Some(database) = Database::start().await else { return };
    let server = Server::start().await;
    let rotation = rotation(&database.url(), &server.url).await;
    let database = Arc::new(tokio::sync::Mutex::new(database));
    let (url, also_url) = (server.url.clone(), server.url.clone());
    let goes = Arc::clone(&database);
    let distribute = async |_| {
        Server::deploy(url, "distribute").await?;
        goes.lock().await.kill();
        let back = Arc::clone(&goes);
        tokio::spawn(async move { back.lock().await.restart().await });
        Ok(())
    };
    let done = rotation.run(distribute, || Server::deploy(also_url, "switch")).await;
    assert_eq!(done.expect("it ends"), "key_1");
    assert_eq!(server.log(), ["mint", "distribute", "verify", "switch", "revoke key_old"]);
}

#[tokio::test]
async fn a_rotation_is_of_one_key_and_shows_no_secret() {
    for place in Place::all().await {
        let server = Server::start().await;
        let store = place.store().await.lease(LEASE);
        let rotation = rotation_in(&store, &server.url);
        server.fail("revoke", 400);
        go(&rotation, &server.url).await.expect_err("it is not at its end");
        let other = store.rotation(NAME, Server::manager(&server.url), "key_other");
        let stopped = go(&other, &server.url).await.expect_err("another key");
        assert!(stopped.to_string().contains("is one of the key key_old"), "{stopped}");
        assert!(!format!("{rotation:?} {stopped:?}").contains("fixture"), "{rotation:?}");
        server.mend();
        assert_eq!(go(&rotation, &server.url).await.expect("it ends"), "key_1");
        let next = store.rotation(NAME, Server::manager(&server.url), "key_old");
        assert_eq!(go(&next, &server.url).await.expect("it has ended"), "key_1");
    }
}
