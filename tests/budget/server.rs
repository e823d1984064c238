//! A server with a limit that goes by windows of the clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use keyfit::{Clock as _, SystemClock};
use tokio::net::TcpListener;

/// The calls of one window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    pub(crate) served: u64,
    pub(crate) refused: u64,
}

/// Allows `limit` calls in each `seconds` of the clock.
#[derive(Clone, Debug)]
pub(crate) struct Limited {
    pub(crate) url: String,
    limit: u64,
    seconds: u64,
    windows: Arc<Mutex<BTreeMap<u64, Window>>>,
}

impl Limited {
    pub(crate) async fn start(limit: u64, seconds: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { url, limit, seconds, windows: Arc::default() };
        let answering = server.clone();
        let router = Router::new().fallback(move || std::future::ready(answering.answer()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// The calls, window by window; the last may be open still.
    pub(crate) fn windows(&self) -> Vec<Window> {
        self.windows.lock().expect("no panic").values().copied().collect()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.windows().iter().map(|window| window.refused).sum()
    }

    fn number(&self) -> u64 {
        u64::try_from(now() / 1000).expect("now") / self.seconds
    }

    fn answer(&self) -> (StatusCode, HeaderMap, &'static str) {
        let number = self.number();
        let mut windows = self.windows.lock().expect("no panic");
        let window = windows.entry(number).or_default();
        let is_within = window.served < self.limit;
        *(if is_within { &mut window.served } else { &mut window.refused }) += 1;
        let reset = (number + 1) * self.seconds;
        let mut headers = HeaderMap::new();
        let mut put = |name, value: u64| headers.insert(name, HeaderValue::from(value));
        put("x-ratelimit-limit", self.limit);
        put("x-ratelimit-remaining", self.limit.saturating_sub(window.served));
        put("x-ratelimit-reset", reset);
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if is_within {
            return (StatusCode::OK, headers, "[]");
        }
        headers.insert("retry-after", HeaderValue::from(reset - u64::try_from(now() / 1000).expect("now")));
        (StatusCode::TOO_MANY_REQUESTS, headers, "{}")
    }
}

/// Milliseconds since 1970.
fn now() -> u128 {
    SystemClock.now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}
