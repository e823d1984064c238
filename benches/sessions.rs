//! The cost of a session in a database: the time until the last of 8,000 callers has its token, in eight processes over an expired one,
//! against one process with as many callers and its session in memory; then rounds of processes that are killed in a refresh.
//!
//! `cargo bench --bench sessions --features postgres` (needs PostgreSQL).

#[expect(dead_code, reason = "tests stop it, too")]
#[path = "../tests/sessions/database.rs"]
mod database;
#[path = "../tests/sessions/server.rs"]
mod server;

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use deadpool_postgres::{Config, Pool, Runtime};
use keyfit::auth::oauth::{MemoryStore, RefreshingSession, TokenEndpoint, TokenSet, TokenStore};
use keyfit::auth::source::MemorySource;
use keyfit::auth::store::{EncryptionKeys, SharedStore};
use keyfit::auth::{AccessToken, Credential, TokenSource as _};
use keyfit::http_client::{Body, HttpClient, Sending, http};
use keyfit::scopien::{Client, kind};
use keyfit::{Clock as _, ErrorKind, SystemClock};

use database::Database;
use server::{Endpoint, Round, begin_round};

/// Callers in all, however many processes they are in.
const CALLERS: usize = 8000;
const ROUNDS: usize = 5;
const KILL_ROUNDS: usize = 60;
const LEASE: Duration = Duration::from_secs(1);
const KEY: &str = "Zml4dHVyZS1rZXktMDAwMS1maXh0dXJlLWtleS0wMDE="; // not-a-secret

fn pool(url: &str) -> Pool {
    let config = Config { url: Some(url.to_owned()), ..Config::default() };
    config.create_pool(Some(Runtime::Tokio1), tokio_postgres::NoTls).expect("a pool")
}

async fn sessions(url: &str) -> SharedStore {
    let keys = EncryptionKeys::from_source(MemorySource::new(KEY)).await.expect("a key");
    let pool = pool(url);
    SharedStore::migrate_postgres(&pool).await.expect("a table");
    SharedStore::postgres(pool, keys).await.expect("a database")
}

/// Tokens of which the access token has expired.
fn expired(endpoint: &Endpoint) -> TokenSet {
    TokenSet::new(AccessToken::new("old").expiring_at(SystemClock.now())).refresh(endpoint.consent())
}

fn endpoint(url: &str) -> TokenEndpoint {
    TokenEndpoint::builder(url, "c").build().expect("an endpoint")
}

/// Takes each call at once that carries a new token.
#[derive(Debug)]
struct Taking;

impl HttpClient for Taking {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        let is_new = request.headers().get("authorization").is_some_and(|value| value != "Bearer old");
        let mut answer = http::Response::new(Body::from("[]"));
        *answer.status_mut() = if is_new { http::StatusCode::OK } else { http::StatusCode::FORBIDDEN };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// Calls from so many callers at once, once it is told to, and says how long the last one took and how many failed.
async fn call(session: RefreshingSession, callers: usize) {
    let credential: Credential<kind::Key> = Credential::from_source(session);
    let config = keyfit::Config::default().base_url("https://api.example").http_client(Taking);
    let client = Client::with_config(credential, config).expect("a client");
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).expect("a word");
    let began = SystemClock.monotonic();
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        calling.spawn(async move { client.accounts_list().send().await.is_ok() });
    }
    let failed = calling.join_all().await.into_iter().filter(|is_taken| !is_taken).count();
    println!("{} {failed}", SystemClock.monotonic().saturating_sub(began).as_micros());
    // A lease is given back in the background: who ends before that leaves it to its time.
    SystemClock.sleep(Duration::from_millis(300)).await;
}

/// Refreshes a few times, or until it is killed.
async fn refresh(session: RefreshingSession) {
    for _ in 0..4 {
        let refreshed = match session.fetch().await {
            Ok(token) => session.replace(&token).await,
            Err(error) => Err(error),
        };
        match refreshed {
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => return,
            refreshed => drop(refreshed.expect("a token")),
        }
    }
    assert!(session.is_saved().await);
}

/// Another process of this bench.
fn start(work: &str, endpoint: &Endpoint, database: &str, callers: usize) -> Child {
    Command::new(std::env::current_exe().expect("this bench"))
        .args([work, &endpoint.url, database, &callers.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this bench runs")
}

/// The time until the last caller of all processes has its token, and how many callers failed.
async fn time(endpoint: &Endpoint, database: &str, processes: usize) -> (Duration, u64) {
    let mut children: Vec<Child> =
        (0..processes).map(|_| start("call", endpoint, database, CALLERS / processes)).collect();
    let waiting = tokio::task::spawn_blocking(move || {
        let mut outs = Vec::new();
        for child in &mut children {
            let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
            out.read_line(&mut String::new()).expect("it is ready");
            outs.push(out);
        }
        for child in &mut children {
            child.stdin.take().expect("a pipe").write_all(b"go\n").expect("it listens");
        }
        let (mut last, mut failed) = (0, 0);
        for (child, mut out) in children.iter_mut().zip(outs) {
            let mut said = String::new();
            out.read_to_string(&mut said).expect("text");
            assert!(child.wait().expect("it ends").success(), "{said}");
            let (time, failures) = said.trim().split_once(' ').expect("two numbers");
            last = last.max(time.parse().expect("a number"));
            failed += failures.parse::<u64>().expect("a number");
        }
        (Duration::from_micros(last), failed)
    });
    waiting.await.expect("no panic")
}

/// How many statements the database has run, each a transaction of its own.
async fn statements(pool: &Pool) -> i64 {
    let connection = pool.get().await.expect("a connection");
    // Backends hand their figures in when they end.
    SystemClock.sleep(Duration::from_millis(1500)).await;
    let row = connection
        .query_one("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()", &[]);
    row.await.expect("figures").get(0)
}

fn middle(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[numbers.len() / 2], numbers[0], numbers[numbers.len() - 1])
}

async fn compare(database: &str) {
    let store = sessions(database).await.session("alice");
    let pool = pool(database);
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let endpoint = Endpoint::start(3600).await;
        let (alone, failed_alone) = time(&endpoint, "", 1).await;
        let fetches_alone = endpoint.seen().len();
        let endpoint = Endpoint::start(3600).await;
        // Another process may have saved meanwhile.
        store.load().await.expect("it is read");
        store.save(&expired(&endpoint)).await.expect("saved");
        let before = statements(&pool).await;
        let (shared, failed) = time(&endpoint, database, 8).await;
        let asked = statements(&pool).await - before;
        ratios.push(shared.as_secs_f64() / alone.as_secs_f64());
        println!(
            "the last of {CALLERS} callers: one process in memory {:.1} ms, {fetches_alone} fetch, {failed_alone} failed; \
             eight in a database {:.1} ms, {} fetch, {failed} failed, {asked} statements, {:.4} a caller",
            alone.as_secs_f64() * 1000.0,
            shared.as_secs_f64() * 1000.0,
            endpoint.seen().len(),
            f64::from(u32::try_from(asked).expect("some")) / 8000.0,
        );
    }
    let (ratio, least, most) = middle(ratios);
    println!("ratio {ratio:.2} ({least:.2} to {most:.2})");
}

async fn kill(database: &str) {
    let endpoint = Endpoint::start(3600).await;
    let store = sessions(database).await.lease(LEASE).session("bob");
    let (mut consents, mut killed) = (0, 0);
    for round in 0..KILL_ROUNDS {
        let Round { children, is_consented } = begin_round(&endpoint, round, &store, || expired(&endpoint)).await;
        consents += usize::from(is_consented);
        {
            let mut children = children.lock().expect("no panic");
            children.extend((0..3).map(|_| start("refresh", &endpoint, database, 0)));
        }
        while children.lock().expect("no panic").iter_mut().any(|child| child.try_wait().expect("a process").is_none())
        {
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
        for child in children.lock().expect("no panic").iter_mut() {
            let status = child.wait().expect("it has ended");
            assert!(status.code().is_none_or(|code| code == 0), "{status}");
            killed += usize::from(status.code().is_none());
        }
    }
    let seen = endpoint.seen();
    let different: HashSet<&String> = seen.iter().collect();
    println!(
        "{KILL_ROUNDS} rounds of three processes, {killed} killed: {} refresh tokens sent, {} twice; {consents} consents",
        seen.len(),
        seen.len() - different.len()
    );
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, work, at, database, callers] = words.as_slice() {
        let at = endpoint(at);
        let session = if database.is_empty() {
            let store = MemoryStore::new();
            let old = TokenSet::new(AccessToken::new("old").expiring_at(SystemClock.now())).refresh("consent-0");
            store.save(&old).await.expect("saved");
            RefreshingSession::load(at, store).await
        } else if work == "call" {
            RefreshingSession::load(at, sessions(database).await.session("alice")).await
        } else {
            RefreshingSession::load(at, sessions(database).await.lease(LEASE).session("bob")).await
        };
        let session = session.expect("a session");
        return match work.as_str() {
            "call" => call(session, callers.parse().expect("a number")).await,
            _ => refresh(session).await,
        };
    }
    let Some(database) = Database::start().await else { return };
    compare(&database.url()).await;
    kill(&database.url()).await;
}
