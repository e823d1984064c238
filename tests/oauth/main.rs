//! OAuth 2.0 against a scripted token endpoint.

mod answers;
mod crash;
mod grace;
mod grants;
mod kills;
mod requests;
mod sessions;
mod traps;

#[path = "../encodings/mod.rs"]
mod encodings;

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;
use httpmock::prelude::*;
use keyfit::auth::oauth::{
    AuthorizationCode, AuthorizationRequest, BodyEncoding, CallbackError, ClientCredentials, FileStore, JwtBearer,
    MemoryPendingAuthorizations, MemoryStore, RefreshingSession, StoreLock, TokenEndpoint, TokenEndpointBuilder,
    TokenError, TokenErrorCode, TokenExchange, TokenSet, TokenStore, handle_callback,
};
use keyfit::auth::{AccessToken, Credential, Refresh, SecretSource, TokenSource};
use keyfit::{Clock, Error, ErrorKind};
use secrecy::SecretString;
use serde_json::json;

const REDIRECT: &str = "https://app.example.com/callback";
const FORM: &str = "application/x-www-form-urlencoded";

/// A clock that moves when told.
#[derive(Clone, Debug, Default)]
struct TestClock(Arc<AtomicU64>);

impl TestClock {
    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        at(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration.as_secs());
        Box::pin(async {})
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

/// A client secret that can be rotated.
#[derive(Clone)]
struct TestSecret(Arc<Mutex<String>>);

impl TestSecret {
    fn new(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.to_owned())))
    }
}

impl std::fmt::Debug for TestSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestSecret")
    }
}

impl SecretSource for TestSecret {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        let text = self.0.lock().expect("no panic").clone();
        Box::pin(async { Ok(text.into()) })
    }
}

/// A store that fails once so many saves have succeeded.
#[derive(Clone, Debug)]
struct FailingStore {
    store: MemoryStore,
    saves_left: Arc<AtomicU64>,
    /// Whether the first save that fails is written all the same, as where its answer is lost.
    loses_an_answer: Arc<AtomicBool>,
}

impl FailingStore {
    fn after(saves: u64) -> Self {
        Self { store: MemoryStore::new(), saves_left: Arc::new(AtomicU64::new(saves)), loses_an_answer: Arc::default() }
    }

    fn losing_an_answer(self) -> Self {
        Self { loses_an_answer: Arc::new(AtomicBool::new(true)), ..self }
    }

    fn mend(&self) {
        self.saves_left.store(u64::MAX, Ordering::SeqCst);
    }
}

impl TokenStore for FailingStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        self.store.load()
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        let count = |left: u64| left.checked_sub(1);
        match self.saves_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count) {
            Ok(_) => self.store.save(tokens),
            Err(_) => Box::pin(async {
                if self.loses_an_answer.swap(false, Ordering::SeqCst) {
                    self.store.save(tokens).await?;
                }
                Err(Error::credential("the disk is full"))
            }),
        }
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        self.store.lock()
    }
}

fn builder(server: &MockServer) -> TokenEndpointBuilder {
    TokenEndpoint::builder(server.url("/oauth/token"), "my client")
}

fn endpoint(server: &MockServer, clock: &TestClock) -> TokenEndpoint {
    builder(server).secret_in_body(TestSecret::new("hunter2")).clock(clock.clone()).build().expect("an endpoint")
}

/// Goes through the browser's part of the code grant.
async fn consented(scopes: &[&str]) -> (AuthorizationCode, String) {
    let request = AuthorizationRequest::new("https://auth.example.com/authorize", "my client", REDIRECT);
    let pending = MemoryPendingAuthorizations::new();
    let url = request.expect("a request").scopes(scopes.iter().copied()).begin("s", &pending).await.expect("a URL");
    let parameter = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).expect("there")
    };
    let callback = format!("/callback?code=the%2Fcode&state={}", parameter("state"));
    (handle_callback(&callback, "s", &pending).await.expect("a code"), parameter("code_challenge"))
}

fn token_error(error: &Error) -> &TokenError {
    assert!(error.is_auth() && !error.may_have_been_sent());
    error.source().and_then(|source| source.downcast_ref()).expect("a token error behind it")
}

fn tokens(access: &str, expires_in: u64) -> TokenSet {
    TokenSet::new(AccessToken::new(access).expiring_at(at(expires_in))).refresh("r1").granting(["read"])
}

/// A session over a memory store.
async fn session(endpoint: TokenEndpoint, tokens: TokenSet) -> (RefreshingSession, MemoryStore) {
    let store = MemoryStore::new();
    (RefreshingSession::start(endpoint, tokens, store.clone()).await.expect("a session"), store)
}

async fn fetch(source: &impl TokenSource) -> String {
    source.fetch().await.expect("a token").expose().to_owned()
}

async fn stored(store: &impl TokenStore) -> (String, Option<String>) {
    let set = store.load().await.expect("a store").expect("tokens");
    (set.access().expose().to_owned(), set.refresh_token().map(str::to_owned))
}
