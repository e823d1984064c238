//! A rate budget that several clients share: in one process, and in Valkey or Redis for several. The stores are real ones, which
//! the tests start on 127.0.0.1 and stop; where there is no `valkey-server` or `redis-server`, those tests say so and pass.

mod cluster;
mod connecting;
#[cfg(unix)]
mod failover;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
#[path = "../proxy/mod.rs"]
mod proxy;
#[cfg(unix)]
mod secured;
mod server;
mod store;

use std::time::Duration;

use keyfit::budget::{Budget, MemoryBudget};
use keyfit::scopien::{Client, Key};
use keyfit::{Clock as _, Config, SystemClock};

use server::Limited;

const KEY: &str = "sk_test_fixturekey0001"; // not-a-secret

/// A client that takes its calls from a budget.
fn client(url: &str, budget: impl Budget) -> Client {
    let config = Config::default().base_url(url).budget(budget).deadline(Duration::from_secs(300));
    Client::with_config(Key::new(KEY).expect("a key"), config).expect("a client")
}

/// The library of Debian that gives a process another clock.
#[cfg(unix)]
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// The longest that a call may take, whatever became of the store: a window of these tests (2 s), the second that a client gives the
/// store, the 5 s for which others wait for the first answer of all, and room for a slow machine.
const LONGEST: Duration = Duration::from_secs(15);

/// Calls as fast as the budget lets them, from so many callers, for so long. None hangs.
async fn call(client: Client, callers: u64, time: Duration) -> u64 {
    let until = SystemClock.monotonic() + time;
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        calling.spawn(async move {
            let mut done = 0;
            while SystemClock.monotonic() < until {
                let began = SystemClock.monotonic();
                client.accounts_list().send().await.expect("within the limit");
                let took = SystemClock.monotonic().saturating_sub(began);
                assert!(took < LONGEST, "a call took {took:?}");
                done += 1;
            }
            done
        });
    }
    calling.join_all().await.into_iter().sum()
}

/// No window was asked for more than it has, and those between the first and the last were spent.
fn assert_well_spent(server: &Limited, limit: u64) {
    let windows = server.windows();
    assert_eq!(server.refused(), 0, "{windows:?}");
    assert!(windows.len() >= 4, "{windows:?}");
    for window in &windows[1..windows.len() - 2] {
        assert!(window.served * 100 >= limit * 98, "{windows:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_one_process_spend_one_budget_and_all_of_it() {
    let server = Limited::start(300, 2).await;
    let budget = MemoryBudget::default();
    let calling = (0..4).map(|_| tokio::spawn(call(client(&server.url, budget.clone()), 8, Duration::from_secs(9))));
    for calls in calling.collect::<Vec<_>>() {
        assert!(calls.await.expect("no panic") > 0);
    }
    assert_well_spent(&server, 300);
}
