//! A network between a client and its store that can be slow, stand still, lose what it carries, or break.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use keyfit::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// The state of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Network {
    Passes,
    /// Answers take so long.
    Delays(Duration),
    /// Nothing arrives until this is over, and all of it then, as when packets are sent again.
    Stalls,
    /// Nothing arrives, and what is connected now is dead for good without anybody telling, as behind a router that was replaced.
    Drops,
    /// Connections are closed, those that are there and those that come.
    Cuts,
}

/// A port on 127.0.0.1 in front of a store. One for each client makes a partition between that client and the store.
pub(crate) struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    network: watch::Sender<Network>,
}

impl Proxy {
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (network, state) = watch::channel(Network::Passes);
        let target = Arc::new(AtomicU16::new(target));
        let aimed = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, Arc::clone(&aimed), state.clone()));
            }
        });
        Self { port, target, network }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, network: Network) {
        self.network.send_replace(network);
    }

    /// Where connections from now on lead.
    pub(crate) fn aim(&self, target: u16) {
        self.target.store(target, Ordering::Release);
    }
}

/// Waits for a state of the network; for ever where it does not come.
async fn once(mut state: watch::Receiver<Network>, is_it: fn(Network) -> bool) {
    let came = state.wait_for(|now| is_it(*now)).await.is_ok();
    if !came {
        std::future::pending::<()>().await;
    }
}

async fn connect(client: TcpStream, target: Arc<AtomicU16>, state: watch::Receiver<Network>) {
    tokio::select! {
        () = once(state.clone(), |now| now == Network::Cuts) => {}
        () = relay(client, target, state) => {}
    }
}

async fn relay(client: TcpStream, target: Arc<AtomicU16>, state: watch::Receiver<Network>) {
    let is_lost = *state.borrow() == Network::Drops;
    if is_lost {
        std::future::pending::<()>().await;
    }
    once(state.clone(), |now| now != Network::Stalls).await;
    let Ok(store) = TcpStream::connect(("127.0.0.1", target.load(Ordering::Acquire))).await else { return };
    let ((from_client, to_client), (from_store, to_store)) = (client.into_split(), store.into_split());
    let asking = carry(from_client, to_store, state.clone(), false);
    let answering = carry(from_store, to_client, state, true);
    tokio::join!(asking, answering);
}

/// Carries what comes, in its order.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: watch::Receiver<Network>, is_answer: bool) {
    let (send, mut due) = mpsc::unbounded_channel::<(Duration, Vec<u8>)>();
    let reading_state = state.clone();
    let reading = async move {
        let mut room = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut room).await {
            let delay = match *reading_state.borrow() {
                Network::Delays(delay) if is_answer => delay,
                _ => Duration::ZERO,
            };
            let _ = send.send((SystemClock.monotonic() + delay, room[..read].to_vec()));
        }
        // Its half stays open until the other one is done.
        drop(send);
        from
    };
    let writing = async {
        while let Some((at, bytes)) = due.recv().await {
            SystemClock.sleep(at.saturating_sub(SystemClock.monotonic())).await;
            once(state.clone(), |now| now != Network::Stalls).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        once(state.clone(), |now| now != Network::Stalls).await;
        let _ = to.shutdown().await;
    };
    let mut reading = std::pin::pin!(reading);
    let mut writing = std::pin::pin!(async { tokio::join!(reading.as_mut(), writing) });
    let is_lost = tokio::select! {
        biased;
        () = once(state.clone(), |now| now == Network::Drops) => true,
        _ = writing.as_mut() => false,
    };
    if is_lost {
        // Neither closed nor answered: what carried it is kept, and does nothing any more.
        std::future::pending::<()>().await;
    }
}
