//! The mock's HTTP/1.1 server, with limits against slow or greedy clients.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use keyfit::{Clock as _, SystemClock};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::http_service::HttpService;
use super::tool::faults::LONGEST_DELAY;

/// The time for which a stopped server waits for active requests: longer than the longest delay.
const SHUTDOWN_TIMEOUT: Duration = LONGEST_DELAY.saturating_add(Duration::from_secs(5));

/// The highest number of concurrent connections. More wait until one ends.
const MOST_CONNECTIONS: usize = 16_384;
/// The highest number of connections that the kernel keeps until they are accepted. It drops more, and their clients try again after a second.
const BACKLOG: u32 = 4096;
/// The time limit for the head of a request, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest head, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
/// The pause after a connection could not be accepted: if no file handles are free, immediate retries would occupy a processor.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

/// A server that runs until it is stopped or dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// An open socket that is not served yet.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Opens the socket.
    #[expect(clippy::unused_async, reason = "it must be called within the runtime whose socket it is")]
    pub(super) async fn bind(at: SocketAddr) -> io::Result<Self> {
        let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As `TcpListener::bind` does: a server that was just stopped leaves no port in use.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        let socket = socket.listen(BACKLOG)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Returns its address, with the port that was free.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Server {
    /// Starts to serve in the background.
    pub(super) fn start(listener: Listener, http_service: HttpService) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener.socket, Arc::new(http_service), MOST_CONNECTIONS, stopped));
        Self { address: listener.address, stop: Some(stop), task }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, waits for active requests, and ends.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        // An error means that the task had ended before.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections. They are in a set of their own, so that they end with the task.
async fn accept(
    listener: TcpListener,
    http_service: Arc<HttpService>,
    most: usize,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(most));
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, _)| (stream, permit))
        };
        tokio::select! {
            accepted = accepted => match accepted {
                Ok((stream, permit)) => {
                    connections.spawn(serve(stream, Arc::clone(&http_service), graceful.watcher(), permit));
                }
                // The error concerns only its client, or there is no free file handle.
                Err(_) => SystemClock.sleep(ACCEPT_RETRY_PAUSE).await,
            },
            _ = &mut stopped => break,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // A request that never ends must not keep the mock alive forever.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

async fn serve(stream: TcpStream, http_service: Arc<HttpService>, watcher: Watcher, _permit: OwnedSemaphorePermit) {
    // Answers are small and complete: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let http_service = Arc::clone(&http_service);
        async move { http_service.respond(request).await }
    });
    // An error means that the client disconnected, or that a fault closed the connection.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(LARGEST_HEAD);
    let _ = watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await;
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::super::core::Core;
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::mock::shipped;

    const REQUEST: &[u8] = b"GET /nothing HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n";

    /// Starts a server for at most this number of connections.
    async fn server(most: usize) -> (SocketAddr, oneshot::Sender<()>) {
        let catalogue = Catalogue::read(&shipped("guide").expect("it ships")).expect("it can be read");
        let core = Arc::new(Core::new(catalogue.api, catalogue.contract, None));
        let http_service = HttpService { core, base_path: "".into(), admin: None };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(accept(listener, Arc::new(http_service), most, stopped));
        (address, stop)
    }

    /// Returns the answer to these bytes until the server closes the connection, and the seconds until then.
    async fn talk(address: SocketAddr, bytes: &[u8]) -> (String, u64) {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("it is taken");
        let mut answer = Vec::new();
        // A reset ends the answer as well.
        let _ = stream.read_to_end(&mut answer).await;
        (String::from_utf8_lossy(&answer).into_owned(), began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_sent_head_and_a_half_sent_body_end_by_themselves() {
        let (address, _stop) = server(8).await;
        for half in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: a.test\r\n"] {
            let (_, seconds) = talk(address, half).await;
            assert_eq!(seconds, 30, "{half:?}");
        }
        let (answer, seconds) = talk(address, b"POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 9\r\n\r\n{").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(seconds, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_drips_has_no_more_time_than_one_that_does_not_come() {
        let (address, _stop) = server(8).await;
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        while stream.write_all(b"x").await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(60), "it drips on");
            SystemClock.sleep(Duration::from_secs(7)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_over_the_limit_wait_until_idle_ones_are_closed() {
        let (address, _stop) = server(2).await;
        assert_eq!(talk(address, REQUEST).await.1, 0);
        let idle = [TcpStream::connect(address).await, TcpStream::connect(address).await];
        let (answer, seconds) = talk(address, REQUEST).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert_eq!(seconds, 30);
        drop(idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_without_end_is_refused() {
        let (address, _stop) = server(8).await;
        let head = [b"GET / HTTP/1.1\r\nx: ", &*vec![b'x'; LARGEST_HEAD + 1]].concat();
        let (answer, _) = talk(address, &head).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}
