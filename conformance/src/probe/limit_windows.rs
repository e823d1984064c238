//! Keeps the probes of a live server within its rate limits. If a window is exhausted, the next call waits for the next window. A call
//! that was refused because of a limit is sent once more. If the server asks all clients to wait, the calls wait in the same way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::{Instant, sleep_until};

use super::judge::LimitSnapshot;
use super::reply::Reply;
use super::request::Draft;
use crate::contract::{Bucket, RateLimit};
use crate::run::Halt;

/// The longest window that is waited for. A longer one ends the case: a check must not hang for a day.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(120);
/// The wait after a 429 that does not contain one.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// The known rate limit windows.
#[derive(Debug)]
pub(super) struct LimitWindows {
    rules: Option<RateLimit>,
    /// The ends of exhausted windows, by bucket.
    ends: Mutex<HashMap<String, Instant>>,
    turns: RwLock<()>,
    halt: Halt,
}

/// The permit that a case holds while it runs.
#[derive(Debug)]
pub(super) enum CasePermit<'a> {
    /// Other cases run concurrently.
    Shared(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, ()>),
    /// No other case runs.
    Alone(#[expect(dead_code, reason = "held")] RwLockWriteGuard<'a, ()>),
}

impl LimitWindows {
    pub(super) fn new(rules: Option<RateLimit>, halt: Halt) -> Self {
        Self { rules, ends: Mutex::default(), turns: RwLock::default(), halt }
    }

    /// Waits for the turn of a case. If it counts calls, it runs alone.
    pub(super) async fn permit(&self, counts: bool) -> CasePermit<'_> {
        if counts { CasePermit::Alone(self.turns.write().await) } else { CasePermit::Shared(self.turns.read().await) }
    }

    /// Waits for the window of the request. Returns `false` if the run ends before that.
    pub(super) async fn ready(&self, draft: &Draft) -> bool {
        let end = self.ends.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.bucket(draft));
        match end {
            Some(end) => self.waits_until(end).await,
            None => true,
        }
    }

    /// Waits until an instant. Returns `false` if the run ends before that.
    pub(super) async fn waits_until(&self, end: Instant) -> bool {
        tokio::select! {
            () = sleep_until(end) => true,
            () = self.halt.halted() => false,
        }
    }

    /// Learns from an answer. Returns whether it asks to wait; the request can then be sent once more after [`ready`](Self::ready).
    pub(super) fn learn(&self, draft: &Draft, reply: &Reply) -> bool {
        let wait = match self.wait(reply) {
            Some(wait) if wait <= MAX_WAIT => wait,
            _ => return false,
        };
        let bucket = self.bucket(draft);
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket, Instant::now() + wait);
        reply.asks_to_wait()
    }

    /// Returns the time until the window of an answer ends if it is exhausted, and `None` otherwise.
    fn wait(&self, reply: &Reply) -> Option<Duration> {
        if reply.asks_to_wait() {
            return Some(wait(self.rules.as_ref(), reply).max(DEFAULT_WAIT));
        }
        let spent = LimitSnapshot::read(self.rules.as_ref()?, reply).ok().filter(|snapshot| snapshot.remaining == 0)?;
        u64::try_from(spent.reset_in?).ok().map(Duration::from_secs)
    }

    /// Returns the bucket of a request. It may be finer than the server's buckets, which only means that a limit is learned more than once.
    fn bucket(&self, draft: &Draft) -> String {
        let token: String = draft.credentials.iter().map(|(_, value)| value.as_str()).collect();
        match self.rules.as_ref().map(|rules| rules.bucket) {
            Some(Bucket::Credential) => token,
            _ => format!("{token} {} {}", draft.method, draft.url.path()),
        }
    }
}

/// Returns the wait that an answer asks for, by `Retry-After`, by its body, or by the end of the window; zero if it contains none.
pub(super) fn wait(rules: Option<&RateLimit>, reply: &Reply) -> Duration {
    let in_header = || reply.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok();
    let in_body = || {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        body.pointer(rules?.retry_after_body.as_ref()?)?.as_u64()
    };
    let reset = || u64::try_from(LimitSnapshot::read(rules?, reply).ok()?.reset_in?).ok();
    Duration::from_secs(in_header().or_else(in_body).or_else(reset).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::contract::{Carrier, Citation, ResetUnit};

    fn limit_windows() -> LimitWindows {
        let rules = Some(RateLimit {
            limit_header: "x-limit".to_owned(),
            remaining_header: "x-remaining".to_owned(),
            reset_header: "x-reset".to_owned(),
            reset: ResetUnit::DeltaSeconds,
            limit: 10,
            window_seconds: 60,
            bucket: Bucket::Credential,
            retry_after: false,
            retry_after_body: None,
            source: Citation { page: "page".to_owned(), section: None },
            is_of_document: false,
        });
        LimitWindows::new(rules, Halt::default())
    }

    fn draft(path: &str) -> Draft {
        let url = Url::parse(&format!("http://localhost{path}")).expect("a URL");
        Draft::outside("GET", url).with(&Carrier::Header, "fixture-token-limit_windows") // not-a-secret
    }

    fn reply(status: u16, headers: &[(&'static str, &'static str)]) -> Reply {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Reply { status, headers, body: Vec::new() }
    }

    async fn waited(limit_windows: &LimitWindows, path: &str) -> Duration {
        let began = Instant::now();
        limit_windows.ready(&draft(path)).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_window_is_waited_for_by_all_its_calls() {
        let limit_windows = limit_windows();
        let spent = reply(200, &[("x-limit", "10"), ("x-remaining", "0"), ("x-reset", "7")]);
        assert!(!limit_windows.learn(&draft("/a"), &spent), "it was served");
        assert_eq!(waited(&limit_windows, "/b").await, Duration::from_secs(7));
        assert_eq!(waited(&limit_windows, "/b").await, Duration::ZERO, "the next window is open");
        let left = reply(200, &[("x-limit", "10"), ("x-remaining", "1"), ("x-reset", "7")]);
        assert!(!limit_windows.learn(&draft("/a"), &left));
        assert_eq!(waited(&limit_windows, "/a").await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_ended_waits_for_no_window() {
        let limit_windows = limit_windows();
        assert!(limit_windows.learn(&draft("/a"), &reply(429, &[("retry-after", "60")])));
        limit_windows.halt.halt();
        let began = Instant::now();
        assert!(!limit_windows.ready(&draft("/a")).await, "it is not to be sent");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_call_is_sent_once_more_after_the_wait_that_is_asked_for() {
        let limit_windows = limit_windows();
        assert!(limit_windows.learn(&draft("/a"), &reply(429, &[("retry-after", "3")])));
        assert_eq!(waited(&limit_windows, "/a").await, Duration::from_secs(3));
        assert!(limit_windows.learn(&draft("/a"), &reply(429, &[])));
        assert_eq!(waited(&limit_windows, "/a").await, DEFAULT_WAIT);
        assert!(limit_windows.learn(&draft("/a"), &reply(503, &[("retry-after", "2")])));
        assert_eq!(waited(&limit_windows, "/a").await, Duration::from_secs(2));
        assert!(!limit_windows.learn(&draft("/a"), &reply(503, &[])), "a server that failed does not ask to wait");
        assert!(
            !limit_windows.learn(&draft("/a"), &reply(429, &[("retry-after", "86400")])),
            "a day is not waited for"
        );
        assert_eq!(waited(&limit_windows, "/a").await, Duration::ZERO);
    }
}
