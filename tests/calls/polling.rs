//! Work that takes long: it is started once, and its status is asked for until it is over.

use std::time::Duration;

use keyfit::{CallOptions, ErrorKind, Poll};

use super::client::types::{Job, Sheets, Status};
use super::server::{Answer, Server};
use super::{client, config, key};

const BEGUN: Answer = (202, &[("operation-location", "/prints/7/status"), ("retry-after", "3")], "");
const AT_WORK: Answer = (200, &[], r#"{"status":"In Progress"}"#);
const DONE: Answer = (200, &[], r#"{"status":"Succeeded","sheets":3}"#);

fn start(client: &super::Client) -> Poll {
    client.start_print().body(Job::builder().order("o-1")).poll()
}

/// Methods and paths of all requests.
fn asked(server: &Server) -> Vec<String> {
    server.received().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn a_status_is_asked_for_until_the_work_is_over() {
    let server = Server::start([BEGUN, (202, &[], ""), AT_WORK, (503, &[], ""), DONE]).await;
    let clock = keyfit::testing::TestClock::default();
    let client = super::Client::with_config(key(), config(&server).clock(clock.clone())).expect("a client");
    let mut print = start(&client);
    let done = print.done().await.expect("it is printed");
    assert_eq!(done.decode::<Status>().expect("its type").status, "Succeeded");
    assert_eq!(asked(&server)[..2], ["POST /prints", "GET /prints/7/status"]);
    assert_eq!(server.received().len(), 5);
    assert!(server.received().iter().all(|request| request.header("authorization").is_some()));
    let waits = clock.waits();
    assert_eq!(waits[0], Duration::from_secs(3), "the server asked for it");
    assert!(waits[1..].iter().all(|wait| *wait <= Duration::from_secs(4)), "{waits:?}");
    let error = print.done().await.expect_err("nothing is left");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn an_answer_that_is_there_at_once_is_the_result() {
    let server = Server::start([(200, &[], r#"{"sheets":3}"#)]).await;
    let done = start(&client(&server)).done().await.expect("it was printed before");
    assert_eq!(done.decode::<Sheets>().expect("its type").sheets, 3);
    assert_eq!(asked(&server), ["POST /prints"]);
}

#[tokio::test]
async fn the_result_is_where_a_redirect_or_the_location_of_the_start_leads() {
    let begun: Answer = (202, &[("operation-location", "/prints/7/status"), ("location", "prints/7")], "");
    let server = Server::start([begun, DONE, (200, &[], r#"{"sheets":5}"#)]).await;
    let done = start(&client(&server)).done().await.expect("it is printed");
    assert_eq!(done.decode::<Sheets>().expect("its type").sheets, 5);
    assert_eq!(asked(&server), ["POST /prints", "GET /prints/7/status", "GET /prints/7"]);
    let begun: Answer = (202, &[("location", "/prints/8")], "");
    let server = Server::start([begun, AT_WORK, (303, &[("location", "/sheets/8")], ""), AT_WORK]).await;
    start(&client(&server)).done().await.expect("whatever the result says of itself");
    assert_eq!(asked(&server), ["POST /prints", "GET /prints/8", "GET /prints/8", "GET /sheets/8"]);
}

#[tokio::test]
async fn work_that_failed_is_an_error_with_its_status() {
    let server = Server::start([BEGUN, (200, &[], r#"{"status":"Failed","reason":"No ink"}"#)]).await;
    let error = start(&client(&server)).done().await.expect_err("no ink");
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert_eq!(error.typed::<Status>().expect("its type").reason.as_deref(), Some("No ink"));
    assert!(error.to_string().starts_with("startPrint: ") && error.to_string().contains("`Failed`"), "{error}");
}

#[tokio::test]
async fn the_credential_goes_to_no_other_origin() {
    let elsewhere = Server::start([DONE]).await;
    // Another port is another origin.
    let place: &'static str = format!("{}/status?sig=hunter2", elsewhere.url()).leak();
    let headers: &'static [(&str, &str)] = Box::leak(Box::new([("operation-location", place)]));
    let begun: Answer = (202, headers, "");
    let server = Server::start([begun]).await;
    let error = start(&client(&server)).done().await.expect_err("another origin");
    assert_eq!((error.kind(), elsewhere.received().len()), (ErrorKind::Refused, 0));
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&elsewhere.url()) && !shown.contains("hunter2"), "{shown}");
    let options = CallOptions::default().header("X-Second-Key", "hunter3").expect("a header");
    let client = client(&server).with_options(options);
    let mut print = start(&client).also_at(&elsewhere.url()).expect("an origin");
    print.done().await.expect("it is printed");
    assert_eq!(elsewhere.headers("authorization"), [None]);
    assert_eq!(elsewhere.headers("x-second-key"), [None]);
    assert!(start(&client).also_at("http://status.example.com").is_err());
}

#[tokio::test]
async fn what_is_dropped_goes_on_and_nothing_is_started_twice() {
    let server = Server::start([BEGUN, AT_WORK, AT_WORK, DONE]).await;
    let client = client(&server);
    let mut print = start(&client).deadline(Duration::ZERO);
    let error = print.done().await.expect_err("no time to look");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Timeout, true));
    let place = print.location().expect("it is at work").to_owned();
    assert!(place.ends_with("/prints/7/status"), "{place}");
    // In a task, as a program would; another process would go on by the place.
    let mut print = print.deadline(Duration::from_secs(60));
    tokio::spawn(async move { print.done().await }).await.expect("a task").expect("it is printed");
    client.start_print().poll().resume(&place).expect("a place").done().await.expect("it is printed");
    assert_eq!(asked(&server).iter().filter(|asked| asked.starts_with("POST")).count(), 1);

    let server = Server::start([BEGUN, DONE]).await;
    let mut print = start(&super::client(&server));
    {
        let mut begun = std::pin::pin!(print.done());
        let nothing = std::task::Waker::noop();
        assert!(begun.as_mut().poll(&mut std::task::Context::from_waker(nothing)).is_pending());
    }
    let error = print.done().await.expect_err("it may have been started");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("nobody knows where its status is"), "{error}");
}

#[tokio::test]
async fn a_caller_may_say_when_the_work_is_over() {
    let odd: Answer = (200, &[], r#"{"phase":2}"#);
    let server = Server::start([BEGUN, odd, odd, (200, &[], r#"{"phase":3}"#)]).await;
    let mut print = start(&client(&server))
        .until(|answer| answer.decode::<serde_json::Value>().is_ok_and(|status| status["phase"] == 3));
    print.done().await.expect("it is printed");
    assert_eq!(server.received().len(), 4);
}
