//! A token endpoint that takes each refresh token once, and credentials of clients.

use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use keyfit::auth::oauth::{TokenSet, TokenStore};
use keyfit::{Clock as _, SystemClock};
use tokio::net::TcpListener;

/// When a request of the server's choice loses its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Point {
    Asked,
    Rotated,
    Answered,
}

/// The act at a point.
pub(crate) type Act = Box<dyn Fn() + Send + Sync>;

/// A token endpoint and the tokens that it was sent.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
    trap: Arc<Mutex<Option<(usize, Point, Act)>>>,
    /// How long its access tokens live, in seconds.
    lifetime: u64,
}

impl Endpoint {
    pub(crate) async fn start(lifetime: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/token", listener.local_addr().expect("an address"));
        let endpoint = Self { url, seen: Arc::default(), trap: Arc::default(), lifetime };
        let answering = endpoint.clone();
        let router = Router::new().fallback(move |body: String| {
            let answering = answering.clone();
            async move { answering.answer(&body).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        endpoint
    }

    /// Every refresh token that it was sent.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }

    /// A token that it will take.
    pub(crate) fn consent(&self) -> String {
        format!("consent-{}", self.seen().len())
    }

    /// Acts at a point of the request that comes after so many.
    pub(crate) fn set_trap(&self, after: usize, point: Point, act: Act) {
        *self.trap.lock().expect("no panic") = Some((self.seen().len() + after, point, act));
    }

    fn reach(&self, here: Point) {
        let came = self.seen().len();
        let trap = self.trap.lock().expect("no panic").take_if(|(after, point, _)| *after < came && *point == here);
        if let Some((_, _, act)) = trap {
            act();
        }
    }

    async fn answer(&self, body: &str) -> (StatusCode, [(axum::http::HeaderName, &'static str); 1], String) {
        let sent = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=")).unwrap_or("no refresh token");
        let sent = sent.to_owned();
        let number = {
            let mut seen = self.seen.lock().expect("no panic");
            seen.push(sent);
            seen.len()
        };
        self.reach(Point::Asked);
        // As long as a real one takes, so that others come meanwhile.
        SystemClock.sleep(Duration::from_millis(20)).await;
        self.reach(Point::Rotated);
        let text = format!(
            r#"{{"access_token":"fixture-token-{number}","token_type":"Bearer","refresh_token":"r{number}","expires_in":{}}}"#,
            self.lifetime
        );
        let trap = self.clone();
        tokio::spawn(async move {
            SystemClock.sleep(Duration::from_millis(1)).await;
            trap.reach(Point::Answered);
        });
        (StatusCode::OK, [(CONTENT_TYPE, "application/json")], text)
    }
}

/// A round of processes that are killed in a refresh: whoever uses the session has consented, and the processes that are put into the list
/// die at a step of a refresh, all or all but the first, at another one in each round.
pub(crate) async fn begin_round(
    endpoint: &Endpoint,
    round: usize,
    store: &impl TokenStore,
    fresh: impl FnOnce() -> TokenSet,
) -> Round {
    let lock = store.lock().await.expect("the last one has ended");
    let left = store.load().await.expect("whole tokens");
    let is_consented = left.is_none_or(|tokens| tokens.refresh_token().is_none());
    if is_consented {
        store.save(&fresh()).await.expect("saved");
    }
    drop(lock);
    let children: Arc<Mutex<Vec<Child>>> = Arc::default();
    let victims = Arc::clone(&children);
    let point = [Point::Asked, Point::Rotated, Point::Answered][round % 3];
    let kill = move || {
        for child in victims.lock().expect("no panic").iter_mut().skip(round % 2) {
            child.kill().expect("it can be killed");
        }
    };
    endpoint.set_trap(round % 5, point, Box::new(kill));
    Round { children, is_consented }
}

/// A round that was begun.
pub(crate) struct Round {
    pub(crate) children: Arc<Mutex<Vec<Child>>>,
    /// Whether there was no session to go on with.
    pub(crate) is_consented: bool,
}
