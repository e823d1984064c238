//! The scripted server for clients under test: httpmock with one lane per client, so that cases can run concurrently and see only their
//! own requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use keyfit::redact::Redactor;
use serde_json::Value;

use crate::credential::secret::Secret;

/// A server on which each lane has its own answers and records its requests.
pub(super) struct Script {
    server: MockServer,
    lanes: Arc<Vec<Mutex<Lane>>>,
}

#[derive(Default)]
struct Lane {
    /// Answers before `answer`.
    first: VecDeque<Scripted>,
    answer: Scripted,
    /// The only token that gets the answer, and the refusal of others.
    guard: Option<(Secret, Scripted)>,
    /// Answers by path, in order; the last one is repeated.
    paths: HashMap<String, VecDeque<Scripted>>,
    received: Vec<Received>,
}

/// The answer of a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripted {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    /// The path below that of the lane, still percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Script {
    /// Starts a server with this number of lanes.
    pub(super) async fn start(lanes: usize) -> Self {
        let server = MockServer::start_async().await;
        let lanes: Arc<Vec<Mutex<Lane>>> = Arc::new((0..lanes).map(|_| Mutex::default()).collect());
        let serving = Arc::clone(&lanes);
        server
            .mock_async(|when, then| {
                when.any_request();
                then.respond_with(move |request| respond(&serving, request));
            })
            .await;
        Self { server, lanes }
    }

    /// Returns the base URL of a lane.
    pub(super) fn base_url(&self, lane: usize, base_path: &str) -> String {
        format!("{}/{lane}{base_path}", self.server.base_url())
    }

    /// Sets the answer of a lane, and clears its received requests.
    pub(super) fn set(&self, lane: usize, answer: Scripted) {
        *self.lane(lane) = Lane { answer, ..Lane::default() };
    }

    /// Sets answers of a lane that come first, in order.
    pub(super) fn set_after(&self, lane: usize, first: Vec<Scripted>, answer: Scripted) {
        *self.lane(lane) = Lane { first: first.into(), answer, ..Lane::default() };
    }

    /// Sets the answer of a lane for requests with this token; all others get the refusal.
    pub(super) fn guard(&self, lane: usize, answer: Scripted, refusal: Scripted, accepted: &Secret) {
        *self.lane(lane) = Lane { answer, guard: Some((accepted.clone(), refusal)), ..Lane::default() };
    }

    /// Sets the answers for one path of a lane, request by request; the last one is repeated. Received requests are kept.
    pub(super) fn set_path(&self, lane: usize, path: &str, answers: Vec<Scripted>) {
        self.lane(lane).paths.insert(path.to_owned(), answers.into());
    }

    /// Returns the requests of a lane since its answer was set.
    pub(super) fn received(&self, lane: usize) -> Vec<Received> {
        self.lane(lane).received.clone()
    }

    fn lane(&self, lane: usize) -> MutexGuard<'_, Lane> {
        self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scripted {
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

impl Received {
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

fn respond(lanes: &[Mutex<Lane>], request: &HttpMockRequest) -> HttpMockResponse {
    let uri = request.uri();
    let (number, below) = uri.path().trim_start_matches('/').split_once('/').unwrap_or((uri.path(), ""));
    let Some(lane) = number.trim_matches('/').parse().ok().and_then(|number: usize| lanes.get(number)) else {
        return HttpMockResponse::builder().status(599).build();
    };
    let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
    let received = Received {
        method: request.method_str().to_owned(),
        path: format!("/{below}"),
        query: request.query_params(),
        headers: request.headers_vec().clone(),
        body: request.body_vec(),
    };
    let of_path = lane.paths.get_mut(&received.path).and_then(next);
    let answer = match (of_path, &lane.guard) {
        (Some(answer), _) => answer,
        (None, Some((accepted, refusal))) if !received.carries(accepted) => refusal.clone(),
        _ => lane.first.pop_front().unwrap_or_else(|| lane.answer.clone()),
    };
    lane.received.push(received);
    HttpMockResponse::builder().status(answer.status).headers(answer.headers).body(answer.body).build()
}

/// Returns the first of several answers and removes it; a single one is repeated.
fn next(answers: &mut VecDeque<Scripted>) -> Option<Scripted> {
    if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
}
