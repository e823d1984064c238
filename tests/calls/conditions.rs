//! Conditional requests: what was not modified, and what somebody else changed.

use std::time::{Duration, UNIX_EPOCH};

use keyfit::{CallOptions, Error, ErrorKind, Response};
use reqwest::Method;

use super::client;
use super::client::types::{NewOrder, Order};
use super::server::{Answer, Server};

const ORDER: Answer = (
    200,
    &[("etag", r#"W/"7""#), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
    r#"{"id":"o-1","title":"Leaflets","copies":3}"#,
);

async fn get(client: &super::Client, options: CallOptions) -> Result<Response<Order>, Error> {
    client.with_options(options).get_order().id("o-1").send().await
}

async fn replace(client: &super::Client, options: CallOptions) -> Result<Response<Order>, Error> {
    let order = NewOrder::builder().title("Leaflets").copies(4);
    client.with_options(options).replace_order().id("o-1").body(order).send().await
}

#[tokio::test]
async fn an_answer_names_its_version_and_one_that_is_the_same_is_not_modified() {
    let server = Server::start([ORDER, (304, &[("etag", r#"W/"7""#)], "")]).await;
    let client = client(&server);
    let order = get(&client, CallOptions::default()).await.expect("an order");
    let etag = order.etag().expect("a version");
    let modified = order.last_modified().expect("a time");
    assert_eq!((etag, modified), (r#"W/"7""#, UNIX_EPOCH + Duration::from_secs(784_111_777)));
    let options = CallOptions::default().if_none_match(etag).and_then(|options| options.if_modified_since(modified));
    let error = get(&client, options.expect("options")).await.expect_err("it is the same");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotModified, 1));
    assert_eq!(error.to_string(), "getOrder: 304 Not Modified");
    let sent = server.received().pop().expect("a request");
    assert_eq!(sent.header("if-none-match"), Some(r#"W/"7""#));
    assert_eq!(sent.header("if-modified-since"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    // The client itself asks as before.
    let _ = get(&client, CallOptions::default()).await;
    assert_eq!(server.headers("if-none-match").pop(), Some(None));
}

#[tokio::test]
async fn what_somebody_else_changed_is_refused_and_not_repeated() {
    let server = Server::start([(412, &[], "")]).await;
    let options = CallOptions::default().if_match(r#""7""#).expect("options");
    let error = replace(&client(&server), options).await.expect_err("another version");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::PreconditionFailed, 1));
    assert!(!error.may_have_been_executed());
    assert_eq!(server.headers("if-match"), [Some(r#""7""#.to_owned())]);
}

#[tokio::test]
async fn a_change_under_a_condition_is_not_repeated_and_one_without_is() {
    const OUTAGE: Answer = (503, &[], "");
    for options in [
        CallOptions::default().if_match("*"),
        CallOptions::default().if_none_match("*"),
        CallOptions::default().if_unmodified_since(UNIX_EPOCH),
    ] {
        // The second request would be refused for what the first one did.
        let server = Server::start([OUTAGE, (412, &[], "")]).await;
        let error = replace(&client(&server), options.expect("options")).await.expect_err("an outage");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Server, 1));
    }
    let server = Server::start([OUTAGE, ORDER]).await;
    assert_eq!(replace(&client(&server), CallOptions::default()).await.expect("an order").attempts(), 2);
    let server = Server::start([OUTAGE, ORDER]).await;
    let read = CallOptions::default().if_none_match(r#""6""#).expect("options");
    assert_eq!(get(&client(&server), read).await.expect("a newer one").attempts(), 2);
    // A limit was met before anything was executed.
    let server = Server::start([(429, &[], ""), ORDER]).await;
    let options = CallOptions::default().if_match("*").expect("options");
    assert_eq!(replace(&client(&server), options).await.expect("an order").attempts(), 2);
}

#[tokio::test]
async fn raw_requests_have_conditions_too() {
    let server = Server::start([(304, &[], "")]).await;
    let client = client(&server).with_options(CallOptions::default().if_none_match(r#""7""#).expect("options"));
    let error = client.request(Method::GET, "/orders/o-1").send().await.expect_err("it is the same");
    assert_eq!(error.kind(), ErrorKind::NotModified);
    assert_eq!(server.headers("if-none-match"), [Some(r#""7""#.to_owned())]);
}

#[test]
fn what_cannot_be_a_condition_is_refused() {
    for refused in [
        CallOptions::default().if_match(" "),
        CallOptions::default().if_none_match("\"7\"\r\nX-A: b"),
        CallOptions::default().if_modified_since(UNIX_EPOCH - Duration::from_secs(1)),
        CallOptions::default().if_unmodified_since(UNIX_EPOCH + Duration::from_secs(253_402_300_800)),
    ] {
        let error = refused.expect_err("a condition that HTTP cannot write");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("condition"), "{error}");
    }
}
