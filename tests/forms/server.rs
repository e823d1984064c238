//! A server that keeps what it is sent.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A part of a body, as a server's parser reads it.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content: String,
}

/// The server, which answers every request with one status.
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    /// The bytes of all bodies.
    length: Arc<AtomicU64>,
}

impl Server {
    pub(crate) async fn start(status: u16) -> Self {
        Self::with(status, true).await
    }

    /// A server that counts what it is sent, and keeps no body.
    pub(crate) async fn counting() -> Self {
        Self::with(204, false).await
    }

    async fn with(status: u16, keeps: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (received, length) = (Arc::<Mutex<Vec<Received>>>::default(), Arc::<AtomicU64>::default());
        let kept = (Arc::clone(&received), Arc::clone(&length));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (received, length) = (Arc::clone(&kept.0), Arc::clone(&kept.1));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (received, length) = (Arc::clone(&received), Arc::clone(&length));
                    async move {
                        let (head, mut incoming) = request.into_parts();
                        let mut body = Vec::new();
                        while let Some(Ok(frame)) = incoming.frame().await {
                            let data = frame.into_data().unwrap_or_default();
                            length.fetch_add(data.len() as u64, Ordering::Relaxed);
                            if keeps {
                                body.extend_from_slice(&data);
                            }
                        }
                        let query = head.uri.query().map(str::to_owned);
                        received.lock().expect("no panic").push(Received { query, headers: head.headers, body });
                        let answer = Response::builder().status(status).body(Empty::<Bytes>::new());
                        Ok::<_, Infallible>(answer.expect("an answer"))
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, received, length }
    }

    /// What came since this was asked before.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().expect("no panic"))
    }

    pub(crate) fn one(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }

    pub(crate) fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The parts of the body, whose length was told.
    pub(crate) async fn parts(&self) -> Vec<Part> {
        assert_eq!(self.header(CONTENT_LENGTH.as_str()), Some(self.body.len().to_string().as_str()));
        let media_type = self.header(CONTENT_TYPE.as_str()).expect("a media type");
        let (_, boundary) = media_type.split_once("; boundary=").expect("a boundary");
        let body = Bytes::from(self.body.clone());
        let mut parser = multer::Multipart::new(Chunks(Some(body)), boundary);
        let mut parts = Vec::new();
        while let Some(field) = parser.next_field().await.expect("a part") {
            parts.push(Part {
                name: field.name().expect("a name").to_owned(),
                file_name: field.file_name().map(str::to_owned),
                content_type: field.content_type().map(ToString::to_string),
                content: String::from_utf8(field.bytes().await.expect("content").to_vec()).expect("text"),
            });
        }
        parts
    }
}

/// A stream of the chunks that it is made of.
pub(crate) struct Chunks(pub(crate) Option<Bytes>);

impl futures_core::Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}
