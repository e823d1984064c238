//! Several processes with one session, between them and the database a network that fails, a database that stands still or is full, and
//! clocks that are wrong.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keyfit::auth::oauth::{TokenSet, TokenStore as _};
use keyfit::auth::{AccessToken, Credential, TokenSource as _};
use keyfit::scopien::{Client, kind};
use keyfit::{Clock as _, Config, ErrorKind, SystemClock};
use rustix::process::Signal;

use super::database::{Database, is_root};
use super::processes::{LEASE, Taking, end, session, told};
use super::proxy::{Network, Proxy};
use super::server::Endpoint;
use super::{pool, store};

const PROCESSES: usize = 3;

/// The longest that a refresh may take, whatever became of the database: four questions to it (5 s each, and 5 s for a connection), and
/// the wait for the lease of another process (1 s here, and 30 s).
const LONGEST: Duration = Duration::from_secs(75);

/// A process of this test that refreshes until its time is up, whatever the database says.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn refreshes_until_its_time_is_up() {
    let session = session().await;
    let until = SystemClock.monotonic() + Duration::from_millis(told("KEYFIT_TEST_TIME").parse().expect("a number"));
    let (mut refreshed, mut consents, mut failed) = (0, 0, 0);
    let mut token = AccessToken::new("old");
    while SystemClock.monotonic() < until {
        let replaced = tokio::time::timeout(LONGEST, session.replace(&token)).await;
        match replaced.expect("a refresh that hangs") {
            Ok(newer) => {
                refreshed += 1;
                token = newer;
            }
            Err(error) if error.kind() == ErrorKind::ReauthorizationRequired => consents += 1,
            Err(error) if error.kind() == ErrorKind::Credential => failed += 1,
            Err(error) => panic!("{error:?}"),
        }
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    println!("refreshed: {refreshed}, consent again: {consents}, failed: {failed}");
}

/// A process of this test that calls for two seconds.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn calls_for_two_seconds() {
    let credential: Credential<kind::Key> = Credential::from_source(session().await);
    let taking = Taking::default();
    let config = Config::default().base_url("http://127.0.0.1:1").http_client(taking.clone());
    let client = Client::with_config(credential, config).expect("a client");
    for _ in 0..20 {
        client.accounts_list().send().await.expect("it is taken");
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
    println!("tokens: {}", taking.0.lock().expect("no panic").len());
}

fn start(name: &str, endpoint: &Endpoint, port: u16, seconds: u64, environment: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", &format!("faults::{name}"), "--ignored", "--nocapture"])
        .envs(environment.iter().copied())
        .env("KEYFIT_TEST_ENDPOINT", &endpoint.url)
        .env("KEYFIT_TEST_STORE", format!("postgres://keyfit@127.0.0.1:{port}/postgres"))
        .env("KEYFIT_TEST_TIME", (seconds * 1000).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test runs")
}

/// Processes that refresh one session, each through a network of its own.
pub(crate) struct Fleet {
    pub(crate) endpoint: Endpoint,
    pub(crate) networks: Vec<Proxy>,
    children: Vec<Child>,
}

impl Fleet {
    pub(crate) async fn start(database: &Database, seconds: u64) -> Self {
        let endpoint = Endpoint::start(3600).await;
        consent(database, &endpoint).await;
        let (mut networks, mut children) = (Vec::new(), Vec::new());
        for _ in 0..PROCESSES {
            let network = Proxy::start(database.port()).await;
            children.push(start("refreshes_until_its_time_is_up", &endpoint, network.port(), seconds, &[]));
            networks.push(network);
        }
        Self { endpoint, networks, children }
    }

    pub(crate) fn set(&self, network: Network) {
        self.networks.iter().for_each(|each| each.set(network));
    }

    /// Waits for all of them. No refresh token was sent twice, and those since `before` show that they go on.
    pub(crate) async fn end(self, before: usize) {
        let seen = self.sent().await;
        println!("{} refresh tokens sent, {} of them afterwards", seen.len(), seen.len() - before);
        assert_each_once(&seen);
        assert!(seen.len() > before + 3, "they go on: {} of {}", before, seen.len());
    }

    /// Waits for all of them, and returns the refresh tokens that were sent.
    pub(crate) async fn sent(self) -> Vec<String> {
        for mut child in self.children {
            let said = end(child.stdout.take().expect("a pipe")).await;
            println!("{}", said.lines().find(|line| line.contains("refreshed: ")).unwrap_or(&said));
            assert!(child.wait().expect("it ends").success(), "{said}");
        }
        self.endpoint.seen()
    }
}

/// No refresh token was sent twice.
pub(crate) fn assert_each_once(seen: &[String]) {
    let different: HashSet<&String> = seen.iter().collect();
    assert_eq!(seen.len(), different.len(), "{seen:?}");
}

/// Saves tokens that somebody has just consented to.
async fn consent(database: &Database, endpoint: &Endpoint) {
    let store = store(&database.url()).await.lease(LEASE).session("alice");
    let fresh = TokenSet::new(AccessToken::new("old").expiring_at(SystemClock.now())).refresh(endpoint.consent());
    let lock = store.lock().await.expect("nobody has it");
    store.save(&fresh).await.expect("saved");
    drop(lock);
}

pub(crate) async fn pass(seconds: u64) {
    SystemClock.sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_cut_off_sends_no_token_twice_and_comes_back() {
    let Some(database) = Database::start().await else { return };
    for network in [Network::Stalls, Network::Drops] {
        let fleet = Fleet::start(&database, 18).await;
        pass(2).await;
        fleet.networks[0].set(network);
        let before = fleet.endpoint.seen().len();
        pass(9).await;
        assert!(fleet.endpoint.seen().len() > before, "the others go on");
        fleet.networks[0].set(Network::Passes);
        let before = fleet.endpoint.seen().len();
        fleet.end(before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_all_cut_off_send_no_token_twice_and_come_back() {
    let Some(database) = Database::start().await else { return };
    for network in [Network::Stalls, Network::Drops, Network::Cuts] {
        let fleet = Fleet::start(&database, 18).await;
        pass(2).await;
        fleet.set(network);
        pass(7).await;
        fleet.set(Network::Passes);
        let before = fleet.endpoint.seen().len();
        fleet.end(before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_slow_costs_no_token() {
    let Some(database) = Database::start().await else { return };
    for delays in [[200, 700, 2000], [6000, 0, 0]] {
        let fleet = Fleet::start(&database, 20).await;
        pass(2).await;
        for (each, delay) in fleet.networks.iter().zip(delays) {
            each.set(Network::Delays(Duration::from_millis(delay)));
        }
        pass(8).await;
        fleet.set(Network::Passes);
        let before = fleet.endpoint.seen().len();
        fleet.end(before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_is_not_waited_for_and_no_token_is_sent_twice() {
    let Some(database) = Database::start().await else { return };
    let fleet = Fleet::start(&database, 20).await;
    for seconds in [1, 7] {
        pass(2).await;
        database.signal(Signal::STOP);
        pass(seconds).await;
        database.signal(Signal::CONT);
    }
    let before = fleet.endpoint.seen().len();
    fleet.end(before).await;
}

/// A disk that can be filled, until its value ends.
struct Disk(std::path::PathBuf);

impl Disk {
    /// `None`, with a word, where none can be mounted.
    fn mount(at: &Path) -> Option<Self> {
        let mounted = is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"])
                .arg(at)
                .status()
                .is_ok_and(|s| s.success());
        if !mounted {
            println!("skipped: no disk of its own can be mounted here");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    fn fill(&self) {
        let mut left = fs::File::create(self.0.join("filler")).expect("a file");
        while std::io::Write::write_all(&mut left, &[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("it is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_disk_is_full_costs_no_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(folder.path()) else { return };
    let Some(mut database) = Database::start_in(folder).await else { return };
    let fleet = Fleet::start(&database, 16).await;
    pass(2).await;
    disk.fill();
    // Until there is no room for another file of its log, without which it ends.
    let writing = pool(&database.url()).get().await.expect("a connection");
    let much = "CREATE TABLE much (); DROP TABLE much; SELECT pg_switch_wal()";
    let mut files = 0;
    while files < 200 && writing.batch_execute(much).await.is_ok() {
        files += 1;
    }
    println!("there was room for {files} files of its log");
    let before = fleet.endpoint.seen().len();
    pass(6).await;
    println!("{} refreshes on a full disk", fleet.endpoint.seen().len() - before);
    disk.free();
    if !database.is_running() {
        println!("it has ended, as it does without room for its log");
        database.restart().await;
    }
    let before = fleet.endpoint.seen().len();
    fleet.end(before).await;
    drop(database);
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_are_an_hour_off_share_a_session() {
    const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
    if !Path::new(FAKETIME).exists() {
        println!("skipped: libfaketime is not installed");
        return;
    }
    let Some(database) = Database::start().await else { return };
    let endpoint = Endpoint::start(3600).await;
    consent(&database, &endpoint).await;
    let off = |time| [("LD_PRELOAD", FAKETIME), ("FAKETIME", time), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let name = "calls_for_two_seconds";
    let children = ["-1h", "+0", "+1h"].map(|time| start(name, &endpoint, database.port(), 0, &off(time)));
    for mut child in children {
        let said = end(child.stdout.take().expect("a pipe")).await;
        println!("{}", said.lines().find(|line| line.contains("tokens: ")).unwrap_or(&said));
        assert!(child.wait().expect("it ends").success(), "{said}");
    }
    let seen = endpoint.seen();
    assert_each_once(&seen);
    // Whoever is ahead takes what the others got for expired, once.
    assert!((1..=3).contains(&seen.len()), "{seen:?}");
}
