//! A server that answers as a function says, or not at all.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The answer.
pub(crate) enum Reply {
    Answer(Response<Full<Bytes>>),
    /// The connection ends without a word.
    Cut,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    log: Arc<Mutex<Vec<Received>>>,
}

type Respond = Box<dyn FnMut(&Received) -> Reply + Send>;

impl Server {
    pub(crate) async fn start(respond: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let log: Arc<Mutex<Vec<Received>>> = Arc::default();
        let respond: Arc<Mutex<Respond>> = Arc::new(Mutex::new(Box::new(respond)));
        let kept = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, respond) = (Arc::clone(&kept), Arc::clone(&respond));
                let service = service_fn(move |request| handle(request, Arc::clone(&log), Arc::clone(&respond)));
                // A connection that is cut is an error here, as it should be.
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, log }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.log.lock().expect("no panic").clone()
    }
}

async fn handle(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Received>>>,
    respond: Arc<Mutex<Respond>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let body = serde_json::from_slice(&body).expect("JSON");
    let received = Received { target: head.uri.to_string(), headers: head.headers, body };
    log.lock().expect("no panic").push(received.clone());
    // Time for another request to overlap with this one.
    tokio::task::yield_now().await;
    let reply = (respond.lock().expect("no panic"))(&received);
    match reply {
        Reply::Answer(answer) => Ok(answer),
        Reply::Cut => Err(std::io::Error::other("cut by the test")),
    }
}

pub(crate) fn answer(status: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.to_string().into())).expect("a response")
}
