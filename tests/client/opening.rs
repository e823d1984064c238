//! What opens a call: every scheme that a client can send, alone and among alternatives. Each request is compared with what
//! the document allows, and searched for every other secret.

use std::sync::{Arc, Mutex};

use httpmock::prelude::*;
use httpmock::{HttpMockRequest, HttpMockResponse};
use keyfit::auth::{Carrier, Credential};
use keyfit::dispatch::Access;
use keyfit::operation::Retry;
use keyfit::{Api, CallOptions, Config, DynamicClient, ErrorKind, Operation};

const fn row(id: &'static str) -> Operation {
    Operation::new(id, "call", "GET", "/things").with_retry(Retry::Safe)
}

/// The key is what the client holds, the others are what else the document has.
static API: Api = Api::new("parcels").with_operations(&[
    row("unsaid"),
    row("alone").with_security(&[&["key"]]),
    row("or").with_security(&[&["other"], &["key"]]),
    row("and").with_security(&[&["key", "other"]]),
    row("and-or").with_security(&[&["key", "other"], &["key"]]),
    row("optional").with_security(&[&[], &["key"]]),
    row("optional-other").with_security(&[&["other"], &[]]),
    row("public").with_security(&[&[]]),
    row("another").with_security(&[&["other"], &["third", "key"]]),
]);

/// What may be sent with each operation: the credential, nothing, or no request at all.
const ALLOWED: [(&str, Option<bool>); 9] = [
    ("unsaid", Some(true)),
    ("alone", Some(true)),
    ("or", Some(true)),
    ("and", None),
    ("and-or", Some(true)),
    ("optional", Some(true)),
    ("optional-other", Some(false)),
    ("public", Some(false)),
    ("another", None),
];

/// Each carrier, a credential for it, and what stands in a request that carries it. // not-a-secret
const CARRIERS: [(Carrier, &str, (&str, &str)); 6] = [
    (Carrier::Bearer, "fixture-token-bearer", ("authorization", "Bearer fixture-token-bearer")), // not-a-secret
    (Carrier::Basic, "ada:fixture-secret-b", ("authorization", "Basic YWRhOmZpeHR1cmUtc2VjcmV0LWI=")), // not-a-secret
    (Carrier::Scheme("Bot"), "fixture-token-bot", ("authorization", "Bot fixture-token-bot")),   // not-a-secret
    (Carrier::Header("X-Key"), "fixture-key-header", ("x-key", "fixture-key-header")),           // not-a-secret
    (Carrier::Cookie("sid"), "fixture-key-cookie", ("cookie", "sid=fixture-key-cookie")),        // not-a-secret
    (Carrier::Query("key"), "fixture-key-query", ("query", "key=fixture-key-query")),            // not-a-secret
];

pub(crate) type Seen = Arc<Mutex<Vec<Vec<(String, String)>>>>;

/// A server that keeps the headers and the query of each request, and answers with this status.
pub(crate) async fn recording(status: u16) -> (MockServer, Seen) {
    let server = MockServer::start_async().await;
    let seen: Seen = Arc::default();
    let seeing = Arc::clone(&seen);
    server
        .mock_async(|_, then| {
            then.respond_with(move |request: &HttpMockRequest| {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let headers = request.headers();
                let mut parts: Vec<(String, String)> = headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                    .filter(|(name, _)| !["host", "accept", "user-agent"].contains(&name.as_str()))
                    .collect();
                parts.push(("query".to_owned(), query));
                parts.retain(|(_, value)| !value.is_empty());
                seeing.lock().expect("no panic").push(parts);
                HttpMockResponse::builder().status(status).body("{}").build()
            });
        })
        .await;
    (server, seen)
}

fn client(server: &MockServer, carrier: Carrier, secret: &str) -> DynamicClient {
    let credential = Access::Token(secret.into()).credential("key", carrier).expect("a credential");
    let config = Config::default().base_url(server.base_url()).allow_query_keys();
    DynamicClient::new(&API, credential, config).expect("a client")
}

#[tokio::test]
async fn a_request_carries_the_credential_of_one_alternative_and_nothing_else() {
    let (mut requests, mut searched) = (0, 0);
    for (carrier, secret, (place, value)) in CARRIERS {
        let (server, seen) = recording(200).await;
        let client = client(&server, carrier, secret);
        for (id, allowed) in ALLOWED {
            let sent = client.call(id).expect("an operation").send().await;
            let request = seen.lock().expect("no panic").pop();
            let expected = match allowed {
                Some(true) => Some(vec![(place.to_owned(), value.to_owned())]),
                Some(false) => Some(Vec::new()),
                None => None,
            };
            assert_eq!(request, expected, "{carrier:?} {id}");
            assert_eq!(sent.is_ok(), allowed.is_some(), "{carrier:?} {id}");
            requests += usize::from(request.is_some());
            let text = format!("{request:?}");
            for (_, other, (_, encoded)) in CARRIERS.iter().filter(|(other, ..)| *other != carrier) {
                assert!(!text.contains(other) && !text.contains(encoded), "{carrier:?} {id}");
                searched += 2;
            }
        }
    }
    println!("{requests} requests, {searched} searches for a secret that is not its own, 0 found");
}

#[tokio::test]
async fn a_call_that_the_client_cannot_open_says_what_would_and_sends_nothing() {
    let (server, seen) = recording(200).await;
    let error = client(&server, Carrier::Bearer, CARRIERS[0].1).call("another").expect("there").send().await;
    let error = error.expect_err("not opened");
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert_eq!(error.to_string(), "another: it takes `other`, or `third` with `key`, and this client holds `key`");
    assert!(!error.may_have_been_sent() && seen.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_public_call_that_is_refused_is_not_tried_with_a_credential() {
    let (server, seen) = recording(401).await;
    let source = keyfit::auth::source::MemorySource::new(CARRIERS[0].1);
    let credential: Credential<keyfit::scopien::kind::Key> = Credential::from_secret(source);
    let config = Config::default().base_url(server.base_url());
    let client = DynamicClient::new(&API, credential, config).expect("a client");
    client.call("public").expect("there").send().await.map(drop).expect_err("refused");
    assert_eq!(*seen.lock().expect("no panic"), [Vec::new()], "once, and with nothing");
}

#[tokio::test]
async fn a_cookie_stands_beside_those_of_the_call() {
    let (server, seen) = recording(200).await;
    let client = client(&server, Carrier::Cookie("sid"), CARRIERS[4].1);
    let options = CallOptions::default().header("cookie", "theme=dark").expect("a header");
    client.with_options(options).call("alone").expect("there").send().await.expect("an answer");
    let request = seen.lock().expect("no panic").pop().expect("a request");
    assert_eq!(request, [("cookie".to_owned(), "theme=dark; sid=fixture-key-cookie".to_owned())]); // not-a-secret
}

#[test]
fn a_key_in_the_query_is_sent_only_where_somebody_said_so() {
    let credential = Access::Token("fixture-key-query".into()).credential("key", Carrier::Query("key")); // not-a-secret
    let error =
        DynamicClient::new(&API, credential.expect("a credential"), Config::default().base_url("http://127.0.0.1:9"));
    let error = error.expect_err("nobody said so");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("allow_query_keys") && !format!("{error:?}").contains("fixture-key"), "{error}");
}

#[tokio::test]
async fn a_key_of_the_query_is_in_no_error_and_no_log() {
    let client = {
        let credential = Access::Token("fixture-key-query".into()).credential("key", Carrier::Query("key")); // not-a-secret
        let config = Config::default().base_url("http://127.0.0.1:9").allow_query_keys();
        DynamicClient::new(&API, credential.expect("a credential"), config).expect("a client")
    };
    let call = client.call("alone").expect("there");
    let shown = format!("{client:?} {call:?}");
    let error = call.send().await.expect_err("nobody listens");
    assert!(!format!("{shown} {error} {error:?}").contains("fixture-key"), "{error:?}");
}
