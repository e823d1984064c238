//! A scripted server for client tests: one answer for everything, and a record of what was sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use keyfit::testing::TestClock;

/// A token for tests; it opens nothing.
pub(crate) const TOKEN: &str = "fixture-token-0001";

/// What clients by operation id are connected with.
pub(crate) fn access() -> keyfit::dispatch::Access {
    keyfit::dispatch::Access::Token(TOKEN.into())
}

/// Status, headers and body.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>, &'static str);

/// When [`clock`] starts, in seconds since 1970: now, because the server's answers are dated.
pub(crate) fn start() -> u64 {
    static START: LazyLock<u64> = LazyLock::new(|| TestClock::running().seconds());
    *START
}

/// A clock that stands still, except that waiting takes no time and moves it on.
pub(crate) fn clock() -> TestClock {
    TestClock::at(UNIX_EPOCH + Duration::from_secs(start()))
}

/// A server that gives one answer to every request and keeps what it received.
pub(crate) struct Scripted {
    server: MockServer,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Scripted {
    pub(crate) async fn start(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Self {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.into();
        Self::answering(move |_| {
            let answer = HttpMockResponse::builder().status(status).headers(headers.clone());
            if body.is_empty() { answer.no_body().build() } else { answer.body(body.clone()).build() }
        })
        .await
    }

    /// A server that gives its answer to some tokens only, and 401 to all others.
    pub(crate) async fn guarded(accepted: &[&str], body: &str) -> Self {
        let accepted: Vec<String> = accepted.iter().map(|token| format!("Bearer {token}")).collect();
        let body = body.to_owned();
        Self::answering(move |request| {
            let is_accepted =
                request.header("authorization").is_some_and(|sent| accepted.iter().any(|known| known == sent));
            let answer = HttpMockResponse::builder().status(if is_accepted { 200 } else { 401 });
            if is_accepted { answer.body(body.clone()).build() } else { answer.no_body().build() }
        })
        .await
    }

    /// A server that gives these answers in turn, each a status, headers and a body, and the last one for good.
    pub(crate) async fn sequence(answers: Vec<Answer>) -> Self {
        let turn = AtomicUsize::new(0);
        Self::answering(move |_| {
            let turn = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let (status, headers, body) = &answers[turn];
            let headers: Vec<(String, String)> =
                headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let answer = HttpMockResponse::builder().status(*status).headers(headers);
            if body.is_empty() { answer.no_body().build() } else { answer.body(*body).build() }
        })
        .await
    }

    /// A server that makes up its answers.
    pub(crate) async fn answering(answer: impl Fn(&Received) -> HttpMockResponse + Send + Sync + 'static) -> Self {
        let server = MockServer::start_async().await;
        let received = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&received);
        server
            .mock_async(|_when, then| {
                then.respond_with(move |request: &HttpMockRequest| {
                    let request = Received::of(request);
                    let answer = answer(&request);
                    record.lock().expect("no test panics while it holds the lock").push(request);
                    answer
                });
            })
            .await;
        Self { server, received }
    }

    /// A JSON answer.
    pub(crate) async fn json(status: u16, body: impl Into<String>) -> Self {
        Self::start(status, &[("content-type", "application/json")], body).await
    }

    pub(crate) fn url(&self) -> String {
        self.server.base_url()
    }

    /// A configuration in which no wait takes time.
    pub(crate) fn config(&self) -> keyfit::Config {
        keyfit::Config::default().base_url(self.url()).clock(clock())
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no test panics while it holds the lock").clone()
    }
}

impl Received {
    fn of(request: &HttpMockRequest) -> Self {
        let uri = request.uri();
        let target = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
        Self {
            method: request.method_str().to_owned(),
            target,
            headers: request.headers_vec().clone(),
            body: request.body_string(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The request as text, with the token redacted and what differs from run to run left out.
    pub(crate) fn render(&self) -> String {
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.to_ascii_lowercase().as_str(), "host" | "content-length" | "user-agent"))
            .map(|(name, value)| format!("{}: {}\n", name.to_ascii_lowercase(), value.replace(TOKEN, "[token]")))
            .collect();
        headers.sort();
        let body = if self.body.is_empty() { String::new() } else { format!("{}\n", self.body) };
        format!("{} {}\n{}{body}", self.method, self.target, headers.concat())
    }
}
