//! Several processes with one budget, between them and the store a network that fails.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};

use super::processes::{LIMIT, end, start};
use super::proxy::{Network, Proxy};
use super::server::Limited;
use super::store::Store;
use super::{FAKETIME, assert_well_spent};

const PROCESSES: usize = 4;

/// A store, a server, and processes that reach the store through a network each.
struct Fleet {
    store: Store,
    server: Limited,
    networks: Vec<Proxy>,
    children: Vec<Child>,
}

impl Fleet {
    async fn start(seconds: u64) -> Option<Self> {
        let store = Store::start(&[]).await?;
        let server = Limited::start(LIMIT, 2).await;
        let (mut networks, mut children) = (Vec::new(), Vec::new());
        for _ in 0..PROCESSES {
            let network = Proxy::start(store.port()).await;
            let url = format!("redis://127.0.0.1:{}", network.port());
            children.push(start(&server, &url, Duration::from_secs(seconds), &[]));
            networks.push(network);
        }
        Some(Self { store, server, networks, children })
    }

    /// Waits for all of them. What was refused is that of a moment: each of the callers (8 a process) once at most, in no more than these
    /// windows, and no window but the one in which the network failed stands still.
    async fn end(self, refusing: usize) -> Store {
        for child in self.children {
            assert!(end(child).await > 0);
        }
        assert_bounded(&self.server, refusing);
        self.store
    }
}

/// See [`Fleet::end`].
pub(crate) fn assert_bounded(server: &Limited, refusing: usize) {
    let windows = server.windows();
    println!("{:?}", windows.iter().map(|window| (window.served, window.refused)).collect::<Vec<_>>());
    assert!(windows.iter().all(|window| window.refused <= 8 * PROCESSES as u64), "{windows:?}");
    assert!(windows.iter().filter(|window| window.refused > 0).count() <= refusing, "{windows:?}");
    let whole = &windows[1..windows.len() - 2];
    let all: u64 = whole.iter().map(|window| window.served).sum();
    assert!(all * 4 >= 3 * LIMIT * whole.len() as u64, "{windows:?}");
    // In the last one they only find that their time is up.
    let back = windows[windows.len() - 2];
    assert!(back.served * 100 >= LIMIT * 95, "they are back: {windows:?}");
}

async fn pass(seconds: u64) {
    SystemClock.sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_cut_off_goes_on_with_its_part_and_comes_back() {
    for network in [Network::Stalls, Network::Drops] {
        let Some(fleet) = Fleet::start(13).await else { return };
        pass(4).await;
        fleet.networks[0].set(network);
        pass(4).await;
        fleet.networks[0].set(Network::Passes);
        // The window in which the others learn of it, and what is on its way in the next ones.
        fleet.end(3).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_all_cut_off_go_on_with_their_parts_and_come_back() {
    for network in [Network::Stalls, Network::Drops, Network::Cuts] {
        let Some(fleet) = Fleet::start(13).await else { return };
        pass(4).await;
        for each in &fleet.networks {
            each.set(network);
        }
        pass(4).await;
        for each in &fleet.networks {
            each.set(Network::Passes);
        }
        let before = fleet.store.scripts().await;
        let store = fleet.end(2).await;
        assert!(store.scripts().await > before + 8, "they ask again after {network:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_slow_grants_nothing_twice() {
    for delays in [[200; 4], [200, 700, 1200, 2000], [2000; 4]] {
        let Some(fleet) = Fleet::start(13).await else { return };
        pass(2).await;
        for (each, delay) in fleet.networks.iter().zip(delays) {
            each.set(Network::Delays(Duration::from_millis(delay)));
        }
        pass(6).await;
        for each in &fleet.networks {
            each.set(Network::Passes);
        }
        fleet.end(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_are_an_hour_off_spend_one_budget() {
    if !Path::new(FAKETIME).exists() {
        println!("skipped: libfaketime is not installed");
        return;
    }
    let Some(store) = Store::start(&[]).await else { return };
    let server = Limited::start(LIMIT, 2).await;
    let children = ["-1h", "+0", "+1h", "+1h"].map(|time| {
        let clock = [("LD_PRELOAD", FAKETIME), ("FAKETIME", time), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        start(&server, &store.url(), Duration::from_secs(9), &clock)
    });
    for child in children {
        assert!(end(child).await > 0);
    }
    assert_well_spent(&server, LIMIT);
}
