//! OAuth 2.0 against a scripted token endpoint: each trap of the guides' samples is a test of its name.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;
use httpmock::prelude::*;
use keyfit::auth::oauth::{
    AuthorizationCode, AuthorizationRequest, BodyEncoding, CallbackError, ClientCredentials, FileStore,
    MemoryPendingAuthorizations, MemoryStore, RefreshingSession, TokenEndpoint, TokenEndpointBuilder, TokenError,
    TokenErrorCode, TokenSet, TokenStore, handle_callback,
};
use keyfit::auth::{AccessToken, Credential, Refresh, Scopien, SecretSource, TokenSource};
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

/// A store that can fail.
#[derive(Clone, Debug, Default)]
struct FailingStore {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
}

impl TokenStore for FailingStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        self.store.load()
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        if self.fails.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::credential("the disk is full")) });
        }
        self.store.save(tokens)
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
    assert_eq!(error.kind(), ErrorKind::Credential);
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

mod traps {
    use super::*;

    #[tokio::test]
    async fn trap_2_a_state_is_kept_before_the_redirect_and_its_absence_on_either_side_is_refused() {
        let request =
            AuthorizationRequest::new("https://auth.example.com/authorize", "c", REDIRECT).expect("a request");
        let pending = MemoryPendingAuthorizations::new();
        // Nothing was begun, nothing is sent: undefined equals undefined.
        for callback in ["code=x", "code=x&state=", "code=x&state=undefined"] {
            let error = handle_callback(callback, "s", &pending).await.expect_err(callback);
            assert!(matches!(error, CallbackError::State), "{error:?}");
            assert_eq!(error.status().as_u16(), 400);
        }
        let url = request.begin("s", &pending).await.expect("a URL");
        let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        let callback = format!("{REDIRECT}?code=x&state={state}");
        assert!(handle_callback(&callback, "another browser", &pending).await.is_err());
        assert!(handle_callback(&callback, "s", &pending).await.is_ok());
        assert!(handle_callback(&callback, "s", &pending).await.is_err(), "a state is good once");
    }

    #[tokio::test]
    async fn trap_3_an_answer_without_tokens_is_an_error_and_is_not_stored() {
        let answers = [
            (400, r#"{"error":"invalid_scope","error_description":"no"}"#, Some(TokenErrorCode::InvalidScope)),
            (401, r#"{"error":"invalid_client"}"#, Some(TokenErrorCode::InvalidClient)),
            (400, r#"{"error":{"code":"bad","message":"nested"}}"#, Some(TokenErrorCode::Other("bad".to_owned()))),
            (500, "<html>oops</html>", None),
            (500, r#"{"access_token":"a2"}"#, None),
            (502, "", None),
            (302, "", None),
            (200, "", None),
            (200, "{}", None),
            (200, r#"{"refresh_token":"r2"}"#, None),
            (200, r#"{"access_token":null,"refresh_token":"r2"}"#, None),
            (200, r#"{"access_token":"a2","token_type":"mac"}"#, None),
            (200, r#"{"error":"invalid_request"}"#, Some(TokenErrorCode::InvalidRequest)),
        ];
        for (status, body, code) in answers {
            let server = MockServer::start_async().await;
            server
                .mock_async(|when, then| {
                    when.method(POST).path("/oauth/token");
                    then.status(status).header("x-request-id", "req_1").header("location", "/elsewhere").body(body);
                })
                .await;
            let endpoint = endpoint(&server, &TestClock::default());
            let error = endpoint.exchange(consented(&[]).await.0).await.expect_err(body);
            let refusal = token_error(&error);
            assert_eq!((refusal.status().as_u16(), refusal.code()), (status, code.as_ref()), "{body}");
            assert_eq!(refusal.request_id(), Some("req_1"));
            let (session, store) = session(endpoint, tokens("a1", 0)).await;
            session.fetch().await.expect_err(body);
            assert_eq!(stored(&store).await, ("a1".to_owned(), Some("r1".to_owned())), "{body}");
        }
    }

    #[tokio::test]
    async fn trap_4_without_rotation_the_refresh_token_is_kept() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("refresh_token", "r1");
                then.status(200).json_body(json!({"access_token": "a2", "expires_in": 3600}));
            })
            .await;
        let clock = TestClock::default();
        let (session, store) = session(endpoint(&server, &clock), tokens("a1", 0)).await;
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(stored(&store).await, ("a2".to_owned(), Some("r1".to_owned())));
        assert_eq!(session.scopes().await, ["read"]);
        clock.advance(3600);
        assert_eq!(fetch(&session).await, "a2");
        mock.assert_calls_async(2).await;
    }

    #[tokio::test]
    async fn trap_4_with_rotation_the_refresh_token_is_replaced() {
        let server = MockServer::start_async().await;
        let clock = TestClock::default();
        for (old, access, new) in [("r1", "a2", "r2"), ("r2", "a3", "r3")] {
            server
                .mock_async(|when, then| {
                    when.method(POST).form_urlencoded_tuple("refresh_token", old);
                    then.status(200).json_body(json!({"access_token": access, "refresh_token": new, "expires_in": 60}));
                })
                .await;
        }
        let (session, store) = session(endpoint(&server, &clock), tokens("a1", 0)).await;
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(fetch(&session).await, "a3");
        assert_eq!(stored(&store).await, ("a3".to_owned(), Some("r3".to_owned())));
    }

    #[tokio::test]
    async fn trap_5_expiry_is_a_time_and_refresh_comes_ahead_of_it() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST);
                then.status(200).json_body(json!({"access_token": "a2", "expires_in": "3600"}));
            })
            .await;
        let clock = TestClock::default();
        clock.advance(500);
        let set = endpoint(&server, &clock).exchange(consented(&[]).await.0).await.expect("a set");
        assert_eq!(set.expires_at(), Some(at(500 + 3600)));
        // A minute ahead of the end a stored set is refreshed, and a second sooner it is not.
        let (fresh, _) = session(endpoint(&server, &clock), tokens("a1", 561)).await;
        assert_eq!(fetch(&fresh).await, "a1");
        let (stale, _) = session(endpoint(&server, &clock), tokens("a1", 560)).await;
        assert_eq!(fetch(&stale).await, "a2");
        mock.assert_calls_async(2).await;
    }

    #[tokio::test]
    async fn trap_6_concurrent_callers_share_one_refresh() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("refresh_token", "r1");
                then.status(200)
                    .delay(Duration::from_millis(200))
                    .json_body(json!({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}));
            })
            .await;
        let (session, _) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        // Past our cache, straight at the session.
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let session = session.clone();
                tokio::spawn(async move { fetch(&session).await })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.expect("no panic"), "a2");
        }
        mock.assert_calls_async(1).await;
    }

    #[tokio::test]
    async fn trap_7_a_client_credentials_token_is_kept_until_it_is_about_to_expire() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("grant_type", "client_credentials");
                then.status(200).json_body(json!({"access_token": "a", "expires_in": 3600}));
            })
            .await;
        let clock = TestClock::default();
        let source = ClientCredentials::new(endpoint(&server, &clock)).with_scopes(["read"]);
        let refresh = Refresh::default().clock(clock.clone());
        let credential: Credential<Scopien> = Credential::refreshed(source, refresh);
        for _ in 0..5 {
            credential.ready().await.expect("a token");
        }
        mock.assert_calls_async(1).await;
        clock.advance(3600);
        credential.ready().await.expect("another token");
        mock.assert_calls_async(2).await;
    }

    #[tokio::test]
    async fn trap_8_a_session_without_a_refresh_token_works_until_it_ends() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST);
                then.status(200).json_body(json!({"access_token": "a1", "expires_in": 3600}));
            })
            .await;
        let clock = TestClock::default();
        let endpoint = endpoint(&server, &clock);
        let set = endpoint.exchange(consented(&["read", "write"]).await.0).await.expect("a set");
        assert_eq!(set.refresh_token(), None);
        assert_eq!(set.scopes(), ["read", "write"], "as asked, where the server does not say");
        let (session, _) = session(endpoint, set).await;
        assert_eq!(fetch(&session).await, "a1");
        clock.advance(3600);
        let error = session.fetch().await.expect_err("no way on");
        assert!(error.to_string().contains("offline_access"), "{error}");
        mock.assert_calls_async(1).await;
    }

    #[tokio::test]
    async fn scopien_trap_8_a_token_request_is_json_where_the_server_wants_it() {
        let server = MockServer::start_async().await;
        let (code, _) = consented(&[]).await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST)
                    .header("content-type", "application/json")
                    .header("accept", "application/json")
                    .json_body_includes(
                        r#"{"grant_type":"authorization_code","code":"the/code","client_id":"my client",
                            "client_secret":"hunter2","redirect_uri":"https://app.example.com/callback"}"#,
                    );
                then.status(200).json_body(json!({"access_token": "a"}));
            })
            .await;
        let endpoint = builder(&server).secret_in_body(TestSecret::new("hunter2")).encoding(BodyEncoding::Json);
        endpoint.build().expect("an endpoint").exchange(code).await.expect("a set");
        mock.assert_async().await;
    }
}

mod requests {
    use super::*;

    #[tokio::test]
    async fn a_form_with_the_secret_in_the_body() {
        let server = MockServer::start_async().await;
        let (code, challenge) = consented(&["read"]).await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST)
                    .header("content-type", FORM)
                    .header("accept", "application/json")
                    .header_missing("authorization")
                    .form_urlencoded_tuple("grant_type", "authorization_code")
                    .form_urlencoded_tuple("code", "the/code")
                    .form_urlencoded_tuple("redirect_uri", REDIRECT)
                    .form_urlencoded_tuple("client_id", "my client")
                    .form_urlencoded_tuple("client_secret", "p%s w+")
                    .form_urlencoded_tuple_exists("code_verifier")
                    .is_true(move |request| {
                        let body = String::from_utf8_lossy(request.body_ref()).into_owned();
                        let verifier =
                            body.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap_or("");
                        let verifier = keyfit::auth::oauth::Verifier::new(verifier);
                        verifier.is_ok_and(|verifier| verifier.challenge() == challenge)
                    });
                then.status(200).json_body(json!({"access_token": "a", "scope": "read"}));
            })
            .await;
        let endpoint = builder(&server).secret_in_body(TestSecret::new("p%s w+")).build().expect("an endpoint");
        endpoint.exchange(code).await.expect("a set");
        mock.assert_async().await;
    }

    #[tokio::test]
    async fn the_secret_in_the_header_is_form_encoded_and_not_in_the_body_as_well() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST)
                    // my+client:p%25s+w%2B
                    .header("authorization", "Basic bXkrY2xpZW50OnAlMjVzK3clMkI=")
                    .body("grant_type=client_credentials&scope=read+contacts%3Aread&audience=api&resource=x");
                then.status(200).json_body(json!({"access_token": "a"}));
            })
            .await;
        let endpoint = builder(&server).secret_in_header(TestSecret::new("p%s w+")).build().expect("an endpoint");
        let grant = ClientCredentials::new(endpoint).with_scopes(["read", "contacts:read"]);
        assert_eq!(fetch(&grant.with_audience("api").with_parameter("resource", "x")).await, "a");
        mock.assert_async().await;
    }

    #[tokio::test]
    async fn a_parameter_that_would_replace_another_is_refused() {
        let server = MockServer::start_async().await;
        let grant =
            |encoding| ClientCredentials::new(builder(&server).encoding(encoding).build().expect("an endpoint"));
        for name in ["grant_type", "scope", "audience", "client_id", "client_secret"] {
            let error = grant(BodyEncoding::Form).with_parameter(name, "x").fetch().await.expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
        // Two resources are fine in a form (RFC 8707), and would be one in JSON.
        let twice = |encoding| grant(encoding).with_parameter("resource", "a").with_parameter("resource", "b");
        let error = twice(BodyEncoding::Json).fetch().await.expect_err("twice");
        assert!(error.to_string().contains("`resource`"), "{error}");
        let mock = server
            .mock_async(|when, then| {
                when.method(POST).body_includes("resource=a&resource=b");
                then.status(200).json_body(json!({"access_token": "a"}));
            })
            .await;
        assert_eq!(fetch(&twice(BodyEncoding::Form)).await, "a");
        mock.assert_async().await;
    }

    #[tokio::test]
    async fn a_public_client_sends_its_id_alone() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST)
                    .header_missing("authorization")
                    .body("grant_type=client_credentials&client_id=my+client");
                then.status(200).json_body(json!({"access_token": "a"}));
            })
            .await;
        fetch(&ClientCredentials::new(builder(&server).build().expect("an endpoint"))).await;
        mock.assert_async().await;
    }

    #[tokio::test]
    async fn a_rotated_client_secret_is_found_at_the_next_request() {
        let server = MockServer::start_async().await;
        let secret = TestSecret::new("one");
        let grant =
            ClientCredentials::new(builder(&server).secret_in_body(secret.clone()).build().expect("an endpoint"));
        for (text, access) in [("one", "a1"), ("two", "a2")] {
            server
                .mock_async(|when, then| {
                    when.method(POST).form_urlencoded_tuple("client_secret", text);
                    then.status(200).json_body(json!({"access_token": access}));
                })
                .await;
            text.clone_into(&mut secret.0.lock().expect("no panic"));
            assert_eq!(fetch(&grant).await, access);
        }
        secret.0.lock().expect("no panic").clear();
        assert!(grant.fetch().await.is_err(), "nothing is sent without a secret");
    }

    #[tokio::test]
    async fn sources_of_other_scopes_are_other_sources() {
        let server = MockServer::start_async().await;
        let grant = ClientCredentials::new(builder(&server).build().expect("an endpoint"));
        let (reading, writing) = (grant.with_scopes(["read"]), grant.with_scopes(["write"]));
        for scope in ["read", "write"] {
            server
                .mock_async(|when, then| {
                    when.method(POST).form_urlencoded_tuple("scope", scope);
                    then.status(200).json_body(json!({"access_token": scope}));
                })
                .await;
        }
        assert_eq!((fetch(&reading).await, fetch(&writing).await), ("read".to_owned(), "write".to_owned()));
    }

    #[tokio::test]
    async fn nothing_secret_is_in_an_error_even_if_the_server_repeats_it() {
        let server = MockServer::start_async().await;
        server
            .mock_async(|when, then| {
                when.method(POST);
                then.status(400)
                    .body(r#"{"error":"invalid_grant","error_description":"hunter2 the/code r1 a1 are wrong"}"#);
            })
            .await;
        let endpoint = endpoint(&server, &TestClock::default());
        let of_code = endpoint.exchange(consented(&[]).await.0).await.expect_err("refused");
        let of_refresh = session(endpoint.clone(), tokens("a1", 0)).await.0.fetch().await.expect_err("refused");
        for (error, secrets) in [(of_code, ["hunter2", "the/code"]), (of_refresh, ["hunter2", "r1 a1"])] {
            let shown = format!("{error} {error:?} {:?} {endpoint:?}", error.source());
            assert!(shown.contains("[redacted]"), "{shown}");
            for secret in secrets {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_off_and_a_silent_server_is_no_token_error() {
        let server = MockServer::start_async().await;
        server
            .mock_async(|when, then| {
                when.method(POST);
                then.status(200).body(format!(r#"{{"access_token":"a","x":"{}"}}"#, "x".repeat(1 << 20)));
            })
            .await;
        let endpoint = builder(&server).build().expect("an endpoint");
        let error = ClientCredentials::new(endpoint).fetch().await.expect_err("too long");
        assert!(token_error(&error).to_string().contains("1 MiB"), "{error}");
        let nobody = TokenEndpoint::builder("http://127.0.0.1:9/token", "c").build().expect("an endpoint");
        let error = ClientCredentials::new(nobody).fetch().await.expect_err("nobody there");
        assert_eq!(error.kind(), ErrorKind::Credential);
        assert!(error.source().is_some_and(|source| source.downcast_ref::<TokenError>().is_none()));
    }
}

mod sessions {
    use super::*;

    async fn refreshing(server: &MockServer, old: &str, access: &str, new: &str) {
        server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("refresh_token", old);
                then.status(200).json_body(json!({"access_token": access, "refresh_token": new, "expires_in": 3600}));
            })
            .await;
    }

    async fn refusing<'a>(server: &'a MockServer, old: &str) -> httpmock::Mock<'a> {
        server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("refresh_token", old);
                then.status(400)
                    .delay(Duration::from_millis(200))
                    .json_body(json!({"error": "invalid_grant", "error_description": "used"}));
            })
            .await
    }

    #[tokio::test]
    async fn a_token_that_comes_back_is_refreshed_and_a_stored_one_is_used_first() {
        let server = MockServer::start_async().await;
        refreshing(&server, "r1", "a2", "r2").await;
        let (session, _) = session(endpoint(&server, &TestClock::default()), tokens("a1", 3600)).await;
        assert_eq!(fetch(&session).await, "a1");
        // As after a 401.
        assert_eq!(fetch(&session).await, "a2");
    }

    #[tokio::test]
    async fn an_invalid_grant_says_to_consent_again_and_keeps_the_stored_set() {
        let server = MockServer::start_async().await;
        refusing(&server, "r1").await;
        let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        let error = session.fetch().await.expect_err("refused");
        assert!(error.to_string().contains("consent again"), "{error}");
        assert_eq!(token_error(&error).code(), Some(&TokenErrorCode::InvalidGrant));
        assert_eq!(stored(&store).await, ("a1".to_owned(), Some("r1".to_owned())));
    }

    #[tokio::test]
    async fn what_another_process_rotated_is_taken_instead_of_refreshing() {
        let server = MockServer::start_async().await;
        let refusal = refusing(&server, "r1").await;
        let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        store.save(&tokens("theirs", 3600).refresh("r7")).await.expect("saved");
        assert_eq!(fetch(&session).await, "theirs");
        refreshing(&server, "r7", "a8", "r8").await;
        assert_eq!(fetch(&session).await, "a8");
        refusal.assert_calls_async(0).await;
    }

    #[tokio::test]
    async fn what_another_process_rotates_during_a_refused_refresh_is_taken_too() {
        let server = MockServer::start_async().await;
        let refusal = refusing(&server, "r1").await;
        let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        let (token, ()) = tokio::join!(fetch(&session), async {
            while refusal.calls_async().await == 0 {
                tokio::task::yield_now().await;
            }
            store.save(&tokens("theirs", 3600).refresh("r7")).await.expect("saved");
        });
        assert_eq!(token, "theirs");
        assert_eq!(stored(&store).await.1.as_deref(), Some("r7"));
    }

    #[tokio::test]
    async fn a_failed_save_is_said_and_the_new_token_is_used() {
        let server = MockServer::start_async().await;
        refreshing(&server, "r1", "a2", "r2").await;
        refreshing(&server, "r2", "a3", "r3").await;
        let store = FailingStore::default();
        let started =
            RefreshingSession::start(endpoint(&server, &TestClock::default()), tokens("a1", 0), store.clone()).await;
        let session = started.expect("a session");
        store.fails.store(true, Ordering::SeqCst);
        assert_eq!(fetch(&session).await, "a2");
        assert!(!session.is_saved().await);
        assert_eq!(stored(&store).await.0, "a1");
        assert_eq!(fetch(&session).await, "a3", "with r2, not with the r1 of the store");
        assert!(!session.is_saved().await);
        // Saved with the next fetch, even if that one fails.
        refusing(&server, "r3").await;
        store.fails.store(false, Ordering::SeqCst);
        session.fetch().await.expect_err("refused");
        assert!(session.is_saved().await);
        assert_eq!(stored(&store).await, ("a3".to_owned(), Some("r3".to_owned())));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_lose_the_rotated_token() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST).form_urlencoded_tuple("refresh_token", "r1");
                then.status(200)
                    .delay(Duration::from_millis(200))
                    .json_body(json!({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}));
            })
            .await;
        let (session, store) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        assert!(tokio::time::timeout(Duration::from_millis(50), session.fetch()).await.is_err());
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(stored(&store).await, ("a2".to_owned(), Some("r2".to_owned())));
        mock.assert_calls_async(1).await;
    }

    /// A server that takes each refresh token once, and ends the session when one comes again.
    async fn rotating(server: &MockServer) -> Arc<AtomicU64> {
        let turns = Arc::new(AtomicU64::new(1));
        let turn = Arc::clone(&turns);
        server
            .mock_async(|when, then| {
                when.method(POST).path("/oauth/token");
                then.respond_with(move |request: &httpmock::HttpMockRequest| {
                    let body = String::from_utf8_lossy(request.body_ref()).into_owned();
                    let turn = turn.fetch_add(1, Ordering::SeqCst);
                    let answer = if body.contains(&format!("refresh_token=r{turn}&")) {
                        json!({"access_token": format!("a{}", turn + 1), "refresh_token": format!("r{}", turn + 1)})
                    } else {
                        json!({"error": "invalid_grant"})
                    };
                    httpmock::HttpMockResponse::builder().status(200).body(answer.to_string()).build()
                });
            })
            .await;
        turns
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_sessions_over_one_file_refresh_one_after_the_other() {
        let server = MockServer::start_async().await;
        let turns = rotating(&server).await;
        let folder = tempfile::tempdir().expect("a folder");
        let store = || FileStore::new(folder.path().join("tokens.json"));
        let endpoint = endpoint(&server, &TestClock::default());
        let one = RefreshingSession::start(endpoint.clone(), tokens("a1", 3600), store()).await.expect("a session");
        let two = RefreshingSession::load(endpoint, store()).await.expect("a session");
        for turn in 1..=10 {
            let refused = AccessToken::new(format!("a{turn}"));
            let (first, second) = tokio::join!(one.replace(&refused), two.replace(&refused));
            let next = format!("a{}", turn + 1);
            assert_eq!(first.expect("a token").expose(), next);
            assert_eq!(second.expect("a token").expose(), next);
        }
        assert_eq!(turns.load(Ordering::SeqCst), 11, "one refresh a turn");
        assert_eq!(stored(&store()).await, ("a11".to_owned(), Some("r11".to_owned())));
    }

    #[tokio::test]
    async fn a_new_consent_waits_for_a_refresh_under_way_and_is_not_overwritten_by_it() {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|when, then| {
                when.method(POST);
                then.status(200)
                    .delay(Duration::from_millis(200))
                    .json_body(json!({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}));
            })
            .await;
        let endpoint = endpoint(&server, &TestClock::default());
        let (session, store) = session(endpoint.clone(), tokens("a1", 0)).await;
        let (refreshed, started) = tokio::join!(fetch(&session), async {
            while mock.calls_async().await == 0 {
                tokio::task::yield_now().await;
            }
            RefreshingSession::start(endpoint, tokens("consented", 3600), store.clone()).await
        });
        assert_eq!(refreshed, "a2");
        started.expect("a session");
        assert_eq!(stored(&store).await.0, "consented");
    }

    #[tokio::test]
    async fn a_token_of_unknown_life_is_used_until_it_is_refused() {
        let server = MockServer::start_async().await;
        let turns = rotating(&server).await;
        let tokens = TokenSet::new(AccessToken::new("a1")).refresh("r1");
        let (session, _) = session(endpoint(&server, &TestClock::default()), tokens).await;
        for _ in 0..3 {
            assert_eq!(fetch(&session).await, "a1");
        }
        let refused = AccessToken::new("a1");
        for _ in 0..2 {
            assert_eq!(session.replace(&refused).await.expect("a token").expose(), "a2");
        }
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(turns.load(Ordering::SeqCst), 2, "one refresh");
    }

    #[tokio::test]
    async fn an_assumed_lifetime_ends() {
        let server = MockServer::start_async().await;
        rotating(&server).await;
        let clock = TestClock::default();
        let endpoint = builder(&server).assumed_lifetime(Duration::from_secs(3600)).clock(clock.clone());
        let (session, store) = session(endpoint.build().expect("an endpoint"), tokens("a1", 0)).await;
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(store.load().await.expect("a store").expect("tokens").expires_at(), Some(at(3600)));
        clock.advance(3540);
        assert_eq!(fetch(&session).await, "a3");
    }

    #[tokio::test]
    async fn a_refusal_is_found_behind_the_error_of_a_credential() {
        let server = MockServer::start_async().await;
        refusing(&server, "r1").await;
        let (session, _) = session(endpoint(&server, &TestClock::default()), tokens("a1", 0)).await;
        let credential: Credential<Scopien> = Credential::from_source(session);
        for _ in 0..2 {
            let error = credential.ready().await.expect_err("refused");
            assert_eq!(TokenError::of(&error).and_then(TokenError::code), Some(&TokenErrorCode::InvalidGrant));
        }
    }

    #[tokio::test]
    async fn a_session_outlives_its_process_in_a_file() {
        let server = MockServer::start_async().await;
        refreshing(&server, "r1", "a2", "r2").await;
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::new(folder.path().join("tokens.json"));
        let clock = TestClock::default();
        let missing = RefreshingSession::load(endpoint(&server, &clock), store.clone()).await.expect_err("no file");
        assert!(missing.to_string().contains("consent first"), "{missing}");
        RefreshingSession::start(endpoint(&server, &clock), tokens("a1", 0), store.clone()).await.expect("a session");
        let session = RefreshingSession::load(endpoint(&server, &clock), store.clone()).await.expect("a session");
        assert_eq!(fetch(&session).await, "a2");
        assert_eq!(stored(&store).await, ("a2".to_owned(), Some("r2".to_owned())));
    }
}
