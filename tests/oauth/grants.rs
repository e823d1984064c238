//! Grants beside the code and the client's own: on another device, by an assertion, and in exchange.

use keyfit::auth::source::MemorySource;

use super::*;

/// An endpoint that gives these answers in turn.
async fn device_server(answers: &'static [(u16, &'static str)]) -> MockServer {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.method(POST).path("/device").body("scope=read+write&client_id=my+client&client_secret=hunter2");
            then.status(200).json_body(json!({"device_code": "d1", "user_code": "WDJB-MJHT", "expires_in": 600,
                "verification_uri": "https://auth.example.com/device", "interval": 7}));
        })
        .await;
    let turn = AtomicU64::new(0);
    server
        .mock_async(|when, then| {
            when.method(POST).path("/oauth/token").form_urlencoded_tuple("device_code", "d1");
            then.respond_with(move |_| {
                let turn = usize::try_from(turn.fetch_add(1, Ordering::SeqCst)).expect("few");
                let (status, body) = answers[turn.min(answers.len() - 1)];
                httpmock::HttpMockResponse::builder().status(status).body(body).build()
            });
        })
        .await;
    server
}

async fn wait(server: &MockServer, clock: &TestClock) -> Result<TokenSet, Error> {
    let endpoint = builder(server)
        .secret_in_body(TestSecret::new("hunter2"))
        .device_authorization_endpoint(server.url("/device"))
        .clock(clock.clone());
    let device = endpoint.build().expect("an endpoint").authorize_device(["read", "write"]).await?;
    assert_eq!((device.user_code(), device.expires_at()), ("WDJB-MJHT", at(600)));
    device.wait().await
}

const PENDING: (u16, &str) = (400, r#"{"error":"authorization_pending"}"#);

#[tokio::test]
async fn a_device_asks_as_often_as_it_may_and_more_slowly_when_told() {
    let tokens_ = (200, r#"{"access_token":"a","refresh_token":"r","expires_in":60}"#);
    let server =
        device_server(Box::leak(Box::new([PENDING, (400, r#"{"error":"slow_down"}"#), PENDING, tokens_]))).await;
    let clock = TestClock::default();
    let tokens = wait(&server, &clock).await.expect("tokens");
    assert_eq!(
        (tokens.refresh_token(), tokens.scopes()),
        (Some("r"), ["read".to_owned(), "write".to_owned()].as_slice())
    );
    assert_eq!(clock.now(), at(7 + 7 + 12 + 12));
}

#[tokio::test]
async fn a_user_who_does_not_consent_on_another_device_is_an_end() {
    for (answer, said) in [
        ((400, r#"{"error":"access_denied"}"#), "did not consent"),
        ((400, r#"{"error":"expired_token"}"#), "did not consent"),
        (PENDING, "in time"),
    ] {
        let server = device_server(Box::leak(Box::new([answer]))).await;
        let error = wait(&server, &TestClock::default()).await.expect_err(said);
        assert_eq!(error.kind(), ErrorKind::ReauthorizationRequired);
        assert!(error.to_string().contains(said), "{error}");
    }
    let server = device_server(Box::leak(Box::new([(400, r#"{"error":"invalid_client"}"#)]))).await;
    let error = wait(&server, &TestClock::default()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Credential);
}

#[tokio::test]
async fn an_endpoint_that_was_not_named_is_said() {
    let server = MockServer::start_async().await;
    let endpoint = builder(&server).build().expect("an endpoint");
    for (error, name) in [
        (endpoint.authorize_device([""; 0]).await.map(drop), "device_authorization_endpoint"),
        (endpoint.revoke(&tokens("a", 0)).await, "revocation_endpoint"),
        (endpoint.introspect("a").await.map(drop), "introspection_endpoint"),
    ] {
        let error = error.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = builder(&server).revocation_endpoint("http://auth.example.com/").build().expect_err("plain http");
    assert!(error.to_string().contains("the revocation endpoint"), "{error}");
}

#[derive(Debug)]
struct Given(&'static str);

impl TokenSource for Given {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { Ok(AccessToken::new(self.0)) })
    }
}

#[tokio::test]
async fn a_token_is_exchanged_with_all_that_was_said_of_the_other_one() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST).body(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=user-token\
                 &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&actor_token=actor-token\
                 &actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&audience=parcels\
                 &resource=https%3A%2F%2Fa.example%2F&scope=read&client_id=my+client",
            );
            then.status(200).json_body(json!({"access_token": "b", "token_type": "Bearer",
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}));
        })
        .await;
    let exchange = TokenExchange::new(builder(&server).build().expect("an endpoint"), Given("user-token"))
        .subject_token_type("urn:ietf:params:oauth:token-type:jwt")
        .actor(Given("actor-token"))
        .audience("parcels")
        .resource("https://a.example/")
        .scopes(["read"]);
    assert_eq!(fetch(&exchange).await, "b");
    mock.assert_async().await;
    assert!(!format!("{exchange:?}").contains("parcels"));
}

#[tokio::test]
async fn an_assertion_is_exchanged_and_not_shown_by_a_server_that_repeats_it() {
    let server = MockServer::start_async().await;
    let good = server
        .mock_async(|when, then| {
            when.method(POST).body(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=the-assertion\
                 &scope=read+write&client_id=my+client",
            );
            then.status(200).json_body(json!({"access_token": "b"}));
        })
        .await;
    let grant = JwtBearer::new(builder(&server).build().expect("an endpoint"), Given("the-assertion"));
    assert_eq!(fetch(&grant.clone().scopes(["read", "write"])).await, "b");
    good.delete_async().await;
    server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(400).json_body(json!({"error": "invalid_grant", "error_description": "the-assertion is old"}));
        })
        .await;
    let error = grant.fetch().await.expect_err("refused");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("is old") && !shown.contains("the-assertion"), "{shown}");
}

#[tokio::test]
async fn each_request_of_a_client_that_signs_has_an_assertion_of_its_own() {
    let server = MockServer::start_async().await;
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let seeing = Arc::clone(&seen);
    server
        .mock_async(|when, then| {
            when.method(POST);
            then.respond_with(move |request: &httpmock::HttpMockRequest| {
                let body = String::from_utf8_lossy(request.body_ref()).into_owned();
                seeing.lock().expect("no panic").push(body);
                httpmock::HttpMockResponse::builder().status(503).build()
            });
        })
        .await;
    let secret = MemorySource::new("a-secret-of-thirty-two-bytes-0001");
    let endpoint = builder(&server).assertion(secret).clock(TestClock::default()).build().expect("an endpoint");
    let error = ClientCredentials::new(endpoint).fetch().await.expect_err("busy");
    let bodies = seen.lock().expect("no panic").clone();
    assert_eq!(bodies.len(), 3);
    let assertion = |body: &String| body.split("client_assertion=").nth(1).expect("an assertion").to_owned();
    assert!(assertion(&bodies[0]) != assertion(&bodies[1]) && assertion(&bodies[1]) != assertion(&bodies[2]));
    let of =
        "&client_id=my+client&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    assert!(bodies.iter().all(|body| body.contains(of)), "{bodies:?}");
    assert!(!format!("{error:?}").contains(&assertion(&bodies[2])));
}
