//! The ingest writer against a server that misbehaves by a script.

mod ends;
mod outcomes;
mod properties;
#[expect(dead_code, reason = "the import's tests use all of it")]
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::batch_writer::{Builder, Delivery, Outcome};
use keyfit::instasent::ingest::Client;
use keyfit::instasent::ingest::types::{Contact, Event};
use keyfit::instasent::ingest_writer;
use serde_json::Value;

/// Nothing here takes this long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// The outcomes by number: `a`, `r` or `u`, and what was said.
type Told = Arc<Mutex<Vec<(u64, char, String)>>>;

fn told() -> (Told, impl FnMut(&Delivery<'_>) + Send + 'static) {
    let told = Told::default();
    let inner = Arc::clone(&told);
    let receiver = move |delivery: &Delivery<'_>| {
        let (letter, words) = match delivery.outcome() {
            Outcome::Accepted => ('a', String::new()),
            Outcome::Rejected(reasons) => ('r', format!("{reasons:?}")),
            Outcome::Unknown(why) => ('u', format!("{why} (may have been sent: {})", why.may_have_been_sent())),
        };
        inner.lock().expect("no panic").push((delivery.sequence(), letter, words));
    };
    (told, receiver)
}

/// The letters in the order of the numbers.
fn letters(told: &Told) -> String {
    let mut told = told.lock().expect("no panic").clone();
    told.sort();
    told.iter().map(|(_, letter, _)| letter).collect()
}

fn contacts(client: &Client) -> Builder<Contact> {
    ingest_writer::contacts(client.stream_contacts_push().project("p").datasource("d")).linger(Duration::from_millis(1))
}

fn events(client: &Client) -> Builder<Event> {
    ingest_writer::events(client.stream_events_push().project("p").datasource("d")).linger(Duration::from_millis(1))
}

fn contact(user: &str, extra: &Value) -> Contact {
    let mut contact = extra.clone();
    contact["_user_id"] = user.into();
    serde_json::from_value(contact).expect("a contact")
}
