//! Answers that are made to hang, to exhaust or to break a client: each call ends, and what it says is bounded.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use keyfit::instasent::batch::BatchOutcome;
use keyfit::instasent::transactional;
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::{Config, Error, ErrorKind, RetryPolicy};

use crate::support::{TOKEN, clock};

/// Longer than any of this takes.
const GUARD: Duration = Duration::from_secs(60);
/// For answers that never come to an end.
const PATIENCE: Duration = Duration::from_millis(500);

/// A server that gives every request this answer, as it stands, and then `more` until the client has gone.
fn server(answer: Vec<u8>, more: &'static [u8]) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            talk(stream, &answer, more);
        }
    });
    Config::default().base_url(url).clock(clock()).retry(RetryPolicy::never())
}

fn talk(mut stream: TcpStream, answer: &[u8], more: &[u8]) {
    let _ = stream.read(&mut [0; 8192]);
    let mut is_there = stream.write_all(answer).is_ok();
    while is_there && !more.is_empty() {
        is_there = stream.write_all(more).is_ok();
    }
}

/// A whole answer.
fn whole(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

async fn list(config: Config) -> Result<usize, Error> {
    let client = transactional::Client::with_config(ApiSmsToken::new(TOKEN)?, config)?;
    let listed = tokio::time::timeout(GUARD, client.sms_list().send()).await.expect("every call ends")?;
    Ok(listed.into_inner().entities.len())
}

fn check(what: &str, error: &Error) {
    let shown = format!("{error}");
    assert!(shown.len() < 5_000, "{what}: {} bytes are shown", shown.len());
    assert!(!shown.contains(['\n', '\u{1b}']), "{what}: {shown:?}");
    let _ =
        (error.field_errors(), BatchOutcome::of(error), error.rate_limit(), error.retry_after(), error.request_id());
}

#[tokio::test]
async fn bodies_that_would_break_a_parser_are_errors() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close.repeat(200_000));
    let long = "x".repeat(900_000);
    let bodies = [
        deep("[", "]"),
        deep("{\"error\":", "}"),
        deep("{\"entities\":[", "]}"),
        deep("{\"a\":{\"errors\":[", "]}}"),
        "[".repeat(900_000),
        format!("{{\"entities\":[{{\"{long}\":1,\"id\":{{}}}}]}}"),
        format!("{{\"message\":\"{long}\",\"error\":{{\"code\":\"{long}\",\"details\":[\"{long}\"]}}}}"),
        r#"{"entities":[{"id":1e999999999}]}"#.to_owned(),
        format!(r#"{{"entities":[{{"charsCount":{}}}]}}"#, "9".repeat(500_000)),
        r#"{"error":{"code":"c","message":"\u001b[2J\nINFO","retryAfter":1e308}}"#.to_owned(),
        r#"{"error":{"retryAfter":-1},"retry_after":-1e308}"#.to_owned(),
        format!(r#"{{"error":{{"retryAfter":{}}}}}"#, "9".repeat(400)),
        r#"{"entities":[{"id":"\ud800"}]}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "null".to_owned(),
        "\0".repeat(1000),
    ];
    for (index, body) in bodies.into_iter().enumerate() {
        for status in [200, 422, 429, 503] {
            match list(server(whole(status, "content-type: application/json\r\n", &body), b"")).await {
                Ok(_) => assert_eq!(status, 200, "body {index}"),
                Err(error) => {
                    check(&format!("body {index} with {status}"), &error);
                    assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "body {index}: {error:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn headers_with_extreme_values_are_read_or_left() {
    let max = u64::MAX;
    let long = "x".repeat(100_000);
    let headers = [
        format!("retry-after: {max}\r\n"),
        format!("retry-after: {max}9\r\n"),
        "retry-after: -1\r\n".to_owned(),
        "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n".to_owned(),
        "retry-after: Mon, 01 Jan 0001 00:00:00 GMT\r\ndate: Fri, 31 Dec 9999 23:59:59 GMT\r\n".to_owned(),
        format!("x-ratelimit-limit: {max}\r\nx-ratelimit-remaining: {max}\r\nx-ratelimit-reset: {max}\r\n"),
        "x-ratelimit-limit: 1\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 253402300799999\r\n".to_owned(),
        "x-ratelimit-limit: 0\r\nx-ratelimit-remaining: 9\r\nx-ratelimit-reset: 0\r\n".to_owned(),
        format!("location: https://a.example/{long}\r\nwww-authenticate: {long}\r\nx-request-id: {long}\r\n"),
        "www-authenticate: Bearer scope=\"\\\"\r\nlocation: //[\r\n".to_owned(),
        "content-type: \u{ff}\r\nx-request-id: \u{ff}\u{80}\r\n".to_owned(),
        "content-encoding: gzip, br, zstd\r\n".to_owned(),
        "x: y\r\n".repeat(90),
    ];
    for (index, headers) in headers.iter().enumerate() {
        for status in [200, 302, 401, 429, 503] {
            let body = if status == 200 { r#"{"entities":[]}"# } else { "" };
            match list(server(whole(status, headers, body), b"")).await {
                Ok(length) => assert_eq!((status, length), (200, 0), "headers {index}"),
                Err(error) => check(&format!("headers {index} with {status}"), &error),
            }
        }
    }
}

#[tokio::test]
async fn heads_and_framings_without_end_or_sense_are_errors() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let cases: [(&str, Vec<u8>, &'static [u8]); 11] = [
        ("a status line without end", b"HTTP/1.1 200 ".to_vec(), b"xxxxxxxxxxxxxxxx"),
        ("a header without end", b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b"xxxxxxxxxxxxxxxx"),
        ("headers without end", b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n"),
        ("early hints without end", Vec::new(), b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"),
        ("a chunk of no length", [&chunked[..], b"\r\n\r\n"].concat(), b""),
        ("a chunk of too great a length", [&chunked[..], b"fffffffffffffffff\r\nx"].concat(), b""),
        ("an extension of a chunk without end", [&chunked[..], b"1;"].concat(), b"xxxxxxxxxxxxxxxx"),
        ("trailers without end", [&chunked[..], b"0\r\n"].concat(), b"x: y\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx".to_vec(), b""),
        ("a length below zero", b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_vec(), b""),
        ("a switch to another protocol", b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n".to_vec(), b"x"),
    ];
    for (what, answer, more) in cases {
        let error = list(server(answer, more).timeout(PATIENCE)).await.expect_err(what);
        check(what, &error);
        let kinds =
            [ErrorKind::Transport, ErrorKind::Timeout, ErrorKind::Cut, ErrorKind::Unexpected, ErrorKind::Decode];
        assert!(kinds.contains(&error.kind()) && error.may_have_been_sent(), "{what}: {error:?}");
    }
}
