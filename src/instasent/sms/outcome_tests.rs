use serde_json::json;

use super::*;
use crate::instasent::sms::{Draft, plan};

/// Three messages to different numbers, the first with a reference.
fn drafts() -> Vec<Draft> {
    let mut drafts: Vec<_> =
        (1..=3).map(|index| Draft::new("Keyfit", format!("+3460000000{index}"), "Hello")).collect();
    drafts[0].client_id = Some("order-1".to_owned());
    drafts
}

fn read(answer: &Value) -> BulkOutcome {
    read_of(&drafts(), answer)
}

fn read_of(drafts: &[Draft], answer: &Value) -> BulkOutcome {
    plan(drafts).chunks()[0].outcome(answer).expect("an outcome")
}

/// `accepted id by`, `rejected reason by` or `unknown` of each message.
fn table(outcome: &BulkOutcome) -> Vec<String> {
    let line = |item: &ItemReport| match &item.outcome {
        ItemOutcome::Accepted { id, evidence } => format!("accepted {} by {evidence:?}", id.as_deref().unwrap_or("?")),
        ItemOutcome::Rejected { reasons, evidence } => {
            let reasons: Vec<_> = reasons.iter().map(|reason| reason.message.as_str()).collect();
            format!("rejected {} by {evidence:?}", reasons.join(","))
        }
        ItemOutcome::Unknown { why } => format!("unknown: {why}"),
        ItemOutcome::NotSent { why } => format!("not sent: {why}"),
    };
    outcome.items().iter().map(line).collect()
}

#[test]
fn positions_and_echoes_are_matched() {
    let outcome = read(&json!({
        "entities": [{"id": "s3", "to": "+34600000003"}, {"id": "s1", "clientId": "order-1"}],
        "errors": [{"position": 1, "item": {"to": "+34600000002"}, "errors": {"to": ["is not reachable", "is ported"]}}],
    }));
    assert_eq!(
        table(&outcome),
        ["accepted s1 by Echo", "rejected is not reachable,is ported by Position", "accepted s3 by Echo"]
    );
    assert_eq!(outcome.rejected().count(), 1);
    assert!(outcome.unplaced().is_empty());
}

#[test]
fn one_element_that_says_nothing_belongs_to_the_one_message_left() {
    let outcome = read(&json!({
        "entities": [{"id": "s1", "to": "+34600000001"}, {"id": "s2", "to": "+34600000002"}],
        "errors": [{"to": ["is no number"]}],
    }));
    assert_eq!(table(&outcome)[2], "rejected is no number by Elimination");
    assert!(outcome.unplaced().is_empty());
}

#[test]
fn several_elements_of_one_kind_settle_the_verdict_but_not_whose_they_are() {
    let outcome = read(&json!({"entities": [{"id": "a"}, {"id": "b"}, {"id": "c"}], "errors": []}));
    assert_eq!(table(&outcome), ["accepted ? by Elimination"; 3]);
    assert_eq!(outcome.unplaced().len(), 3, "the ids are kept");
    let outcome =
        read(&json!({"entities": [{"id": "s1", "clientId": "order-1"}], "errors": [{"error": "x"}, {"error": "y"}]}));
    assert_eq!(table(&outcome)[1..], ["rejected  by Elimination", "rejected  by Elimination"]);
    assert!(outcome.unplaced().iter().all(|unplaced| !unplaced.is_accepted && !unplaced.why.is_empty()));
}

#[test]
fn what_counting_cannot_settle_is_unknown_with_the_reason() {
    let mixed = read(&json!({"entities": [{"id": "a"}], "errors": [{"error": "x"}, {"position": 0, "error": "y"}]}));
    assert_eq!(table(&mixed)[0], "rejected y by Position");
    let why = "unknown: 1 accepted and 1 rejected elements of the answer could not be matched";
    assert_eq!(table(&mixed)[1..], [why, why]);
    assert_eq!(mixed.unknown().count(), 2);
    let short = read(&json!({"entities": [{"id": "a", "clientId": "order-1"}]}));
    assert_eq!(table(&short)[2], "unknown: the answer has 1 outcomes for 3 messages");
    assert_eq!(read(&json!({})).unknown().count(), 3);
}

#[test]
fn an_element_of_another_request_ends_all_counting() {
    let outcome = read(&json!({
        "entities": [{"id": "a", "to": "+34600000009"}, {"id": "b", "to": "+34600000002"}, {"id": "c"}],
    }));
    let outcomes = table(&outcome);
    assert_eq!(outcomes[1], "accepted b by Echo");
    assert!(outcomes[0].starts_with("unknown: ") && outcomes[2].starts_with("unknown: "), "{outcomes:?}");
    assert_eq!(outcome.unplaced()[0].why, "its recipient is not that of such a message of the request");
}

#[test]
fn a_message_that_is_both_accepted_and_rejected_is_unknown() {
    let outcome =
        read(&json!({"entities": [{"id": "a", "clientId": "order-1"}], "errors": [{"position": 0, "error": "x"}]}));
    assert_eq!(table(&outcome)[0], "unknown: the answer reports it both as accepted and as rejected");
    assert_eq!(outcome.unplaced().len(), 1);
}

#[test]
fn a_message_that_is_accepted_twice_keeps_the_first_id_and_shows_the_second() {
    let outcome = read(&json!({"entities": [{"id": "a", "clientId": "order-1"}, {"id": "b", "clientId": "order-1"}]}));
    assert_eq!(table(&outcome)[0], "accepted a by Echo");
    assert_eq!(outcome.unplaced()[0].element["id"], "b");
}

#[test]
fn messages_that_are_the_same_share_their_outcomes() {
    let drafts = vec![Draft::new("Keyfit", "+34600000001", "Hello"); 3];
    let outcome = read_of(
        &drafts,
        &json!({
            "entities": [{"id": "a", "to": "+34600000001"}, {"id": "b", "to": "+34600000001"}],
            "errors": [{"position": 0, "error": "x"}],
        }),
    );
    assert_eq!(table(&outcome), ["rejected x by Position", "accepted a by Echo", "accepted b by Echo"]);
}

#[test]
fn every_shape_of_reasons_is_read_and_none_is_lost() {
    for (element, expected) in [
        (json!({"errors": {"to": ["a", "b"]}}), vec![(Some("to"), "a"), (Some("to"), "b")]),
        (json!({"errors": {"to": "a"}}), vec![(Some("to"), "a")]),
        (json!({"errors": ["a"]}), vec![(None, "a")]),
        (json!({"error": "a"}), vec![(None, "a")]),
        (json!({"message": "a", "position": 1}), vec![(None, "a")]),
        (json!({"from": ["a"], "text": ["b"]}), vec![(Some("from"), "a"), (Some("text"), "b")]),
        (json!({"code": 7}), vec![(None, "{\"code\":7}")]),
        (json!("a"), vec![(None, "a")]),
    ] {
        let read = reasons(&element);
        let read: Vec<_> = read.iter().map(|reason| (reason.field.as_deref(), reason.message.as_str())).collect();
        assert_eq!(read, expected, "{element}");
    }
}

#[test]
fn another_answer_is_refused() {
    let drafts = drafts();
    let plan = plan(&drafts);
    for answer in [json!([]), json!("x"), json!({"entities": {}}), json!({"errors": "x"})] {
        let error = plan.chunks()[0].outcome(&answer).expect_err("no answer").to_string();
        assert!(error.starts_with("not the answer to a bulk request: "), "{error}");
    }
}

#[cfg(all(feature = "instasent-legacy", feature = "instasent-transactional"))]
#[test]
fn the_answers_of_both_apis_are_read_alike() {
    use crate::instasent::{legacy, transactional};

    let wire = json!({
        "entities": [{"id": "s1", "clientId": "order-1"}, {"id": "s3", "to": "+34600000003"}],
        "errors": [{"position": 1, "errors": {"to": ["is no number"]}}],
    });
    let legacy: legacy::types::SmsBulkCreateResponse = serde_json::from_value(wire.clone()).expect("an answer");
    let transactional: transactional::types::SmsBulkCreateResponse =
        serde_json::from_value(wire.clone()).expect("an answer");
    let drafts = drafts();
    let plan = plan(&drafts);
    let expected = plan.chunks()[0].outcome(&wire);
    assert_eq!(expected.as_ref().map(|outcome| outcome.unknown().count()), Ok(0));
    assert_eq!(plan.chunks()[0].outcome(&legacy), expected);
    assert_eq!(plan.chunks()[0].outcome(&transactional), expected);
}
