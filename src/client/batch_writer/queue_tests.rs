use std::borrow::Cow;
use std::time::Duration;

use super::batch::{Batch, Limits};
use super::identity::{Fields, Identity};
use super::queue::{Queue, Refused};
use crate::error::Operation;
use crate::error::operation::{Batching, Retry};

const LIMITS: Limits = Limits { batch_items: 3, batch_bytes: 60, pending_items: 8, pending_bytes: 200 };

/// Items that are known by their user: a second one is a newer state.
const CONTACTS: Operation = Operation::new("push", "push", "POST", "/items")
    .with_retry(Retry::Keyed)
    .with_retry_key("user")
    .with_batching(Batching::new("").with_id_field("user"));
/// Items of users, each of which is known by itself, and ignored the second time.
const EVENTS: Operation = CONTACTS.with_retry_key("event");
/// Items that are known again by an id, and are not ignored the second time.
const ROWS: Operation = CONTACTS.with_retry(Retry::Never);

fn queue(operation: &Operation, key: Option<&str>) -> Queue {
    Queue::new(&Fields::of(operation, key, false, 60), LIMITS)
}

fn push(queue: &mut Queue, sequence: u64, user: &str) -> Option<Refused> {
    put(queue, sequence, user, None, "{}")
}

fn put(queue: &mut Queue, sequence: u64, user: &str, event: Option<&str>, json: &str) -> Option<Refused> {
    let (key, unique) = (Some(Cow::Borrowed(user)), event.map(Cow::Borrowed));
    let identity = Identity { id: key.clone(), key, unique, is_harmless: true };
    queue.push(sequence, json.as_bytes(), &identity, || Duration::from_secs(sequence))
}

fn next(queue: &mut Queue) -> Option<(Batch, Vec<u64>)> {
    if !queue.has_ready() {
        queue.seal();
    }
    let batch = queue.next_ready()?;
    let sequences = batch.sequences().collect();
    Some((batch, sequences))
}

#[test]
fn a_second_item_for_a_contact_goes_to_a_later_batch_and_only_when_the_first_is_done() {
    let mut queue = self::queue(&CONTACTS, None);
    for (sequence, user) in ["a", "a", "b", "a", "c"].into_iter().enumerate() {
        assert!(push(&mut queue, sequence as u64, user).is_none());
    }
    let (first, sequences) = next(&mut queue).expect("a batch");
    assert_eq!(sequences, [0, 2, 4]);
    assert!(next(&mut queue).is_none(), "the others wait for the first");
    assert!(queue.done(&first).is_empty());
    let (second, sequences) = next(&mut queue).expect("a batch");
    assert_eq!(sequences, [1]);
    queue.done(&second);
    assert_eq!(next(&mut queue).expect("a batch").1, [3]);
    assert!(queue.sequences().next().is_none());
}

#[test]
fn events_of_one_user_share_a_batch_and_never_two_at_a_time() {
    let mut queue = self::queue(&EVENTS, None);
    for sequence in 0..5 {
        put(&mut queue, sequence, "a", Some(&sequence.to_string()), "{}");
    }
    put(&mut queue, 5, "b", Some("5"), "{}");
    let (first, sequences) = next(&mut queue).expect("a batch");
    assert_eq!(sequences, [0, 1, 2]);
    let (other, sequences) = next(&mut queue).expect("a batch");
    assert_eq!(sequences, [5]);
    queue.done(&other);
    assert!(next(&mut queue).is_none());
    queue.done(&first);
    assert_eq!(queue.open_since(), Some(Duration::ZERO), "what waited for its turn does not linger");
    assert_eq!(next(&mut queue).expect("a batch").1, [3, 4]);
}

#[test]
fn an_event_that_is_in_the_batch_already_is_refused() {
    let mut queue = self::queue(&EVENTS, None);
    assert!(put(&mut queue, 0, "a", Some("e"), "{}").is_none());
    let (item, reasons) = put(&mut queue, 1, "b", Some("e"), "{}").expect("a refusal");
    assert_eq!((item.sequence, reasons[0].field.as_deref()), (1, Some("event")));
    queue.seal();
    assert!(put(&mut queue, 2, "c", Some("e"), "{}").is_none(), "in another batch the server decides");
}

#[test]
fn an_item_whose_id_is_in_the_batch_already_goes_to_the_next_one() {
    let mut queue = self::queue(&ROWS, Some("/owner"));
    for (sequence, id) in ["1", "1", "2"].into_iter().enumerate() {
        assert!(put(&mut queue, sequence as u64, &sequence.to_string(), Some(id), "{}").is_none());
    }
    assert_eq!(next(&mut queue).expect("a batch").1, [0]);
    assert_eq!(next(&mut queue).expect("a batch").1, [1, 2]);
}

#[test]
fn items_without_a_key_wait_for_nobody() {
    let mut queue = self::queue(&ROWS, None);
    for sequence in 0..4 {
        assert!(queue.push(sequence, b"{}", &Identity::default(), || Duration::ZERO).is_none());
    }
    assert_eq!(next(&mut queue).expect("a batch").1, [0, 1, 2]);
    assert_eq!(next(&mut queue).expect("a batch").1, [3]);
}

#[test]
fn a_batch_is_bounded_in_bytes_and_its_body_is_one_array() {
    let mut queue = self::queue(&CONTACTS, None);
    let json = format!("{{\"k\":\"{}\"}}", "x".repeat(20));
    for (sequence, user) in ["a", "b", "c"].into_iter().enumerate() {
        put(&mut queue, sequence as u64, user, None, &json);
    }
    let (batch, sequences) = next(&mut queue).expect("a batch");
    assert_eq!(sequences, [0, 1]);
    assert_eq!(batch.body(&(0..2)), format!("[{json},{json}]"));
    assert_eq!(batch.body(&(1..2)), format!("[{json}]"));
    assert_eq!((batch.item(1), batch.item_bytes()), (json.as_bytes(), 2 * json.len()));
    assert_eq!((batch.ids(&(0..2)), batch.ids(&(1..2))), (vec!["a", "b"], vec!["b"]));
}

#[test]
fn room_is_bounded_and_comes_back() {
    let mut queue = self::queue(&CONTACTS, None);
    assert!(queue.has_room(1000), "a large item goes alone");
    queue.take(1000);
    assert!(!queue.has_room(1) && queue.is_pressed());
    queue.give_back(1, 1000);
    assert!(queue.has_room(1) && !queue.is_pressed());
}

#[test]
fn what_is_drained_is_everything_in_order() {
    let mut queue = self::queue(&CONTACTS, None);
    for (sequence, user) in ["a", "a", "b", "c", "d", "b"].into_iter().enumerate() {
        push(&mut queue, sequence as u64, user);
    }
    let first = queue.next_ready().expect("three users");
    let mut drained: Vec<u64> = queue.drain().iter().flat_map(Batch::sequences).collect();
    drained.sort_unstable();
    assert_eq!(drained, [1, 4, 5]);
    assert!(queue.done(&first).is_empty() && queue.drain().is_empty());
}
