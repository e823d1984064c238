//! No secret gets out: not by a log, `Debug`, `Display`, an error's chain, a panic or a URL, even where servers echo it.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};

use httpmock::HttpMockResponse;
use keyfit::auth::Credential;
use keyfit::instasent::transactional;
use keyfit::instasent::transactional::ApiSmsToken;
use keyfit::scopien::{Key, kind};
use keyfit::{Error, scopien};
use keyfit_openapi::{Api, Source, example};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::encodings::{ENCODINGS, leak, written};
use crate::support::{Scripted, TOKEN, access};

/// Everything that was written.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<String>>);

impl Written {
    fn push(&self, text: &str) {
        self.0.lock().expect("no test panics while it holds the lock").push_str(text);
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().expect("no test panics while it holds the lock").clone()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All that a program might print of an error.
fn shown(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = writeln!(text, "{cause}\n{cause:?}");
        source = cause.source();
    }
    text
}

pub(crate) fn logging(written: &Written) -> tracing::subscriber::DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(written.clone())
        .finish();
    tracing::subscriber::set_default(subscriber)
}

#[tokio::test]
async fn nothing_that_is_printed_holds_the_secret() {
    let written = Written::default();
    let logs = logging(&written);
    let echo =
        format!(r#"{{"error":{{"code":"{TOKEN}","message":"no {TOKEN}","details":["{TOKEN}"]}},"token":"{TOKEN}"}}"#);
    let location = format!("https://elsewhere.example/?access_token={TOKEN}");
    for source in Source::all_in("openapi/apis".as_ref()).expect("they ship") {
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        for status in [200, 302, 400, 401, 403, 404, 422, 429, 500] {
            let headers = [("location", location.as_str()), ("x-request-id", TOKEN), ("www-authenticate", TOKEN)];
            let server = Scripted::start(status, &headers, echo.clone()).await;
            let client = keyfit::dispatch::connect(&api.name, server.config(), access()).expect("a client");
            for operation in &api.operations {
                match client.call(&operation.id, &example::arguments(&api, operation)).await {
                    Ok(answer) => assert_eq!(answer.status, 200),
                    Err(error) => written.push(&shown(&error)),
                }
            }
            for request in server.received() {
                written.push(&request.target);
            }
        }
    }
    drop(logs);
    let text = written.text();
    for expected in ["the server refused the credential", "401 Unauthorized", "hyper_util"] {
        assert!(text.contains(expected), "`{expected}` was not captured: the test sees too little");
    }
    let leak = text.lines().find(|line| line.contains(TOKEN));
    assert_eq!(leak, None);
}

/// As TOKEN, with characters that encodings change.
const MARKED: &str = "fixture/token+0001=&more"; // not-a-secret

#[tokio::test]
async fn no_place_of_an_answer_brings_the_secret_into_an_error_in_any_encoding() {
    let echo = Arc::new(Mutex::new((0, String::new())));
    let said = Arc::clone(&echo);
    let server = Scripted::answering(move |_| {
        let (status, text) = said.lock().expect("no panic").clone();
        let body = json!({
            "error": {"code": text, "message": format!("no \u{1b}[2J\u{202e}{text}"), "details": {text.as_str(): [text]}, "requestId": text},
            "entities": {text.as_str(): text}, "message": text,
        });
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            headers.push(("location".to_owned(), format!("https://{text}.example/{text}")));
            headers.push(("x-request-id".to_owned(), text));
        }
        HttpMockResponse::builder().status(status).headers(headers).body(body.to_string()).build()
    })
    .await;
    let token = ApiSmsToken::new(MARKED).expect("a token");
    let client = transactional::Client::with_config(token, server.config()).expect("a client");
    let (mut cases, mut hits) = (0, Vec::new());
    let all = written(MARKED);
    let pairs = all.iter().skip(ENCODINGS.len()).step_by(11);
    for written in all.iter().take(ENCODINGS.len()).chain(pairs) {
        for status in [200, 302, 401, 422] {
            *echo.lock().expect("no panic") = (status, written.text.clone());
            let logged = Written::default();
            let logs = logging(&logged);
            let error = client.sms_list().send().await.expect_err("no list");
            drop(logs);
            let told = (error.code(), error.message(), error.details(), error.request_id(), error.field_errors());
            let text = format!("{}{}{told:?}", shown(&error), logged.text());
            let is_plain = !text.contains(['\u{1b}', '\u{202e}']);
            cases += 1;
            if leak(&text, written, 0).is_some() || !is_plain {
                hits.push(format!("{}, {status}: {text}", written.name));
            }
        }
    }
    println!("secrets: {cases} cases, {} hits", hits.len());
    assert!(hits.is_empty(), "{} of {cases}:\n{}", hits.len(), hits[0]);
}

#[tokio::test]
async fn a_success_that_repeats_the_token_does_not_print_it_and_still_holds_it() {
    let server =
        Scripted::start(200, &[("content-type", "application/json")], format!(r#"{{"token":"{TOKEN}"}}"#)).await;
    let key = Key::new(TOKEN).expect("a key");
    let client = scopien::Client::with_config(key, server.config()).expect("a client");
    let answer = client.request(reqwest::Method::GET, "/reports/weekly").send().await.expect("a success");
    let kept = answer.clone().map(|body| String::from_utf8_lossy(&body).into_owned());
    let printed = format!("{answer:?} {answer:#?} {kept:?} {kept:#?}");
    assert!(!printed.contains(TOKEN) && printed.matches("[redacted]").count() == 4, "{printed}");
    assert!(kept.into_inner().contains(TOKEN), "it is the caller's");
}

#[tokio::test]
async fn clients_credentials_and_panics_do_not_show_it() {
    let written = Written::default();
    let logs = logging(&written);
    let server = Scripted::start(401, &[], TOKEN).await;
    let key = Key::new(TOKEN).expect("a key");
    let credential: Credential<kind::Key> = key.clone().into();
    let client = scopien::Client::with_config(credential.clone(), server.config()).expect("a client");
    written.push(&format!("{key:?} {credential:?} {client:?} {:#?}", server.config()));
    let failed = client.accounts_list().send().await;
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| failed.expect("a program that gives up")));
    let message = panicked.expect_err("it panics");
    written.push(message.downcast_ref::<String>().expect("a message"));
    drop(logs);
    let text = written.text();
    assert!(text.contains("a program that gives up"));
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn each_401_and_403_is_one_event_with_what_a_security_log_wants() {
    for (status, expected) in [(401, 1), (403, 1), (404, 0), (200, 0)] {
        let written = Written::default();
        let logs = logging(&written);
        let headers = [("content-type", "application/json")];
        let body = r#"{"error":"forbidden","message":"no","request_id":"req_7","data":[]}"#;
        let server = Scripted::start(status, &headers, body).await;
        let key = Key::new(TOKEN).expect("a key");
        let client = scopien::Client::with_config(key, server.config()).expect("a client");
        let _ = client.accounts_list().send().await;
        drop(logs);
        let text = written.text();
        let events: Vec<&str> = text.lines().filter(|line| line.contains("keyfit::auth")).collect();
        assert_eq!(events.len(), expected, "{status}: {events:?}");
        for event in events {
            let fingerprint = keyfit::auth::Fingerprint::of(TOKEN);
            for field in [
                format!("status={status}"),
                "code=\"forbidden\"".to_owned(),
                "request_id=\"req_7\"".to_owned(),
                format!("key={fingerprint}"),
                "operation=\"accounts_list\"".to_owned(),
                "time=".to_owned(),
            ] {
                assert!(event.contains(&field), "{field}: {event}");
            }
        }
    }
}
