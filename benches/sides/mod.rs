//! The sides of a comparison: a typed client, raw reqwest and bare hyper, with the same requests and the same types. The others do what
//! their users have to do as well: they make the URL from the ids and have a timeout.

#[path = "../../tests/streams/client.rs"]
mod streams;

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keyfit::batch::Batch;
use keyfit::http_client::http::{Method, Request};
use keyfit::instasent::batch::BatchOutcome;
use keyfit::instasent::ingest::{Client, DatasourceToken, types};
use serde::de::DeserializeOwned;
use streams::types::ParcelAnswer;

const TOKEN: &str = "bench-token";
const TIMEOUT: Duration = Duration::from_secs(30);

/// What is called.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    /// One contact.
    Get,
    /// 100 contacts, and an outcome for each.
    Post,
    /// A list of 5,000 items, 1 MB.
    List,
    /// The same, a line each, as it comes.
    Lines,
    /// 1 MB of bytes as they come.
    Bytes,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::Post, Self::List, Self::Lines, Self::Bytes];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::List => "list",
            Self::Lines => "lines",
            Self::Bytes => "bytes",
        }
    }

    /// The address of a bare server that answers it.
    pub(crate) fn serve(self) -> String {
        let items = || (0..5000).map(|id| format!(r#"{{"id":{id},"note":"{}"}}"#, "left at the door ".repeat(10)));
        match self {
            Self::Get => serve(
                r#"{"contact":{"id":"1","contactId":"2","contactData":{"_email":"ada@example.com","_phone_mobile":"+34600000000"},"deleted":false}}"#,
            ),
            Self::Post => {
                let items = vec![r#"{"status":"success","_user_id":"user-1"}"#; 100].join(",");
                serve(&format!(r#"{{"entity":{{"successful":100,"failed":0,"items":[{items}]}}}}"#))
            }
            Self::List => serve(&format!("[{}]", items().collect::<Vec<_>>().join(","))),
            Self::Lines | Self::Bytes => serve(&items().map(|item| item + "\n").collect::<String>()),
        }
    }

    /// Where it goes, below a base URL.
    fn url(self, base: &str) -> String {
        let (project, datasource, user) = (black_box("p"), black_box("d"), black_box("u"));
        match self {
            Self::Get => format!("{base}/project/{project}/datasource/{datasource}/stream/contacts/{user}"),
            Self::Post => format!("{base}/project/{project}/datasource/{datasource}/stream/contacts"),
            Self::List | Self::Lines => format!("{base}/parcels"),
            Self::Bytes => format!("{base}/photo"),
        }
    }
}

/// Batches are their callers': no side copies them.
type Contacts = Arc<Batch<types::Contact, 100>>;

fn contacts() -> Contacts {
    let contact = |number: usize| {
        let contact = types::Contact::builder().user_id(format!("user-{number}")).email("ada@example.com");
        contact.phone_mobile("+34600000000").try_into().expect("a contact")
    };
    let contacts: Vec<types::Contact> = (0..100).map(contact).collect();
    Arc::new(contacts.try_into().expect("100 contacts"))
}

/// A client with generated code.
#[derive(Clone)]
pub(crate) struct Ours {
    client: Client,
    streams: streams::Client,
    contacts: Contacts,
}

impl Ours {
    pub(crate) fn of(base: &str) -> Self {
        let config = || keyfit::Config::default().base_url(base);
        let client = Client::with_config(DatasourceToken::new(TOKEN).expect("a token"), config()).expect("a client");
        let key = streams::Key::new(TOKEN).expect("a key");
        let streams = streams::Client::with_config(key, config()).expect("a client");
        Self { client, streams, contacts: contacts() }
    }

    pub(crate) async fn call(&self, call: Call) {
        match call {
            Call::Get => {
                let call = self.client.stream_contact_get().project("p").datasource("d").user_id("u");
                drop(call.send().await.expect("an answer"));
            }
            Call::Post => {
                let call = self.client.stream_contacts_push().project("p").datasource("d").body(&*self.contacts);
                drop(call.send().await.expect("an answer"));
            }
            Call::List => {
                let answer = self.streams.request(Method::GET, "/parcels").send().await.expect("an answer");
                drop(answer.decode::<Vec<ParcelAnswer>>().expect("a list"));
            }
            Call::Lines => {
                let mut lines = self.streams.export_parcels().send().await.expect("an answer").into_inner();
                while let Some(parcel) = lines.next().await {
                    drop(parcel.expect("a parcel"));
                }
            }
            Call::Bytes => {
                let mut bytes = self.streams.photo().send().await.expect("an answer").into_inner();
                while let Some(chunk) = bytes.next().await {
                    drop(chunk.expect("a chunk"));
                }
            }
        }
    }
}

/// Raw reqwest.
#[derive(Clone)]
pub(crate) struct Raw {
    client: reqwest::Client,
    base: String,
    contacts: Contacts,
}

impl Raw {
    pub(crate) fn of(base: &str) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client");
        Self { client, base: base.to_owned(), contacts: contacts() }
    }

    pub(crate) async fn call(&self, call: Call) {
        let url = call.url(&self.base);
        let request = if matches!(call, Call::Post) { self.client.post(url) } else { self.client.get(url) };
        let request = request.bearer_auth(TOKEN).header("accept", "application/json");
        let request = if matches!(call, Call::Post) { request.json(&*self.contacts) } else { request };
        let mut answer = request.send().await.expect("an answer");
        match call {
            Call::Get => drop(answer.json::<types::StreamContactAnswer>().await.expect("a contact")),
            Call::Post => drop(answer.json::<BatchOutcome>().await.expect("an outcome")),
            Call::List => drop(answer.json::<Vec<ParcelAnswer>>().await.expect("a list")),
            Call::Lines => {
                let mut lines = Lines::default();
                while let Some(chunk) = answer.chunk().await.expect("a chunk") {
                    lines.take(&chunk);
                }
            }
            Call::Bytes => while answer.chunk().await.expect("a chunk").is_some() {},
        }
    }
}

/// Bare hyper, with the pool of hyper-util.
#[derive(Clone)]
pub(crate) struct Bare {
    client: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    base: String,
    contacts: Contacts,
}

impl Bare {
    pub(crate) fn of(base: &str) -> Self {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { client, base: base.to_owned(), contacts: contacts() }
    }

    pub(crate) async fn call(&self, call: Call) {
        tokio::time::timeout(TIMEOUT, self.within(call)).await.expect("an answer in time");
    }

    async fn within(&self, call: Call) {
        let request = Request::builder().uri(call.url(&self.base)).header("accept", "application/json");
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request = if matches!(call, Call::Post) {
            let body = serde_json::to_vec(&*self.contacts).expect("JSON");
            request.method(Method::POST).header("content-type", "application/json").body(Full::from(body))
        } else {
            request.body(Full::default())
        };
        let answer = self.client.request(request.expect("a request")).await.expect("an answer");
        let mut body = answer.into_body();
        match call {
            Call::Get => drop(read::<types::StreamContactAnswer>(body).await),
            Call::Post => drop(read::<BatchOutcome>(body).await),
            Call::List => drop(read::<Vec<ParcelAnswer>>(body).await),
            Call::Lines => {
                let mut lines = Lines::default();
                while let Some(frame) = body.frame().await {
                    lines.take(frame.expect("a chunk").data_ref().expect("a chunk"));
                }
            }
            Call::Bytes => {
                while let Some(frame) = body.frame().await {
                    drop(frame.expect("a chunk"));
                }
            }
        }
    }
}

async fn read<T: DeserializeOwned>(body: hyper::body::Incoming) -> T {
    let body = body.collect().await.expect("a body").to_bytes();
    serde_json::from_slice(&body).expect("an answer")
}

/// Lines as somebody reads them by hand.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
        let mut begin = 0;
        while let Some(length) = self.0[begin..].iter().position(|byte| *byte == b'\n') {
            let line = &self.0[begin..begin + length];
            drop(serde_json::from_slice::<ParcelAnswer>(line).expect("a parcel"));
            begin += length + 1;
        }
        self.0.drain(..begin);
    }
}

/// A bare server: one answer to everything, on a thread a connection.
fn serve(body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || talk(stream.expect("a connection"), answer.as_bytes()));
        }
    });
    base
}

fn talk(mut stream: TcpStream, answer: &[u8]) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        reader.read_exact(&mut vec![0; length]).expect("a body");
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
