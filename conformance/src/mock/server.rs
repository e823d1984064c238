//! The mock's socket: HTTP/1.1 on the loopback interface, any number of connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Answer, Call};
use super::core::Core;

/// More than any probe sends.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// A server that runs until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Opens the socket and serves in the background.
    pub(super) async fn start(core: Arc<Core>, base_path: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, core, base_path.into()));
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections live in a set of their own, so that they end with the task.
async fn accept(listener: TcpListener, core: Arc<Core>, base_path: Arc<str>) {
    let mut connections = JoinSet::new();
    loop {
        // A connection that failed on the way in concerns its client only.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&core), Arc::clone(&base_path)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, core: Arc<Core>, base_path: Arc<str>) {
    // Answers are small and complete: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (core, base_path) = (Arc::clone(&core), Arc::clone(&base_path));
        async move { Ok::<_, Infallible>(respond(request, &core, &base_path).await) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: Request<Incoming>, core: &Core, base_path: &str) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return written(Answer::empty(413));
    };
    let body = body.to_bytes();
    if let Some(answer) = core.authorization(&parts, &body) {
        return written(answer);
    }
    match Call::read(&parts, body, base_path) {
        Some(call) => written(core.answer(&call)),
        None => written(Answer::empty(404)),
    }
}

fn written(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(answer.headers);
    response
}
