//! A client of the user's own under the calls: what it is asked, and what becomes of what it says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use keyfit::auth::TokenSource as _;
use keyfit::auth::oauth::{ClientCredentials, TokenEndpoint};
use keyfit::http_client::{Body, HttpClient, SendError, Sending, Tower};
use keyfit::instasent::transactional::{ApiSmsToken, Client, types};
use keyfit::scopien::{self, Key};
use keyfit::{Config, Error, ErrorKind};

use crate::support::{Scripted, TOKEN, clock};
use crate::tls::Authority;

type Answer = Result<http::Response<Body>, SendError>;

/// A client without a network.
struct Canned<F>(F, Arc<Mutex<Vec<http::Request<Body>>>>);

impl<F> std::fmt::Debug for Canned<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canned")
    }
}

impl<F: Fn() -> Option<Answer> + Send + Sync + 'static> HttpClient for Canned<F> {
    fn send(&self, request: http::Request<Body>) -> Sending<'_> {
        self.1.lock().expect("no panic").push(request);
        let answer = (self.0)();
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

fn canned<F: Fn() -> Option<Answer> + Send + Sync + 'static>(
    answer: F,
) -> (Config, Arc<Mutex<Vec<http::Request<Body>>>>) {
    let seen = Arc::default();
    (Config::default().clock(clock()).http_client(Canned(answer, Arc::clone(&seen))), seen)
}

fn scopien(config: Config) -> scopien::Client {
    scopien::Client::with_config(Key::new(TOKEN).expect("a key"), config).expect("a client")
}

async fn create(config: Config) -> Result<(), Error> {
    let client = Client::with_config(ApiSmsToken::new(TOKEN).expect("a token"), config).expect("a client");
    let body = types::SmsItem::builder().from("Keyfit").to("+34600000000").text("Hello");
    client.sms_create().body(body).send().await.map(drop)
}

/// A body of which nothing comes.
struct Silent;
impl http_body::Body for Silent {
    type Data = bytes::Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn it_is_asked_what_a_server_would_be_and_the_body_is_there_to_be_read() {
    let (config, seen) = canned(|| {
        Some(Ok(http::Response::builder().status(201).body(r#"{"entity":{"id":"1"}}"#.into()).expect("parts")))
    });
    create(config.user_agent("shop/2")).await.expect("it is created");
    let seen = seen.lock().expect("no panic");
    let [request] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/transactional/v1/sms"));
    assert_eq!(request.headers()["authorization"], format!("Bearer {TOKEN}"));
    assert!(request.headers()["user-agent"].to_str().is_ok_and(|agent| agent.starts_with("shop/2 keyfit/")));
    assert!(request.body().as_bytes().is_some_and(|body| body.starts_with(b"{\"from\":\"Keyfit\"")));
    assert!(!format!("{request:?}").contains(TOKEN), "the header is marked");
}

#[tokio::test]
async fn a_service_is_a_server_in_the_same_process() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let list = move |headers: HeaderMap| async move {
        assert!(headers.contains_key("authorization"));
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], ""),
            _ => (StatusCode::OK, [("content-type", "application/json")], "[]"),
        }
    };
    let router: Router = Router::new().route("/v1/accounts", get(list));
    let clock = clock();
    let client = scopien(Config::default().clock(clock.clone()).http_client(Tower(router)));
    let answer = client.accounts_list().send().await.expect("the second one");
    assert_eq!((answer.attempts(), calls.load(Ordering::SeqCst), clock.waits().len()), (2, 2, 1));
    let error = client.auth_test().send().await.expect_err("there is no such route");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_request_of_which_no_byte_left_is_sent_again_and_one_that_may_have_is_not() {
    let failing = |error: fn() -> SendError| canned(move || Some(Err(error())));
    let (config, seen) = failing(|| SendError::connect("the tunnel is closed"));
    let error = create(config).await.expect_err("no connection");
    assert_eq!(
        (error.kind(), error.may_have_been_sent(), seen.lock().expect("no panic").len()),
        (ErrorKind::Connect, false, 4)
    );
    assert!(error.to_string().ends_with("could not reach api.instasent.com: the tunnel is closed"), "{error}");
    let (config, seen) = failing(|| SendError::new("the tunnel fell in"));
    let error = create(config).await.expect_err("no answer");
    assert_eq!(
        (error.kind(), error.may_have_been_sent(), seen.lock().expect("no panic").len()),
        (ErrorKind::Transport, true, 1)
    );
}

#[tokio::test]
async fn a_redirect_that_cannot_be_shown_is_one_all_the_same() {
    let (config, seen) = canned(|| Some(Err(SendError::redirect("it leads somewhere"))));
    let error = scopien(config).accounts_list().send().await.expect_err("it is not followed");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Redirect, 1));
    assert!(error.may_have_been_sent());
    assert_eq!(seen.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn the_time_of_an_attempt_stays_in_force() {
    let (config, seen) = canned(|| None);
    let error = create(config.timeout(Duration::from_millis(30))).await.expect_err("no answer");
    assert_eq!((error.kind(), seen.lock().expect("no panic").len()), (ErrorKind::Timeout, 1));
    let (config, _) = canned(|| Some(Ok(http::Response::new(Body::new(Silent)))));
    let error = create(config.timeout(Duration::from_millis(30))).await.expect_err("half an answer");
    assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (ErrorKind::Cut, Some(200)));
}

#[tokio::test]
async fn a_client_of_reqwest_is_taken_as_it_is_and_may_not_follow_redirects() {
    let server = Scripted::json(200, "[]").await;
    let own = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let own = own.default_headers(
        [(http::HeaderName::from_static("x-hop"), http::HeaderValue::from_static("1"))].into_iter().collect(),
    );
    let config = server.config().http_client(own.build().expect("a client"));
    scopien(config).accounts_list().send().await.expect("an answer");
    assert_eq!(server.received()[0].header("x-hop"), Some("1"));

    let target = server.url();
    let moved = Scripted::start(307, &[("location", &format!("{target}/v1/accounts"))], "").await;
    let own = reqwest::Client::builder().no_proxy().build().expect("a client");
    let error = scopien(moved.config().http_client(own)).accounts_list().send().await.expect_err("a redirect");
    assert!(error.to_string().contains("followed a redirect"), "{error}");
}

#[tokio::test]
async fn token_requests_go_through_it_too() {
    let (_, seen) = canned(|| None);
    let answer =
        || Some(Ok(http::Response::new(Body::from(r#"{"access_token":"fixture-token-0002","token_type":"Bearer"}"#))));
    let endpoint = TokenEndpoint::builder("https://auth.example.com/token", "client")
        .http_client(Canned(answer, Arc::clone(&seen)))
        .build()
        .expect("an endpoint");
    let token = ClientCredentials::new(endpoint).fetch().await.expect("a token");
    assert!(!format!("{token:?}").contains("fixture-token-0002"));
    let seen = seen.lock().expect("no panic");
    assert_eq!((seen.len(), seen[0].uri().to_string()), (1, "https://auth.example.com/token".to_owned()));
}

#[test]
fn certificates_beside_it_and_calls_outside_of_a_runtime_are_errors_with_words() {
    let (config, seen) = canned(|| None);
    let roots = Authority::new("roots").pem();
    let config_with = config.clone().root_certificates(roots).expect("it is one");
    let error = scopien::Client::with_config(Key::new(TOKEN).expect("a key"), config_with).expect_err("nobody sees it");
    assert!(error.kind() == ErrorKind::Configuration && error.to_string().contains("set them there"), "{error}");

    let client = scopien(config);
    let mut call = Box::pin(client.accounts_list().send());
    let Poll::Ready(Err(error)) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits for a runtime that is not there")
    };
    assert!(error.kind() == ErrorKind::Configuration && error.to_string().contains("within a runtime"), "{error}");
    assert!(seen.lock().expect("no panic").is_empty());
}
