//! The steps before and after the mock answers a request: admin requests are handled separately, programmed faults apply, and the journal
//! is to_response. Without an admin, there is only the answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use keyfit::{Clock as _, SystemClock};
use tokio::time::timeout;

use super::active_requests::ConcurrentRequest;
use super::call::{Answer, Call};
use super::core::Core;
use super::tool::admin::AdminState;
use super::tool::faults::Fault;

/// The longest request body, in bytes: more than any probe sends.
const LARGEST_BODY: usize = 8 * 1024 * 1024;
/// The longest admin request body, in bytes: more than any command needs.
const LARGEST_COMMAND: usize = 256 * 1024;
/// The time for which a mock with a race condition waits for concurrent requests, and for which these can detect it.
const RACE_WINDOW: Duration = Duration::from_millis(15);
/// The time limit for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The layer between the socket and the mock.
pub(super) struct HttpService {
    pub(super) core: Arc<Core>,
    pub(super) base_path: Box<str>,
    /// `None` if the mock has no admin.
    pub(super) admin: Option<Arc<AdminState>>,
}

/// The connection is closed without an answer.
#[derive(Debug)]
pub(super) struct ConnectionCut;

impl HttpService {
    /// Answers a request.
    pub(super) async fn respond<B: Body>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, ConnectionCut>
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let admin = self.admin.as_ref().filter(|_| AdminState::is_for(&parts));
        if let Some(refusal) = admin.and_then(|admin| admin.refuse(&parts)) {
            return Ok(to_response(refusal));
        }
        let limit = if admin.is_some() { LARGEST_COMMAND } else { LARGEST_BODY };
        let body = match timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) if admin.is_some() => return Ok(to_response(AdminState::too_long(limit))),
            Ok(Err(_)) => return Ok(to_response(Answer::empty(413))),
            Err(_) => return Ok(to_response(Answer::empty(408))),
        };
        let Some(admin) = &self.admin else { return Ok(to_response(self.serve_with_race(parts, &body).await)) };
        match admin.answer(&parts, &body) {
            Some(answer) => Ok(to_response(answer)),
            None => self.serve_with_faults(admin, &parts, body).await.map(to_response).ok_or(ConnectionCut),
        }
    }

    /// Returns the mock's own answer. A mock with a race condition waits, so that concurrent requests can arrive.
    async fn serve_with_race(&self, mut parts: Parts, body: &Bytes) -> Answer {
        if !self.core.races() {
            return self.serve(&parts, body, BTreeSet::new());
        }
        let place = self.core.active_requests.enter(&parts, body);
        SystemClock.sleep(RACE_WINDOW).await;
        if place.has_others() {
            parts.extensions.insert(ConcurrentRequest);
        }
        let answer = self.serve(&parts, body, BTreeSet::new());
        // Concurrent requests still have to detect this one.
        SystemClock.sleep(RACE_WINDOW).await;
        answer
    }

    /// Returns the mock's own answer at once.
    fn serve(&self, parts: &Parts, body: &Bytes, reject: BTreeSet<usize>) -> Answer {
        let call = Call::read(parts, body.clone(), &self.base_path);
        // An API may have an operation at the path of an endpoint, with another method.
        let is_of_api =
            call.as_ref().and_then(|call| self.core.operation(call)).is_some_and(|known| !known.path.contains('{'));
        let authorized = if is_of_api { None } else { self.core.authorization(parts, body) };
        match (authorized, call) {
            (Some(answer), _) => answer,
            (None, Some(call)) => self.core.answer(&Call { reject, ..call }),
            (None, None) => Answer::empty(404),
        }
    }

    /// Returns the answer with a programmed fault, if there is one, and writes a journal entry.
    async fn serve_with_faults(&self, admin: &AdminState, parts: &Parts, body: Bytes) -> Option<Answer> {
        let call = Call::read(parts, body.clone(), &self.base_path);
        let operation = call.as_ref().and_then(|call| self.core.operation(call));
        let is_batch = operation.is_some_and(|operation| self.core.contract.batch_of(operation).is_some());
        let fault = admin.faults().next(parts.method.as_str(), parts.uri.path(), is_batch);
        let reject = match &fault {
            Some(Fault::Partial(positions)) => positions.clone(),
            _ => BTreeSet::new(),
        };
        let is_executed = match &fault {
            Some(Fault::Cut { executed } | Fault::ServerError { executed, .. }) => *executed,
            Some(Fault::Unauthorized | Fault::RateLimited(_) | Fault::NoFunds) => false,
            Some(Fault::Partial(_) | Fault::Slow(_)) | None => true,
        };
        // Recorded before the request is executed, since it may revoke its own token.
        let sent = admin.summarize(parts, call.as_ref(), operation);
        let served = is_executed.then(|| self.serve(parts, &body, reject));
        let answer = match &fault {
            Some(Fault::Cut { .. }) => None,
            Some(fault) => self.core.fault_answer(call.as_ref(), fault).or(served),
            None => served,
        };
        admin.record(sent, answer.as_ref().map(|answer| answer.status), fault.as_ref(), is_executed);
        if let Some(Fault::Slow(delay)) = &fault {
            SystemClock.sleep(*delay).await;
        }
        answer
    }
}

fn to_response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(answer.headers);
    response
}

impl std::fmt::Display for ConnectionCut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut on demand")
    }
}

impl std::error::Error for ConnectionCut {}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use hyper::body::Frame;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::mock::shipped;

    /// A body of this many bytes, one megabyte at a time; counts the bytes that were taken.
    struct Megabytes(usize, Arc<AtomicUsize>);

    impl Body for Megabytes {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let length = self.0.min(1024 * 1024);
            self.0 -= length;
            self.1.fetch_add(length, Ordering::Relaxed);
            Poll::Ready((length > 0).then(|| Ok(Frame::data(vec![b' '; length].into()))))
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_before_more_of_it_is_read() {
        let catalogue = Catalogue::read(&shipped("guide").expect("it ships")).expect("it can be read");
        let core = Arc::new(Core::new(catalogue.api, catalogue.contract, None));
        let http_service = HttpService { core, base_path: "".into(), admin: None };
        for (length, status, most) in [
            (LARGEST_BODY, StatusCode::NOT_FOUND, LARGEST_BODY),
            (LARGEST_BODY + 1, StatusCode::PAYLOAD_TOO_LARGE, LARGEST_BODY + 1),
            (usize::MAX, StatusCode::PAYLOAD_TOO_LARGE, LARGEST_BODY + 1024 * 1024),
        ] {
            let taken = Arc::new(AtomicUsize::new(0));
            let request = Request::post("/nowhere").body(Megabytes(length, Arc::clone(&taken))).expect("a request");
            let answer = http_service.respond(request).await.expect("an answer");
            assert_eq!(answer.status(), status, "{length}");
            assert!(taken.load(Ordering::Relaxed) <= most, "{length}: {taken:?}");
        }
    }
}
