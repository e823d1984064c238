//! Hooks and signers of calls: what they see, what they add, and that they are asked on every attempt.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::auth::source::BoxFuture;
use keyfit::hook::{AfterAttempt, BeforeAttempt, Hook, HookError, RequestSigner, Signable};
use keyfit::http_client::http::{HeaderMap, Request, Response};
use keyfit::http_client::{Body, HttpClient, SendError, Sending};
use keyfit::instasent::product::{self, ProductToken};
use keyfit::scopien::{Client, Key};
use keyfit::testing::TestClock;
use keyfit::{CallOptions, Config, Error, ErrorKind};

const KEY: &str = "sk_test_fixturekey0001"; // not-a-secret

/// A request as it arrived: its path with the query, its headers and its body.
type Came = (String, HeaderMap, Vec<u8>);

/// A server in memory that gives these answers one after the other, and the last one again and again.
#[derive(Clone, Debug)]
struct Server {
    answers: Arc<Vec<(u16, &'static str)>>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Server {
    fn of(answers: &[(u16, &'static str)]) -> Self {
        Self { answers: Arc::new(answers.to_vec()), came: Arc::default() }
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().expect("no panic").clone()
    }

    /// A header of each request.
    fn header(&self, name: &str) -> Vec<Option<String>> {
        let value = |(_, headers, _): &Came| headers.get(name)?.to_str().ok().map(str::to_owned);
        self.came().iter().map(value).collect()
    }
}

impl HttpClient for Server {
    fn send(&self, request: Request<Body>) -> Sending<'_> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.whole().await.map_err(SendError::new)?;
            let mut came = self.came.lock().expect("no panic");
            let (status, text) = self.answers[came.len().min(self.answers.len() - 1)];
            let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            came.push((target, parts.headers, body.to_vec()));
            let answer = Response::builder()
                .status(status)
                .header("x-echo", format!("you are {KEY}"))
                .header("set-cookie", "session=hunter2-cookie")
                .header("x-plain", "plain");
            Ok(answer.body(Body::from(text)).expect("an answer"))
        })
    }
}

const LIST: &str = "[]";

fn client(server: &Server, config: Config) -> Client {
    let config = config.http_client(server.clone()).clock(TestClock::default());
    Client::with_config(Key::new(KEY).expect("a key"), config).expect("a client")
}

/// Writes down what it sees.
#[derive(Clone, Debug, Default)]
struct Witness(Arc<Mutex<Vec<String>>>);

impl Witness {
    fn seen(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

impl Hook for Witness {
    fn before(&self, attempt: &mut BeforeAttempt) -> Result<(), HookError> {
        let line = format!(
            "before {} {} {} {:?} {:?} {:?}",
            attempt.number(),
            attempt.method(),
            attempt.operation().id,
            attempt.headers(),
            attempt.body_length(),
            attempt.url(),
        );
        self.0.lock().expect("no panic").push(format!("{line} {attempt:?}"));
        attempt.insert_header("x-trace", &format!("trace-{}", attempt.number()))
    }

    fn after(&self, attempt: &AfterAttempt) {
        let (status, error) = (attempt.status().map(|status| status.as_u16()), attempt.error());
        let line = format!("after {} {status:?} {error:?} {:?}", attempt.number(), attempt.headers());
        self.0.lock().expect("no panic").push(format!("{line} {attempt:?}"));
    }
}

#[tokio::test]
async fn a_hook_is_asked_before_every_attempt_and_told_after_it() {
    let server = Server::of(&[(503, ""), (503, ""), (200, LIST)]);
    let witness = Witness::default();
    client(&server, Config::default().hook(witness.clone())).accounts_list().send().await.expect("a success");
    let traces = [1, 2, 3].map(|number| Some(format!("trace-{number}")));
    assert_eq!(server.header("x-trace"), traces, "what an attempt had is not what the next one has");
    let seen = witness.seen();
    let begins: Vec<String> =
        seen.iter().map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        begins,
        ["before 1 GET", "after 1 Some(503)", "before 2 GET", "after 2 Some(503)", "before 3 GET", "after 3 Some(200)"]
    );
    assert!(seen[1].contains("Some(Server)") && seen[5].contains("None"), "{seen:#?}");
}

#[tokio::test]
async fn a_hook_sees_no_secret_of_request_and_answer() {
    let server = Server::of(&[(401, "")]);
    let witness = Witness::default();
    let options = CallOptions::default().header("X-Second-Key", "hunter2-header").expect("a header"); // not-a-secret
    let client = client(&server, Config::default().hook(witness.clone())).with_options(options);
    client.accounts_list().send().await.expect_err("it is refused");
    assert_eq!(server.header("x-second-key"), [Some("hunter2-header".to_owned())], "it is sent all the same"); // not-a-secret
    let seen = witness.seen().join("\n");
    assert!(!seen.contains(KEY) && !seen.contains("hunter2"), "{seen}");
    assert!(seen.contains(r#""x-echo": "you are [redacted]""#) && seen.contains(r#""x-plain": "plain""#), "{seen}");
    assert!(seen.contains(r#""set-cookie": "[redacted]""#), "{seen}");
}

/// Ends every call.
#[derive(Debug)]
struct Guard(fn() -> HookError);

impl Hook for Guard {
    fn before(&self, _: &mut BeforeAttempt) -> Result<(), HookError> {
        Err((self.0)())
    }
}

#[tokio::test]
async fn a_hook_that_fails_ends_the_call_before_anything_is_sent() {
    let server = Server::of(&[(200, LIST)]);
    let refused = client(&server, Config::default().hook(Guard(|| "not on Sundays".into())));
    let error = refused.accounts_list().send().await.expect_err("it is stopped");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Refused, false));
    assert!(error.to_string().ends_with(": not on Sundays"), "{error}");
    let own = client(&server, Config::default().hook(Guard(|| Error::credential("no key today").into())));
    assert_eq!(own.accounts_list().send().await.expect_err("it is stopped").kind(), ErrorKind::Credential);
    let leaks = client(&server, Config::default().hook(Guard(|| format!("I saw {KEY}").into())));
    let error = leaks.accounts_list().send().await.expect_err("it is stopped");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    assert!(server.came().is_empty());
}

/// Tries to change what is the client's.
#[derive(Debug)]
struct Meddler(&'static str);

impl Hook for Meddler {
    fn before(&self, attempt: &mut BeforeAttempt) -> Result<(), HookError> {
        attempt.insert_header(self.0, "mine")
    }
}

#[tokio::test]
async fn no_hook_takes_the_place_of_a_credential_or_of_what_frames_a_request() {
    for name in ["authorization", "Host", "content-length", "transfer-encoding", "X-Second-Key", "no name", "X-Löwe"] {
        let server = Server::of(&[(200, LIST)]);
        let options = CallOptions::default().header("X-Second-Key", "other").expect("a header");
        let client = client(&server, Config::default().hook(Meddler(name))).with_options(options);
        assert_eq!(client.accounts_list().send().await.expect_err(name).kind(), ErrorKind::Refused, "{name}");
        assert!(server.came().is_empty(), "{name}");
    }
}

/// Signs by repeating what it signs.
#[derive(Debug)]
struct Repeater;

impl RequestSigner for Repeater {
    fn sign<'a>(&'a self, request: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>> {
        Box::pin(async move {
            // A key that lives elsewhere.
            tokio::task::yield_now().await;
            let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let body = String::from_utf8_lossy(request.body().ok_or("a stream")?).into_owned();
            let since = request.now().duration_since(std::time::UNIX_EPOCH)?;
            let text = format!(
                "{} {}?{} {} {} {} {body}",
                request.method(),
                request.path(),
                request.query().unwrap_or_default(),
                header("authorization"),
                header("x-trace"),
                since.as_secs(),
            );
            request.insert_header("x-signature", &text)?;
            request.append_query("sig", "1");
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_signer_sees_the_whole_request_and_signs_each_attempt_anew() {
    let server = Server::of(&[(503, ""), (200, "{}")]);
    let config = Config::default().signer(Repeater).hook(Witness::default());
    let client = client(&server, config);
    let sent = client.request(reqwest::Method::PUT, "/things/a b").query("q", "ü").json(&[1, 2]).send().await;
    sent.expect("a PUT is repeated");
    let came = server.came();
    assert_eq!(came.len(), 2);
    let seconds: Vec<u64> = came
        .iter()
        .enumerate()
        .map(|(index, (target, headers, body))| {
            let (signature, trace) = (headers["x-signature"].to_str().expect("a text"), index + 1);
            assert!(target.ends_with("/things/a%20b?q=%C3%BC&sig=1"), "{target}");
            let before = format!("PUT {} Bearer {KEY} trace-{trace} ", target.trim_end_matches("&sig=1"));
            let rest = signature.strip_prefix(&before).unwrap_or_else(|| panic!("{signature} is not {before}"));
            let (seconds, signed) = rest.split_once(' ').expect("a time and a body");
            assert_eq!(signed.as_bytes(), body, "the bytes that are sent are those that are signed");
            seconds.parse().expect("a number")
        })
        .collect();
    assert_eq!(came[0].2, b"[1,2]");
    assert!(seconds[1] >= seconds[0], "{seconds:?}");
}

#[derive(Debug)]
struct NoKey;

impl RequestSigner for NoKey {
    fn sign<'a>(&'a self, _: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>> {
        Box::pin(async { Err("the key store is closed".into()) })
    }
}

/// Never comes back.
#[derive(Debug)]
struct Stuck;

impl RequestSigner for Stuck {
    fn sign<'a>(&'a self, _: &'a mut Signable) -> BoxFuture<'a, Result<(), HookError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let server = Server::of(&[(200, LIST)]);
    let error = client(&server, Config::default().signer(NoKey)).accounts_list().send().await.expect_err("unsigned");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Credential, false));
    assert!(error.to_string().ends_with(": the key store is closed"), "{error}");
    let config = Config::default().signer(Stuck).deadline(Duration::from_millis(20));
    let error = client(&server, config).accounts_list().send().await.expect_err("unsigned");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Timeout, false));
    assert!(server.came().is_empty());
}

#[tokio::test]
async fn each_page_of_a_list_is_signed_and_seen() {
    let first = r#"{"entities":[{"id":"1"}],"metadata":{"cursor":"next","limit":100,"totalHits":2}}"#;
    let last = r#"{"entities":[{"id":"2"}],"metadata":{"cursor":null,"limit":100,"totalHits":2}}"#;
    let server = Server::of(&[(200, first), (200, last)]);
    let witness = Witness::default();
    let config = Config::default()
        .http_client(server.clone())
        .clock(TestClock::default())
        .signer(Repeater)
        .hook(witness.clone());
    let client = product::Client::with_config(ProductToken::new(KEY).expect("a token"), config).expect("a client");
    let mut contacts = client.audience_scroll().project("proj_xxx").items();
    let mut count = 0;
    while let Some(contact) = contacts.next().await {
        contact.expect("a contact");
        count += 1;
    }
    assert_eq!((count, server.came().len(), witness.seen().len()), (2, 2, 4));
    assert!(server.header("x-signature").iter().all(Option::is_some));
}
