//! Several processes with one budget, between them and the store a network that fails.

use std::process::Child;
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};

use super::processes::{LIMIT, end, start};
use super::proxy::{Network, Proxy};
use super::server::Limited;
use super::store::Store;

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

    /// Waits for all of them.
    async fn end(self) -> (Store, Limited) {
        for child in self.children {
            assert!(end(child).await > 0);
        }
        println!("{:?}", self.server.windows());
        (self.store, self.server)
    }
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
        let (_store, server) = fleet.end().await;
        println!("{network:?}: {}", server.refused());
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
        let (store, server) = fleet.end().await;
        println!("{network:?}: {} asked {}", server.refused(), store.scripts().await - before);
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
        let (_store, server) = fleet.end().await;
        println!("{delays:?}: {}", server.refused());
    }
}
