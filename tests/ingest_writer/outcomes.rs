//! What items come to.

use std::time::Duration;

use keyfit::instasent::ingest::types::Contact;
use keyfit::instasent::ingest_writer;
use serde_json::{Value, json};

use crate::server::{Act, STORE, Server};
use crate::{contact, contacts, events, letters, told};

/// Writes contacts of users 0, 1, 2 and so on, and gives their outcomes.
async fn push(server: &Server, attempts: u32, extras: &[Value]) -> (String, Vec<(u64, char, String)>) {
    let (told, receiver) = told();
    let writer =
        contacts(&server.client(attempts)).patience(Duration::from_millis(50)).start(receiver).expect("a writer");
    for (user, extra) in extras.iter().enumerate() {
        writer.write(&contact(&user.to_string(), extra)).await.expect("room");
    }
    let _ = writer.close().await;
    let letters = letters(&told);
    let told = told.lock().expect("no panic").clone();
    (letters, told)
}

#[tokio::test]
async fn both_envelopes_tell_the_good_from_the_bad() {
    for by_list in [true, false] {
        let server = Server::start(vec![], Act::Store { by_list }).await;
        let (letters, told) = push(&server, 4, &[json!({}), json!({"bad": true}), json!({})]).await;
        assert_eq!(letters, "ara");
        assert!(told.iter().any(|(sequence, _, words)| *sequence == 1 && words.contains("is bad")), "{told:?}");
        let (letters, _) = push(&server, 4, &[json!({"bad": true}), json!({"bad": true})]).await;
        assert_eq!(letters, "rr", "a 422 with outcomes is not halved");
        assert_eq!(server.log(|log| log.requests.len()), 2);
    }
}

#[tokio::test]
async fn the_item_for_which_a_batch_is_refused_is_found() {
    for status in [400, 413, 422] {
        let server = Server::start(vec![], Act::RefusePoison(status)).await;
        let mut extras = vec![json!({}); 20];
        extras[13] = json!({"poison": true});
        let (letters, told) = push(&server, 4, &extras).await;
        assert_eq!(letters, "aaaaaaaaaaaaaraaaaaa", "{status}");
        assert!(told.iter().any(|(_, letter, words)| *letter == 'r' && words.contains("poison")), "{told:?}");
        assert_eq!(server.log(|log| log.stored.len()), 19);
    }
}

#[tokio::test]
async fn what_an_answer_leaves_out_is_unknown() {
    let server = Server::start(vec![], Act::Forget { every: 2, by_list: true }).await;
    assert_eq!(push(&server, 1, &vec![json!({}); 5]).await.0, "uauau");
    for body in
        ["", "{}", "[]", "<html>", r#"{"entity":{"successful":5,"failed":0,"items":[]}}"#, r#"{"entitiesSuccess":5}"#]
    {
        let server = Server::start(vec![], Act::StoreThen(202, body)).await;
        assert_eq!(push(&server, 1, &vec![json!({}); 5]).await.0, "uuuuu", "{body}");
        assert_eq!(server.log(|log| log.requests.len()), 1, "it was executed");
    }
}

#[tokio::test]
async fn a_batch_is_sent_again_after_the_attempt_loop_gave_up() {
    for fault in [Act::Status(500), Act::Status(429), Act::Cut { stores: true }, Act::Cut { stores: false }] {
        let server = Server::start(vec![fault; 5], STORE).await;
        let (told, receiver) = told();
        let writer = contacts(&server.client(2)).start(receiver).expect("a writer");
        writer.write(&contact("a", &json!({}))).await.expect("room");
        assert!(writer.close().await.expect("an end").is_complete());
        assert_eq!((letters(&told).as_str(), server.log(|log| log.requests.len())), ("a", 6));
    }
}

#[tokio::test]
async fn when_patience_ends_nothing_is_claimed() {
    let server = Server::start(vec![], Act::StoreThen(500, "")).await;
    let (letters, told) = push(&server, 1, &[json!({}), json!({})]).await;
    assert_eq!(letters, "uu");
    assert!(told[0].2.contains("500") && told[0].2.contains("may have been sent: true"), "{told:?}");
    let mut nobody = server;
    "http://127.0.0.1:1".clone_into(&mut nobody.url);
    let (letters, told) = push(&nobody, 1, &[json!({})]).await;
    assert_eq!(letters, "u");
    assert!(told[0].2.contains("may have been sent: false"), "{told:?}");
}

#[tokio::test]
async fn what_is_not_fit_is_rejected_without_being_sent() {
    let server = Server::start(vec![], STORE).await;
    let (told, receiver) = told();
    let writer = events(&server.client(1)).batch_bytes(200).start(receiver).expect("a writer");
    let event = |id: &str, more: &str| format!(r#"{{"_user_id":"u","_event_id":"{id}","_event_type":"create"{more}}}"#);
    let items = [
        event("1", ""),
        event("1", ""),
        event("2", r#","_event_dat":"x""#),
        "{}".to_owned(),
        "hunter2".to_owned(),
        event(&"x".repeat(300), ""),
        event("3", ""),
    ];
    for (line, item) in items.into_iter().enumerate() {
        writer.write_json(10 * line as u64, item).await.expect("room");
    }
    let summary = writer.close().await.expect("an end");
    assert_eq!((summary.accepted, summary.rejected, summary.unknown), (2, 5, 0));
    assert_eq!(letters(&told), "arrrrra");
    assert!(!format!("{told:?}").contains("hunter2"));
    assert_eq!(server.log(|log| log.stored.len()), 2);
}

#[tokio::test]
async fn flags_and_path_are_those_of_the_document() {
    let server = Server::start(vec![], STORE).await;
    for (dry_run, sync) in [(false, false), (true, true)] {
        let client = server.client(1);
        let call = client.stream_events_push().project("a/b").datasource("d");
        // A flag that is not given is not sent.
        let call = call.maybe_dry_run(dry_run.then_some(true)).maybe_sync(sync.then_some(true));
        let writer = ingest_writer::events(call).start(|_| {}).expect("a writer");
        let event = r#"{"_user_id":"u","_event_id":"1","_event_type":"create"}"#;
        writer.write_json(0, event).await.expect("room");
        writer.close().await.expect("an end");
    }
    let targets = server.log(|log| log.requests.iter().map(|(target, _)| target.clone()).collect::<Vec<_>>());
    let path = "/project/a%2Fb/datasource/d/stream/events";
    assert_eq!(targets, [path.to_owned(), format!("{path}?_dryRun=true&_sync=true")]);
}

#[tokio::test]
async fn no_default_gathers_fewer_than_the_limit_while_items_come() {
    let server = Server::start(vec![], STORE).await;
    let (told, receiver) = told();
    let writer = contacts(&server.client(1)).start(receiver).expect("a writer");
    let all: Vec<Contact> = (0..250).map(|user| contact(&user.to_string(), &json!({}))).collect();
    let taken = writer.write_all(Contacts(all.into_iter())).await.expect("room");
    assert_eq!(writer.flush().await.expect("outcomes").accepted, 250);
    assert_eq!((taken, letters(&told).len()), (250, 250));
    let sizes = server.log(|log| log.requests.iter().map(|(_, items)| *items).collect::<Vec<_>>());
    assert_eq!(sizes.iter().sum::<usize>(), 250);
    assert_eq!(sizes.iter().max(), Some(&100));
    assert_eq!(sizes.len(), 3);
    writer.close().await.expect("an end");
}

struct Contacts(std::vec::IntoIter<Contact>);

impl futures_core::Stream for Contacts {
    type Item = Contact;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Contact>> {
        std::task::Poll::Ready(self.0.next())
    }
}
