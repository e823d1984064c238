//! Generated clients on WebAssembly, by the `fetch` of Node, before the mock and a server that `run` starts.

use std::time::Duration;

use js_sys::{Function, Promise};
use keyfit::auth::oauth::{
    AuthorizationRequest, ClientCredentials, MemoryPendingAuthorizations, MemoryStore, RefreshingSession,
    TokenEndpoint, TokenSet, handle_callback,
};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{AccessToken, Credential, TokenSource as _};
use keyfit::http_client::http::Method;
use keyfit::{CallOptions, Clock as _, Config, ErrorKind, RetryPolicy, SystemClock};
use serde_json::{Value, json};
use wasm::{guide, streams};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// A variable of the environment of Node.
fn variable(name: &str) -> String {
    let value = Function::new_no_args(&format!("return process.env.{name}")).call0(&js_sys::global());
    value.ok().and_then(|value| value.as_string()).unwrap_or_else(|| panic!("{name} is set by `run`"))
}

/// Changes what Node is, and changes it back.
fn run_js(text: &str) {
    Function::new_no_args(text).call0(&js_sys::global()).expect("it runs");
}

fn once() -> Config {
    Config::default().retry(RetryPolicy::never())
}

/// The mock's client, with a token that opens everything.
fn mocked() -> guide::Client {
    let config = Config::default().base_url(variable("GUIDE_BASE_URL"));
    guide::Client::with_config(guide::Key::new(variable("GUIDE_KEY")).expect("a key"), config).expect("a client")
}

/// A client of the server.
fn served_with(config: Config) -> streams::Client {
    let key = streams::Key::new("fixture-token-0001").expect("a key"); // not-a-secret
    streams::Client::with_config(key, config.base_url(format!("{}/v1", variable("SERVER")))).expect("a client")
}

fn served() -> streams::Client {
    served_with(once())
}

/// The server's own figures.
async fn said(path: &str) -> Value {
    let answer = served().request(Method::GET, path).send().await.expect("an answer");
    answer.decode().expect("JSON")
}

/// Waits until the server has seen that many connections end early.
async fn closed(number: i64) {
    for _ in 0..200 {
        if said("/seen").await["closed"] == number {
            return;
        }
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
    panic!("the request was not aborted: {}", said("/seen").await);
}

/// The mock fails like this.
async fn fails(fault: Value) {
    let key = streams::Key::new("fixture-token-0001").expect("a key"); // not-a-secret
    let admin = streams::Client::with_config(key, once().base_url(variable("GUIDE_ADMIN"))).expect("a client");
    admin.request(Method::POST, "/faults").json(&fault).send().await.expect("the mock takes it");
}

#[wasm_bindgen_test]
async fn a_call_is_answered_and_a_create_too() {
    let items = mocked().items_list().send().await.expect("an answer");
    assert!(!items.is_empty());
    let item = items[0].clone();
    let made = mocked().items_create().body(item).send().await.expect("it is made");
    assert_eq!(made.status(), 201);
}

#[wasm_bindgen_test]
async fn a_wrong_token_is_refused_by_kind() {
    let config = once().base_url(variable("GUIDE_BASE_URL"));
    let key = guide::Key::new("sk_live_00000000000000000000000000000000").expect("a key"); // not-a-secret
    let client = guide::Client::with_config(key, config).expect("a client");
    let error = client.items_list().send().await.expect_err("it is no token");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[wasm_bindgen_test]
async fn a_429_is_waited_for_and_the_call_sent_again() {
    fails(json!({ "fault": "rate-limited", "window_seconds": 1 })).await;
    let began = web_time::Instant::now();
    let items = mocked().items_list().send().await.expect("an answer in the end");
    assert_eq!(items.attempts(), 2);
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

#[wasm_bindgen_test]
async fn a_create_whose_answer_is_lost_is_not_sent_again() {
    fails(json!({ "fault": "cut", "executed": true })).await;
    let item = mocked().items_list().send().await;
    // A read is sent again.
    let item = item.expect("an answer in the end")[0].clone();
    fails(json!({ "fault": "cut", "executed": true })).await;
    let error = mocked().items_create().body(item).send().await.expect_err("the connection is closed");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
    assert!(error.may_have_been_executed());
}

#[wasm_bindgen_test]
async fn a_host_that_nobody_is_at_may_have_been_reached_for_all_that_fetch_tells() {
    let key = guide::Key::new(variable("GUIDE_KEY")).expect("a key");
    // The server listens on 127.0.0.1 alone.
    let nobody = variable("SERVER").replace("127.0.0.1", "127.0.0.2");
    let client = guide::Client::with_config(key, once().base_url(nobody)).expect("a client");
    let error = client.items_list().send().await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.may_have_been_sent());
    assert!(error.to_string().contains("127.0.0.2:"), "{error}");
}

#[wasm_bindgen_test]
fn plain_http_is_for_loopback_hosts() {
    let key = guide::Key::new(variable("GUIDE_KEY")).expect("a key");
    let error = guide::Client::with_config(key, once().base_url("http://api.example.com")).expect_err("it is shown");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[wasm_bindgen_test]
async fn a_redirect_is_not_followed() {
    let error = served().request(Method::GET, "/away").send().await.expect_err("a redirect");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Redirect, 1));
    assert!(!format!("{error:#} {error:?}").contains("fixture-secret"), "{error:?}");
    assert_eq!(said("/seen").await["led"], 0);
}

#[wasm_bindgen_test]
async fn a_redirect_that_a_browser_hides_is_not_followed_either() {
    run_js(
        "globalThis.kept = fetch;
         globalThis.fetch = async () => Object.create(Response.prototype, {
           type: { value: 'opaqueredirect' }, status: { value: 0 }, headers: { value: new Headers() }, body: { value: null },
         });",
    );
    let refused = served_with(Config::default()).request(Method::GET, "/away").send().await;
    run_js("globalThis.fetch = globalThis.kept");
    let error = refused.expect_err("a redirect");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Redirect, 1));
    assert!(error.may_have_been_sent());
    assert!(error.to_string().contains("redirect"), "{error}");
}

#[wasm_bindgen_test]
async fn what_takes_too_long_is_an_error_and_aborted() {
    let before = said("/seen").await["closed"].as_i64().expect("a number");
    let client = served_with(once().timeout(Duration::from_millis(100)));
    let error = client.request(Method::GET, "/silent").send().await.expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.may_have_been_sent());
    closed(before + 1).await;
}

#[wasm_bindgen_test]
async fn a_stream_comes_an_item_at_a_time() {
    let mut moves = served().follow_moves().send().await.expect("a stream");
    let mut parcels = Vec::new();
    while let Some(event) = moves.next().await {
        parcels.push(event.expect("an event").data.parcel);
    }
    assert_eq!(parcels, [1, 2]);
    assert_eq!(moves.last_event_id(), Some("2"));
}

#[wasm_bindgen_test]
async fn a_stream_that_is_dropped_is_aborted_and_a_silent_one_ends() {
    let before = said("/seen").await["closed"].as_i64().expect("a number");
    let mut log = served().follow_log().send().await.expect("a stream");
    assert_eq!(log.next().await.expect("a line").expect("a line").data, "one");
    drop(log);
    closed(before + 1).await;
    let options = CallOptions::default().idle_timeout(Duration::from_millis(100));
    let mut log = served().with_options(options).follow_log().send().await.expect("a stream");
    log.next().await.expect("a line").expect("a line");
    let error = log.next().await.expect("an error").expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    closed(before + 2).await;
}

#[wasm_bindgen_test]
async fn a_long_answer_is_cut_at_the_limit() {
    let error = served_with(once().response_limit(1000)).request(Method::GET, "/long").send().await;
    let error = error.expect_err("it is longer");
    assert_eq!((error.kind(), error.body().len()), (ErrorKind::Cut, 1000));
    let whole = served().request(Method::GET, "/long").send().await.expect("it is within the limit");
    assert_eq!(whole.len(), 1 << 20);
}

#[wasm_bindgen_test]
async fn many_items_are_sent_as_lines() {
    let parcel = |id| streams::types::Parcel { id, note: None };
    let count = served().import_parcels().body_items((1..=3).map(parcel)).send().await.expect("a count");
    assert_eq!(count.parcels, 3);
}

#[wasm_bindgen_test]
async fn node_is_told_who_calls_and_a_browser_says_it_itself() {
    assert!(said("/headers").await["user-agent"].as_str().is_some_and(|agent| agent.starts_with("keyfit/")));
    run_js("globalThis.document = {}");
    let headers = served().request(Method::GET, "/headers").send().await;
    let cookie = CallOptions::default().header("cookie", "a=b").expect("a header");
    let refused = served().with_options(cookie).request(Method::GET, "/headers").send().await;
    run_js("delete globalThis.document");
    let headers: Value = headers.expect("an answer").decode().expect("JSON");
    assert_ne!(headers["user-agent"], said("/headers").await["user-agent"]);
    let error = refused.expect_err("it would not be sent");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(format!("{error:#}").contains("cookie"), "{error:#}");
}

fn endpoint() -> TokenEndpoint {
    let url = format!("{}/oauth/token", variable("GUIDE_AUTHORIZATION"));
    let endpoint = TokenEndpoint::builder(url, variable("GUIDE_CLIENT"));
    endpoint.secret_in_header(MemorySource::new(variable("GUIDE_SECRET"))).build().expect("an endpoint")
}

#[wasm_bindgen_test]
async fn a_token_is_fetched_with_client_credentials_and_opens_the_api() {
    let grant = ClientCredentials::new(endpoint()).with_scopes(["read"]);
    let credential: Credential<guide::kind::Access> = Credential::from_source(grant);
    let config = once().base_url(variable("GUIDE_BASE_URL"));
    let client = guide::Client::with_config(credential, config).expect("a client");
    assert!(!client.items_list().send().await.expect("an answer").is_empty());
}

#[wasm_bindgen_test]
async fn a_user_logs_in_and_the_session_is_refreshed() {
    let redirect = "https://client.example/callback";
    let url = format!("{}/oauth/authorize", variable("GUIDE_AUTHORIZATION"));
    let request = AuthorizationRequest::new(&url, variable("GUIDE_CLIENT"), redirect).expect("a request");
    let request = request.scopes(["read", "offline_access"]);
    let pending = MemoryPendingAuthorizations::default();
    let consent: String = request.begin("session-1", &pending).await.expect("a URL").into();
    // What the user's browser does: it is sent back with a code.
    let visit = Function::new_with_args(
        "url",
        "return fetch(url, { redirect: 'manual' }).then((it) => it.headers.get('location'))",
    );
    let visited: Promise = visit.call1(&js_sys::global(), &consent.into()).expect("a promise").unchecked_into();
    let back = JsFuture::from(visited).await.ok().and_then(|back| back.as_string()).expect("a redirect");
    let code = handle_callback(&back, "session-1", &pending).await.expect("a code");

    let tokens = endpoint().exchange(code).await.expect("tokens");
    let first = tokens.access().clone();
    let session = RefreshingSession::start(endpoint(), tokens, MemoryStore::default()).await.expect("a session");
    let second = session.replace(&first).await.expect("another token");
    assert_ne!(first.expose(), second.expose());
}

#[wasm_bindgen_test]
async fn a_session_whose_refresh_token_is_refused_says_so() {
    let expired = AccessToken::new("at_00000000000000000000000000000000").expiring_at(SystemClock.now()); // not-a-secret
    let tokens = TokenSet::new(expired).refresh("fixture-secret-0001"); // not-a-secret
    let session = RefreshingSession::start(endpoint(), tokens, MemoryStore::default()).await.expect("a session");
    let error = session.fetch().await.expect_err("it is no refresh token");
    assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
}
