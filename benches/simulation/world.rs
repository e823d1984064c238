//! The world around the clients in virtual time: a clock, a server with a limit, and a store that answers one question after another.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyfit::budget::{Budget, BudgetError, MemoryBudget, Reservation, Reserved};
use keyfit::http_client::{Body, HttpClient, SendError, Sending, http};
use keyfit::{Clock, SystemClock};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request on its way to the server, and its answer on its way back, in milliseconds.
const WAY: std::ops::Range<u32> = 10..31;
/// A question on its way to the store, and its answer on its way back, in milliseconds.
const WAY_TO_STORE: std::ops::Range<u32> = 0..3;
/// How long the store is busy with a question, see `--bench budget`.
const SERVICE: Duration = Duration::from_micros(50);

/// Tokio's clock, which stands still while there is work, with a time of day that goes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Virtual;

impl Clock for Virtual {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

/// The time of day.
pub(crate) fn now() -> Duration {
    Virtual.now().duration_since(UNIX_EPOCH).expect("after 1970")
}

/// A random number of a range.
pub(crate) fn random(range: std::ops::Range<u32>) -> u32 {
    range.start + getrandom::u32().expect("randomness") % (range.end - range.start)
}

async fn travel(range: std::ops::Range<u32>) {
    Virtual.sleep(Duration::from_millis(random(range).into())).await;
}

/// Whether a replica is alive. One that is dead sends nothing and hears nothing, as after SIGKILL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life(Arc<AtomicBool>);

impl Life {
    pub(crate) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Never ends where the replica is dead.
    async fn check(&self) {
        if self.0.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

/// How the server counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Counting {
    /// By windows of the clock.
    Fixed,
    /// The calls of the time before; the reset is when the oldest of them no longer counts.
    Sliding,
}

/// The calls of one window of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    pub(crate) served: u64,
    pub(crate) refused: u64,
}

/// A server that allows so many calls in so many seconds.
#[derive(Debug)]
pub(crate) struct Server {
    limit: u64,
    seconds: u64,
    counting: Counting,
    windows: Mutex<BTreeMap<u64, Window>>,
    recent: Mutex<VecDeque<Duration>>,
}

impl Server {
    pub(crate) fn new(limit: u64, seconds: u64, counting: Counting) -> Self {
        Self { limit, seconds, counting, windows: Mutex::default(), recent: Mutex::default() }
    }

    /// The calls, by the number of the window.
    pub(crate) fn windows(&self) -> BTreeMap<u64, Window> {
        self.windows.lock().expect("no panic").clone()
    }

    fn answer(&self) -> Result<http::Response<Body>, SendError> {
        let now = now();
        let mut windows = self.windows.lock().expect("no panic");
        let number = now.as_secs() / self.seconds;
        let window = windows.entry(number).or_default();
        let (counted, reset) = match self.counting {
            Counting::Fixed => (window.served, (number + 1) * self.seconds),
            Counting::Sliding => {
                let mut recent = self.recent.lock().expect("no panic");
                while recent.front().is_some_and(|call| *call + Duration::from_secs(self.seconds) <= now) {
                    recent.pop_front();
                }
                let counted = recent.len() as u64;
                if counted < self.limit {
                    recent.push_back(now);
                }
                let oldest = recent.front().copied().unwrap_or(now);
                (counted, oldest.as_secs() + self.seconds + 1)
            }
        };
        let is_within = counted < self.limit;
        *(if is_within { &mut window.served } else { &mut window.refused }) += 1;
        let left = self.limit.saturating_sub(counted + 1);
        let answer = http::Response::builder()
            .header("content-type", "application/json")
            .header("x-ratelimit-limit", self.limit)
            .header("x-ratelimit-remaining", left)
            .header("x-ratelimit-reset", reset);
        let answer = if is_within {
            answer.body("[]".into())
        } else {
            answer.status(429).header("retry-after", reset - now.as_secs()).body("{}".into())
        };
        answer.map_err(SendError::new)
    }
}

/// The HTTP client of a replica.
#[derive(Clone, Debug)]
pub(crate) struct ToServer {
    pub(crate) server: Arc<Server>,
    pub(crate) life: Life,
}

impl HttpClient for ToServer {
    fn send(&self, _: http::Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            self.life.check().await;
            travel(WAY).await;
            let answer = self.server.answer();
            travel(WAY).await;
            self.life.check().await;
            answer
        })
    }
}

/// The rules of a budget, behind a store that answers one question after another.
#[derive(Debug)]
pub(crate) struct Store {
    rules: MemoryBudget,
    questions: Mutex<Questions>,
}

#[derive(Debug, Default)]
struct Questions {
    /// When the store is done with those that have come.
    done_at: Duration,
    /// How many came, by the second.
    seconds: BTreeMap<u64, u64>,
    /// The longest that one waited for its turn.
    longest: Duration,
    /// From when to when no question is answered.
    lost: Option<(Duration, Duration)>,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { rules: MemoryBudget::default().clock(Virtual), questions: Mutex::default() }
    }

    /// Answers nothing from when to when.
    pub(crate) fn lose(&self, from: Duration, until: Duration) {
        self.questions.lock().expect("no panic").lost = Some((from, until));
    }

    /// How many questions came, by the second.
    pub(crate) fn seconds(&self) -> BTreeMap<u64, u64> {
        self.questions.lock().expect("no panic").seconds.clone()
    }

    /// The longest that a question waited for its turn.
    pub(crate) fn longest(&self) -> Duration {
        self.questions.lock().expect("no panic").longest
    }

    /// The time until the store has answered this question too; `None` where it is lost.
    fn turn(&self) -> Option<Duration> {
        let now = now();
        let mut questions = self.questions.lock().expect("no panic");
        if questions.lost.is_some_and(|(from, until)| (from..until).contains(&now)) {
            return None;
        }
        *questions.seconds.entry(now.as_secs()).or_default() += 1;
        questions.done_at = questions.done_at.max(now) + SERVICE;
        let wait = questions.done_at.saturating_sub(now);
        questions.longest = questions.longest.max(wait);
        Some(wait)
    }
}

/// The way of a replica to the store.
#[derive(Clone, Debug)]
pub(crate) struct ToStore {
    pub(crate) store: Arc<Store>,
    pub(crate) life: Life,
    /// How much longer a question of this replica takes in each direction.
    pub(crate) away: Duration,
}

impl Budget for ToStore {
    fn reserve<'a>(&'a self, bucket: &'a str, asked: Reservation) -> BoxFuture<'a, Result<Reserved, BudgetError>> {
        Box::pin(async move {
            self.life.check().await;
            Virtual.sleep(self.away).await;
            travel(WAY_TO_STORE).await;
            let Some(wait) = self.store.turn() else { pending().await };
            Virtual.sleep(wait).await;
            let reserved = self.store.rules.reserve(bucket, asked).await;
            travel(WAY_TO_STORE).await;
            Virtual.sleep(self.away).await;
            self.life.check().await;
            reserved
        })
    }
}
