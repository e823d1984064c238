//! A server that plays one script a connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a connection does when a request has come.
pub(crate) struct Connection {
    head: Option<String>,
    steps: Vec<Step>,
    /// Whether the body ends as it should.
    is_whole: bool,
}

enum Step {
    Send(String),
    Wait(u64),
}

impl Connection {
    /// A body of this media type, in chunks.
    pub(crate) fn of(media_type: &str) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        Self { head: Some(head), steps: Vec::new(), is_whole: true }
    }

    pub(crate) fn events() -> Self {
        Self::of("text/event-stream; charset=utf-8")
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::of("application/json").send(body)
    }

    /// An answer without a body.
    pub(crate) fn status(status: u16) -> Self {
        let length = if status == 204 { "" } else { "content-length: 0\r\n" };
        let head = format!("HTTP/1.1 {status} x\r\n{length}connection: close\r\n\r\n");
        Self { head: Some(head), steps: Vec::new(), is_whole: false }
    }

    /// No answer: the connection is closed.
    pub(crate) fn refused() -> Self {
        Self { head: None, steps: Vec::new(), is_whole: false }
    }

    /// No answer for a minute.
    pub(crate) fn silent() -> Self {
        Self::refused().wait(60_000)
    }

    pub(crate) fn send(mut self, text: &str) -> Self {
        self.steps.push(Step::Send(text.to_owned()));
        self
    }

    pub(crate) fn wait(mut self, milliseconds: u64) -> Self {
        self.steps.push(Step::Wait(milliseconds));
        self
    }

    /// The connection ends in the middle of the body.
    pub(crate) fn cut(self) -> Self {
        Self { is_whole: false, ..self }
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server for so many connections as there are scripts, of one request each.
    pub(crate) async fn start(connections: impl IntoIterator<Item = Connection>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let received = Arc::clone(&requests);
        let connections: Vec<Connection> = connections.into_iter().collect();
        tokio::spawn(async move {
            for connection in connections {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let Some(request) = read(&mut stream).await else { continue };
                received.lock().expect("no test panics in here").push(request);
                // A client that is gone is the end of it.
                tokio::spawn(async move { play(&mut stream, connection).await });
            }
        });
        Self { url, requests }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics in here").clone()
    }
}

async fn play(stream: &mut TcpStream, connection: Connection) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    if let Some(head) = &connection.head {
        stream.write_all(head.as_bytes()).await?;
    }
    for step in connection.steps {
        match step {
            Step::Send(text) => stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await?,
            Step::Wait(milliseconds) => wait(milliseconds).await,
        }
    }
    if connection.is_whole {
        stream.write_all(b"0\r\n\r\n").await?;
        stream.shutdown().await?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a server takes its time")]
async fn wait(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// One request with its body, whose length is told or which comes in chunks.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = whole(&bytes) {
            return Some(request);
        }
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
    }
}

fn whole(bytes: &[u8]) -> Option<Request> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut request = Request { head: head.to_owned(), body: body.to_owned() };
    if request.header("transfer-encoding").is_some() {
        let chunks = body.strip_suffix("0\r\n\r\n")?;
        let mut rest = chunks;
        request.body.clear();
        while let Some((length, after)) = rest.split_once("\r\n") {
            let length = usize::from_str_radix(length, 16).ok()?;
            request.body += after.get(..length)?;
            rest = after.get(length + 2..)?;
        }
        return Some(request);
    }
    let length: usize = request.header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    (body.len() >= length).then_some(request)
}
