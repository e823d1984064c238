//! Several processes with one session: one refresh for all of them, and no refresh token twice, whatever dies.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::auth::oauth::{RefreshingSession, TokenEndpoint, TokenSet, TokenStore as _};
use keyfit::auth::store::SharedStore;
use keyfit::auth::{AccessToken, Credential, TokenSource as _};
use keyfit::http_client::{Body, HttpClient, Sending, http};
use keyfit::scopien::{Client, kind};
use keyfit::{Clock as _, Config, ErrorKind, SystemClock};

use rustix::process::{Pid, Signal, kill_process};

use super::database::Database;
use super::server::{Endpoint, Point, Round, begin_round};
use super::{Place, is_locked, leases, run, store};

pub(crate) const LEASE: Duration = Duration::from_secs(1);
const ROUNDS: usize = 24;

pub(crate) fn told(name: &str) -> String {
    std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value).expect("told")
}

/// With a grace period where the URL of the endpoint names one, in seconds.
pub(crate) async fn session() -> RefreshingSession {
    session_in(store(&told("KEYFIT_TEST_STORE")).await.lease(LEASE)).await
}

async fn session_in(store: SharedStore) -> RefreshingSession {
    let url = told("KEYFIT_TEST_ENDPOINT");
    let mut endpoint = TokenEndpoint::builder(url.clone(), "c");
    if let Some((_, seconds)) = url.split_once("?grace=") {
        endpoint = endpoint.refresh_grace_period(Duration::from_secs(seconds.parse().expect("a number")));
    }
    let endpoint = endpoint.build().expect("an endpoint");
    RefreshingSession::load(endpoint, store.session("alice")).await.expect("a session")
}

/// A process of this test that refreshes again and again.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn refreshes_until_it_is_killed() {
    let session = session().await;
    for _ in 0..4 {
        let token = session.fetch().await;
        let refreshed = match token {
            Ok(token) => session.replace(&token).await,
            Err(error) => Err(error),
        };
        match refreshed {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => {
                println!("consent again");
                return;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(session.is_saved().await);
    println!("done");
}

/// A process of this test that refreshes and ends at once, with the lease that is the default.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn refreshes_and_ends() {
    let session = session_in(store(&told("KEYFIT_TEST_STORE")).await).await;
    let token = session.fetch().await.expect("a token");
    session.replace(&token).await.expect("the next token");
    // Without an end in order.
    #[expect(clippy::exit, reason = "an end that waits for no task")]
    std::process::exit(0);
}

/// Takes every call, and keeps what each carried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taking(pub(crate) Arc<Mutex<HashSet<String>>>);

impl HttpClient for Taking {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        let carried = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        self.0.lock().expect("no panic").insert(carried.expect("a token").to_owned());
        Box::pin(std::future::ready(Ok(http::Response::new(Body::from("[]")))))
    }
}

/// A process of this test in which a thousand callers call at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the tests in this file"]
async fn a_thousand_callers_call_at_once() {
    call_a_thousand_times(Credential::from_source(session().await)).await;
}

pub(crate) async fn call_a_thousand_times(credential: Credential<kind::Key>) {
    let taking = Taking::default();
    let config = Config::default().base_url("http://127.0.0.1:1").http_client(taking.clone());
    let client = Client::with_config(credential, config).expect("a client");
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let client = client.clone();
        calling.spawn(async move { client.accounts_list().send().await.expect("it is taken").attempts() });
    }
    assert_eq!(calling.join_all().await.len(), 1000);
    println!("tokens: {}", taking.0.lock().expect("no panic").len());
}

/// A process of these tests.
pub(crate) struct Start<'a> {
    pub(crate) test: &'a str,
    pub(crate) endpoint: &'a str,
    pub(crate) at: &'a str,
}

impl Start<'_> {
    pub(crate) fn start(&self) -> Child {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", self.test, "--ignored", "--nocapture"])
            .env("KEYFIT_TEST_ENDPOINT", self.endpoint)
            .env("KEYFIT_TEST_STORE", self.at)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test runs")
    }
}

/// The output of a process.
pub(crate) async fn end(mut out: impl std::io::Read + Send + 'static) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        out.read_to_string(&mut said).map(|_| said)
    });
    reading.await.expect("no panic").expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_thousand_callers_of_eight_processes_are_one_refresh() {
    for place in Place::all().await {
        refresh_once(&place).await;
    }
}

async fn refresh_once(place: &Place) {
    let endpoint = Endpoint::start(3600).await;
    let store = place.store().await.session("alice");
    let expired = TokenSet::new(AccessToken::new("old").expiring_at(SystemClock.now())).refresh(endpoint.consent());
    store.save(&expired).await.expect("saved");
    eight_processes("processes::a_thousand_callers_call_at_once", &endpoint, place).await;
}

/// Eight processes that call a thousand times each, with one token and one fetch.
pub(crate) async fn eight_processes(test: &str, endpoint: &Endpoint, place: &Place) {
    let start = Start { test, endpoint: &endpoint.url, at: &place.at() };
    let children: Vec<Child> = (0..8).map(|_| start.start()).collect();
    for mut child in children {
        let said = end(child.stdout.take().expect("a pipe")).await;
        assert!(said.contains("tokens: 1"), "{said}");
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(endpoint.seen().len(), 1, "{:?}", endpoint.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_right_after_a_refresh_leaves_no_lease() {
    for place in Place::all().await {
        let (endpoint, at) = (Endpoint::start(3600).await, place.at());
        let session = place.store().await.session("alice");
        session.save(&TokenSet::new(AccessToken::new("a")).refresh(endpoint.consent())).await.expect("saved");
        for refreshes in 1..=5 {
            let start = Start { test: "processes::refreshes_and_ends", endpoint: &endpoint.url, at: &at };
            assert!(start.start().wait().expect("it ends").success());
            assert_eq!((endpoint.seen().len(), leases(&at).await), (refreshes, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_token_is_sent_twice_whenever_processes_are_killed() {
    for place in Place::all().await {
        kill_in_rounds(&place).await;
    }
}

async fn kill_in_rounds(place: &Place) {
    let endpoint = Endpoint::start(3600).await;
    let store = place.store().await.lease(LEASE).session("alice");
    let (mut consents, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let fresh = || TokenSet::new(AccessToken::new("a")).refresh(endpoint.consent());
        let Round { children, is_consented } = begin_round(&endpoint, round, &store, fresh).await;
        consents += usize::from(is_consented);
        let mut outs = Vec::new();
        {
            let mut children = children.lock().expect("no panic");
            for _ in 0..3 {
                let mut child =
                    Start { test: "processes::refreshes_until_it_is_killed", endpoint: &endpoint.url, at: &place.at() }
                        .start();
                outs.push((child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe")));
                children.push(child);
            }
        }
        for (out, complaint) in outs {
            let said = end(out).await;
            let complaint = end(complaint).await;
            assert!(!complaint.contains("panicked"), "{said} {complaint}");
            ended += usize::from(said.contains("done"));
        }
        for child in children.lock().expect("no panic").iter_mut() {
            child.wait().expect("it ends");
        }
    }
    let seen = endpoint.seen();
    let different: HashSet<&String> = seen.iter().collect();
    println!(
        "{} processes, {ended} of them ended by themselves; {} refresh tokens sent, {} twice; {consents} consents",
        3 * ROUNDS,
        seen.len(),
        seen.len() - different.len()
    );
    assert_eq!(seen.len(), different.len(), "{seen:?}");
    assert!(seen.len() > ROUNDS && ended > 0, "processes did refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_of_a_killed_process_is_sent_again_within_the_grace_period_alone() {
    for place in Place::all().await {
        let at = place.at();
        let store = place.store().await.lease(LEASE);
        for (point, age, is_sent) in [
            (Point::Asked, 0, true),
            (Point::Rotated, 0, true),
            (Point::Rotated, 25, true),
            (Point::Rotated, 60, false),
            (Point::Asked, 3600, false),
        ] {
            let mut endpoint = Endpoint::start(3600).await;
            endpoint.url += "?grace=60";
            let session = store.session("alice");
            let lock = session.lock().await.expect("the last one has ended");
            session.save(&TokenSet::new(AccessToken::new("a")).refresh("r0")).await.expect("saved");
            drop(lock);
            let start = Start { test: "processes::refreshes_until_it_is_killed", endpoint: &endpoint.url, at: &at };
            let victim = Arc::new(Mutex::new(start.start()));
            let kill = Arc::clone(&victim);
            endpoint.set_trap(0, point, Box::new(move || kill.lock().expect("no panic").kill().expect("it runs")));
            let out = victim.lock().expect("no panic").stdout.take().expect("a pipe");
            assert!(!end(out).await.contains("done"), "it was killed");
            victim.lock().expect("no panic").wait().expect("it ends");
            let left = session.load().await.expect("it is read").expect("tokens");
            assert!(left.refresh_token().is_none() && left.is_redeemed(), "{left:?}");
            let back = match &place {
                Place::Postgres(_) => format!("saved_at - interval '{age} seconds'"),
                Place::Sqlite(_) => format!("saved_at - {age}"),
            };
            run(&at, &format!("UPDATE keyfit_record SET saved_at = {back} WHERE kind = 'session'")).await;
            let mut next = start.start();
            let said = end(next.stdout.take().expect("a pipe")).await;
            next.wait().expect("it ends");
            let sent = endpoint.seen().iter().filter(|token| *token == "r0").count();
            assert_eq!((sent, said.contains("done")), if is_sent { (2, true) } else { (1, false) }, "{age}: {said}");
            assert_eq!(said.contains("consent again"), !is_sent, "{said}");
        }
    }
}

/// A process that is held while its refresh is on its way, for longer than its lease, and goes on after another one has come.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_held_in_a_refresh_takes_what_others_did_meanwhile_and_loses_nothing_where_they_did_nothing()
{
    for place in Place::all().await {
        for grace in ["", "?grace=60"] {
            let mut endpoint = Endpoint::start(3600).await;
            endpoint.url += grace;
            let at = place.at();
            let session = place.store().await.lease(LEASE).session("alice");
            let lock = session.lock().await.expect("the last one has ended");
            session.save(&TokenSet::new(AccessToken::new("a")).refresh("r0")).await.expect("saved");
            drop(lock);
            let start = Start { test: "processes::refreshes_until_it_is_killed", endpoint: &endpoint.url, at: &at };
            let mut held = start.start();
            let process = Pid::from_child(&held);
            let file = at.clone();
            // Not in the middle of a write, when its lease is renewed: with SQLite nobody else could write then.
            let stop = Box::new(move || {
                kill_process(process, Signal::STOP).expect("it runs");
                while is_locked(&file, Duration::from_millis(100)) {
                    kill_process(process, Signal::CONT).expect("it is held");
                    is_locked(&file, Duration::from_secs(5));
                    kill_process(process, Signal::STOP).expect("it runs");
                }
            });
            endpoint.set_trap(0, Point::Rotated, stop);
            while endpoint.seen().is_empty() {
                SystemClock.sleep(Duration::from_millis(10)).await;
            }
            let mut next = start.start();
            let said = end(next.stdout.take().expect("a pipe")).await;
            next.wait().expect("it ends");
            let ended = (said.contains("done"), said.contains("consent again"));
            assert_eq!(ended, (!grace.is_empty(), grace.is_empty()), "{said}");
            // A process that has ended may not have given its lease back.
            run(&at, "UPDATE keyfit_record SET leased_until = NULL, holder = NULL").await;
            kill_process(process, Signal::CONT).expect("it is held");
            let (out, complaint) = (held.stdout.take().expect("a pipe"), held.stderr.take().expect("a pipe"));
            let (said, complaint) = (end(out).await, end(complaint).await);
            held.wait().expect("it ends");
            assert!(said.contains("done"), "{said} {complaint}");
            let seen = endpoint.seen();
            let twice = seen.len() - seen.iter().collect::<HashSet<_>>().len();
            assert_eq!(twice, usize::from(!grace.is_empty()), "the first one alone, in its grace period: {seen:?}");
            // The answer that came late: of use only where nobody else has gone on.
            assert_eq!(seen.contains(&"r1".to_owned()), grace.is_empty(), "{seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_down_in_a_refresh_costs_no_token() {
    let Some(database) = Database::start().await else { return };
    let endpoint = Endpoint::start(3600).await;
    let shared = store(&database.url()).await.lease(LEASE);
    let store = shared.session("alice");
    store.save(&TokenSet::new(AccessToken::new("old")).refresh(endpoint.consent())).await.expect("saved");
    let database = Arc::new(Mutex::new(database));
    let goes = Arc::clone(&database);
    endpoint.set_trap(0, Point::Rotated, Box::new(move || goes.lock().expect("no panic").kill()));
    let at = TokenEndpoint::builder(endpoint.url.clone(), "c").build().expect("an endpoint");
    let session = RefreshingSession::load(at, store).await.expect("a session");
    let token = session.replace(&AccessToken::new("old")).await.expect("the new one is used");
    assert_eq!(token.expose(), "fixture-token-1");
    assert!(!session.is_saved().await);
    let mut back = Arc::into_inner(database).map(Mutex::into_inner).expect("the trap is over").expect("no panic");
    back.restart().await;
    while !session.is_saved().await {
        SystemClock.sleep(Duration::from_millis(50)).await;
    }
    let kept = shared.session("alice").load().await.expect("it is read").expect("tokens");
    assert_eq!(kept.refresh_token(), Some("r1"));
    assert_eq!(endpoint.seen().len(), 1);
}
