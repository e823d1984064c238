use serde_json::json;

use super::*;

/// One outcome for each item, which repeats its id; or two lists that name positions.
const BOTH: &[Partial] = &[
    Partial::new()
        .with_accepted("/entity/successful")
        .with_rejected("/entity/failed")
        .with_outcomes("/entity/items")
        .with_outcome("/status", &["success"])
        .with_item("")
        .with_reason("/errors"),
    Partial::new()
        .with_accepted("/entitiesSuccess")
        .with_rejected("/entitiesFailures")
        .with_accepted_items("/accepted")
        .with_rejected_items("/errors")
        .with_position("/position", 0)
        .with_item("/item")
        .with_reason("/error"),
];

/// One letter an item: accepted, rejected or unknown.
fn letters_of(partial: &'static [Partial], body: &Value, ids: &[&str], is_success: bool) -> String {
    let shape = Shape::new(partial, Some("_user_id"));
    let outcomes = shape.read(body.to_string().as_bytes(), ids, is_success).expect("a documented envelope");
    assert_eq!(outcomes.len(), ids.len());
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Accepted => 'a',
        Outcome::Rejected(reasons) if reasons.is_empty() => '!',
        Outcome::Rejected(_) => 'r',
        Outcome::Unknown(_) => 'u',
    };
    outcomes.iter().map(letter).collect()
}

fn letters(body: &Value, ids: &[&str]) -> String {
    letters_of(BOTH, body, ids, true)
}

#[test]
fn both_envelopes_are_matched_by_position() {
    let items = json!({"entity": {"successful": 1, "failed": 1, "items": [
        {"status": "error", "_user_id": "x", "errors": {"_email": ["is no address", "is too long"]}},
        {"status": "success", "_user_id": "y"},
    ]}});
    let lists = json!({"entitiesSuccess": 1, "entitiesFailures": 1,
        "accepted": [{"position": 1, "item": {"_user_id": "y"}}],
        "errors": [{"position": 0, "item": {"_user_id": "x"}, "error": "is no address"}]});
    for body in [items, lists] {
        assert_eq!(letters(&body, &["x", "y"]), "ra", "{body}");
    }
}

#[test]
fn what_the_lists_leave_out_is_unknown() {
    for (accepted, letters_of) in [
        (json!([]), "uu"),
        (json!(null), "uu"),
        (json!([{"position": 1}]), "ua"),
        (json!([{"item": {"_user_id": "x"}}]), "uu"),
        (json!([{"position": 2}, {"position": -1}]), "uu"),
        (json!([{"position": "0"}]), "uu"),
        // Said twice, or of somebody else.
        (json!([{"position": 0}, {"position": 0}]), "uu"),
        (json!([{"position": 0, "item": "y"}, {"position": 1, "item": "y"}]), "ua"),
    ] {
        let body = json!({"entitiesSuccess": 2, "entitiesFailures": 0, "accepted": accepted});
        assert_eq!(letters(&body, &["x", "y"]), letters_of, "{body}");
    }
}

#[test]
fn counts_that_contradict_the_list_leave_nothing_certain() {
    let item = |id: &str| json!({"status": "success", "_user_id": id});
    let items = json!({"entity": {"successful": 0, "failed": 2, "items": [item("x"), item("y")]}});
    let fewer = json!({"entitiesSuccess": 0, "entitiesFailures": 0, "accepted": [{"position": 0}]});
    let more = json!({"entitiesSuccess": 3, "accepted": [{"position": 0}]});
    let both = json!({"entitiesSuccess": 1, "entitiesFailures": 1,
        "accepted": [{"position": 0}], "errors": [{"position": 0, "error": "no"}]});
    let none = json!({"entity": {"failed": 0, "items": [item("x"), {"status": "error", "errors": {"a": ["b"]}}]}});
    for body in [items, fewer, more, both, none] {
        assert_eq!(letters(&body, &["x", "y"]), "uu", "{body}");
    }
}

#[test]
fn an_answer_in_another_order_or_with_gaps_is_matched_by_ids() {
    let list = |ids: &[&str]| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"status": "success", "_user_id": id})).collect();
        json!({"entity": {"items": items}})
    };
    assert_eq!(letters(&list(&["x", "y"]), &["x", "y", "z"]), "aau");
    assert_eq!(letters(&list(&["x", "z"]), &["x", "y", "z"]), "aua");
    assert_eq!(letters(&list(&["z", "y", "x"]), &["x", "y", "z"]), "aaa");
    // More than was sent, and somebody else's.
    assert_eq!(letters(&list(&["x", "y", "w"]), &["x", "y"]), "aa");
    assert_eq!(letters(&list(&["x", "x"]), &["x", "y"]), "uu");
    // Which of several with one id is missing cannot be told.
    assert_eq!(letters(&list(&["x", "x"]), &["x", "x", "x"]), "uuu");
    assert_eq!(letters(&list(&["x", "x", "x"]), &["x", "x", "x"]), "aaa");
    assert_eq!(letters(&json!({"entity": {"items": [{"status": "success"}]}}), &["x", "y"]), "uu");
    assert_eq!(letters(&json!({"entity": {"items": [{"status": "success"}, {"status": "odd"}]}}), &["x", "y"]), "au");
}

#[test]
fn another_body_is_no_envelope() {
    let shape = Shape::new(BOTH, None);
    for body in ["", "[]", "{}", "null", r#"{"message":"no"}"#, r#"{"entity":{"id":1}}"#, r#"{"accepted":1}"#] {
        assert!(shape.read(body.as_bytes(), &["x"], true).is_none(), "{body}");
    }
}

#[test]
fn lists_of_failures_alone_tell_of_the_others_where_everything_adds_up() {
    const FAILED: &[Partial] = &[Partial::new()
        .with_accepted("/good")
        .with_rejected_items("/errors")
        .with_position("/row", 1)
        .with_reason("/why")];
    let ids = ["", "", ""];
    for (body, expected) in [
        (json!({"good": 2, "errors": [{"row": 2, "why": "late"}]}), "ara"),
        (json!({"good": 3, "errors": []}), "aaa"),
        (json!({"errors": [{"row": 1, "why": "late"}, {"row": 3, "why": "late"}]}), "rar"),
        // One is missing, one names nobody, one is named twice.
        (json!({"good": 1, "errors": [{"row": 2, "why": "late"}]}), "uru"),
        (json!({"good": 2, "errors": [{"row": 4, "why": "late"}]}), "uuu"),
        (json!({"good": 1, "errors": [{"row": 2}, {"row": 2}]}), "aua"),
        (json!({"good": 4, "errors": []}), "uuu"),
    ] {
        assert_eq!(letters_of(FAILED, &body, &ids, true), expected, "{body}");
    }
    assert_eq!(
        letters_of(FAILED, &json!({"errors": [{"row": 2}]}), &ids, false),
        "uru",
        "a refusal says nothing of the others"
    );
}

#[test]
fn counts_alone_prove_all_or_nothing() {
    const COUNTS: &[Partial] = &[Partial::new().with_received("/all").with_rejected("/bad")];
    for (body, expected) in [
        (json!({"all": 2, "bad": 0}), "aa"),
        (json!({"all": 2, "bad": 2}), "rr"),
        (json!({"all": 2, "bad": 1}), "uu"),
        (json!({"all": 3, "bad": 0}), "uu"),
        (json!({"bad": 3}), "uu"),
    ] {
        assert_eq!(letters_of(COUNTS, &body, &["", ""], true), expected, "{body}");
    }
}

#[test]
fn members_of_an_object_are_named_by_ids_or_places() {
    const MEMBERS: &[Partial] = &[Partial::new().with_rejected_items("/errors")];
    let errors = json!({"errors": {"1": "late"}});
    assert_eq!(letters_of(MEMBERS, &errors, &["", "", ""], true), "ara");
    assert_eq!(letters_of(MEMBERS, &errors, &["2", "1", "0"], true), "ara");
    assert_eq!(letters_of(MEMBERS, &errors, &["1", "2", "0"], true), "raa");
}
