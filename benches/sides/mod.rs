//! The two sides of a comparison: a typed client, and raw reqwest with the same requests and the same types, which does what its
//! users have to do as well: it makes the URL from the ids and has a timeout.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use keyfit::batch::Batch;
use keyfit::instasent::batch::BatchOutcome;
use keyfit::instasent::ingest::{Client, DatasourceToken, types};

const TOKEN: &str = "bench-token";

pub(crate) const CONTACT: &str = r#"{"contact":{"id":"1","contactId":"2","contactData":{"_email":"ada@example.com","_phone_mobile":"+34600000000"},"deleted":false}}"#;

/// The answer to a batch of 100 contacts.
pub(crate) fn outcome() -> String {
    let items = vec![r#"{"status":"success","_user_id":"user-1"}"#; 100].join(",");
    format!(r#"{{"entity":{{"successful":100,"failed":0,"items":[{items}]}}}}"#)
}

/// Batches are their callers': neither side copies them.
type Contacts = Arc<Batch<types::Contact, 100>>;

fn contacts() -> Contacts {
    let contact = |number: usize| {
        let contact = types::Contact::builder().user_id(format!("user-{number}")).email("ada@example.com");
        contact.phone_mobile("+34600000000").try_into().expect("a contact")
    };
    let contacts: Vec<types::Contact> = (0..100).map(contact).collect();
    Arc::new(contacts.try_into().expect("100 contacts"))
}

#[derive(Clone)]
pub(crate) struct Ours {
    client: Client,
    contacts: Contacts,
}

impl Ours {
    pub(crate) fn of(base: &str) -> Self {
        let token = DatasourceToken::new(TOKEN).expect("a token");
        let client = Client::with_config(token, keyfit::Config::default().base_url(base)).expect("a client");
        Self { client, contacts: contacts() }
    }

    pub(crate) async fn get(&self) {
        let call = self.client.stream_contact_get().project("p").datasource("d").user_id("u");
        drop(call.send().await.expect("an answer"));
    }

    pub(crate) async fn post(&self) {
        let call = self.client.stream_contacts_push().project("p").datasource("d").body(&*self.contacts);
        drop(call.send().await.expect("an answer"));
    }
}

#[derive(Clone)]
pub(crate) struct Theirs {
    client: reqwest::Client,
    base: String,
    contacts: Contacts,
}

impl Theirs {
    pub(crate) fn of(base: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
        Self { client, base: base.to_owned(), contacts: contacts() }
    }

    pub(crate) async fn get(&self) {
        let (base, project, datasource, user) = (&self.base, black_box("p"), black_box("d"), black_box("u"));
        let url = format!("{base}/project/{project}/datasource/{datasource}/stream/contacts/{user}");
        let request = self.client.get(url).bearer_auth(TOKEN).header("accept", "application/json");
        let answer = request.send().await.expect("an answer");
        drop(answer.json::<types::StreamContactAnswer>().await.expect("a contact"));
    }

    pub(crate) async fn post(&self) {
        let (base, project, datasource) = (&self.base, black_box("p"), black_box("d"));
        let url = format!("{base}/project/{project}/datasource/{datasource}/stream/contacts");
        let request =
            self.client.post(url).bearer_auth(TOKEN).header("accept", "application/json").json(&*self.contacts);
        let answer = request.send().await.expect("an answer");
        drop(answer.json::<BatchOutcome>().await.expect("an outcome"));
    }
}

/// A bare server: one answer to everything, on a thread a connection.
pub(crate) fn serve(body: &str) -> String {
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
