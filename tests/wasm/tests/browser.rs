//! The same in a page of a browser, which shows less of an answer than Node and lets a program say less of a request.

use std::time::Duration;

use keyfit::http_client::http::Method;
use keyfit::{CallOptions, Clock as _, Config, ErrorKind, RetryPolicy, SystemClock};
use serde_json::Value;
use wasm::streams::{Client, Key};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A client of the server, which is another origin than the page.
fn served() -> Client {
    // A page has no environment.
    let config = Config::default().base_url(concat!(env!("SERVER"), "/v1")).retry(RetryPolicy::never());
    Client::with_config(Key::new("fixture-token-0001").expect("a key"), config).expect("a client") // not-a-secret
}

/// The server's own figures.
async fn said(path: &str) -> Value {
    served().request(Method::GET, path).send().await.expect("an answer").decode().expect("JSON")
}

#[wasm_bindgen_test]
async fn a_call_carries_its_credential_and_the_browsers_own_name() {
    let headers = said("/headers").await;
    assert_eq!(headers["authorization"], "Bearer fixture-token-0001"); // not-a-secret
    assert!(headers["user-agent"].as_str().is_some_and(|agent| agent.starts_with("Mozilla/")), "{headers}");
    assert!(headers["referer"].is_null() && headers["cookie"].is_null(), "{headers}");
}

#[wasm_bindgen_test]
async fn a_credential_in_a_cookie_is_refused_before_it_is_lost() {
    let cookie = CallOptions::default().header("cookie", "a=b").expect("a header");
    let error =
        served().with_options(cookie).request(Method::GET, "/headers").send().await.expect_err("it is kept back");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::InvalidRequest, false));
}

#[wasm_bindgen_test]
async fn a_redirect_is_not_followed() {
    let error = served().request(Method::GET, "/away").send().await.expect_err("a redirect");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Redirect, true));
    assert_eq!(said("/seen").await["led"], 0);
}

#[wasm_bindgen_test]
async fn a_stream_comes_an_item_at_a_time_and_is_aborted_where_it_is_dropped() {
    let mut moves = served().follow_moves().send().await.expect("a stream");
    let mut parcels = Vec::new();
    while let Some(event) = moves.next().await {
        parcels.push(event.expect("an event").data.parcel);
    }
    assert_eq!(parcels, [1, 2]);
    let before = said("/seen").await["closed"].as_i64().expect("a number");
    let mut log = served().follow_log().send().await.expect("a stream");
    assert_eq!(log.next().await.expect("a line").expect("a line").data, "one");
    drop(log);
    for _ in 0..200 {
        if said("/seen").await["closed"] == before + 1 {
            return;
        }
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
    panic!("the request was not aborted");
}
