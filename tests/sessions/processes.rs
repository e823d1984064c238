//! Several processes with one session: one refresh for all of them, and no refresh token twice, whatever dies.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::auth::oauth::{RefreshingSession, TokenEndpoint, TokenSet, TokenStore as _};
use keyfit::auth::{AccessToken, Credential, TokenSource as _};
use keyfit::http_client::{Body, HttpClient, Sending, http};
use keyfit::scopien::{Client, kind};
use keyfit::{Clock as _, Config, ErrorKind, SystemClock};

use super::database::Database;
use super::server::{Endpoint, Point};
use super::sessions;

pub(crate) const LEASE: Duration = Duration::from_secs(1);
const ROUNDS: usize = 24;

pub(crate) fn told(name: &str) -> String {
    std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value).expect("told")
}

pub(crate) async fn session() -> RefreshingSession {
    let endpoint = TokenEndpoint::builder(told("KEYFIT_TEST_ENDPOINT"), "c").build().expect("an endpoint");
    let sessions = sessions(&told("KEYFIT_TEST_DATABASE")).await.lease(LEASE);
    RefreshingSession::load(endpoint, sessions.session("alice")).await.expect("a session")
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
    let credential: Credential<kind::Key> = Credential::from_source(session().await);
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

fn start(name: &str, endpoint: &Endpoint, database: &Database) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", &format!("processes::{name}"), "--ignored", "--nocapture"])
        .env("KEYFIT_TEST_ENDPOINT", &endpoint.url)
        .env("KEYFIT_TEST_DATABASE", database.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test runs")
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
    let Some(database) = Database::start().await else { return };
    let endpoint = Endpoint::start(3600).await;
    let store = sessions(&database.url()).await.session("alice");
    let expired = TokenSet::new(AccessToken::new("old").expiring_at(SystemClock.now())).refresh(endpoint.consent());
    store.save(&expired).await.expect("saved");
    let children: Vec<Child> = (0..8).map(|_| start("a_thousand_callers_call_at_once", &endpoint, &database)).collect();
    for mut child in children {
        let said = end(child.stdout.take().expect("a pipe")).await;
        assert!(said.contains("tokens: 1"), "{said}");
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(endpoint.seen().len(), 1, "{:?}", endpoint.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_token_is_sent_twice_whenever_processes_are_killed() {
    let Some(database) = Database::start().await else { return };
    let endpoint = Endpoint::start(3600).await;
    let store = sessions(&database.url()).await.lease(LEASE).session("alice");
    let (mut consents, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let lock = store.lock().await.expect("the last one has ended");
        let left = store.load().await.expect("whole tokens");
        if left.is_none_or(|tokens| tokens.refresh_token().is_none()) {
            consents += 1;
            let fresh = TokenSet::new(AccessToken::new("a")).refresh(endpoint.consent());
            store.save(&fresh).await.expect("saved");
        }
        drop(lock);
        let children: Arc<Mutex<Vec<Child>>> = Arc::default();
        let victims = Arc::clone(&children);
        let point = [Point::Asked, Point::Rotated, Point::Answered][round % 3];
        let kill = move || {
            for child in victims.lock().expect("no panic").iter_mut().skip(round % 2) {
                child.kill().expect("it can be killed");
            }
        };
        endpoint.set_trap(round % 5, point, Box::new(kill));
        let mut outs = Vec::new();
        {
            let mut children = children.lock().expect("no panic");
            for _ in 0..3 {
                let mut child = start("refreshes_until_it_is_killed", &endpoint, &database);
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
async fn a_database_that_goes_down_in_a_refresh_costs_no_token() {
    let Some(database) = Database::start().await else { return };
    let endpoint = Endpoint::start(3600).await;
    let sessions = sessions(&database.url()).await.lease(LEASE);
    let store = sessions.session("alice");
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
    let kept = sessions.session("alice").load().await.expect("it is read").expect("tokens");
    assert_eq!(kept.refresh_token(), Some("r1"));
    assert_eq!(endpoint.seen().len(), 1);
}
