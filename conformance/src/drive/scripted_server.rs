//! The scripted server for clients under test: httpmock with one base path per worker, so that cases can run concurrently and see only their
//! own requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use keyfit::redact::Redactor;
use serde_json::Value;

use crate::credential::secret::Secret;

/// A server with separate answers and recorded requests for each worker.
pub(super) struct ScriptedServer {
    server: MockServer,
    workers: Arc<Vec<Mutex<WorkerState>>>,
}

#[derive(Default)]
struct WorkerState {
    /// Answers before `answer`.
    first: VecDeque<ScriptedAnswer>,
    answer: ScriptedAnswer,
    /// The only token that gets the answer, and the refusal of others.
    guard: Option<(Secret, ScriptedAnswer)>,
    /// Answers by path, in order; the last one is repeated.
    paths: HashMap<String, VecDeque<ScriptedAnswer>>,
    received: Vec<ReceivedRequest>,
}

/// The answer for a worker.
#[derive(Clone, Debug, Default)]
pub(super) struct ScriptedAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct ReceivedRequest {
    pub(super) method: String,
    /// The path below that of the worker, still percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl ScriptedServer {
    /// Starts a server with this number of lanes.
    pub(super) async fn start(workers: usize) -> Self {
        let server = MockServer::start_async().await;
        let workers: Arc<Vec<Mutex<WorkerState>>> = Arc::new((0..workers).map(|_| Mutex::default()).collect());
        let serving = Arc::clone(&workers);
        server
            .mock_async(|when, then| {
                when.any_request();
                then.respond_with(move |request| respond(&serving, request));
            })
            .await;
        Self { server, workers }
    }

    /// Returns the base URL for a worker.
    pub(super) fn base_url(&self, worker: usize, base_path: &str) -> String {
        format!("{}/{worker}{base_path}", self.server.base_url())
    }

    /// Sets the answer for a worker, and clears its received requests.
    pub(super) fn set(&self, worker: usize, answer: ScriptedAnswer) {
        *self.worker(worker) = WorkerState { answer, ..WorkerState::default() };
    }

    /// Sets answers for a worker that come first, in order.
    pub(super) fn set_after(&self, worker: usize, first: Vec<ScriptedAnswer>, answer: ScriptedAnswer) {
        *self.worker(worker) = WorkerState { first: first.into(), answer, ..WorkerState::default() };
    }

    /// Sets the answer for a worker's requests with this token; all others get the refusal.
    pub(super) fn guard(&self, worker: usize, answer: ScriptedAnswer, refusal: ScriptedAnswer, accepted: &Secret) {
        *self.worker(worker) =
            WorkerState { answer, guard: Some((accepted.clone(), refusal)), ..WorkerState::default() };
    }

    /// Sets the answers for one path of a worker, request by request; the last one is repeated. Received requests are kept.
    pub(super) fn set_path(&self, worker: usize, path: &str, answers: Vec<ScriptedAnswer>) {
        self.worker(worker).paths.insert(path.to_owned(), answers.into());
    }

    /// Returns the requests of a worker since its answer was set.
    pub(super) fn received(&self, worker: usize) -> Vec<ReceivedRequest> {
        self.worker(worker).received.clone()
    }

    fn worker(&self, worker: usize) -> MutexGuard<'_, WorkerState> {
        self.workers[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScriptedAnswer {
    /// Creates an answer with a JSON body.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// Creates an answer with a body of this media type.
    pub(super) fn text(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// Creates an answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds a header.
    pub(super) fn with_header(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl ReceivedRequest {
    /// Returns whether a header or the query contains a token, encoded or not.
    pub(super) fn carries(&self, token: &Secret) -> bool {
        let holds = Redactor::new([token.reveal()]);
        self.headers.iter().chain(&self.query).any(|(_, sent)| holds.finds(sent))
    }

    /// Returns a header of the request.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

fn respond(workers: &[Mutex<WorkerState>], request: &HttpMockRequest) -> HttpMockResponse {
    let uri = request.uri();
    let (number, below) = uri.path().trim_start_matches('/').split_once('/').unwrap_or((uri.path(), ""));
    let Some(worker) = number.trim_matches('/').parse().ok().and_then(|number: usize| workers.get(number)) else {
        return HttpMockResponse::builder().status(599).build();
    };
    let mut worker = worker.lock().unwrap_or_else(PoisonError::into_inner);
    let received = ReceivedRequest {
        method: request.method_str().to_owned(),
        path: format!("/{below}"),
        query: request.query_params(),
        headers: request.headers_vec().clone(),
        body: request.body_vec(),
    };
    let of_path = worker.paths.get_mut(&received.path).and_then(next);
    let answer = match (of_path, &worker.guard) {
        (Some(answer), _) => answer,
        (None, Some((accepted, refusal))) if !received.carries(accepted) => refusal.clone(),
        _ => worker.first.pop_front().unwrap_or_else(|| worker.answer.clone()),
    };
    worker.received.push(received);
    HttpMockResponse::builder().status(answer.status).headers(answer.headers).body(answer.body).build()
}

/// Returns the first of several answers and removes it; a single one is repeated.
fn next(answers: &mut VecDeque<ScriptedAnswer>) -> Option<ScriptedAnswer> {
    if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
}
