//! A secret that changes under a running client: no call fails, nothing is sent twice that was not refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Received, Scripted};
use keyfit::auth::{AccessToken, Credential, TokenSource};
use keyfit::scopien::Key;
use keyfit::{Error, ErrorKind, instasent, scopien};

/// What a secret store says now, and how often it was asked.
#[derive(Clone, Debug, Default)]
struct Store(Arc<Mutex<(String, usize)>>);

impl Store {
    fn new(secret: &str) -> Self {
        Self(Arc::new(Mutex::new((secret.to_owned(), 0))))
    }

    fn rotate(&self, secret: &str) {
        secret.clone_into(&mut self.0.lock().expect("no one panics").0);
    }

    fn asked(&self) -> usize {
        self.0.lock().expect("no one panics").1
    }
}

impl TokenSource for Store {
    fn fetch(&self) -> futures_core::future::BoxFuture<'_, Result<AccessToken, Error>> {
        let mut state = self.0.lock().expect("no one panics");
        state.1 += 1;
        let token = AccessToken::new(state.0.clone());
        Box::pin(async { Ok(token) })
    }
}

fn tokens(received: &[Received]) -> Vec<&str> {
    received.iter().map(|request| request.header("authorization").unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_401_with_a_newer_secret_at_hand_is_sent_once_more() {
    let server = Scripted::guarded(&["fixture-key-2"], r#"{"data":[]}"#).await;
    let store = Store::new("fixture-key-1");
    let credential: Credential<scopien::kind::Key> = Credential::from_source(store.clone());
    let client = scopien::Client::with_config(credential, server.config()).expect("a client");
    let error = client.accounts_list().send().await.expect_err("the store still has the old key");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!((server.received().len(), store.asked()), (1, 2), "the store was asked again and had nothing newer");
    tokio::time::timeout(Duration::from_millis(1100), std::future::pending::<()>()).await.ok();
    store.rotate("fixture-key-2");
    client.accounts_list().send().await.expect("the second attempt carries the new key");
    client.accounts_list().send().await.expect("and so does every one after it");
    let keys = ["1", "1", "2", "2"].map(|number| format!("Bearer fixture-key-{number}"));
    assert_eq!(tokens(&server.received()), keys);
}

#[tokio::test]
async fn an_sms_that_was_refused_with_401_is_sent_once_more_with_its_body() {
    let server = Scripted::guarded(&["fixture-token-2"], r#"{"entity":{"id":"1"}}"#).await;
    let store = Store::new("fixture-token-1");
    let credential: Credential<instasent::transactional::kind::ApiSms> = Credential::from_source(store.clone());
    credential.ready().await.expect("the store answers");
    store.rotate("fixture-token-2");
    let client = instasent::transactional::Client::with_config(credential, server.config()).expect("a client");
    let sms = instasent::transactional::types::SmsItem::builder().from("Shop").to("+34600000000").text("Hello");
    client.sms_create().body(sms).send().await.expect("sent");
    let received = server.received();
    assert_eq!(received.len(), 2, "one that was refused, one that was executed");
    assert_eq!(received[0].body, received[1].body);
    assert!(received[1].body.contains("Hello"));
}

#[tokio::test]
async fn no_other_refusal_is_answered_with_another_token() {
    for status in [400, 402, 403, 404, 413, 422] {
        let server = Scripted::json(status, "{}").await;
        let store = Store::new("fixture-key-1");
        let credential: Credential<scopien::kind::Key> = Credential::from_source(store.clone());
        credential.ready().await.expect("the store answers");
        store.rotate("fixture-key-2");
        let client = scopien::Client::with_config(credential, server.config()).expect("a client");
        client.accounts_list().send().await.expect_err("it is refused");
        assert_eq!(server.received().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_fixed_token_is_sent_once() {
    let server = Scripted::guarded(&[], "{}").await;
    let key = Key::new("fixture-key-1").expect("a key");
    let client = scopien::Client::with_config(key, server.config()).expect("a client");
    client.accounts_list().send().await.expect_err("it is refused");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_a_credential_error_and_nothing_is_sent() {
    #[derive(Debug)]
    struct Closed;
    impl TokenSource for Closed {
        fn fetch(&self) -> futures_core::future::BoxFuture<'_, Result<AccessToken, Error>> {
            Box::pin(async { Err(Error::credential("the store is sealed")) })
        }
    }
    let server = Scripted::json(200, "{}").await;
    let client = scopien::Client::with_config(Credential::<scopien::kind::Key>::from_source(Closed), server.config())
        .expect("a client");
    let error = client.accounts_list().send().await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert!(error.is_auth() && !error.may_have_been_sent());
    assert!(error.to_string().ends_with("the store is sealed"), "{error}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_key_of_another_environment_is_refused_before_sending_however_it_comes() {
    let server = Scripted::json(200, "{}").await;
    let config = || server.config().token_check(keyfit::scopien::Environment::Sandbox);
    let live = format!("sk_{}_fixture", "live");
    let key = Key::new(&*live).expect("a key");
    let error = scopien::Client::with_config(key, config()).expect_err("a fixed key is looked at first");
    assert_eq!(error.kind(), ErrorKind::Credential);
    let store = Store::new(&format!("sk_{}_fixture", "test"));
    let credential: Credential<scopien::kind::Key> = Credential::from_source(store.clone());
    let client = scopien::Client::with_config(credential.clone(), config()).expect("a client");
    client.accounts_list().send().await.expect("a key of the sandbox");
    store.rotate(&live);
    let late: Credential<scopien::kind::Key> = Credential::from_source(store);
    let client = scopien::Client::with_config(late, config()).expect("nothing is fetched yet");
    let error = client.accounts_list().send().await.expect_err("the store holds a live key by now");
    assert!(error.kind() == ErrorKind::Credential && !error.to_string().contains(&live), "{error}");
    assert_eq!(server.received().len(), 1);
}
