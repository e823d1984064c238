//! The batch writer against servers that misbehave: what is harmful if it goes wrong.

mod harm;
mod keeping;
mod limits;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfit::auth::Credential;
use keyfit::batch_writer::{Builder, Delivery, Outcome};
use keyfit::operation::{Batching, Partial, Retry};
use keyfit::{Api, Config, DynamicClient, Operation, RateLimitNames, RetryPolicy};
use serde_json::{Value, json};

use server::{Received, Reply, Server, answer};

/// One outcome for each item, which repeats the item's reference.
const OUTCOMES: &[Partial] = &[Partial::new()
    .with_outcomes("/results")
    .with_outcome("/state", &["stored"])
    .with_reason("/problem")
    .with_item("")];

static OPERATIONS: [Operation; 4] = [
    operation("push"),
    operation("upsert").with_retry(Retry::Keyed).with_retry_key("ref"),
    operation("keyed").with_idempotency_key("Idempotency-Key"),
    operation("single").with_partial(&[]),
];

const fn operation(id: &'static str) -> Operation {
    Operation::new(id, id, "POST", "/shops/{shop}/parcels")
        .with_partial(OUTCOMES)
        .with_batching(Batching::new("/parcels").with_maximum(100).with_id_field("ref"))
}

static API: Api = Api::new("parcels")
    .with_base_urls(&["https://parcels.example"])
    .with_operations(&OPERATIONS)
    .with_rate_limit(RateLimitNames::new().with_limit("x-limit").with_remaining("x-left").with_reset("x-reset"));

fn config(server: &Server) -> Config {
    let policy = RetryPolicy::default()
        .first_wait(Duration::from_millis(1))
        .longest_wait(Duration::from_millis(2))
        .budget(1_000_000);
    Config::default().base_url(&server.url).retry(policy)
}

fn writer(operation: &str, config: Config) -> Builder<Value> {
    let client = DynamicClient::new(&API, Credential::<()>::none(), config).expect("a client");
    let call = client.call(operation).expect("an operation").path("shop", "a/b");
    call.writer().linger(Duration::from_millis(1)).patience(Duration::from_millis(100))
}

fn parcel(number: u64) -> Value {
    json!({ "ref": format!("p{number}"), "grams": number })
}

/// The items of a request.
fn items(request: &Received) -> Vec<Value> {
    request.body["parcels"].as_array().expect("a list").clone()
}

fn stored(items: &[Value]) -> Value {
    let told = |item: &Value| json!({ "ref": item["ref"], "state": "stored" });
    json!({ "results": items.iter().map(told).collect::<Vec<_>>() })
}

/// Each item's number with `a`, `r` or `u`, and what was said. No item has two.
type Told = Arc<Mutex<BTreeMap<u64, (char, String)>>>;

fn told() -> (Told, impl FnMut(&Delivery<'_>) + Send + 'static) {
    let told = Told::default();
    let inner = Arc::clone(&told);
    let receiver = move |delivery: &Delivery<'_>| {
        let outcome = match delivery.outcome() {
            Outcome::Accepted => ('a', String::new()),
            Outcome::Rejected(reasons) => ('r', format!("{reasons:?}")),
            Outcome::Unknown(why) => ('u', format!("{why} (may have been sent: {})", why.may_have_been_sent())),
        };
        let before = inner.lock().expect("no panic").insert(delivery.sequence(), outcome);
        assert!(before.is_none(), "a second outcome");
    };
    (told, receiver)
}

/// The letters in the order of the numbers.
fn letters(told: &Told) -> String {
    told.lock().expect("no panic").values().map(|(letter, _)| letter).collect()
}

/// Writes so many parcels, and gives the letters of their outcomes.
async fn push(builder: Builder<Value>, count: u64) -> (String, Told) {
    let (told, receiver) = told();
    let writer = builder.start(receiver).expect("a writer");
    for number in 0..count {
        // A writer that stopped says so at its end.
        if writer.write(&parcel(number)).await.is_err() {
            break;
        }
    }
    drop(writer.close().await);
    (letters(&told), told)
}
