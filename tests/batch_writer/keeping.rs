//! Files that are kept: dead letters, and checkpoints that a later run goes on from.

use std::fs;
use std::sync::{Arc, Mutex};

use keyfit::batch_writer::{Checkpoint, DeadLetters};
use serde_json::{Value, json};

use crate::{Reply, Server, answer, config, items, parcel, push, stored, told, writer};

fn dead_letters(path: &std::path::Path) -> Arc<Mutex<DeadLetters>> {
    Arc::new(Mutex::new(DeadLetters::append(path).expect("a file")))
}

/// Refuses `p1`, says nothing of `p2`, and stores the others.
async fn server() -> Server {
    Server::start(|request| {
        let told = |item: &Value| match item["ref"].as_str() {
            Some("p1") => Some(json!({ "ref": "p1", "state": "refused", "problem": { "grams": ["too light"] } })),
            Some("p2") => None,
            _ => Some(json!({ "ref": item["ref"], "state": "stored" })),
        };
        let results: Vec<Value> = items(request).iter().filter_map(told).collect();
        Reply::Answer(answer(202, &json!({ "results": results })))
    })
    .await
}

#[tokio::test]
async fn rejected_and_unknown_items_are_appended_to_a_file_that_is_never_emptied() {
    let (server, dir) = (server().await, tempfile::tempdir().expect("a folder"));
    let path = dir.path().join("rest.ndjson");
    // A line of the user's, which was cut off.
    fs::write(&path, "{\"mine\":1").expect("a file");
    assert_eq!(push(writer("push", config(&server)).dead_letters(dead_letters(&path)), 4).await.0, "arua");
    let text = fs::read_to_string(&path).expect("a file");
    let (mine, rest) = text.split_once('\n').expect("lines");
    assert_eq!(mine, "{\"mine\":1");
    let lines: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let rejected = json!({ "item": 1, "outcome": "rejected", "reasons": [{ "field": "grams", "message": "too light" }], "value": parcel(1) });
    let unknown = json!({ "item": 2, "outcome": "unknown", "why": "the answer says nothing of this item", "may_have_been_sent": true, "value": parcel(2) });
    assert_eq!(lines, [rejected, unknown]);
}

#[tokio::test]
async fn what_is_not_a_file_takes_no_dead_letters() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(DeadLetters::append(dir.path()).is_err());
    assert!(DeadLetters::append(dir.path().join("no/folder")).is_err());
    #[cfg(target_os = "linux")]
    assert!(DeadLetters::append("/dev/full").expect_err("not a file").to_string().contains("regular"));
}

#[tokio::test]
async fn an_item_that_may_have_been_sent_by_an_earlier_run_is_not_sent_again_unless_that_is_harmless() {
    let server = Server::start(|request| Reply::Answer(answer(202, &stored(&items(request))))).await;
    let checkpoint: Checkpoint =
        serde_json::from_str(r#"{"through":3,"except":[[1,3]],"sent":[[1,2]]}"#).expect("a checkpoint");
    let (letters, told) = push(writer("push", config(&server)).resume(checkpoint.clone()), 5).await;
    assert_eq!(letters, "uuaa", "the first was confirmed");
    assert!(told.lock().expect("no panic")[&1].1.contains("an earlier run may have sent it"));
    assert_eq!(push(writer("upsert", config(&server)).resume(checkpoint.clone()), 5).await.0, "aaaa");
    // A key of an earlier run is not known to this one.
    assert_eq!(push(writer("keyed", config(&server)).resume(checkpoint), 5).await.0, "uuaa");
}

#[tokio::test]
async fn a_checkpoint_is_kept_before_items_are_sent_that_must_not_be_sent_twice() {
    let kept: Arc<Mutex<Vec<Checkpoint>>> = Arc::default();
    let seen = Arc::clone(&kept);
    let server = Server::start(move |request| {
        // Whatever is here was written down before.
        let known = seen.lock().expect("no panic").last().cloned().expect("a checkpoint");
        let number = |item: &Value| item["grams"].as_u64().expect("a number");
        assert!(items(request).iter().all(|item| known.may_have_been_sent(number(item))), "{known:?}");
        Reply::Answer(answer(202, &stored(&items(request))))
    })
    .await;
    let store = |kept: &Arc<Mutex<Vec<Checkpoint>>>| {
        let kept = Arc::clone(kept);
        move |checkpoint: &Checkpoint| {
            kept.lock().expect("no panic").push(checkpoint.clone());
            Ok(())
        }
    };
    let builder = writer("push", config(&server)).batch_items(7).max_in_flight(1).before_sending(store(&kept));
    assert_eq!(push(builder, 50).await.0, "a".repeat(50));
    kept.lock().expect("no panic").clear();
    let harmless = Server::start(|request| Reply::Answer(answer(202, &stored(&items(request))))).await;
    assert_eq!(push(writer("upsert", config(&harmless)).before_sending(store(&kept)), 5).await.0, "aaaaa");
    assert!(kept.lock().expect("no panic").is_empty(), "items with a key need none");
}

#[tokio::test]
async fn nothing_is_sent_where_the_checkpoint_before_it_cannot_be_kept() {
    let server = server().await;
    let builder = writer("push", config(&server)).before_sending(|_| Err(std::io::Error::other("the disk is full")));
    let (told, receiver) = told();
    let writer = builder.start(receiver).expect("a writer");
    writer.write(&parcel(0)).await.expect("room");
    let stopped = writer.close().await.expect_err("it stopped");
    assert!(stopped.to_string().contains("the disk is full"), "{stopped}");
    let told = told.lock().expect("no panic");
    assert!(told[&0].0 == 'u' && told[&0].1.ends_with("(may have been sent: false)"), "{told:?}");
    assert!(server.received().is_empty());
}
