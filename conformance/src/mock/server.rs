//! The mock's socket: HTTP/1.1, any number of connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::front::Front;
use super::tool::faults::LONGEST_DELAY;

/// How long a server that is stopped waits for requests in flight: longer than the longest delay.
const GRACE: Duration = LONGEST_DELAY.saturating_add(Duration::from_secs(5));

/// A server that runs until it is stopped or dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Opens the socket and serves in the background.
    pub(super) async fn start(at: SocketAddr, front: Front) -> io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, Arc::new(front), stopped));
        Ok(Self { address, stop: Some(stop), task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, waits for the requests in flight, and ends.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        // An error is a task that ended before.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections live in a set of their own, so that they end with the task.
async fn accept(listener: TcpListener, front: Arc<Front>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that failed on the way in concerns its client only.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&front), graceful.watcher()));
            },
            _ = &mut stopped => break,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // A request that never ends does not keep the mock alive for good.
    let _ = timeout(GRACE, graceful.shutdown()).await;
}

async fn serve(stream: TcpStream, front: Arc<Front>, watcher: Watcher) {
    // Answers are small and complete: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { front.respond(request).await }
    });
    // An error is a client that went away, or a fault that cut the connection.
    let _ = watcher.watch(http1::Builder::new().serve_connection(TokioIo::new(stream), service)).await;
}
