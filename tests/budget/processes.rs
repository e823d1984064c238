//! Several processes with one budget in a store: all of the limit and no call beyond it, whatever dies.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keyfit::budget::ValkeyBudget;
use keyfit::{Clock as _, SystemClock};
use rustix::process::Signal;

use super::server::Limited;
use super::store::Store;
use super::{assert_well_spent, call, client};

pub(crate) const LIMIT: u64 = 400;

/// A budget in a store that is there, on a machine that may be too busy to greet eight processes at once.
async fn connected(store: &str) -> ValkeyBudget {
    for _ in 0..4 {
        if let Ok(budget) = ValkeyBudget::connect(store, "account").await {
            return budget;
        }
    }
    ValkeyBudget::connect(store, "account").await.expect("a budget")
}

/// A process of this test that calls until its time is up, and prints how often it did.
#[tokio::test]
#[ignore = "a process of the tests in this file"]
async fn calls_until_its_time_is_up() {
    let told = |name: &str| std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value).expect("told");
    let budget = connected(&told("KEYFIT_TEST_STORE")).await;
    let time = Duration::from_millis(told("KEYFIT_TEST_TIME").parse().expect("a number"));
    println!("calls: {}", call(client(&told("KEYFIT_TEST_SERVER"), budget), 8, time).await);
}

pub(crate) fn start(server: &Limited, store: &str, time: Duration, environment: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "processes::calls_until_its_time_is_up", "--ignored", "--nocapture"])
        .envs(environment.iter().copied())
        .env("KEYFIT_TEST_STORE", store)
        .env("KEYFIT_TEST_SERVER", &server.url)
        .env("KEYFIT_TEST_TIME", time.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test runs")
}

/// Waits for a process, and returns how often it called.
pub(crate) async fn end(mut child: Child) -> u64 {
    let reading = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        child.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(child.wait().expect("it ends").success(), "{said}");
        said
    });
    let said = reading.await.expect("no panic");
    let calls = said.lines().find_map(|line| line.split_once("calls: ")?.1.parse().ok());
    calls.unwrap_or_else(|| panic!("{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_spend_one_budget_and_most_calls_ask_nobody() {
    let Some(store) = Store::start(&[]).await else { return };
    let server = Limited::start(LIMIT, 2).await;
    let children: Vec<Child> = (0..8).map(|_| start(&server, &store.url(), Duration::from_secs(9), &[])).collect();
    let mut calls = Vec::new();
    for child in children {
        calls.push(end(child).await);
    }
    let asked = store.scripts().await;
    let all: u64 = calls.iter().sum();
    println!("{calls:?} calls, {asked} questions, {:?}", server.windows());
    assert_well_spent(&server, LIMIT);
    assert!(calls.iter().all(|calls| *calls > 0), "{calls:?}");
    assert!(asked * 4 < all, "{asked} questions for {all} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_overspend_nothing_and_the_others_go_on() {
    let Some(store) = Store::start(&[]).await else { return };
    let server = Limited::start(LIMIT, 2).await;
    let staying: Vec<Child> = (0..2).map(|_| start(&server, &store.url(), Duration::from_secs(10), &[])).collect();
    for round in 0..8_u64 {
        let mut dying = start(&server, &store.url(), Duration::from_secs(60), &[]);
        // At another moment each time: while it connects, asks, calls, or waits.
        SystemClock.sleep(Duration::from_millis(150 + 137 * round)).await;
        dying.kill().expect("it runs");
        dying.wait().expect("it ends");
    }
    for child in staying {
        assert!(end(child).await > 0);
    }
    assert_eq!(server.refused(), 0, "{:?}", server.windows());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_clients_go_on_with_their_part_and_come_back() {
    let Some(mut store) = Store::start(&[]).await else { return };
    let server = Limited::start(LIMIT, 2).await;
    let children: Vec<Child> = (0..4).map(|_| start(&server, &store.url(), Duration::from_secs(16), &[])).collect();
    SystemClock.sleep(Duration::from_secs(4)).await;
    store.signal(Signal::STOP);
    SystemClock.sleep(Duration::from_secs(4)).await;
    store.signal(Signal::CONT);
    SystemClock.sleep(Duration::from_secs(2)).await;
    store.kill();
    SystemClock.sleep(Duration::from_secs(3)).await;
    store.restart().await;
    for child in children {
        assert!(end(child).await > 0);
    }
    let (windows, refused) = (server.windows(), server.refused());
    println!("{windows:?}, {} questions after the restart", store.scripts().await);
    assert!(store.scripts().await > 0, "they came back");
    // A client that has just lost the store, or has it back, goes by what it was told last. It does so once.
    let over = windows.iter().filter(|window| window.refused > 0).count();
    assert!(over <= 3 && refused * 50 < windows.iter().map(|window| window.served).sum(), "{windows:?}");
    assert!(windows[1..windows.len() - 2].iter().all(|window| window.served > LIMIT / 4), "{windows:?}");
}
