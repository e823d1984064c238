//! An API that takes items and remembers them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use keyfit::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Clone)]
pub(crate) struct Remembering {
    pub(crate) url: String,
    /// Owner and number of each item, in the order in which they came.
    received: Arc<Mutex<Vec<(String, u64)>>>,
    state: Arc<Mutex<State>>,
    /// A batch came.
    pub(crate) came: Arc<Notify>,
    /// A batch is answered.
    pub(crate) answered: Arc<Notify>,
}

#[derive(Clone, Copy)]
struct State {
    takes: Duration,
    is_closed: bool,
}

impl Remembering {
    /// Takes so long for a batch.
    pub(crate) async fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = State { takes, is_closed: false };
        let api = Self {
            url,
            received: Arc::default(),
            state: Arc::new(Mutex::new(state)),
            came: Arc::default(),
            answered: Arc::default(),
        };
        let answering = api.clone();
        let router = Router::new().fallback(move |body: Bytes| {
            let api = answering.clone();
            async move { api.answer(&body).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    pub(crate) fn received(&self) -> Vec<(String, u64)> {
        self.received.lock().expect("no panic").clone()
    }

    /// Refuses every call, or no more.
    pub(crate) fn close(&self, is_closed: bool) {
        self.state.lock().expect("no panic").is_closed = is_closed;
    }

    async fn answer(&self, body: &[u8]) -> (StatusCode, String) {
        let state = *self.state.lock().expect("no panic");
        if state.is_closed {
            return (StatusCode::UNAUTHORIZED, "{}".to_owned());
        }
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let items = body["parcels"].as_array().expect("a list").clone();
        {
            let mut received = self.received.lock().expect("no panic");
            let known = |item: &Value| {
                (item["owner"].as_str().expect("an owner").to_owned(), item["n"].as_u64().expect("a number"))
            };
            received.extend(items.iter().map(known));
        }
        self.came.notify_waiters();
        SystemClock.sleep(state.takes).await;
        let told = |item: &Value| json!({ "ref": item["ref"], "state": "stored" });
        let answer = json!({ "results": items.iter().map(told).collect::<Vec<_>>() });
        self.answered.notify_waiters();
        (StatusCode::OK, answer.to_string())
    }
}
