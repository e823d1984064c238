//! A server that fails by script, at the level of bytes: one step for each attempt of a call, the last one for good.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit::Clock;
use keyfit::observer::{Attempt, Next, Observer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::script::{Body, Fault, Reply};

/// A server under a script, and the clock and the observer of its client: a step ends with the attempt that it met.
#[derive(Clone, Debug)]
pub(crate) struct Server(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    script: Vec<Fault>,
    is_kept_alive: bool,
    success: &'static str,
    turn: AtomicUsize,
    slept: Mutex<Duration>,
    seen: Mutex<Seen>,
    door: tokio::sync::Mutex<Door>,
}

/// What the server and the observer saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Requests of which a byte was read.
    pub(crate) touched: usize,
    /// Requests that were read whole and not refused with 429: a second one may be a second effect.
    pub(crate) executed: usize,
    /// The first lines and headers of the requests.
    pub(crate) heads: Vec<String>,
    /// The wait after an attempt, by its number.
    pub(crate) waits: HashMap<u32, Duration>,
    pub(crate) attempts: u32,
}

#[derive(Debug)]
enum Door {
    /// The port is taken and nobody listens: connections are refused.
    Shut(TcpSocket),
    Open(JoinHandle<()>),
    Moving,
}

impl Server {
    pub(crate) async fn start(script: Vec<Fault>, is_kept_alive: bool, success: &'static str) -> Self {
        let socket = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = socket.local_addr().expect("an address");
        let server = Self(Arc::new(Inner {
            address,
            script,
            is_kept_alive,
            success,
            turn: AtomicUsize::new(0),
            slept: Mutex::default(),
            seen: Mutex::default(),
            door: tokio::sync::Mutex::new(Door::Shut(socket)),
        }));
        server.move_door().await;
        server
    }

    /// A configuration of a client whose waits take no time and move the script on.
    pub(crate) fn config(&self) -> keyfit::Config {
        keyfit::Config::default()
            .base_url(format!("http://{}", self.0.address))
            .clock(self.clone())
            .observer(self.clone())
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.record().clone()
    }

    fn record(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().expect("no test panics while it holds the lock")
    }

    fn fault(&self) -> &Fault {
        let turn = self.0.turn.load(Ordering::SeqCst);
        &self.0.script[turn.min(self.0.script.len() - 1)]
    }

    /// Opens or shuts the door, as this step wants it.
    async fn move_door(&self) {
        let mut door = self.0.door.lock().await;
        let is_shut = matches!(self.fault(), Fault::Refused);
        *door = match std::mem::replace(&mut *door, Door::Moving) {
            Door::Shut(socket) if !is_shut => {
                let listener = socket.listen(64).expect("a listener");
                Door::Open(tokio::spawn(self.clone().accept(listener)))
            }
            Door::Open(accepting) if is_shut => {
                accepting.abort();
                // With the listener its connections are gone too.
                let _ = accepting.await;
                Door::Shut(socket(self.0.address))
            }
            door => door,
        };
    }

    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            connections.spawn(self.clone().talk(stream));
        }
    }

    /// One connection.
    async fn talk(self, mut stream: TcpStream) {
        if let fault @ (Fault::ResetUnread | Fault::CloseUnread) = self.fault() {
            return end(stream, matches!(fault, Fault::ResetUnread));
        }
        while let Ok(()) = stream.readable().await {
            let fault = self.fault().clone();
            if let Fault::ResetUnread | Fault::CloseUnread = fault {
                return end(stream, matches!(fault, Fault::ResetUnread));
            }
            let Some(head) = self.read(&mut stream).await else { return };
            {
                let mut seen = self.record();
                seen.heads.push(head);
                let is_refused = matches!(&fault, Fault::Reply(reply) if reply.status == 429 || reply.is_limit());
                seen.executed += usize::from(!is_refused);
            }
            match fault {
                Fault::Refused | Fault::ResetUnread | Fault::CloseUnread | Fault::CloseRead => return,
                Fault::ResetRead => return end(stream, true),
                Fault::Stalled => return std::future::pending().await,
                Fault::Garbage => drop(stream.write_all(b"220 mail.example ESMTP\r\n\r\n").await),
                Fault::HalfHead => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await),
                Fault::Reply(reply) => {
                    if self.reply(&mut stream, &reply).await && self.0.is_kept_alive {
                        continue;
                    }
                    if let Body::HalfReset = reply.body {
                        return end(stream, true);
                    }
                }
            }
            return end(stream, false);
        }
    }

    /// Reads a request whole; the head of it.
    async fn read(&self, stream: &mut TcpStream) -> Option<String> {
        let mut bytes = Vec::new();
        let mut is_touched = false;
        loop {
            let mut chunk = [0; 4096];
            let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
            if !std::mem::replace(&mut is_touched, true) {
                self.record().touched += 1;
            }
            bytes.extend_from_slice(&chunk[..length]);
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(head);
            }
        }
    }

    /// Writes an answer; whether another may follow on this connection.
    async fn reply(&self, stream: &mut TcpStream, reply: &Reply) -> bool {
        let now = self.now().duration_since(std::time::UNIX_EPOCH).expect("it is later than 1970").as_secs();
        let (head, body) = reply.render(self.0.success, now, self.0.is_kept_alive);
        let half = &body[..body.len() / 2];
        let sent = match reply.body {
            Body::HalfClosed | Body::HalfReset | Body::HalfStalled => [head.as_bytes(), half].concat(),
            Body::Dripped => head.into_bytes(),
            _ => [head.as_bytes(), &body].concat(),
        };
        if stream.write_all(&sent).await.is_err() || stream.flush().await.is_err() {
            return false;
        }
        match reply.body {
            Body::HalfStalled => std::future::pending().await,
            Body::Dripped => {
                for byte in body {
                    if stream.write_all(&[byte]).await.is_err() {
                        return false;
                    }
                    tokio::task::yield_now().await;
                }
                true
            }
            Body::HalfClosed | Body::HalfReset | Body::Longer => false,
            Body::Fits | Body::Empty | Body::NotUtf8 | Body::NotJson | Body::Gzip => true,
        }
    }
}

/// A socket that holds a port and does not listen.
fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option of every system");
    socket.bind(address).expect("the port is ours");
    socket
}

/// Ends a connection, with a reset or in order.
fn end(stream: TcpStream, is_reset: bool) {
    if is_reset {
        stream.set_zero_linger().expect("an option of every system");
    }
    drop(stream);
}

impl Clock for Server {
    fn now(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.slept.lock().expect("no test panics while it holds the lock")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let server = self.clone();
        Box::pin(async move {
            *server.0.slept.lock().expect("no test panics while it holds the lock") += duration;
            server.move_door().await;
        })
    }
}

impl Observer for Server {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let mut seen = self.record();
        seen.attempts = attempt.number;
        if let Next::Wait(wait) = attempt.next {
            seen.waits.insert(attempt.number, wait);
            self.0.turn.fetch_add(1, Ordering::SeqCst);
        }
    }
}
