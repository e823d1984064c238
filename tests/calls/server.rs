//! A server that gives its answers in turn, the last one for good, and keeps what it received.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};

/// Status, headers and body.
pub(crate) type Answer = (u16, &'static [(&'static str, &'static str)], &'static str);

pub(crate) struct Server {
    server: MockServer,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Server {
    pub(crate) async fn start<const N: usize>(answers: [Answer; N]) -> Self {
        let server = MockServer::start_async().await;
        let received = Arc::new(Mutex::new(Vec::new()));
        let (record, answers) = (Arc::clone(&received), Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        server
            .mock_async(|_, then| {
                then.respond_with(move |request: &HttpMockRequest| {
                    let (method, path) = (request.method_str().to_owned(), request.uri().path().to_owned());
                    let received = Received { method, path, headers: request.headers_vec().clone() };
                    record.lock().expect("no test panics here").push(received);
                    let mut answers = answers.lock().expect("no test panics here");
                    let (status, headers, body) =
                        if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() }
                            .expect("an answer");
                    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                    let answer = HttpMockResponse::builder().status(status).headers(headers.collect::<Vec<_>>());
                    if body.is_empty() { answer.no_body().build() } else { answer.body(body).build() }
                });
            })
            .await;
        Self { server, received }
    }

    pub(crate) fn url(&self) -> String {
        self.server.base_url()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no test panics here").clone()
    }

    /// A header of each request.
    pub(crate) fn headers(&self, name: &str) -> Vec<Option<String>> {
        self.received().iter().map(|request| request.header(name).map(str::to_owned)).collect()
    }
}
