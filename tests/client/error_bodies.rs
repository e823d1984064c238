//! Whatever the body of a failed answer is, status, headers, rate limit and raw body survive.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crate::support::{Scripted, TOKEN};
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::scopien::Key;
use keyfit::{Error, ErrorKind, instasent, scopien};

async fn accounts(server: &Scripted) -> Error {
    let key = Key::new(TOKEN).expect("a key");
    let client = scopien::Client::with_config(key, server.config()).expect("a client");
    client.accounts_list().send().await.expect_err("the server refuses")
}

async fn sms(server: &Scripted) -> Error {
    let token = ApiSmsToken::new(TOKEN).expect("a token");
    let client = instasent::transactional::Client::with_config(token, server.config()).expect("a client");
    client.sms_list().send().await.expect_err("the server refuses")
}

#[tokio::test]
async fn scopiens_nested_envelope() {
    let body = r#"{"error":{"code":"rate_limit_exceeded","message":"Slow down","details":"in 7 s","retryAfter":7}}"#;
    let headers = [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1893452400")];
    let error = accounts(&Scripted::start(429, &headers, body).await).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.to_string(), "accounts-list: 429 Too Many Requests (rate_limit_exceeded): Slow down");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.details(), Some(&serde_json::json!("in 7 s")));
    let limit = error.rate_limit().expect("three headers");
    assert_eq!((limit.limit, limit.remaining, limit.reset), (Some(1000), Some(0), Some(1_893_452_400)));
    assert_eq!(error.body().as_ref(), body.as_bytes());
    let typed: scopien::types::ErrorEnvelope = error.decode().expect("the documented envelope");
    assert_eq!(typed.error.code, scopien::values::ErrorDetailCode::RateLimitExceeded);
}

#[tokio::test]
async fn instasents_message_and_the_flat_envelope() {
    let error = sms(&Scripted::json(400, r#"{"message":"Problems parsing JSON"}"#).await).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::BadRequest, Some("Problems parsing JSON")));
    let error = sms(&Scripted::json(403, r#"{"error":"forbidden","message":"no","request_id":"req_1"}"#).await).await;
    assert_eq!((error.code(), error.message(), error.request_id()), (Some("forbidden"), Some("no"), Some("req_1")));
}

#[tokio::test]
async fn the_empty_429() {
    let error = sms(&Scripted::start(429, &[("x-ratelimit-remaining", "0"), ("retry-after", "3")], "").await).await;
    assert!(error.is_rate_limited());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert_eq!(error.rate_limit().and_then(|limit| limit.remaining), Some(0));
    assert_eq!((error.message(), error.body().len()), (None, 0));
}

#[tokio::test]
async fn html_and_cut_off_json() {
    for (status, body) in
        [(502, "<html><h1>Bad Gateway</h1></html>"), (401, r#"{"error":{"code":"unauth"#), (500, "\u{0}\u{1}")]
    {
        let error = accounts(&Scripted::start(status, &[("x-request-id", "req_9")], body).await).await;
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(error.body().as_ref(), body.as_bytes());
        assert_eq!(error.request_id(), Some("req_9"));
        assert!(!format!("{error} {error:?}").contains("Bad Gateway</h1>"), "the body is not printed: {error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_body_keeps_status_and_headers() {
    for (head, status, kind) in
        [("402 Payment Required", 402, ErrorKind::PaymentRequired), ("200 OK", 200, ErrorKind::Cut)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 4096]).expect("a request");
            let answer =
                format!("HTTP/1.1 {head}\r\nX-RateLimit-Remaining: 5\r\nContent-Length: 100\r\n\r\n{{\"message\":");
            stream.write_all(answer.as_bytes()).expect("half an answer");
        });
        let token = ApiSmsToken::new(TOKEN).expect("a token");
        let config = keyfit::Config::default().base_url(url).retry(keyfit::RetryPolicy::never());
        let client = instasent::transactional::Client::with_config(token, config).expect("a client");
        let error = client.sms_list().send().await.expect_err("the answer is cut off");
        server.join().expect("the server is done");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(error.kind(), kind);
        assert_eq!(error.rate_limit().and_then(|limit| limit.remaining), Some(5));
        assert_eq!((error.body().as_ref(), error.is_body_whole()), (&b"{\"message\":"[..], false));
        assert!(error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_success_that_does_not_fit_keeps_everything_and_names_the_place() {
    let headers = [("x-ratelimit-remaining", "5"), ("x-request-id", "req_2")];
    let server = Scripted::start(200, &headers, r#"{"entities":[{"id":{"a":"fixture-echo"}}]}"#).await;
    let error = sms(&server).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert!(error.to_string().contains("entities[0].id"), "{error}");
    assert!(!format!("{error:?}").contains("fixture-echo"), "{error:?}");
    assert_eq!(error.rate_limit().and_then(|limit| limit.remaining), Some(5));
    assert!(error.body().starts_with(b"{\"entities\"") && error.is_body_whole());
    assert_eq!(error.request_id(), Some("req_2"));
}

#[tokio::test]
async fn a_failure_that_never_ends_is_kept_up_to_a_limit() {
    let error = accounts(&Scripted::json(500, "x".repeat((1 << 20) + 1)).await).await;
    assert_eq!((error.kind(), error.body().len(), error.is_body_whole()), (ErrorKind::Server, 1 << 20, false));
}

#[tokio::test]
async fn a_message_with_line_breaks_prints_as_one_line() {
    let error = sms(&Scripted::json(400, r#"{"message":"no\n2026-01-22 login ok"}"#).await).await;
    assert_eq!(error.to_string(), "sms-list: 400 Bad Request: no\\n2026-01-22 login ok");
    assert_eq!(error.message(), Some("no\n2026-01-22 login ok"));
}

#[tokio::test]
async fn an_echoed_credential_is_masked() {
    let body = format!(r#"{{"error":{{"code":"unauthorized","message":"{TOKEN} is revoked","details":["{TOKEN}"]}}}}"#);
    let error = accounts(&Scripted::json(401, body).await).await;
    let shown = format!("{error} {error:?} {:?} {:?}", error.message(), error.details());
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(error.is_auth());
}

#[tokio::test]
async fn a_server_that_is_not_there_was_not_sent_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let key = Key::new(TOKEN).expect("a key");
    let client = scopien::Client::with_config(key, keyfit::Config::default().base_url(url)).expect("a client");
    let error = client.accounts_list().send().await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.may_have_been_sent());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_call_that_takes_too_long_may_have_been_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let key = Key::new(TOKEN).expect("a key");
    let config = keyfit::Config::default().base_url(url).timeout(Duration::from_millis(100));
    let client = scopien::Client::with_config(key, config).expect("a client");
    let error = client.accounts_list().send().await.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.may_have_been_sent());
    drop(listener);
}
