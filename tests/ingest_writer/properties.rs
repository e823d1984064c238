//! What holds whatever a server does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keyfit::batch_writer::WriteError;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{Act, STORE, Server};
use crate::{LIMIT, contacts, events, told};

#[derive(Clone, Debug)]
struct Plan {
    script: Vec<Act>,
    /// The user of each item, and whether the server dislikes it.
    items: Vec<(u8, bool)>,
    batch_items: usize,
    pending_items: usize,
    in_flight: usize,
    attempts: u32,
    events: bool,
    flush_at: usize,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => any::<bool>().prop_map(|by_list| Act::Store { by_list }),
        1 => (1_usize..4, any::<bool>()).prop_map(|(every, by_list)| Act::Forget { every, by_list }),
        3 => prop::sample::select(vec![400, 408, 409, 413, 422, 429, 500, 501, 502, 503]).prop_map(Act::Status),
        1 => prop::sample::select(vec![401, 402, 403, 404]).prop_map(Act::Status),
        1 => prop::sample::select(vec![(202, "{}"), (202, ""), (500, "x"), (204, "")])
            .prop_map(|(status, body)| Act::StoreThen(status, body)),
        2 => any::<bool>().prop_map(|stores| Act::Cut { stores }),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let items = prop::collection::vec((0_u8..12, prop::bool::weighted(0.1)), 1..80);
    let sizes = (1_usize..12, 1_usize..40, 1_usize..5, 1_u32..4);
    (prop::collection::vec(act(), 0..16), items, sizes, any::<bool>(), 0_usize..80).prop_map(
        |(script, items, (batch_items, pending_items, in_flight, attempts), events, flush_at)| Plan {
            script,
            items,
            batch_items,
            pending_items,
            in_flight,
            attempts,
            events,
            flush_at,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_item_has_one_outcome_and_what_is_accepted_was_stored_in_order(plan in plan()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async { tokio::time::timeout(LIMIT, run(&plan)).await.expect("it does not hang") });
    }
}

async fn run(plan: &Plan) {
    let server = Server::start(plan.script.clone(), STORE).await;
    let (told, receiver) = told();
    let client = server.client(plan.attempts);
    let mut taken = BTreeSet::new();
    let mut skipped_write = false;
    macro_rules! drive {
        ($builder:ident) => {{
            let writer = $builder(&client)
                .batch_items(plan.batch_items)
                .pending_items(plan.pending_items)
                .max_in_flight(plan.in_flight)
                .patience(LIMIT)
                .start(receiver)
                .expect("a writer");
            for (number, (user, is_bad)) in plan.items.iter().enumerate() {
                let item = item(number, *user, *is_bad, plan.events);
                match writer.write_json(number as u64, item.to_string()).await {
                    Ok(_) => drop(taken.insert(number as u64)),
                    Err(WriteError::Stopped(_)) => skipped_write = true,
                    Err(error) => panic!("{error}"),
                }
                if number == plan.flush_at && writer.flush().await.is_ok() {
                    assert_eq!(told.lock().expect("no panic").len(), taken.len(), "a flush leaves nothing open");
                }
            }
            let flushed = writer.flush().await;
            let checkpoint = writer.checkpoint();
            let summary = flushed.as_ref().map_or_else(|stopped| stopped.summary(), |summary| *summary);
            assert_eq!(summary.accepted + summary.rejected + summary.unknown, taken.len() as u64);
            assert_eq!(writer.close().await.is_ok(), flushed.is_ok());
            checkpoint
        }};
    }
    let checkpoint = if plan.events { drive!(events) } else { drive!(contacts) };
    let told = told.lock().expect("no panic").clone();
    let outcomes: BTreeMap<u64, char> = told.iter().map(|(sequence, letter, _)| (*sequence, *letter)).collect();
    assert_eq!(outcomes.len(), told.len(), "no item has two outcomes");
    assert_eq!(outcomes.keys().copied().collect::<BTreeSet<_>>(), taken, "every item has one");
    assert!(skipped_write || taken.len() == plan.items.len());
    let (stored, overlapped) = server.log(|log| (log.stored.clone(), log.overlapped));
    assert!(!overlapped, "two requests held items of one user");
    let numbers: BTreeSet<u64> = stored
        .iter()
        .filter_map(|item| item["number"].as_u64().or(item["_event_parameters"]["number"].as_u64()))
        .collect();
    for (sequence, letter) in &outcomes {
        assert!(*letter != 'a' || numbers.contains(sequence), "{sequence} is accepted and was never stored");
        assert_eq!(checkpoint.covers(*sequence), *letter != 'u', "{sequence} {letter}");
    }
    in_order(&stored);
}

/// The first time that each item is stored comes after that of the one before, for each user.
fn in_order(stored: &[Value]) {
    let mut seen = BTreeSet::new();
    let mut last: HashMap<&str, u64> = HashMap::new();
    for item in stored {
        let number = item["number"].as_u64().or(item["_event_parameters"]["number"].as_u64()).expect("a number");
        let user = item["_user_id"].as_str().expect("a user");
        if seen.insert(number) {
            let before = last.insert(user, number);
            assert!(before.is_none_or(|before| before < number), "{user}: {number} after {before:?}");
        }
    }
}

fn item(number: usize, user: u8, is_bad: bool, is_event: bool) -> Value {
    let user = format!("user-{user}");
    if is_event {
        let parameters = json!({"number": number});
        json!({"_user_id": user, "_event_id": format!("event-{number}"), "_event_type": "t", "_event_parameters": parameters})
    } else {
        json!({"_user_id": user, "number": number, "bad": is_bad})
    }
}
