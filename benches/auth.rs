//! What keeping a token good costs: `cargo bench --bench auth`.
//!
//! - choosing the alternative that opens a call, of what a client holds;
//! - asking a warm credential for its token, by 1 and by 64 callers, against a fixed token, as a share of a request on
//!   loopback: both in this run;
//! - 10,000 callers over a token that expires: fetches and failures;
//! - a key that is rotated every second under 64 callers for 10 s: requests and failures.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures_core::future::BoxFuture;
use keyfit::auth::{AccessToken, Carrier, Credential, Refresh, TokenSource};
use keyfit::dispatch::Access;
use keyfit::scopien::{Key, kind};
use keyfit::{Api, Config, DynamicClient, Error, Operation, scopien};
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const CALLS: usize = 200_000;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        choosing();
        warm().await;
        expiring().await;
        rotation().await;
    });
}

/// Issues `key-1`, `key-2`, ... and counts how often it is asked.
#[derive(Clone, Debug)]
struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    number: AtomicUsize,
    asked: AtomicUsize,
    life: Option<Duration>,
}

impl Desk {
    fn new(life: Option<Duration>) -> Self {
        Self(Arc::new(Inner { number: AtomicUsize::new(1), asked: AtomicUsize::new(0), life }))
    }
}

impl TokenSource for Desk {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
            pause(Duration::from_millis(5)).await;
            let token = AccessToken::new(format!("key-{}", self.0.number.load(Ordering::SeqCst)));
            #[expect(clippy::disallowed_methods, reason = "a bench has no clock of its own")]
            Ok(token.expiring_at(self.0.life.map(|life| SystemTime::now() + life)))
        })
    }
}

/// What it costs a call that its operation has alternatives.
fn choosing() {
    const fn row(id: &'static str) -> Operation {
        Operation::new(id, "call", "GET", "/things")
    }
    static API: Api = Api::new("parcels").with_operations(&[
        row("one").with_security(&[&["key"]]),
        row("several").with_security(&[&["session"], &["other"], &["key"], &["key", "login"], &[]]),
    ]);
    let credential =
        |kind: &str, carrier| Access::Token("a:fixture".into()).credential(kind, carrier).expect("a token");
    let key = credential("key", Carrier::Header("X-Key"));
    let all = key.and(&credential("login", Carrier::Basic)).and(&credential("third", Carrier::Cookie("sid")));
    println!("{:<60}{:>12}", "choosing an alternative", "ns/call");
    for (credential, id, what) in
        [(&key, "one", "1 credential, 1 alternative"), (&all, "several", "3 credentials, 5 alternatives, 2 at once")]
    {
        let config = Config::default().base_url("http://127.0.0.1:9");
        let client = DynamicClient::new(&API, credential.clone(), config).expect("a client");
        let start = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(&client).opens(std::hint::black_box(id)).expect("it opens");
        }
        println!("{what:<60}{:>12.0}", per(start.elapsed(), CALLS) * 1e9);
    }
}

async fn warm() {
    let fixed: Credential<kind::Key> = Key::new("key-1").expect("a key").into();
    let kept: Credential<kind::Key> = Credential::from_source(Desk::new(Some(Duration::from_secs(3600))));
    let server = Server::start(&["key-1"]);
    let request = request_micros(&server, &kept).await;
    println!("{:<34}{:>12}{:>12}{:>22}", "", "ns/call", "fixed", "share of a request");
    for callers in [1, CALLERS] {
        let kept = asking(&kept, callers).await;
        let fixed = asking(&fixed, callers).await;
        println!(
            "{:<34}{kept:>12.0}{fixed:>12.0}{:>20.3} %",
            format!("a warm token, {callers} callers"),
            kept / request / 10.0
        );
    }
}

/// Nanoseconds on the wall for one answer.
async fn asking(credential: &Credential<kind::Key>, callers: usize) -> f64 {
    credential.ready().await.expect("a token");
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let credential = credential.clone();
        tasks.spawn(async move {
            for _ in 0..CALLS / callers {
                credential.ready().await.expect("a token");
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    per(start.elapsed(), CALLS) * 1e9
}

/// Microseconds for one call.
async fn request_micros(server: &Server, credential: &Credential<kind::Key>) -> f64 {
    let client = server.client(credential);
    for _ in 0..200 {
        client.auth_test().send().await.expect("an answer");
    }
    let start = Instant::now();
    for _ in 0..2_000 {
        client.auth_test().send().await.expect("an answer");
    }
    per(start.elapsed(), 2_000) * 1e6
}

async fn expiring() {
    let desk = Desk::new(Some(Duration::from_secs(1)));
    let credential: Credential<kind::Key> = Credential::from_source(desk.clone());
    credential.ready().await.expect("a token");
    pause(Duration::from_millis(1_050)).await;
    let before = desk.0.asked.load(Ordering::SeqCst);
    let mut callers = JoinSet::new();
    for _ in 0..10_000 {
        let credential = credential.clone();
        callers.spawn(async move { credential.ready().await.is_ok() });
    }
    let mut failures = 0;
    while let Some(is_ok) = callers.join_next().await {
        failures += usize::from(!is_ok.unwrap_or(false));
    }
    let fetches = desk.0.asked.load(Ordering::SeqCst) - before;
    println!("10,000 callers over an expired token: {fetches} fetch, {failures} failures");
}

async fn rotation() {
    let server = Server::start(&["key-1"]);
    let desk = Desk::new(None);
    let credential: Credential<kind::Key> = Credential::refreshed(desk.clone(), Refresh::default());
    let client = server.client(&credential);
    let (calls, failures) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (client, calls, failures, is_over) = (client.clone(), calls.clone(), failures.clone(), is_over.clone());
        callers.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                let is_ok = client.auth_test().send().await.is_ok();
                calls.fetch_add(1, Ordering::Relaxed);
                failures.fetch_add(usize::from(!is_ok), Ordering::Relaxed);
            }
        });
    }
    let mut rotations = 0;
    for _ in 0..8 {
        pause(Duration::from_millis(1_250)).await;
        // Mint, distribute, then revoke: the client learns of it by its first 401.
        let next = desk.0.number.load(Ordering::SeqCst) + 1;
        server.accept(&format!("key-{next}"));
        desk.0.number.store(next, Ordering::SeqCst);
        server.refuse(&format!("key-{}", next - 1));
        rotations += 1;
    }
    pause(Duration::from_millis(250)).await;
    is_over.store(true, Ordering::Relaxed);
    while callers.join_next().await.is_some() {}
    println!(
        "{rotations} rotations under {CALLERS} callers in 10 s: {} requests, {} failures, {} fetches",
        calls.load(Ordering::Relaxed),
        failures.load(Ordering::Relaxed),
        desk.0.asked.load(Ordering::SeqCst)
    );
}

async fn pause(time: Duration) {
    tokio::time::timeout(time, std::future::pending::<()>()).await.ok();
}

fn per(time: Duration, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = count as f64;
    time.as_secs_f64() / count
}

/// A bare server that knows which keys are good, on a thread a connection.
struct Server {
    base: String,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl Server {
    fn start(keys: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let keys: Arc<Mutex<HashSet<String>>> =
            Arc::new(Mutex::new(keys.iter().map(|key| (*key).to_owned()).collect()));
        let known = Arc::clone(&keys);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let known = Arc::clone(&known);
                std::thread::spawn(move || talk(stream.expect("a connection"), &known));
            }
        });
        Self { base, keys }
    }

    fn client(&self, credential: &Credential<kind::Key>) -> scopien::Client {
        scopien::Client::with_config(credential.clone(), Config::default().base_url(&self.base)).expect("a client")
    }

    fn accept(&self, key: &str) {
        self.keys.lock().expect("no thread panics").insert(key.to_owned());
    }

    fn refuse(&self, key: &str) {
        self.keys.lock().expect("no thread panics").remove(key);
    }
}

fn talk(mut stream: TcpStream, keys: &Mutex<HashSet<String>>) {
    const BODY: &str =
        r#"{"authenticated":true,"keyId":"key_1","scopes":["read"],"rateLimit":{"limit":1,"remaining":1,"reset":1}}"#;
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut is_good = false;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("authorization") {
                let key = value.trim_end().trim_start_matches("Bearer ");
                is_good = keys.lock().expect("no thread panics").contains(key);
            }
        }
        let (status, body) = if is_good { ("200 OK", BODY) } else { ("401 Unauthorized", "{}") };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
