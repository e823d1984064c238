//! A local server that takes every item.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use keyfit::{Clock as _, SystemClock};

/// What a server makes of a request.
pub(crate) trait Answering: Send + Sync + 'static {
    fn answer(&self, body: &[u8]) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

pub(crate) struct Plain(pub(crate) Duration);

impl Answering for Plain {
    async fn answer(&self, body: &[u8]) -> Response<Full<Bytes>> {
        if !self.0.is_zero() {
            SystemClock.sleep(self.0).await;
        }
        accepted(body)
    }
}

/// Every item was taken, each with its id, as the API's error page has it.
pub(crate) fn accepted(body: &[u8]) -> Response<Full<Bytes>> {
    const KEY: &str = r#""_user_id":""#;
    let text = std::str::from_utf8(body).expect("JSON");
    let users: Vec<&str> = text.split(KEY).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut answer = format!(r#"{{"entity":{{"successful":{},"failed":0,"items":["#, users.len());
    for (index, user) in users.iter().enumerate() {
        answer.push_str(if index == 0 { "" } else { "," });
        answer.push_str(r#"{"status":"success","_user_id":""#);
        answer.push_str(user);
        answer.push_str("\"}");
    }
    answer.push_str("]}}");
    Response::builder().status(202).body(Full::new(answer.into())).expect("a response")
}

/// Serves on a thread of its own.
pub(crate) async fn serve<A: Answering>(answering: Arc<A>) -> String {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            send.send(format!("http://{}", listener.local_addr().expect("an address"))).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                let answering = Arc::clone(&answering);
                let service = service_fn(move |request: Request<Incoming>| {
                    let answering = Arc::clone(&answering);
                    async move {
                        let body = request.into_body().collect().await?.to_bytes();
                        Ok::<_, hyper::Error>(answering.answer(&body).await)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
    });
    receive.await.expect("an address")
}
