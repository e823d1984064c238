//! How many batches are on their way, and in which order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use keyfit::testing::TestClock;
use serde_json::json;

use crate::{Reply, Server, answer, config, items, letters, push, stored, told, writer};

/// A window of a minute on the clock of the test, whose limit changes.
async fn limited(clock: &TestClock, tells: bool) -> (Server, Arc<Mutex<BTreeMap<u64, (u64, u64)>>>) {
    const LIMITS: [u64; 8] = [40, 5, 5, 30, 1, 12, 3, 20];
    // Of each window: how many were let through, and how many refused.
    let windows: Arc<Mutex<BTreeMap<u64, (u64, u64)>>> = Arc::default();
    let (kept, clock) = (Arc::clone(&windows), clock.clone());
    let server = Server::start(move |request| {
        let (now, mut windows) = (clock.seconds(), kept.lock().expect("no panic"));
        let window = now / 60;
        let limit = LIMITS[usize::try_from(window).expect("small") % LIMITS.len()];
        let (through, refused) = windows.entry(window).or_default();
        let mut reply = if *through < limit {
            *through += 1;
            answer(202, &stored(&items(request)))
        } else {
            *refused += 1;
            answer(429, &json!({}))
        };
        let left = (window + 1) * 60 - now;
        reply.headers_mut().insert("retry-after", left.into());
        if tells {
            for (name, value) in [("x-limit", limit), ("x-left", limit - *through), ("x-reset", (window + 1) * 60)] {
                reply.headers_mut().insert(name, value.into());
            }
        }
        Reply::Answer(reply)
    })
    .await;
    (server, windows)
}

#[tokio::test]
async fn a_limit_that_changes_is_kept_to_and_each_window_refuses_one_batch_at_most() {
    let clock = TestClock::default();
    let (server, windows) = limited(&clock, true).await;
    let builder =
        writer("push", config(&server).clock(clock)).batch_items(1).patience(std::time::Duration::from_secs(3600));
    assert_eq!(push(builder, 300).await.0, "a".repeat(300));
    let windows = windows.lock().expect("no panic");
    assert!(windows.len() > 8, "{windows:?}");
    assert!(windows.values().all(|(_, refused)| *refused <= 1), "{windows:?}");
}

#[tokio::test]
async fn a_storm_of_429_loses_and_doubles_nothing() {
    let clock = TestClock::default();
    let (server, windows) = limited(&clock, false).await;
    let builder =
        writer("push", config(&server).clock(clock)).batch_items(1).patience(std::time::Duration::from_secs(36_000));
    assert_eq!(push(builder, 300).await.0, "a".repeat(300));
    let windows = windows.lock().expect("no panic");
    assert_eq!(windows.values().map(|(through, _)| through).sum::<u64>(), 300);
    // As many as were on their way when the first refusal came, and no more.
    assert!(windows.values().all(|(_, refused)| *refused <= 8), "{windows:?}");
}

#[tokio::test]
async fn items_of_one_key_are_sent_in_order_and_never_two_at_a_time() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let server = Server::start(move |request| {
        let items = items(request);
        kept.lock()
            .expect("no panic")
            .extend(items.iter().map(|item| (item["owner"]["id"].clone(), item["grams"].as_u64())));
        Reply::Answer(answer(202, &stored(&items)))
    })
    .await;
    let (told, receiver) = told();
    let writer = writer("push", config(&server)).batch_items(3).key("/owner/id").start(receiver).expect("a writer");
    for number in 0..60 {
        let item = json!({ "ref": format!("p{number}"), "owner": { "id": number % 4 }, "grams": number });
        writer.write(&item).await.expect("room");
    }
    writer.close().await.expect("an end");
    assert_eq!(letters(&told), "a".repeat(60));
    let seen = seen.lock().expect("no panic");
    for owner in 0..4 {
        let numbers: Vec<_> = seen.iter().filter(|(id, _)| *id == json!(owner)).map(|(_, number)| *number).collect();
        assert!(numbers.is_sorted() && numbers.len() == 15, "{owner}: {numbers:?}");
    }
}

#[tokio::test]
async fn two_items_of_one_id_are_two_batches_and_one_larger_than_a_batch_is_none() {
    let server = Server::start(|request| Reply::Answer(answer(202, &stored(&items(request))))).await;
    let (told, receiver) = told();
    let writer = writer("upsert", config(&server)).batch_bytes(300).start(receiver).expect("a writer");
    for item in [json!({ "ref": "a" }), json!({ "ref": "a" }), json!({ "ref": "b", "note": "x".repeat(400) })] {
        writer.write(&item).await.expect("room");
    }
    writer.close().await.expect("an end");
    assert_eq!(letters(&told), "aar");
    assert!(told.lock().expect("no panic")[&2].1.contains("takes more than the"));
    let sizes: Vec<usize> = server.received().iter().map(|request| items(request).len()).collect();
    assert_eq!(sizes, [1, 1]);
}
