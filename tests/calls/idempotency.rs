//! A create under an idempotency key is repeated, and no other one.

use std::collections::BTreeSet;

use keyfit::operation::Retry;
use keyfit::{Api, CallOptions, Config, DynamicClient, ErrorKind, Operation};
use reqwest::StatusCode;

use super::client::builder::CreateOrder;
use super::client::types::{NewOrder, Note};
use super::server::{Answer, Server};
use super::{client, config, key};

const KEY: &str = "Idempotency-Key";
const ORDER: &str = r#"{"id":"o-1","title":"Leaflets","copies":3}"#;
const OUTAGE: Answer = (500, &[], "");
const CREATED: Answer = (201, &[], ORDER);

fn create(client: &super::Client) -> CreateOrder<'_> {
    client.create_order().body(NewOrder::builder().title("Leaflets").copies(3))
}

#[tokio::test]
async fn a_create_is_repeated_under_one_key_and_the_next_call_has_another() {
    let server = Server::start([OUTAGE, (502, &[], ""), CREATED]).await;
    let client = client(&server);
    let order = create(&client).send().await.expect("the third attempt");
    assert_eq!((order.attempts(), order.id.as_str()), (3, "o-1"));
    create(&client).send().await.expect("another order");
    let keys: Vec<String> = server.headers(KEY).into_iter().flatten().collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0].len() == 36 && keys[..3].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_ne!(keys[0], keys[3]);
}

#[tokio::test]
async fn a_key_of_the_callers_is_the_one_that_is_sent_and_lets_repeat_too() {
    let server = Server::start([OUTAGE, CREATED]).await;
    let client = client(&server);
    create(&client).idempotency_key("order-7").send().await.expect("the second attempt");
    let options = CallOptions::default().header(KEY, "order-8").expect("a header");
    create(&client.with_options(options)).send().await.expect("an order");
    assert_eq!(server.headers(KEY), ["order-7", "order-7", "order-8"].map(|key| Some(key.to_owned())));
}

#[tokio::test]
async fn without_a_key_nothing_is_repeated() {
    let server = Server::start([OUTAGE]).await;
    let client = client(&server);
    let note = Note::builder().text("Mind the gap");
    let error = client.add_note().body(note.clone()).send().await.expect_err("an outage");
    assert_eq!((error.attempts(), server.headers(KEY)), (1, vec![None]));
    // No document says that this header makes a difference there.
    let options = CallOptions::default().header(KEY, "note-1").expect("a header");
    let error = client.with_options(options).add_note().body(note).send().await.expect_err("an outage");
    assert_eq!(error.attempts(), 1);
    let error = create(&client).idempotency_key("").send().await.expect_err("an outage");
    assert_eq!((error.attempts(), server.received().len()), (1, 3));
}

#[tokio::test]
async fn a_409_to_a_repetition_is_waited_out_and_one_to_the_first_attempt_stands() {
    let taken: Answer = (409, &[], r#"{"title":"At work"}"#);
    let server = Server::start([OUTAGE, taken, taken, CREATED]).await;
    let order = create(&client(&server)).send().await.expect("the fourth attempt");
    assert_eq!(order.attempts(), 4);
    let server = Server::start([taken]).await;
    let error = create(&client(&server)).send().await.expect_err("a conflict");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Conflict, 1));
    let server = Server::start([OUTAGE, taken]).await;
    let strict = keyfit::RetryPolicy::default().never_after(StatusCode::CONFLICT);
    let client = super::Client::with_config(key(), config(&server).retry(strict)).expect("a client");
    assert_eq!(create(&client).send().await.expect_err("a conflict").attempts(), 2);
}

#[tokio::test]
async fn calls_by_id_have_keys_too() {
    static API: Api = Api::new("press").with_base_urls(&["https://press.example.com/v1"]).with_operations(&[
        Operation::new("create", "create", "POST", "/orders").with_idempotency_key("Idempotency-Key"),
        Operation::new("note", "note", "POST", "/notes").with_retry(Retry::Never),
    ]);
    let server = Server::start([OUTAGE, CREATED]).await;
    let client = DynamicClient::new(&API, keyfit::auth::Credential::from(key()), config(&server)).expect("a client");
    client.call("create").expect("a call").body("application/json", ORDER).send().await.expect("the second attempt");
    let keys: BTreeSet<Option<String>> = server.headers(KEY).into_iter().collect();
    assert!(keys.len() == 1 && !keys.contains(&None), "{keys:?}");
    let server = Server::start([OUTAGE]).await;
    let config: Config = config(&server);
    let client = DynamicClient::new(&API, keyfit::auth::Credential::from(key()), config).expect("a client");
    let error = client.call("note").expect("a call").send().await.expect_err("an outage");
    assert_eq!((error.attempts(), server.headers(KEY)), (1, vec![None]));
}
