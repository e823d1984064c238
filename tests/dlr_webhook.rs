//! The receiver of `examples/dlr_server.rs`, over HTTP: what it answers, and where messages stand after reports in any
//! order, repeated at will.

#[path = "../examples/dlr_server.rs"]
#[expect(dead_code, reason = "the tests serve by themselves, without its main")]
mod dlr_server;

use std::future::Future;
use std::net::Ipv4Addr;

use dlr_server::{Deliveries, app, work};
use keyfit::instasent::webhook::{DlrEvent, DlrStatus, MAX_BODY, Transition};
use proptest::prelude::*;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// A receiver on a port of its own.
struct Receiver {
    client: Client,
    url: String,
}

impl Receiver {
    async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        self.client.post(&self.url).body(body).send().await.expect("an answer")
    }

    async fn report(&self, report: &Value) -> StatusCode {
        self.post(report.to_string()).await.status()
    }
}

/// Serves while `talk` talks, then works off what is in the queue: the deliveries, and what was acted on.
fn serve<F: Future<Output = ()>>(talk: impl FnOnce(Receiver) -> F) -> (Deliveries, Vec<(String, Transition)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (queue, reports) = mpsc::channel(1000);
        let mut acted = Vec::new();
        let work = work(reports, |event, transition| acted.push((event.status.to_string(), transition)));
        let ((), deliveries) = tokio::join!(serving(queue, talk), work);
        (deliveries, acted)
    })
}

async fn serving<F: Future<Output = ()>>(queue: mpsc::Sender<DlrEvent>, talk: impl FnOnce(Receiver) -> F) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}/dlr", listener.local_addr().expect("an address"));
    let client = Client::builder().no_proxy().build().expect("a client");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app(queue)).with_graceful_shutdown(async { drop(stopped.await) });
    let talking = async {
        talk(Receiver { client, url }).await;
        drop(stop);
    };
    let (end, ()) = tokio::join!(server, talking);
    end.expect("a clean end");
}

fn report(id: &str, status: &str, second: usize) -> Value {
    json!({"id": id, "clientId": "order-1", "status": status, "code": 0, "eventAt": format!("2026-01-22T10:00:{second:02}Z")})
}

/// The ways that a message can go, each in the order of its reports.
const WAYS: [&[&str]; 8] = [
    &["sent", "accepted", "delivered"],
    &["sent", "buffered", "accepted", "buffered", "delivered"],
    &["sent", "buffered", "unknown", "delivered"],
    &["sent", "accepted", "failed"],
    &["sent", "buffered", "expired", "delivered"],
    &["sent", "error", "failed"],
    &["rejected"],
    &["canceled"],
];

prop_compose! {
    /// The reports of one way, each up to three times, in any order; and the status in which the way ends.
    fn any_arrival()(way in prop::sample::select(&WAYS[..]), times in prop::collection::vec(1..=3_usize, 5))(
        reports in Just(way.iter().enumerate().zip(&times).flat_map(|((second, status), times)| {
            vec![report("sms_1", status, second); *times]
        }).collect::<Vec<_>>()).prop_shuffle(),
        end in Just(*way.last().expect("a way has an end")),
    ) -> (Vec<Value>, &'static str) {
        (reports, end)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_any_order_and_however_often_a_message_ends_where_it_ended((reports, end) in any_arrival()) {
        let (deliveries, acted) = serve(async |receiver: Receiver| {
            for report in &reports {
                assert_eq!(receiver.report(report).await, StatusCode::NO_CONTENT);
            }
        });
        let state = &deliveries.states["sms_1"];
        prop_assert_eq!(state.status().map(DlrStatus::as_str), Some(end));
        prop_assert!(state.is_final());
        prop_assert_eq!(acted.iter().filter(|(status, _)| status == end).count(), 1, "the end is acted on once");
    }
}

#[test]
fn reports_of_several_messages_are_kept_apart() {
    let (deliveries, _) = serve(async |receiver: Receiver| {
        for (id, status) in [("a", "delivered"), ("b", "sent"), ("a", "sent"), ("b", "failed")] {
            receiver.report(&report(id, status, 1)).await;
        }
    });
    let status = |id: &str| deliveries.states[id].status().map(ToString::to_string);
    assert_eq!((status("a").as_deref(), status("b").as_deref()), (Some("delivered"), Some("failed")));
}

#[test]
fn an_inbound_message_is_acted_on_once() {
    let inbound = json!({"id": "in_1", "status": "stop", "message": "STOP", "eventAt": "2026-01-22T10:00:00Z"});
    let (deliveries, acted) = serve(async |receiver: Receiver| {
        for _ in 0..3 {
            assert_eq!(receiver.report(&inbound).await, StatusCode::NO_CONTENT);
        }
    });
    assert_eq!(acted, [("stop".to_owned(), Transition::Unranked)]);
    assert_eq!(deliveries.others.len(), 1);
}

#[test]
fn what_is_no_report_is_refused_in_words_and_leaves_no_trace() {
    let (deliveries, acted) = serve(async |receiver: Receiver| {
        for (body, status, words) in [
            ("{", 400, "the body is no JSON object: "),
            (r#"{"id": 7, "status": "sent"}"#, 400, "`id` is a number, not a string\n"),
            (r#"{"id": "a"}"#, 400, "`status` is missing: "),
        ] {
            let answer = receiver.post(body).await;
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
            let text = answer.text().await.expect("a text");
            assert!(text.starts_with(words), "{text}");
        }
        let get = receiver.client.get(&receiver.url).send().await.expect("an answer");
        assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    });
    assert!(deliveries.states.is_empty() && acted.is_empty());
}

#[test]
fn a_body_at_the_cap_is_read_and_one_byte_more_is_413() {
    let padded = |length: usize| {
        let report = report("a", "sent", 1).to_string();
        format!("{report}{}", " ".repeat(length - report.len()))
    };
    serve(async |receiver: Receiver| {
        assert_eq!(receiver.post(padded(MAX_BODY)).await.status(), StatusCode::NO_CONTENT);
        let answer = receiver.post(padded(MAX_BODY + 1)).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(answer.text().await.expect("a text").starts_with("the body has more than 65536 bytes"));
    });
}

#[tokio::test]
async fn a_full_queue_is_503_so_that_the_report_comes_again() {
    let (queue, mut reports) = mpsc::channel(1);
    serving(queue, async |receiver: Receiver| {
        assert_eq!(receiver.report(&report("a", "sent", 1)).await, StatusCode::NO_CONTENT);
        assert_eq!(receiver.report(&report("b", "sent", 1)).await, StatusCode::SERVICE_UNAVAILABLE);
    })
    .await;
    assert_eq!(reports.recv().await.map(|event| event.id).as_deref(), Some("a"));
    assert!(reports.recv().await.is_none());
}
