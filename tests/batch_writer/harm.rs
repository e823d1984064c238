//! Batches that are cut off, refused, or answered oddly.

use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use keyfit::RetryPolicy;
use serde_json::{Value, json};

use crate::{Reply, Server, answer, config, items, letters, parcel, push, stored, told, writer};

/// Stores the first batch, ends the connection, and answers from then on.
async fn dies_once() -> (Server, Arc<Mutex<Vec<String>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&kept);
    let mut is_first = true;
    let server = Server::start(move |request| {
        let items = items(request);
        store.lock().expect("no panic").extend(items.iter().map(|item| item["ref"].to_string()));
        if std::mem::take(&mut is_first) { Reply::Cut } else { Reply::Answer(answer(202, &stored(&items))) }
    })
    .await;
    (server, kept)
}

#[tokio::test]
async fn items_of_a_server_that_dies_are_unknown_and_not_sent_again() {
    let (server, kept) = dies_once().await;
    let (letters, told) = push(writer("push", config(&server)).batch_items(5).max_in_flight(1), 10).await;
    assert_eq!(letters, "uuuuuaaaaa");
    let told = told.lock().expect("no panic");
    assert!(told[&0].1.ends_with("(may have been sent: true)"), "{told:?}");
    assert_eq!(kept.lock().expect("no panic").len(), 10, "nothing was stored twice");
}

#[tokio::test]
async fn items_with_a_key_are_sent_again_after_their_server_died() {
    let (server, kept) = dies_once().await;
    assert_eq!(push(writer("upsert", config(&server)).batch_items(5), 5).await.0, "aaaaa");
    let mut kept = kept.lock().expect("no panic").clone();
    assert_eq!(kept.len(), 10);
    kept.sort();
    kept.dedup();
    assert_eq!(kept.len(), 5, "the server knows them by their key");
}

#[tokio::test]
async fn a_batch_with_one_item_without_its_key_is_not_sent_again() {
    let (server, _) = dies_once().await;
    let (told, receiver) = told();
    let writer = writer("upsert", config(&server)).batch_items(2).start(receiver).expect("a writer");
    writer.write(&parcel(1)).await.expect("room");
    writer.write(&json!({ "grams": 5 })).await.expect("room");
    writer.close().await.expect("an end");
    assert_eq!((letters(&told).as_str(), server.received().len()), ("uu", 1));
}

#[tokio::test]
async fn a_batch_under_an_idempotency_key_is_sent_again_under_the_same_one() {
    let (server, _) = dies_once().await;
    assert_eq!(push(writer("keyed", config(&server)).batch_items(5), 10).await.0, "a".repeat(10));
    let keys: Vec<_> = server.received().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert_eq!((keys.len(), keys[0] == keys[1], keys[1] == keys[2]), (3, true, false));
}

/// The first answer leaves open whether the batch was taken, the second refuses it under its key. Halves would have keys of their own.
#[tokio::test]
async fn a_batch_that_may_have_been_taken_is_not_halved_under_other_keys() {
    let mut statuses = [500, 422].into_iter();
    let server = Server::start(move |_| Reply::Answer(answer(statuses.next().unwrap_or(202), &json!({})))).await;
    assert_eq!(push(writer("keyed", config(&server)).batch_items(5), 5).await.0, "uuuuu");
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_status_after_which_the_policy_tries_nothing_again_is_final() {
    let server = Server::start(|_| Reply::Answer(answer(503, &json!({})))).await;
    let never = RetryPolicy::default().never_after(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(push(writer("upsert", config(&server).retry(never)), 3).await.0, "uuu");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn one_bad_item_among_a_hundred_is_found_and_the_others_are_accepted_once() {
    for status in [400, 413, 422] {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let store = Arc::clone(&kept);
        let server = Server::start(move |request| {
            let items = items(request);
            if items.iter().any(|item| item["ref"] == "p37") {
                return Reply::Answer(answer(status, &json!({ "code": "odd", "message": "p37 is odd" })));
            }
            store.lock().expect("no panic").extend(items.iter().map(|item| item["ref"].to_string()));
            Reply::Answer(answer(202, &stored(&items)))
        })
        .await;
        let (letters, told) = push(writer("push", config(&server)), 100).await;
        assert_eq!(letters, format!("{}r{}", "a".repeat(37), "a".repeat(62)), "{status}");
        assert!(told.lock().expect("no panic")[&37].1.contains("odd"));
        let mut kept = kept.lock().expect("no panic").clone();
        kept.sort();
        kept.dedup();
        assert_eq!(kept.len(), 99);
        assert!(server.received().len() < 20, "{}", server.received().len());
    }
}

#[tokio::test]
async fn an_answer_that_is_shorter_longer_or_in_another_order_is_matched_by_what_it_names() {
    let entry = |name: &str| json!({ "ref": name, "state": "stored" });
    let refused = |name: &str| json!({ "ref": name, "state": "refused", "problem": "too heavy" });
    for (results, expected) in [
        (json!([entry("p0"), entry("p1")]), "aau"),
        (json!([entry("p0"), entry("p2")]), "aua"),
        (json!([entry("p2"), refused("p0"), entry("p1")]), "raa"),
        (json!([entry("p0"), entry("p1"), entry("p2"), entry("p3")]), "aaa"),
        // Nobody is named: the place is all there is, and of another number it says nothing.
        (json!([{ "state": "stored" }, { "state": "stored" }]), "uuu"),
        (json!([{ "state": "stored" }, refused("p1"), { "state": "stored" }]), "ara"),
        // Twice, and with two minds.
        (json!([entry("p0"), refused("p0"), entry("p2")]), "uua"),
        (json!([]), "uuu"),
        (json!("late"), "uuu"),
    ] {
        let body = json!({ "results": results });
        let shown = body.to_string();
        let server = Server::start(move |_| Reply::Answer(answer(202, &body))).await;
        assert_eq!(push(writer("push", config(&server)), 3).await.0, expected, "{shown}");
        assert_eq!(server.received().len(), 1, "it was executed: {shown}");
    }
}

#[tokio::test]
async fn where_answers_tell_of_no_items_a_success_is_that_of_all_and_a_refusal_of_none() {
    let server = Server::start(|request| {
        let is_bad = items(request).iter().any(|item| item["ref"] == "p2");
        Reply::Answer(answer(if is_bad { 422 } else { 204 }, &Value::Null))
    })
    .await;
    assert_eq!(push(writer("single", config(&server)), 5).await.0, "aaraa");
}

#[tokio::test]
async fn parameters_and_what_stands_beside_the_items_are_in_each_call() {
    let server = Server::start(|request| Reply::Answer(answer(202, &stored(&items(request))))).await;
    let builder = writer("push", config(&server)).batch_items(2).body(&json!({ "note": "spring" }));
    assert_eq!(push(builder, 4).await.0, "aaaa");
    for request in server.received() {
        assert_eq!((request.target.as_str(), &request.body["note"]), ("/shops/a%2Fb/parcels", &json!("spring")));
    }
}
