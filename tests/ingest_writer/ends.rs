//! How a writer ends, and how another one goes on.

use std::time::Duration;

use keyfit::ErrorKind;
use keyfit::batch_writer::{Checkpoint, WriteError, Written};
use keyfit::instasent::ingest::types::Contact;
use keyfit::instasent::ingest_writer;
use serde_json::json;

use crate::server::{Act, STORE, Server};
use crate::{LIMIT, contact, contacts, letters, told};

#[tokio::test]
async fn what_would_refuse_every_batch_stops_the_writer_and_leaves_no_item_without_an_outcome() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (402, ErrorKind::PaymentRequired),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
    ] {
        let server = Server::start(vec![STORE], Act::Status(status)).await;
        let (told, receiver) = told();
        let writer = contacts(&server.client(3)).batch_items(2).max_in_flight(1).start(receiver).expect("a writer");
        let mut taken = 0;
        let error = loop {
            match writer.write(&contact(&taken.to_string(), &json!({}))).await {
                Ok(_) => taken += 1,
                Err(WriteError::Stopped(stopped)) => break stopped,
                Err(error) => panic!("{error}"),
            }
            assert!(taken < 10_000);
        };
        assert_eq!(error.error().map(keyfit::Error::kind), Some(kind));
        let stopped = writer.close().await.expect_err("it stopped");
        assert_eq!(stopped.summary().accepted + stopped.summary().unknown, taken);
        let letters = letters(&told);
        assert_eq!((letters.len() as u64, &letters[..3]), (taken, "aau"));
        assert_eq!(server.log(|log| log.requests.len()), 2, "no attempt after the refusal");
    }
}

#[tokio::test]
async fn a_halted_writer_waits_for_what_is_on_its_way_and_sends_nothing_more() {
    let server = Server::start(vec![], STORE).await;
    let (told, receiver) = told();
    let writer =
        contacts(&server.client(1)).batch_items(2).max_in_flight(1).linger(LIMIT).start(receiver).expect("a writer");
    for user in ["a", "b", "c", "d", "e"] {
        writer.write(&contact(user, &json!({}))).await.expect("room");
    }
    while server.log(|log| log.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    let summary = writer.halt().await;
    let stored = server.log(|log| log.stored.len()) as u64;
    assert_eq!((summary.accepted, summary.unknown), (stored, 5 - stored));
    assert!(stored < 5, "the open batch was not sent");
    assert_eq!(letters(&told).len(), 5, "every item has its outcome");
    assert!((0..5).filter(|number| writer.checkpoint().covers(*number)).count() as u64 == stored);
    assert!(matches!(writer.write(&contact("f", &json!({}))).await, Err(WriteError::Stopped(_))));
}

#[tokio::test]
async fn what_a_dropped_writer_had_not_sent_is_reported() {
    let server = Server::start(vec![], STORE).await;
    let (told, receiver) = told();
    let writer = contacts(&server.client(1)).linger(LIMIT).start(receiver).expect("a writer");
    for user in ["a", "b", "b"] {
        writer.write(&contact(user, &json!({}))).await.expect("room");
    }
    drop(writer);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(letters(&told), "uuu");
    assert!(told.lock().expect("no panic").iter().all(|(_, _, words)| words.contains("may have been sent: false")));
    assert_eq!(server.log(|log| log.requests.len()), 0);
}

#[test]
fn a_runtime_that_ends_leaves_no_item_without_an_outcome() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (told, receiver) = told();
    let writer = runtime.block_on(async {
        let server = Server::start(vec![], STORE).await;
        let writer = contacts(&server.client(1)).linger(LIMIT).start(receiver).expect("a writer");
        writer.write(&contact("a", &json!({}))).await.expect("room");
        writer
    });
    drop(runtime);
    assert_eq!(letters(&told), "u");
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    other.block_on(async {
        assert!(writer.write(&contact("b", &json!({}))).await.is_err());
        assert!(writer.close().await.is_err());
    });
    assert_eq!(letters(&told), "u");
}

#[tokio::test]
async fn a_writer_without_a_place_to_write_to_does_not_start() {
    let server = Server::start(vec![], STORE).await;
    let error = ingest_writer::contacts(server.client(1).stream_contacts_push().project("p").datasource(".."))
        .start(|_| {})
        .expect_err("no path argument");
    assert!(error.to_string().contains("`datasource`"), "{error}");
}

#[tokio::test]
async fn numbers_go_upwards() {
    let server = Server::start(vec![], STORE).await;
    let writer = contacts(&server.client(1)).start(|_| {}).expect("a writer");
    let contact = contact("a", &json!({}));
    writer.write_numbered(5, &contact).await.expect("room");
    let error = writer.write_numbered(5, &contact).await.expect_err("the same number");
    assert!(matches!(error, WriteError::OutOfOrder { sequence: Some(5), last: Some(5) }), "{error}");
    assert_eq!(writer.write(&contact).await.expect("room"), Written::Taken(6));
    assert_eq!(writer.close().await.expect("an end").accepted, 2);
}

#[tokio::test]
async fn a_later_run_sends_what_was_not_confirmed_and_nothing_else() {
    // The second batch of the first run is lost with the token.
    let server = Server::start(vec![STORE, Act::Status(401)], STORE).await;
    let writer = contacts(&server.client(1)).batch_items(2).max_in_flight(1).start(|_| {}).expect("a writer");
    let all: Vec<Contact> = (0..6).map(|user| contact(&user.to_string(), &json!({}))).collect();
    for contact in &all[..2] {
        writer.write(contact).await.expect("room");
    }
    writer.flush().await.expect("two outcomes");
    for contact in &all[2..4] {
        writer.write(contact).await.expect("room");
    }
    writer.flush().await.expect_err("the token is refused");
    let stored = serde_json::to_string(&writer.checkpoint()).expect("JSON");
    assert_eq!(stored, r#"{"through":3,"except":[[2,3]]}"#);
    let checkpoint: Checkpoint = serde_json::from_str(&stored).expect("a checkpoint");
    assert_eq!(checkpoint.first_open(), 2);

    let (told, receiver) = told();
    let writer = contacts(&server.client(1)).resume(checkpoint.clone()).start(receiver).expect("a writer");
    assert_eq!(writer.checkpoint(), checkpoint, "before anything is written it says the same");
    for contact in &all {
        writer.write(contact).await.expect("room");
    }
    let summary = writer.flush().await.expect("outcomes");
    assert_eq!((summary.skipped, summary.accepted), (2, 4));
    assert_eq!(serde_json::to_string(&writer.checkpoint()).expect("JSON"), r#"{"through":5,"except":[]}"#);
    assert_eq!(told.lock().expect("no panic").iter().map(|(sequence, ..)| *sequence).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let users = server.log(|log| log.stored.iter().map(|item| item["_user_id"].to_string()).collect::<Vec<_>>());
    assert_eq!(users, ["\"0\"", "\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"5\""]);
}

#[tokio::test]
async fn the_checkpoint_of_a_delivery_covers_that_item_and_none_after_it() {
    let server = Server::start(vec![], STORE).await;
    let writer = contacts(&server.client(1))
        .start(|delivery| {
            let checkpoint = delivery.checkpoint();
            assert!(checkpoint.covers(delivery.sequence()) && !checkpoint.covers(delivery.sequence() + 1));
        })
        .expect("a writer");
    for user in 0..10 {
        writer.write(&contact(&user.to_string(), &json!({}))).await.expect("room");
    }
    let summary = tokio::time::timeout(Duration::from_secs(60), writer.close()).await;
    assert_eq!(summary.expect("an end").expect("no panic of the receiver").accepted, 10);
}

/// The wait is for half a minute: what is sent after it would be taken.
#[tokio::test]
async fn a_halt_ends_the_wait_for_a_window_and_what_was_refused_alone_was_not_sent() {
    let server = Server::start(vec![Act::Limited(30)], STORE).await;
    let (told, receiver) = told();
    let writer = contacts(&server.client(3)).start(receiver).expect("a writer");
    writer.write(&contact("a", &json!({}))).await.expect("room");
    while server.log(|log| log.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(writer.halt().await.unknown, 1);
    let told = told.lock().expect("no panic").clone();
    assert!(told[0].2.ends_with("(may have been sent: false)"), "{told:?}");
    assert_eq!(server.log(|log| (log.requests.len(), log.stored.len())), (1, 0));
}
