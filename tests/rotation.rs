//! Rotation of a key: the order of its steps, and what is left when one of them fails.

use std::sync::{Arc, Mutex};

use futures_core::future::BoxFuture;
use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use keyfit::auth::rotation::{KeyManager, NewKey, Rotation, Step};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{Secret, SecretSource as _};
use keyfit::scopien::{Key, Keys};
use keyfit::{Config, Error, ErrorKind};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// The key that manages the others.
const ADMIN: &str = "fixture-admin-0001";
/// The secret of the minted key.
const MINTED: &str = "do-not-print-me";

/// A Scopien that keeps a list of keys and writes down what it was asked.
struct Server {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The keys by id and secret.
    keys: Vec<(String, String)>,
    listed: Value,
    log: Vec<String>,
    minted: Vec<Value>,
    /// Calls that fail, by the start of their line in the log, and how.
    failing: Vec<(&'static str, u16)>,
}

impl Server {
    async fn start() -> Self {
        let old = json!({
            "id": "key_old", "name": "billing", "scopes": {"accounts": ["read", "write"]}, "rateLimit": 500,
            "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2999-01-01T00:00:00Z"
        });
        let state = State {
            keys: vec![("key_admin".to_owned(), ADMIN.to_owned()), ("key_old".to_owned(), "old-secret".to_owned())],
            listed: old,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let server = MockServer::start_async().await;
        let shared = Arc::clone(&state);
        server
            .mock_async(|_, then| {
                then.respond_with(move |request| shared.lock().expect("no test panics with the lock").answer(request));
            })
            .await;
        Self { server, state }
    }

    fn config(&self) -> Config {
        Config::default().base_url(self.server.base_url())
    }

    fn keys(&self) -> Keys {
        Keys::with_config(Key::new(ADMIN).expect("a key"), self.config()).expect("a manager")
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().expect("no test panics with the lock"))
    }

    fn fail(&self, call: &'static str, status: u16) {
        self.with(|state| state.failing.push((call, status)));
    }

    fn log(&self) -> Vec<String> {
        self.with(|state| state.log.clone())
    }

    fn valid(&self) -> Vec<String> {
        self.with(|state| state.keys.iter().map(|(id, _)| id.clone()).collect())
    }
}

impl State {
    fn answer(&mut self, request: &HttpMockRequest) -> HttpMockResponse {
        let authorization = request.headers_vec().iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let secret = authorization.and_then(|(_, value)| value.strip_prefix("Bearer ")).unwrap_or_default();
        let caller = self.keys.iter().find(|(_, known)| known == secret).map(|(id, _)| id.clone());
        let line = format!("{} {}", request.method_str(), request.uri().path());
        self.log.push(format!("{line} by {}", caller.as_deref().unwrap_or("nobody")));
        if let Some((_, status)) = self.failing.iter().find(|(call, _)| line.starts_with(call)) {
            return json_answer(*status, &json!({"error": {"code": "scripted", "message": "as the test wants it"}}));
        }
        let Some(caller) = caller else {
            return json_answer(401, &json!({"error": {"code": "unauthorized", "message": "unknown key"}}));
        };
        match line.split_once(' ').expect("a method and a path") {
            ("GET", "/api-keys") => json_answer(200, &json!({"data": [{"id": "key_admin"}, self.listed]})),
            ("POST", "/api-keys") => {
                self.minted.push(serde_json::from_str(&request.body_string()).expect("JSON"));
                self.keys.push(("key_new".to_owned(), MINTED.to_owned()));
                json_answer(201, &json!({"id": "key_new", "key": MINTED}))
            }
            ("GET", "/auth/test") => json_answer(200, &json!({"authenticated": true, "keyId": caller})),
            ("DELETE", path) => {
                let before = self.keys.len();
                self.keys.retain(|(id, _)| !path.ends_with(&format!("/{id}")));
                let status = if self.keys.len() < before { 204 } else { 404 };
                HttpMockResponse::builder().status(status).no_body().build()
            }
            _ => json_answer(404, &json!({})),
        }
    }
}

fn json_answer(status: u16, body: &Value) -> HttpMockResponse {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpMockResponse::builder().status(status).headers(headers).body(body.to_string()).build()
}

async fn nothing() -> Result<(), Error> {
    Ok(())
}

async fn broken() -> Result<(), Error> {
    Err(Error::credential("the store is full"))
}

const BEGIN: [&str; 2] = ["GET /api-keys by key_admin", "POST /api-keys by key_admin"];
const VERIFY: &str = "GET /auth/test by key_new";
const REVOKE_NEW: &str = "DELETE /api-keys/key_new by key_admin";
const REVOKE_OLD: &str = "DELETE /api-keys/key_old by key_admin";

#[tokio::test]
async fn the_old_key_is_valid_until_the_last_step_and_refused_after_it() {
    let server = Server::start().await;
    let keys = server.keys();
    let store = MemorySource::new("old-secret");
    let put = async |secret: Secret| {
        store.set(secret.expose());
        Ok(())
    };
    let old = Key::new("old-secret").expect("a key");
    let old = keyfit::scopien::Client::with_config(old, server.config()).expect("a client");

    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    assert_eq!(minted.id(), "key_new");
    let distributed = minted.distribute(put).await.expect("distributed");
    let verified = distributed.verify().await.expect("verified");
    let switched = verified.switch(nothing).await.expect("switched");
    assert_eq!(server.log(), [BEGIN[0], BEGIN[1], VERIFY]);
    assert_eq!(old.auth_test().send().await.expect("the old key is valid").key_id, "key_old");
    assert_eq!(switched.revoke_old().await.expect("revoked"), "key_new");
    assert_eq!(server.log()[4], REVOKE_OLD);
    assert_eq!(old.auth_test().send().await.expect_err("it is revoked").kind(), ErrorKind::Unauthorized);
    assert_eq!(server.valid(), ["key_admin", "key_new"]);
    assert_eq!(store.read().await.expect("a secret").expose_secret(), MINTED);
}

#[tokio::test]
async fn the_new_key_may_do_what_the_old_one_may() {
    let server = Server::start().await;
    Rotation::new(server.keys(), "key_old").mint().await.expect("minted").abort().await.expect("aborted");
    let expected = json!({
        "name": "billing", "scopes": {"accounts": ["read", "write"]}, "rateLimit": 500,
        "expiresAt": "2999-01-01T00:00:00Z"
    });
    assert_eq!(server.with(|state| state.minted.clone()), [expected]);

    server.with(|state| state.listed = json!({"id": "key_old", "name": "n", "scopes": ["admin"], "expiresAt": null}));
    Rotation::new(server.keys(), "key_old").mint().await.expect("minted").abort().await.expect("aborted");
    assert_eq!(server.with(|state| state.minted[1].clone()), json!({"name": "n", "scopes": ["admin"]}));
}

#[tokio::test]
async fn a_key_that_cannot_be_copied_is_not_minted() {
    let cases = [
        (json!({"id": "key_x", "name": "n", "scopes": ["read"]}), "the list of keys has no key key_old"),
        (json!({"id": "key_old", "scopes": ["read"]}), "shows no name"),
        (json!({"id": "key_old", "name": "n"}), "shows no scopes"),
        (json!({"id": "key_old", "name": "n", "scopes": ["read", "teleport"]}), "does not know"),
        (json!({"id": "key_old", "name": "n", "scopes": ["read"], "expiresAt": "2001-01-01T00:00:00Z"}), "ended at"),
        (json!({"id": "key_old", "name": "n", "scopes": ["read"], "expiresAt": "soon"}), "cannot be read"),
    ];
    for (listed, words) in cases {
        let server = Server::start().await;
        server.with(|state| state.listed = listed);
        let error = Rotation::new(server.keys(), "key_old").mint().await.expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!((error.step(), server.log().len()), (Step::Mint, 1), "only the list was asked for");
    }
}

#[tokio::test]
async fn an_expiry_of_ones_own_replaces_that_of_the_old_key() {
    let server = Server::start().await;
    server.with(|state| state.listed["expiresAt"] = json!("2001-01-01T00:00:00Z"));
    let keys = server.keys().expiring_at(None);
    Rotation::new(keys.clone(), "key_old").mint().await.expect("minted").abort().await.expect("aborted");
    assert_eq!(server.with(|state| state.minted[0].get("expiresAt").cloned()), None);
}

#[tokio::test]
async fn a_failed_verification_leaves_the_old_key_alive_and_removes_the_new_one() {
    let server = Server::start().await;
    server.fail("GET /auth/test", 401);
    let keys = server.keys();
    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    let distributed = minted.distribute(|_| nothing()).await.expect("distributed");
    let aborted = distributed.verify().await.expect_err("401");
    assert_eq!((aborted.step(), aborted.cause().kind()), (Step::Verify, ErrorKind::Unauthorized));
    assert!(aborted.leftover().is_none());
    assert_eq!(server.log(), [BEGIN[0], BEGIN[1], VERIFY, REVOKE_NEW]);
    assert_eq!(server.valid(), ["key_admin", "key_old"]);
    assert!(aborted.to_string().ends_with("the old key is still valid; the new key key_new is revoked"), "{aborted}");
}

#[tokio::test]
async fn a_key_that_the_server_takes_for_another_is_not_switched_to() {
    let server = Server::start().await;
    let keys = server.keys();
    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    server.with(|state| state.keys.retain(|(id, _)| id != "key_new"));
    server.with(|state| state.keys.push(("key_other".to_owned(), MINTED.to_owned())));
    let aborted = minted.distribute(|_| nothing()).await.expect("distributed").verify().await.expect_err("another");
    assert!(aborted.to_string().contains("for another one, key_other"), "{aborted}");
}

#[tokio::test]
async fn each_callback_that_fails_removes_the_new_key() {
    for step in [Step::Distribute, Step::Switch] {
        let server = Server::start().await;
        let keys = server.keys();
        let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
        let aborted = if step == Step::Distribute {
            minted.distribute(|_| broken()).await.expect_err("the store is full")
        } else {
            let distributed = minted.distribute(|_| nothing()).await.expect("distributed");
            distributed.verify().await.expect("verified").switch(broken).await.expect_err("the store is full")
        };
        assert_eq!(aborted.step(), step);
        assert_eq!(server.log().last().map(String::as_str), Some(REVOKE_NEW));
        assert_eq!(server.valid(), ["key_admin", "key_old"]);
    }
}

#[tokio::test]
async fn giving_up_after_any_step_removes_the_new_key() {
    for steps in 1..=4 {
        let server = Server::start().await;
        let keys = server.keys();
        let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
        let aborted = async {
            if steps == 1 {
                return minted.abort().await;
            }
            let distributed = minted.distribute(|_| nothing()).await.expect("distributed");
            if steps == 2 {
                return distributed.abort().await;
            }
            let verified = distributed.verify().await.expect("verified");
            if steps == 3 {
                return verified.abort().await;
            }
            verified.switch(nothing).await.expect("switched").abort().await
        };
        aborted.await.expect("aborted");
        assert_eq!(server.log().last().map(String::as_str), Some(REVOKE_NEW), "{steps}");
        assert_eq!(server.valid(), ["key_admin", "key_old"], "{steps}");
    }
}

#[tokio::test]
async fn a_new_key_that_cannot_be_removed_is_reported() {
    let server = Server::start().await;
    server.fail("DELETE /api-keys/key_new", 500);
    let keys = server.keys();
    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    let aborted = minted.distribute(|_| broken()).await.expect_err("the store is full");
    assert_eq!(aborted.leftover().map(|(id, error)| (id, error.kind())), Some(("key_new", ErrorKind::Server)));
    assert!(aborted.to_string().contains("key_new could not be revoked"), "{aborted}");

    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    let error = minted.abort().await.expect_err("it fails");
    assert_eq!(error.to_string(), "the new key key_new could not be revoked: revoke it by hand");
}

#[tokio::test]
async fn a_key_that_may_have_been_minted_is_reported() {
    for (call, status, may) in
        [("POST /api-keys", 502, true), ("POST /api-keys", 403, false), ("GET /api-keys", 502, false)]
    {
        let server = Server::start().await;
        server.fail(call, status);
        let aborted = Rotation::new(server.keys(), "key_old").mint().await.expect_err("it fails");
        assert_eq!(aborted.to_string().contains("a new key may have been made"), may, "{aborted}");
        assert_eq!(server.valid(), ["key_admin", "key_old"]);
    }
}

#[tokio::test]
async fn the_last_step_can_be_tried_again() {
    // The first attempt was executed although the answer says otherwise: the key is gone when it is tried again.
    let server = Server::start().await;
    let keys = server.keys();
    let minted = Rotation::new(keys.clone(), "key_old").mint().await.expect("minted");
    let verified = minted.distribute(|_| nothing()).await.expect("distributed").verify().await.expect("verified");
    let switched = verified.switch(nothing).await.expect("switched");
    server.fail("DELETE", 502);
    let failed = switched.revoke_old().await.expect_err("502");
    assert_eq!((failed.old(), failed.cause().kind()), ("key_old", ErrorKind::Server));
    server.with(|state| {
        state.failing.clear();
        state.keys.retain(|(id, _)| id != "key_old");
    });
    assert_eq!(failed.retry().await.expect("it is gone"), "key_new");
    assert_eq!(server.valid(), ["key_admin", "key_new"]);
}

#[tokio::test]
async fn a_leaked_key_is_revoked_with_one_call() {
    let server = Server::start().await;
    server.keys().revoke_now("key_old").await.expect("revoked");
    assert_eq!(server.log(), [REVOKE_OLD]);
    let old = Key::new("old-secret").expect("a key");
    let client = keyfit::scopien::Client::with_config(old, server.config()).expect("a client");
    assert_eq!(client.auth_test().send().await.expect_err("it is revoked").kind(), ErrorKind::Unauthorized);
    let mistyped = server.keys().revoke_now("key_odl").await.expect_err("no such key");
    assert_eq!(mistyped.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nothing_of_a_rotation_prints_a_secret() {
    let server = Server::start().await;
    server.fail("DELETE /api-keys/key_new", 500);
    let keys = server.keys();
    let rotation = Rotation::new(keys.clone(), "key_old");
    let mut shown = vec![format!("{rotation:?}")];
    let minted = rotation.mint().await.expect("minted");
    shown.push(format!("{minted:?}"));
    let distributed = minted
        .distribute(|secret| {
            shown.push(format!("{secret:?}"));
            nothing()
        })
        .await
        .expect("distributed");
    shown.push(format!("{distributed:?}"));
    let verified = distributed.verify().await.expect("verified");
    shown.push(format!("{verified:?}"));
    let aborted = verified.switch(broken).await.expect_err("the store is full");
    shown.push(format!("{aborted:?} {aborted} {:?}", NewKey { id: "key_new".to_owned(), secret: Secret::new(MINTED) }));
    let shown = shown.concat();
    for secret in [MINTED, ADMIN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Keeps the warnings of one thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

/// The fields of one warning, as text.
#[derive(Default)]
struct Fields(Vec<String>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().expect("no test panics with the lock").push(fields.0.join(" "));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(flavor = "current_thread")]
async fn a_rotation_that_is_dropped_halfway_is_logged_without_its_secret() {
    let server = Server::start().await;
    let keys = server.keys();
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    Rotation::new(keys.clone(), "key_old").mint().await.expect("minted").abort().await.expect("aborted");
    assert_eq!(warnings.0.lock().expect("a log").len(), 0, "an abort leaves one key");
    drop(Rotation::new(keys.clone(), "key_old").mint().await.expect("minted"));
    let logged = warnings.0.lock().expect("a log").concat();
    assert!(logged.contains("key_old") && logged.contains("key_new") && logged.contains("both keys are valid"));
    assert!(!logged.contains(MINTED), "{logged}");
}

/// A manager that hands out the old key as the new one.
#[derive(Debug)]
struct Echo;

impl KeyManager for Echo {
    fn mint<'a>(&'a self, old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>> {
        Box::pin(async move { Ok(NewKey { id: old.to_owned(), secret: Secret::new("x") }) })
    }

    fn verify<'a>(&'a self, _: &'a NewKey) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(nothing())
    }

    fn revoke<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        panic!("the only key would be revoked")
    }
}

#[tokio::test]
async fn a_new_key_with_the_old_id_is_never_revoked() {
    let aborted = Rotation::new(Echo, "key_1").mint().await.expect_err("one id for two keys");
    assert!(aborted.to_string().contains("the old id key_1"), "{aborted}");
}

#[test]
fn a_rotation_crosses_threads() {
    fn crosses_threads<T: Send>(_: T) {}
    crosses_threads(async {
        let minted = Rotation::new(Echo, "key_1").mint().await.expect("minted");
        let distributed = minted.distribute(|_| nothing()).await.expect("distributed");
        let switched = distributed.verify().await.expect("verified").switch(nothing).await.expect("switched");
        switched.revoke_old().await.expect("revoked")
    });
}
