//! Answers and bodies that are one item after another, by the client that is generated from `openapi.yaml`, before a server that
//! sends them slowly, cuts them off and goes on with them.
//!
//! `keyfit generate tests/streams --name streams --out tests/streams/client.rs` writes the client; the `keyfit.lock` that it leaves
//! is not kept.

mod client;
mod server;

use std::time::Duration;

use bytes::Bytes;
use keyfit::testing::TestClock;
use keyfit::{CallOptions, Config, ErrorKind, Event, EventStream, RetryPolicy, Upload};

use client::{Client, Key, types};
use server::{Connection, Server};

fn key() -> Key {
    Key::new("fixture-token-0001").expect("a key") // not-a-secret
}

fn client(server: &Server) -> Client {
    Client::with_config(key(), Config::default().base_url(server.url()).retry(RetryPolicy::never())).expect("a client")
}

/// All events, and the error with which they end.
async fn all<T>(mut stream: EventStream<T>) -> (Vec<Event<T>>, Option<keyfit::Error>) {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error ends it");
                return (events, Some(error));
            }
        }
    }
    (events, None)
}

const MOVES: &str = "id: 1\nevent: move\ndata: {\"parcel\":1,\n\ndata: {\"parcel\":2,\"state\":\"left\"}\n\n";

#[tokio::test]
async fn events_are_typed_and_come_when_they_are_sent() {
    let connection = Connection::events()
        .send(": hello\n\nid: 1\nevent: move\ndata: {\"parcel\":1,\ndata: \"state\":\"came\"}\n\n")
        .wait(50)
        .send("retry: 20\nid: \u{e9}")
        .send("\ndata: {\"parcel\":2,\"state\":\"mislaid\"}\r\n\r\n");
    let server = Server::start([connection]).await;
    let mut stream = client(&server).follow_moves().send().await.expect("a stream");
    let first = stream.next().await.expect("an event").expect("a move");
    assert_eq!((first.data.parcel, first.event.as_deref(), first.id.as_deref()), (1, Some("move"), Some("1")));
    let second = stream.next().await.expect("an event").expect("a move");
    // In answers other values than the documented ones are kept.
    assert_eq!(second.data.state.to_string(), "mislaid");
    assert_eq!((second.id.as_deref(), second.retry), (Some("\u{e9}"), Some(Duration::from_millis(20))));
    assert!(stream.next().await.is_none());
    assert_eq!(stream.last_event_id(), Some("\u{e9}"));
    let requests = server.requests();
    assert_eq!(requests[0].header("accept"), Some("text/event-stream"));
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn an_event_that_does_not_fit_is_an_error_that_says_which_and_tells_no_value() {
    let server = Server::start([Connection::events().send(MOVES)]).await;
    let stream = client(&server).follow_moves().send().await.expect("a stream").into_inner();
    let (events, error) = all(stream).await;
    let error = error.expect("the first is no JSON");
    assert!(events.is_empty());
    assert_eq!((error.kind(), error.item()), (ErrorKind::Decode, Some(1)));
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("followMoves") && shown.contains("event 1") && !shown.contains("parcel\":"), "{shown}");
    assert_eq!(error.body().as_ref(), b"{\"parcel\":1,");
}

#[tokio::test]
async fn a_whole_answer_and_a_stream_are_two_methods() {
    let words = "data: {\"word\":\"so\"}\n\ndata: {\"word\":\"be it\"}\n\ndata: [END]\n\ndata: never read\n\n";
    let server = Server::start([
        Connection::json("{\"text\":\"so be it\"}"),
        Connection::events().send(words),
        Connection::events().send("data: {\"word\":\"so\"}\n\n"),
        Connection::json("{\"text\":\"so be it\"}"),
    ])
    .await;
    let client = client(&server);
    let question = || types::Question::builder().text("why?");
    let whole = client.ask().body(question()).send().await.expect("an answer");
    assert_eq!(whole.text, "so be it");
    let (events, error) = all(client.ask().body(question()).stream().await.expect("a stream").into_inner()).await;
    let words: Vec<&str> = events.iter().map(|event| event.data.word.as_str()).collect();
    assert_eq!((words, error.is_none()), (vec!["so", "be it"], true));
    // Without its end the answer is none that was finished.
    let (events, error) = all(client.ask().body(question()).stream().await.expect("a stream").into_inner()).await;
    let error = error.expect("the end is lacking");
    assert_eq!((events.len(), error.kind(), error.item()), (1, ErrorKind::Cut, Some(2)));
    // Nor is a whole answer one.
    let error = client.ask().body(question()).stream().await.expect_err("it is no stream");
    assert_eq!((error.kind(), error.body().as_ref()), (ErrorKind::Decode, &b"{\"text\":\"so be it\"}"[..]));
    assert!(error.to_string().contains("application/json"), "{error}");
    let requests = server.requests();
    let asked = |index: usize| (requests[index].header("accept"), requests[index].body.as_str());
    assert_eq!(asked(0), (Some("application/json"), "{\"text\":\"why?\"}"));
    assert_eq!(asked(1), (Some("text/event-stream"), "{\"text\":\"why?\",\"stream\":true}"));
}

#[tokio::test]
async fn events_may_be_described_whole_or_hold_text() {
    let server = Server::start([
        Connection::events().send("event: word\nid: 7\ndata: {\"word\":\"so\"}\n\n"),
        Connection::events().send("event: weighed\nid: 8\ndata: {\"parcel\":8,\"state\":\"left\"}\n\n"),
        Connection::events().send("data: [not JSON\ndata:  at all\n\n"),
    ])
    .await;
    let (events, _) = all(client(&server).follow_news().send().await.expect("a stream").into_inner()).await;
    assert_eq!((events[0].data.word.as_str(), events[0].id.as_deref()), ("so", Some("7")));
    let (events, _) = all(client(&server).follow_scales().send().await.expect("a stream").into_inner()).await;
    assert_eq!((events[0].data.parcel, events[0].event.as_deref()), (8, Some("weighed")));
    let (events, _) = all(client(&server).follow_log().send().await.expect("a stream").into_inner()).await;
    assert_eq!(events[0].data, "[not JSON\n at all");
}

#[tokio::test]
async fn a_stream_that_breaks_is_over_unless_more_is_asked_for() {
    let broken = || Connection::events().send("id: 1\ndata: {\"parcel\":1,\"state\":\"came\"}\n\ndata: {").cut();
    let server = Server::start([broken(), broken()]).await;
    let (events, error) = all(client(&server).follow_moves().send().await.expect("a stream").into_inner()).await;
    let error = error.expect("it breaks");
    assert_eq!((events.len(), error.kind(), error.item()), (1, ErrorKind::Cut, Some(2)));
    assert!(error.is_network() && error.may_have_been_executed());
    // What only reads alone is asked for again: a call that acts never is.
    let again = client(&server).with_options(CallOptions::default().reconnect(5).idempotent());
    let body = types::Question::builder().text("why?");
    let (_, error) = all(again.ask().body(body).stream().await.expect("a stream").into_inner()).await;
    assert!(error.is_some());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_broken_stream_goes_on_behind_its_last_id() {
    let one = |parcel: u8| format!("id: {parcel}\nretry: 1\ndata: {{\"parcel\":{parcel},\"state\":\"came\"}}\n\n");
    let server = Server::start([
        Connection::events().send(&one(1)).send("id: 9\ndata: {\"parcel\":9,").cut(),
        Connection::refused(),
        Connection::events().send(&one(2)),
        Connection::events().send(&one(3)).cut(),
        Connection::status(204),
    ])
    .await;
    let config = Config::default().base_url(server.url()).retry(RetryPolicy::never()).clock(TestClock::running());
    let client = Client::with_config(key(), config).expect("a client");
    let client = client.with_options(CallOptions::default().reconnect(2));
    let (events, error) = all(client.follow_moves().send().await.expect("a stream").into_inner()).await;
    assert!(error.is_none(), "{error:?}");
    let parcels: Vec<i64> = events.iter().map(|event| event.data.parcel).collect();
    assert_eq!(parcels, [1, 2, 3]);
    let requests = server.requests();
    let ids: Vec<Option<&str>> = requests.iter().map(|request| request.header("last-event-id")).collect();
    assert_eq!(ids, [None, Some("1"), Some("1"), Some("2"), Some("3")]);
}

#[tokio::test]
async fn a_stream_is_asked_for_again_so_often_and_not_after_a_refusal() {
    let first = || Connection::events().send("id: 1\nretry: 1\ndata: {\"parcel\":1,\"state\":\"came\"}\n\n").cut();
    let options = || CallOptions::default().reconnect(2);
    let server = Server::start([first(), Connection::events().cut(), Connection::events().cut()]).await;
    let stream = client(&server).with_options(options()).follow_moves().send().await.expect("a stream");
    let (events, error) = all(stream.into_inner()).await;
    assert_eq!((events.len(), error.map(|error| error.kind())), (1, Some(ErrorKind::Cut)));
    assert_eq!(server.requests().len(), 3);
    let server = Server::start([first(), Connection::status(403)]).await;
    let stream = client(&server).with_options(options()).follow_moves().send().await.expect("a stream");
    let (_, error) = all(stream.into_inner()).await;
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Forbidden));
    // Without an id nobody knows where to go on.
    let server = Server::start([Connection::events().send("data: {\"parcel\":1,\"state\":\"came\"}\n\n").cut()]).await;
    let stream = client(&server).with_options(options()).follow_moves().send().await.expect("a stream");
    assert!(all(stream.into_inner()).await.1.is_some());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn neither_timeout_nor_deadline_ends_what_flows_and_silence_does() {
    let event = "data: {\"parcel\":1,\"state\":\"came\"}\n\n";
    let slow = || (0..4).fold(Connection::events(), |connection, _| connection.send(event).wait(100));
    let server = Server::start([slow(), slow().wait(60_000)]).await;
    let config = || Config::default().base_url(server.url()).retry(RetryPolicy::never());
    let config = || config().timeout(Duration::from_millis(200)).deadline(Duration::from_millis(250));
    let client = || Client::with_config(key(), config()).expect("a client");
    let (events, error) = all(client().follow_moves().send().await.expect("a stream").into_inner()).await;
    assert_eq!((events.len(), error.is_none()), (4, true));
    let impatient = client().with_options(CallOptions::default().idle_timeout(Duration::from_millis(300)));
    let (events, error) = all(impatient.follow_moves().send().await.expect("a stream").into_inner()).await;
    assert_eq!((events.len(), error.map(|error| error.kind())), (4, Some(ErrorKind::Timeout)));
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_is_a_timeout() {
    let server = Server::start([Connection::silent()]).await;
    let config =
        Config::default().base_url(server.url()).retry(RetryPolicy::never()).timeout(Duration::from_millis(100));
    let client = Client::with_config(key(), config).expect("a client");
    let error = client.follow_moves().send().await.expect_err("nothing comes");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.may_have_been_executed());
}

#[tokio::test]
async fn an_event_over_the_limit_ends_the_stream() {
    let long = format!("data: {}", "x".repeat(2000));
    let server = Server::start([Connection::events().send("data: a\n\n").send(&long).wait(60_000)]).await;
    let limited = client(&server).with_options(CallOptions::default().item_limit(1000));
    let (events, error) = all(limited.follow_log().send().await.expect("a stream").into_inner()).await;
    let error = error.expect("it is longer");
    assert_eq!((events.len(), error.kind(), error.item()), (1, ErrorKind::Cut, Some(2)));
    assert!(error.to_string().contains("limit of 1000 bytes") && !error.is_network(), "{error}");
}

#[tokio::test]
async fn json_texts_come_line_by_line_or_behind_separators() {
    let server = Server::start([
        Connection::of("application/x-ndjson")
            .send("{\"id\":1}\r\n\n{\"id\":")
            .send("2,\"note\":\"\u{e9}\"}\n{\"id\":3}"),
        Connection::of("application/json-seq").send("\u{1e}{\n\"id\":1}\n\u{1e}{\"id\"").send(":2}\n"),
        Connection::of("application/x-ndjson").send("{\"id\":1}\n{\"id\":"),
        Connection::of("application/x-ndjson").send("{\"id\":1}\n{\"id\":\"hunter2\"}\n{\"id\":3}\n"),
    ])
    .await;
    let client = client(&server);
    let mut lines = client.export_parcels().send().await.expect("a stream");
    let mut parcels = Vec::new();
    while let Some(parcel) = lines.next().await {
        parcels.push(parcel.expect("a parcel"));
    }
    assert_eq!(parcels.iter().map(|parcel| parcel.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(parcels[1].note.as_deref(), Some("\u{e9}"));
    let mut texts = client.export_scans().send().await.expect("a stream");
    let mut scans = Vec::new();
    while let Some(scan) = texts.next().await {
        scans.push(scan.expect("a scan").id);
    }
    assert_eq!(scans, [1, 2]);
    let mut cut = client.export_parcels().send().await.expect("a stream");
    assert!(cut.next().await.is_some_and(|parcel| parcel.is_ok()));
    let error = cut.next().await.expect("an error").expect_err("half a line");
    assert_eq!((error.kind(), error.item()), (ErrorKind::Cut, Some(2)));
    let mut odd = client.export_parcels().send().await.expect("a stream");
    assert!(odd.next().await.is_some_and(|parcel| parcel.is_ok()));
    let error = odd.next().await.expect("an error").expect_err("no number");
    assert_eq!((error.kind(), error.item()), (ErrorKind::Decode, Some(2)));
    assert!(error.to_string().contains("line 2") && !format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert!(odd.next().await.is_none());
    let accepted: Vec<_> =
        server.requests().iter().map(|request| request.header("accept").map(str::to_owned)).collect();
    assert_eq!(accepted[1].as_deref(), Some("application/json-seq"));
}

#[tokio::test]
async fn items_are_sent_one_a_line_and_once() {
    let server =
        Server::start([Connection::json("{\"parcels\":2}"), Connection::status(503), Connection::status(503)]).await;
    let patient = Config::default().base_url(server.url());
    let client =
        Client::with_config(key(), patient).expect("a client").with_options(CallOptions::default().idempotent());
    let parcels = || (1..=2).map(|id| types::Parcel { id, note: None });
    let count = client.import_parcels().body_items(parcels()).send().await.expect("they are taken");
    assert_eq!(count.parcels, 2);
    // What was sent is gone, so that nothing is left to be sent again.
    let error = client.import_parcels().body_items(parcels()).send().await.expect_err("it is refused");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Server, 1));
    let request = &server.requests()[0];
    assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(request.body, "{\"id\":1}\n{\"id\":2}\n");
    let error = client.import_parcels().send().await.expect_err("there is no body");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn bytes_go_up_from_a_file_with_their_length_and_down_into_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("photo.png");
    let server = Server::start([
        Connection::of("image/png").send("half and ").wait(20).send("half"),
        Connection::of("image/png").send("half and ").cut(),
        Connection::status(204),
        Connection::status(204),
    ])
    .await;
    let client = client(&server);
    let photo = client.photo().send().await.expect("a photo").into_inner();
    assert_eq!(photo.save_to(&path).await.expect("it is written"), 13);
    let photo = client.photo().send().await.expect("a photo").into_inner();
    let error = photo.save_to(&path).await.expect_err("it breaks");
    assert_eq!(error.kind(), ErrorKind::Cut);
    assert_eq!(std::fs::read_to_string(&path).expect("the first one"), "half and half");
    let upload = Upload::file(&path).await.expect("a file");
    client.replace_photo().body(upload).send().await.expect("it is taken");
    client.replace_photo().body(Upload::bytes(Bytes::from_static(b"bytes"))).send().await.expect("it is taken");
    let requests = server.requests();
    assert_eq!((requests[2].header("content-length"), requests[2].body.as_str()), (Some("13"), "half and half"));
    assert_eq!(requests[3].body, "bytes");
}
