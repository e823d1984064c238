//! Access tokens that processes share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use keyfit::auth::oauth::{ClientCredentials, TokenEndpoint};
use keyfit::auth::source::BoxFuture;
use keyfit::auth::{AccessToken, Credential, TokenSource};
use keyfit::{Clock, Error, SystemClock};

use super::Place;
use super::database::Database;
use super::processes::{LEASE, Start, call_a_thousand_times, eight_processes, end, told};
use super::server::{Endpoint, Point};
use super::store;

const NAME: &str = "orders, read";

/// Hands out numbered tokens that live so long.
#[derive(Clone, Debug)]
struct Numbered {
    fetched: Arc<AtomicUsize>,
    lifetime: Option<Duration>,
    clock: Off,
}

impl Numbered {
    fn new(lifetime: Option<Duration>) -> Self {
        Self { fetched: Arc::default(), lifetime, clock: Off::default() }
    }

    fn count(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }
}

impl TokenSource for Numbered {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        let number = self.fetched.fetch_add(1, Ordering::SeqCst) + 1;
        let token = AccessToken::new(format!("fixture-token-{number}"));
        let expires_at = self.lifetime.map(|life| self.clock.now() + life);
        Box::pin(std::future::ready(Ok(token.expiring_at(expires_at))))
    }
}

/// The clock of a machine that is so far ahead.
#[derive(Clone, Debug, Default)]
pub(super) struct Off(Arc<Mutex<Duration>>);

impl Off {
    pub(super) fn by(seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(Duration::from_secs(seconds))))
    }
}

impl Clock for Off {
    fn now(&self) -> SystemTime {
        SystemClock.now() + *self.0.lock().expect("no panic")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

/// The log.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn fetched(source: &impl TokenSource) -> String {
    source.fetch().await.expect("a token").expose().to_owned()
}

#[tokio::test]
async fn a_token_of_one_process_serves_all_and_stands_nowhere_in_the_clear() {
    for place in Place::all().await {
        let source = Numbered::new(Some(Duration::from_secs(3600)));
        let one = place.store().await.token(NAME, source.clone());
        let two = place.store().await.token(NAME, source.clone());
        assert_eq!([fetched(&one).await, fetched(&two).await, fetched(&one).await], ["fixture-token-1"; 3]);
        assert_eq!(fetched(&place.store().await.token("orders, write", source.clone())).await, "fixture-token-2");
        assert_eq!(source.count(), 2, "another name is another token");
        assert!(!format!("{one:?}").contains("fixture"), "{one:?}");
        if let Place::Sqlite(folder) = &place {
            for entry in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
                let held = std::fs::read(entry.path()).expect("a file");
                assert!(!String::from_utf8_lossy(&held).contains("fixture-token"), "{entry:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all() {
    for place in Place::all().await {
        let source = Numbered::new(None);
        let tokens = [place.store().await.token(NAME, source.clone()), place.store().await.token(NAME, source.clone())];
        for token in &tokens {
            assert_eq!(fetched(token).await, "fixture-token-1");
        }
        let refused = AccessToken::new("fixture-token-1");
        for token in &tokens {
            assert_eq!(token.replace(&refused).await.expect("another").expose(), "fixture-token-2");
        }
        assert_eq!(source.count(), 2);
    }
}

#[tokio::test]
async fn a_token_is_fetched_ahead_of_its_expiry_and_a_while_after_it_was_fetched_where_it_has_none() {
    for (lifetime, early, due) in [(Some(3600), 3500, 3550), (Some(100), 70, 80), (None, 290, 310)] {
        for place in Place::all().await {
            let source = Numbered::new(lifetime.map(Duration::from_secs));
            let first = place.store().await.token(NAME, source.clone());
            assert_eq!(fetched(&first).await, "fixture-token-1");
            // As long after as the clock is ahead. The database has not moved: the age is counted by its clock.
            for (seconds, count) in [(early, 1), (due, 2)] {
                let back = match &place {
                    Place::Postgres(_) => format!("saved_at - interval '{seconds} seconds'"),
                    Place::Sqlite(_) => format!("saved_at - {seconds}"),
                };
                let at = place.at();
                let moved = format!("UPDATE keyfit_record SET saved_at = {back} WHERE kind = 'token'");
                super::run(&at, &moved).await;
                let later = place.store().await.token(NAME, source.clone());
                assert_eq!(fetched(&later).await, format!("fixture-token-{count}"), "{lifetime:?} {seconds}");
                let forth = moved.replace(" - ", " + ");
                super::run(&at, &forth).await;
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_an_hour_ahead_shortens_and_lengthens_no_token() {
    for place in Place::all().await {
        let mut source = Numbered::new(Some(Duration::from_secs(600)));
        source.clock = Off::by(3600);
        let ahead = place.store().await.clock(source.clock.clone()).token(NAME, source.clone());
        let here = place.store().await.token(NAME, source.clone());
        assert_eq!(fetched(&ahead).await, "fixture-token-1");
        let token = here.fetch().await.expect("a token");
        assert_eq!((token.expose(), source.count()), ("fixture-token-1", 1));
        let left = token.expires_at().expect("an end").duration_since(SystemClock.now()).expect("not yet");
        assert!(left <= Duration::from_secs(600) && left > Duration::from_secs(540), "{left:?}");

        let here = place.store().await.token("other", Numbered::new(Some(Duration::from_secs(600))));
        assert_eq!(fetched(&here).await, "fixture-token-1");
        let ahead = place.store().await.clock(Off::by(3600)).token("other", source.clone());
        assert_eq!((fetched(&ahead).await.as_str(), source.count()), ("fixture-token-1", 1), "it has not expired");
    }
}

#[tokio::test]
async fn while_another_process_fetches_the_token_at_hand_is_used() {
    for place in Place::all().await {
        let source = Numbered::new(Some(Duration::from_secs(100)));
        let token = place.store().await.token(NAME, source.clone());
        assert_eq!(fetched(&token).await, "fixture-token-1");
        let (back, ahead) = match &place {
            Place::Postgres(_) => ("saved_at - interval '80 seconds'", "now() + interval '60 seconds'"),
            Place::Sqlite(_) => ("saved_at - 80", "unixepoch() + 60"),
        };
        let leased = format!(
            "UPDATE keyfit_record SET saved_at = {back}, leased_until = {ahead}, holder = 'other' WHERE kind = 'token'"
        );
        super::run(&place.at(), &leased).await;
        assert_eq!((fetched(&token).await.as_str(), source.count()), ("fixture-token-1", 1));
    }
}

#[tokio::test]
async fn a_store_that_is_gone_costs_a_fetch_of_each_process_and_no_call() {
    let Some(mut database) = Database::start().await else { return };
    let written = Written::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let source = Numbered::new(Some(Duration::from_secs(3600)));
    let shared = store(&database.url()).await;
    let (one, two) = (shared.token(NAME, source.clone()), shared.token(NAME, source.clone()));
    assert_eq!(fetched(&one).await, "fixture-token-1");
    database.kill();
    assert_eq!([fetched(&one).await, fetched(&two).await], ["fixture-token-2", "fixture-token-3"]);
    assert_eq!(fetched(&one).await, "fixture-token-4");
    let log = String::from_utf8(written.0.lock().expect("no panic").clone()).expect("text");
    assert_eq!(log.matches("is not shared now").count(), 2, "once for each: {log}");
    assert!(!log.contains("fixture-token"), "{log}");
    database.restart().await;
    assert_eq!([fetched(&one).await, fetched(&two).await], ["fixture-token-1"; 2], "it is back by itself");
}

fn grant() -> ClientCredentials {
    ClientCredentials::new(TokenEndpoint::builder(told("KEYFIT_TEST_ENDPOINT"), "c").build().expect("an endpoint"))
}

/// A process of this test in which a thousand callers call at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the tests in this file"]
async fn a_thousand_callers_call_at_once() {
    let store = store(&told("KEYFIT_TEST_STORE")).await.lease(LEASE);
    call_a_thousand_times(Credential::from_source(store.token(NAME, grant()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_thousand_callers_of_eight_processes_are_one_fetch() {
    for place in Place::all().await {
        let endpoint = Endpoint::start(3600).await;
        let expired = Numbered::new(Some(Duration::ZERO));
        place.store().await.token(NAME, expired).fetch().await.expect("one that has expired");
        eight_processes("tokens::a_thousand_callers_call_at_once", &endpoint, &place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_in_a_fetch_keeps_nobody_waiting_for_long() {
    for place in Place::all().await {
        let endpoint = Endpoint::start(3600).await;
        let at = place.at();
        let start = Start { test: "tokens::a_thousand_callers_call_at_once", endpoint: &endpoint.url, at: &at };
        for (round, point) in [Point::Asked, Point::Rotated].into_iter().enumerate() {
            let victim = Arc::new(Mutex::new(start.start()));
            let kill = Arc::clone(&victim);
            endpoint.set_trap(0, point, Box::new(move || kill.lock().expect("no panic").kill().expect("it runs")));
            let out = victim.lock().expect("no panic").stdout.take().expect("a pipe");
            assert!(!end(out).await.contains("tokens:"), "it was killed");
            victim.lock().expect("no panic").wait().expect("it ends");
            let mut next = start.start();
            let said = end(next.stdout.take().expect("a pipe")).await;
            assert!(said.contains("tokens: 1"), "{said}");
            assert!(next.wait().expect("it ends").success());
            assert_eq!(endpoint.seen().len(), 2 * (round + 1));
            super::run(&at, "DELETE FROM keyfit_record WHERE kind = 'token'").await;
        }
    }
}
