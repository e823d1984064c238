//! Bodies of refusals as the types that the document has for their statuses.

use keyfit::Error;

use super::client;
use super::client::types::{Invalid, NewOrder, Problem, Taken};
use super::client::values::MisfitReason;
use super::server::{Answer, Server};

async fn refused(answer: Answer) -> Error {
    let server = Server::start([answer]).await;
    let order = NewOrder::builder().title("Leaflets").copies(3);
    client(&server).create_order().body(order).send().await.expect_err("a refusal")
}

const JSON: &[(&str, &str)] = &[("content-type", "application/problem+json")];

#[tokio::test]
async fn each_status_has_the_type_that_the_document_names() {
    let taken = r#"{"title":"Taken","order":{"id":"o-1","title":"Leaflets","copies":3}}"#;
    let taken = refused((409, JSON, taken)).await.typed::<Taken>().expect("its type");
    assert_eq!(taken.order.id, "o-1");
    let invalid =
        r#"{"title":"Invalid","members":[{"name":"title","reason":"too_long"},{"name":"copies","reason":"odd"}]}"#;
    let invalid = refused((422, JSON, invalid)).await.typed::<Invalid>().expect("its type");
    assert!(matches!(invalid.members[0].reason, MisfitReason::TooLong));
    // As in all answers, other values than the documented ones are kept.
    assert_eq!(invalid.members[1].reason.to_string(), "odd");
    let problem = refused((400, JSON, r#"{"title":"No","detail":"Not today"}"#)).await;
    assert_eq!(problem.typed::<Problem>().expect("its type").detail.as_deref(), Some("Not today"));
}

#[tokio::test]
async fn a_body_that_is_not_of_the_type_says_why_and_tells_no_value() {
    let html: &[(&str, &str)] = &[("content-type", "text/html")];
    for (answer, expected) in [
        ((502, html, "<p>hunter2</p>"), "the body is text/html, not JSON"),
        ((400, &[] as &[(&str, &str)], "hunter2"), "the body is of no type, not JSON"),
        ((400, JSON, ""), "the answer with 400 has no body"),
        (
            (400, JSON, r#"{"title":["hunter2"]}"#),
            "at `title`: invalid type: sequence, expected a string at line 1 column 9",
        ),
        ((400, JSON, r#"{"detail":"hunter2"}"#), "at `.`: missing field `title` at line 1 column 20"),
    ] {
        let error = refused(answer).await.typed::<Problem>().expect_err("another body");
        assert_eq!(error.to_string(), expected);
    }
    let server = Server::start([(400, &[], "")]).await;
    let nobody = keyfit::Config::default().base_url("http://127.0.0.1:1").retry(keyfit::RetryPolicy::never());
    let client = super::Client::with_config(super::key(), nobody).expect("a client");
    let error = client.get_order().id("o-1").send().await.expect_err("nobody is there");
    assert_eq!(error.typed::<Problem>().expect_err("no answer").to_string(), "there was no answer");
    assert!(server.received().is_empty());
}
