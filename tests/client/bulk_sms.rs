//! Plans of messages through the bulk requests: each message has one outcome, and no request is made twice.

use keyfit::instasent::sms::{self, Draft, ItemOutcome, Sent};
use keyfit::instasent::transactional::{ApiSmsToken, Client, types::SmsItem};
use keyfit::{Config, ErrorKind};

use crate::support::{Answer, Scripted, TOKEN, clock};

/// What an answer says of two messages, of which it took the first.
const PARTIAL: &str = r#"{"entities":[{"id":"sms-1"}],"errors":[{"position":1,"error":"blocked"}]}"#;

fn drafts(count: usize) -> Vec<Draft> {
    (0..count).map(|index| Draft::new("Keyfit", format!("+346{index:08}"), "Hello")).collect()
}

async fn send(server: &Scripted, drafts: &[Draft]) -> Sent {
    let config = Config::default().base_url(server.url()).clock(clock());
    let client = Client::with_config(ApiSmsToken::new(TOKEN).expect("a token"), config).expect("a client");
    let plan = sms::plan(drafts);
    plan.send(|items: Vec<SmsItem>| client.sms_bulk_create().body(items).send()).await
}

fn count(sent: &Sent, wanted: fn(&ItemOutcome) -> bool) -> usize {
    sent.items().iter().filter(|item| wanted(&item.outcome)).count()
}

fn is_unknown(outcome: &ItemOutcome) -> bool {
    matches!(outcome, ItemOutcome::Unknown { .. })
}

fn is_not_sent(outcome: &ItemOutcome) -> bool {
    matches!(outcome, ItemOutcome::NotSent { .. })
}

fn plain(status: u16) -> Answer {
    (status, Vec::new(), "")
}

#[tokio::test]
async fn the_accepted_ones_of_a_partial_success_are_not_lost() {
    let server = Scripted::json(201, PARTIAL).await;
    let sent = send(&server, &drafts(2)).await;
    assert!(
        matches!(&sent.items()[0].outcome, ItemOutcome::Accepted { id: Some(id), .. } if id == "sms-1"),
        "{sent:?}"
    );
    assert!(matches!(&sent.items()[1].outcome, ItemOutcome::Rejected { .. }), "{sent:?}");
    assert_eq!(sent.errors()[0].kind(), ErrorKind::PartialFailure);
    assert!(!sent.is_complete());
}

#[tokio::test]
async fn a_partial_success_stops_nobody_and_what_is_refused_here_is_reported_too() {
    let server = Scripted::json(201, PARTIAL).await;
    let mut drafts = drafts(103);
    drafts[7].to = String::new();
    let sent = send(&server, &drafts).await;
    assert_eq!(server.received().len(), 2);
    let indexes: Vec<_> = sent.items().iter().map(|item| item.index).collect();
    assert_eq!(indexes, (0..103).collect::<Vec<_>>());
    assert!(is_not_sent(&sent.items()[7].outcome));
    // The first answer does not say which of 99 messages it took.
    assert_eq!((count(&sent, is_unknown), sent.accepted().count(), sent.unplaced().len()), (99, 1, 1));
}

#[tokio::test]
async fn after_a_refusal_that_would_meet_the_next_one_too_nothing_more_is_sent() {
    for status in [401, 402, 403, 404] {
        let server = Scripted::start(status, &[], "").await;
        let sent = send(&server, &drafts(250)).await;
        assert_eq!((server.received().len(), count(&sent, is_not_sent)), (1, 250), "{status}");
        assert_eq!(sent.errors().len(), 1);
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_unknown_and_nothing_more_is_sent() {
    for status in [500, 502, 503] {
        let server = Scripted::sequence(vec![plain(status)]).await;
        let sent = send(&server, &drafts(150)).await;
        assert_eq!(server.received().len(), 1, "{status}");
        assert_eq!((count(&sent, is_unknown), count(&sent, is_not_sent)), (100, 50), "{status}");
    }
    let server = Scripted::json(201, "{").await;
    assert_eq!(count(&send(&server, &drafts(2)).await, is_unknown), 2);
}

#[tokio::test]
async fn a_request_refused_for_what_it_holds_stops_nobody_else() {
    let server = Scripted::sequence(vec![plain(422), (201, Vec::new(), r#"{"entities":[{"id":"sms-1"}]}"#)]).await;
    let sent = send(&server, &drafts(101)).await;
    assert_eq!(server.received().len(), 2);
    assert_eq!((count(&sent, is_not_sent), sent.accepted().count()), (100, 1));
}

#[tokio::test]
async fn a_plan_can_be_sent_from_a_task_of_its_own() {
    let server = Scripted::json(201, PARTIAL).await;
    let task = tokio::spawn(async move { send(&server, &drafts(2)).await.items().len() });
    assert_eq!(task.await.expect("no panic"), 2);
}
