//! How much of an answer a call takes into memory, against servers that send without end.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use keyfit::instasent::transactional::{ApiSmsToken, Client, types};
use keyfit::{CallOptions, Config, Error, ErrorKind};

use crate::support::{TOKEN, clock};

const MIB: usize = 1 << 20;
/// What sockets hold that nobody has read, at most.
const IN_FLIGHT: usize = 16 * MIB;

/// Longer than any of this takes.
const GUARD: Duration = Duration::from_secs(60);

/// How a server says where its answer ends.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// It does not: there is always another chunk.
    Chunked,
    /// After more bytes than anybody has.
    ContentLength,
    /// With the connection, which it never closes.
    Connection,
}

const FRAMINGS: [Framing; 3] = [Framing::Chunked, Framing::ContentLength, Framing::Connection];

/// A server that answers each request without end, until its client closes the connection. It ends after so many
/// requests, and then says how many bytes of bodies it could send.
fn endless(status: u16, framing: Framing, requests: usize) -> (Config, JoinHandle<Vec<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        (0..requests).map(|_| send_all(listener.accept().expect("a connection").0, status, framing)).collect()
    });
    (Config::default().base_url(url).clock(clock()), server)
}

fn send_all(mut stream: TcpStream, status: u16, framing: Framing) -> usize {
    let _ = stream.read(&mut [0; 8192]).expect("a request");
    let length = match framing {
        Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::ContentLength => format!("content-length: {}\r\n", u64::MAX / 2),
        Framing::Connection => String::new(),
    };
    let head = format!("HTTP/1.1 {status} Endless\r\nx-request-id: req_7\r\n{length}\r\n");
    stream.write_all(head.as_bytes()).expect("the head");
    let block = vec![b' '; MIB];
    let mut sent = 0;
    loop {
        let written = match framing {
            Framing::Chunked => {
                let chunk = [format!("{MIB:x}\r\n").as_bytes(), &block, b"\r\n"].concat();
                stream.write_all(&chunk)
            }
            Framing::ContentLength | Framing::Connection => stream.write_all(&block),
        };
        match written {
            Ok(()) => sent += MIB,
            // The client has closed the connection.
            Err(_) => return sent,
        }
    }
}

fn client(config: Config) -> Client {
    Client::with_config(ApiSmsToken::new(TOKEN).expect("a token"), config).expect("a client")
}

async fn list(client: &Client) -> Error {
    client.sms_list().send().await.expect_err("the answer has no end")
}

async fn create(client: &Client) -> Error {
    let body = types::SmsItem::builder().from("Keyfit").to("+34600000000").text("Hello");
    client.sms_create().body(body).send().await.expect_err("the answer has no end")
}

/// What a server could send of each answer, once its client has closed the connections. Clients close them in the
/// background, for which the runtime must not be blocked.
async fn sent(server: JoinHandle<Vec<usize>>) -> Vec<usize> {
    let joined = tokio::task::spawn_blocking(|| server.join().expect("no panic"));
    tokio::time::timeout(GUARD, joined).await.expect("the connections are closed").expect("no panic")
}

/// What must be known of a call that was executed, and whose answer was too long.
fn check(error: &Error, limit: usize, sent: usize) {
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Cut, 1), "{error:?}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(201));
    assert_eq!(error.request_id(), Some("req_7"));
    assert_eq!((error.body().len(), error.is_body_whole()), (limit, false));
    assert!(error.may_have_been_sent() && !error.is_network(), "{error:?}");
    assert!(error.to_string().contains(&format!("limit of {limit} bytes: raise `response_limit`")), "{error}");
    assert!(sent <= limit + IN_FLIGHT, "the server could send {sent} bytes");
}

#[tokio::test]
async fn a_success_without_end_is_cut_at_the_limit_of_the_client_and_what_came_is_kept() {
    for framing in FRAMINGS {
        let (config, server) = endless(201, framing, 1);
        let error = create(&client(config.response_limit(MIB + 1))).await;
        check(&error, MIB + 1, sent(server).await[0]);
    }
}

#[tokio::test]
async fn the_limit_is_64_mib_where_none_is_given_and_a_read_is_not_repeated() {
    for framing in [Framing::Chunked, Framing::ContentLength] {
        let (config, server) = endless(201, framing, 1);
        let error = list(&client(config)).await;
        check(&error, 64 * MIB, sent(server).await[0]);
    }
}

#[tokio::test]
async fn a_call_has_a_limit_of_its_own() {
    let (config, server) = endless(201, Framing::Chunked, 2);
    let client = client(config.response_limit(2 * MIB));
    let call = client.with_options(CallOptions::default().response_limit(5));
    let (own, common) = (list(&call).await, list(&client).await);
    let sent = sent(server).await;
    check(&own, 5, sent[0]);
    check(&common, 2 * MIB, sent[1]);
}

#[tokio::test]
async fn an_error_without_end_keeps_a_mebibyte_whatever_the_limit() {
    for framing in FRAMINGS {
        let (config, server) = endless(400, framing, 1);
        let error = list(&client(config.response_limit(5))).await;
        assert_eq!((error.kind(), error.body().len(), error.is_body_whole()), (ErrorKind::BadRequest, MIB, false));
        assert!(sent(server).await[0] <= MIB + IN_FLIGHT);
    }
}

#[tokio::test]
async fn an_answer_as_long_as_the_limit_is_whole() {
    let body = r#"{"entities":[]}"#;
    let server = crate::support::Scripted::json(200, body).await;
    let client = client(server.config());
    for (limit, fits) in [(body.len(), true), (body.len() - 1, false), (0, false)] {
        let call = client.with_options(CallOptions::default().response_limit(limit));
        match call.sms_list().send().await {
            Ok(_) => assert!(fits, "{limit}"),
            Err(error) => {
                assert!(!fits && error.kind() == ErrorKind::Cut, "{limit}: {error:?}");
                assert_eq!(error.body().as_ref(), &body.as_bytes()[..limit]);
            }
        }
    }
}
