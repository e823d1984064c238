//! A relay to a server on this machine, which keeps each request as it was written.

use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What came through, request by request.
type Seen = Arc<Mutex<Vec<String>>>;

pub(crate) struct Relay {
    pub(crate) base_url: String,
    seen: Seen,
}

impl Relay {
    /// Starts one to the server under a URL. A request is kept before the server has all of it.
    pub(crate) async fn start(to: &str) -> Self {
        let to: Url = to.parse().expect("a URL");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let base_url = format!("http://{address}{}", to.path().trim_end_matches('/'));
        let server = format!("{}:{}", to.host_str().expect("a host"), to.port().expect("a port"));
        let seen = Seen::default();
        let seeing = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                tokio::spawn(relay(client, server, Arc::clone(&seeing)));
            }
        });
        Self { base_url, seen }
    }

    /// The requests since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("no panic"))
    }
}

async fn relay(client: TcpStream, server: TcpStream, seen: Seen) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    while let Some(request) = next(&mut from_client).await {
        seen.lock().expect("no panic").push(String::from_utf8(request.clone()).expect("the requests are texts"));
        if to_server.write_all(&request).await.is_err() {
            break;
        }
    }
    drop(to_server);
    let _ = back.await;
}

/// The bytes of one request; none where the connection ends.
async fn next(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(from.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).await.ok()?;
    request.extend(body);
    Some(request)
}
