//! The receiver of webhook deliveries: a small HTTP server that keeps the deliveries of each case separately.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use keyfit::{Clock as _, SystemClock};
use reqwest::Url;
use reqwest::header::HeaderMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::clock;
use crate::server::server_url;

/// The longest delivery, in bytes: longer ones are answered with 413 and not kept.
const LARGEST_BODY: usize = 1024 * 1024;
/// The longest head, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
/// The highest number of concurrent connections. More wait until one ends.
const MOST_CONNECTIONS: usize = 64;
/// The highest number of deliveries that are kept for one case. Later ones are answered and discarded.
const MOST_DELIVERIES: usize = 100;
/// The highest number of deliveries that are refused: a delivery with another body each time is accepted in the end.
const MOST_REFUSED: usize = 3;
/// The time limit for a head, and for a body.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The address of the receiver, as the user configures it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiverAddress {
    /// The host and port on which it listens.
    listen: String,
    /// The URL at which the server reaches it, if that is another one.
    url: Option<Url>,
}

/// A receiver. It ends when it is dropped.
pub struct Receiver {
    url: Url,
    /// True if the user states that the server reaches it.
    is_named: bool,
    slots: Arc<DeliverySlots>,
    task: JoinHandle<()>,
}

/// The slots for deliveries, by their tokens.
#[derive(Default)]
struct DeliverySlots {
    by_token: Mutex<HashMap<String, Arc<DeliverySlot>>>,
    was_reached: AtomicBool,
}

/// The slot for the deliveries of one case.
pub(super) struct DeliverySlot {
    pub(super) url: Url,
    /// True if each delivery is answered with 503 when it arrives for the first time.
    refuses: AtomicBool,
    received: Mutex<Vec<Delivery>>,
    arrived: Notify,
}

/// A delivery from a server.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) at: Instant,
    /// The same instant in seconds since the Unix epoch.
    pub(super) epoch: u64,
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The status of the answer.
    pub(super) status: u16,
}

impl std::str::FromStr for ReceiverAddress {
    type Err = String;

    /// Parses `HOST:PORT`, or `URL=HOST:PORT` if the server reaches it at that URL.
    fn from_str(text: &str) -> Result<Self, String> {
        let (url, listen) = match text.rsplit_once('=') {
            Some((url, listen)) => (Some(server_url(url)?), listen),
            None if text.contains("://") => {
                return Err("say as well where it listens: URL=HOST:PORT".to_owned());
            }
            None => (None, text),
        };
        let (host, port) = listen.rsplit_once(':').ok_or("write it as HOST:PORT, or URL=HOST:PORT")?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err("write it as HOST:PORT, or URL=HOST:PORT".to_owned());
        }
        let is_any = ["0.0.0.0", "[::]"].contains(&host);
        if url.is_none() && (is_any || Url::parse(&format!("http://{listen}")).is_err()) {
            return Err(format!("no server reaches it as `{host}`: write URL={listen}"));
        }
        Ok(Self { listen: listen.to_owned(), url })
    }
}

impl Receiver {
    /// Starts a receiver at the user's address.
    ///
    /// # Errors
    /// Returns an error if it cannot listen there.
    pub async fn at(at: &ReceiverAddress) -> Result<Self, String> {
        let problem = |error: io::Error| {
            format!(
                "the receiver cannot listen at {}: {error}; where that is no address of this machine, write URL=HOST:PORT",
                at.listen
            )
        };
        let socket = TcpListener::bind(&at.listen).await.map_err(problem)?;
        let port = socket.local_addr().map_err(problem)?.port();
        let host = at.listen.rsplit_once(':').map_or(at.listen.as_str(), |(host, _)| host);
        let url = match &at.url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{host}:{port}")).map_err(|error| error.to_string())?,
        };
        Ok(Self::start(socket, url, true))
    }

    /// Starts a receiver on a free port of the local machine, for a server on the local machine.
    pub(super) async fn here() -> Result<Self, String> {
        let problem = |error: io::Error| format!("the receiver cannot listen on this machine: {error}");
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(problem)?;
        let address = socket.local_addr().map_err(problem)?;
        let url = Url::parse(&format!("http://{address}")).map_err(|error| error.to_string())?;
        Ok(Self::start(socket, url, false))
    }

    fn start(socket: TcpListener, url: Url, is_named: bool) -> Self {
        let slots = Arc::new(DeliverySlots::default());
        let task = tokio::spawn(accept(socket, Arc::clone(&slots)));
        Self { url, is_named, slots, task }
    }

    /// Returns the URL at which the server reaches it.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns whether the server is known to reach it: a delivery arrived, or the user states it.
    pub(super) fn is_reachable(&self) -> bool {
        self.is_named || self.slots.was_reached.load(Ordering::Relaxed)
    }

    /// Creates a slot with a path that cannot be guessed, so that no other client delivers to it.
    pub(super) fn slot(&self) -> Arc<DeliverySlot> {
        let token = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&token);
        }
        let slot = Arc::new(DeliverySlot {
            url,
            refuses: AtomicBool::new(false),
            received: Mutex::default(),
            arrived: Notify::new(),
        });
        self.slots.by_token().insert(token, Arc::clone(&slot));
        slot
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DeliverySlots {
    fn by_token(&self) -> MutexGuard<'_, HashMap<String, Arc<DeliverySlot>>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the slot of a path. A prefix may belong to a proxy.
    fn at(&self, path: &str) -> Option<Arc<DeliverySlot>> {
        let known = self.by_token();
        path.split('/').find_map(|segment| known.get(segment)).cloned()
    }

    async fn take(&self, request: Request<Incoming>) -> StatusCode {
        self.was_reached.store(true, Ordering::Relaxed);
        let (parts, body) = request.into_parts();
        let Some(slot) = self.at(parts.uri.path()) else { return StatusCode::NOT_FOUND };
        let body = match timeout(HEADER_TIMEOUT, Limited::new(body, LARGEST_BODY).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
            Err(_) => return StatusCode::REQUEST_TIMEOUT,
        };
        let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let status = slot.keep(Delivery {
            at: Instant::now(),
            epoch: clock::epoch_seconds(),
            method: parts.method.to_string(),
            target,
            headers: parts.headers,
            body,
            status: 200,
        });
        StatusCode::from_u16(status).unwrap_or(StatusCode::OK)
    }
}

impl DeliverySlot {
    fn received(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers each later delivery with 503 when it arrives for the first time.
    pub(super) fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }

    /// Keeps a delivery; returns the status of its answer.
    fn keep(&self, delivery: Delivery) -> u16 {
        let mut received = self.received();
        let refused = received.iter().filter(|known| known.status == 503);
        let is_new =
            refused.clone().count() < MOST_REFUSED && !refused.into_iter().any(|known| known.body == delivery.body);
        let status = if self.refuses.load(Ordering::SeqCst) && is_new { 503 } else { 200 };
        if received.len() < MOST_DELIVERIES {
            received.push(Delivery { status, ..delivery });
        }
        drop(received);
        self.arrived.notify_waiters();
        status
    }

    /// Returns the deliveries since an instant.
    pub(super) fn since(&self, since: Instant) -> Vec<Delivery> {
        self.received().iter().filter(|one| one.at >= since).cloned().collect()
    }

    /// Returns once the deliveries fit.
    pub(super) async fn holds(&self, fits: impl Fn(&[Delivery]) -> bool) {
        loop {
            // Created before the check, so that no notification is missed in between.
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            if fits(&self.received()) {
                return;
            }
            arrived.await;
        }
    }
}

/// Accepts connections. They are in a set of their own, so that they end with the task.
async fn accept(socket: TcpListener, slots: Arc<DeliverySlots>) {
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(&slots), permit))),
            // The error concerns only its client, or there is no free file handle.
            Err(_) => SystemClock.sleep(ACCEPT_RETRY_PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, slots: Arc<DeliverySlots>, _permit: OwnedSemaphorePermit) {
    let service = service_fn(move |request| {
        let slots = Arc::clone(&slots);
        async move {
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = slots.take(request).await;
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(LARGEST_HEAD);
    // An error means that the client disconnected.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_receiver_is_is_read_or_refused_with_what_to_write() {
        let read = |text: &str| text.parse::<ReceiverAddress>();
        assert_eq!(read("192.0.2.1:9000").map(|at| (at.listen, at.url)), Ok(("192.0.2.1:9000".to_owned(), None)));
        assert_eq!(read("[::1]:0").map(|at| at.listen), Ok("[::1]:0".to_owned()));
        let tunnel = read("https://hooks.example/in=127.0.0.1:9000").expect("a URL and a place");
        assert_eq!(tunnel.url.map(|url| url.to_string()).as_deref(), Some("https://hooks.example/in"));
        for (text, expected) in [
            ("https://hooks.example", "URL=HOST:PORT"),
            ("9000", "HOST:PORT"),
            (":9000", "HOST:PORT"),
            ("host:70000", "HOST:PORT"),
            ("0.0.0.0:9000", "write URL=0.0.0.0:9000"),
            ("ftp://hooks.example=127.0.0.1:1", "https://"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[tokio::test]
    async fn what_comes_is_kept_by_the_place_that_it_comes_to() {
        let receiver = Receiver::here().await.expect("a port");
        let began = Instant::now();
        let (kept, refused) = (receiver.slot(), receiver.slot());
        refused.refuse();
        assert!(!receiver.is_reachable());
        let http = crate::probe::http_client(false).expect("no TLS is needed");
        let post = |url: String, body: &'static str| http.post(url).body(body).send();
        for (url, status) in [
            (format!("{}/paid?n=1", kept.url), 200),
            (refused.url.to_string(), 503),
            (refused.url.to_string(), 200),
            (format!("{}guessed", receiver.url()), 404),
        ] {
            assert_eq!(post(url.clone(), "{}").await.expect("an answer").status(), status, "{url}");
        }
        let long = http.post(kept.url.clone()).body(vec![b' '; LARGEST_BODY + 1]).send().await;
        assert!(long.is_err() || long.is_ok_and(|answer| answer.status() == 413));
        kept.holds(|received| received.len() == 1).await;
        let deliveries = kept.since(began);
        let [paid] = deliveries.as_slice() else { panic!("{deliveries:?}") };
        assert!(paid.target.ends_with("/paid?n=1") && paid.method == "POST" && *paid.body == *b"{}", "{paid:?}");
        assert_eq!(refused.since(began).len(), 2);
        assert!(receiver.is_reachable());
    }
}
