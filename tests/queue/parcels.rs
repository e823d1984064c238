//! The API of the tests, and items of it.

use std::time::Duration;

use keyfit::auth::Credential;
use keyfit::batch_writer::Builder;
use keyfit::batch_writer::jetstream::{Address, Filled, Filler, Put};
use keyfit::operation::{Batching, Partial, Retry};
use keyfit::{Api, Config, DynamicClient, Operation, RetryPolicy};
use serde_json::{Value, json};

const OUTCOMES: &[Partial] = &[Partial::new()
    .with_outcomes("/results")
    .with_outcome("/state", &["stored"])
    .with_reason("/problem")
    .with_item("")];

/// `push` must not be sent twice; `upsert` may.
static OPERATIONS: [Operation; 2] =
    [operation("push"), operation("upsert").with_retry(Retry::Keyed).with_retry_key("ref")];

const fn operation(id: &'static str) -> Operation {
    Operation::new(id, id, "POST", "/parcels")
        .with_partial(OUTCOMES)
        .with_batching(Batching::new("/parcels").with_maximum(20).with_id_field("ref"))
}

static API: Api = Api::new("parcels").with_base_urls(&["https://parcels.example"]).with_operations(&OPERATIONS);

/// Items of one owner stay in order.
pub(crate) fn writer(operation: &str, url: &str) -> Builder<Value> {
    let policy = RetryPolicy::default()
        .first_wait(Duration::from_millis(5))
        .longest_wait(Duration::from_millis(50))
        .budget(1_000_000);
    let config = Config::default().base_url(url).retry(policy);
    let client = DynamicClient::new(&API, Credential::<()>::none(), config).expect("a client");
    let writer = client.call(operation).expect("an operation").writer();
    let writer = writer.linger(Duration::from_millis(20)).patience(Duration::from_secs(30));
    if operation == "push" { writer.key("/owner") } else { writer }
}

/// The items: of `push` each has a reference of its own, of `upsert` the owner's, whose newer states they are.
pub(crate) fn item(operation: &str, number: u64, owners: u64) -> Value {
    let owner = format!("o{}", number % owners);
    let name = if operation == "push" { format!("p{number}") } else { owner.clone() };
    json!({ "ref": name, "owner": owner, "n": number })
}

/// Fills a queue.
pub(crate) async fn fill(queue: &str, operation: &str, items: std::ops::Range<u64>, owners: u64) -> Filled {
    let address = Address::parse(queue).expect("an address");
    let mut filler =
        Filler::open(address, &writer(operation, "http://127.0.0.1:1"), None, None).await.expect("a queue");
    for number in items {
        let json = item(operation, number, owners).to_string();
        let put = filler.put(number, &format!("item-{number}"), json.as_bytes()).await.expect("room");
        assert_eq!(put, Put::Taken);
    }
    filler.flush().await.expect("confirmed")
}
