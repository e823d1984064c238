//! Each trap of the guides' samples is a test of its name.

use super::*;

#[tokio::test]
async fn trap_2_a_state_is_kept_before_the_redirect_and_its_absence_on_either_side_is_refused() {
    let request = AuthorizationRequest::new("https://auth.example.com/authorize", "c", REDIRECT).expect("a request");
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
        // A refresh token beside no access token is the next one all the same.
        let left = if body.contains("r2") { "r2" } else { "r1" };
        assert_eq!(stored(&store).await, ("a1".to_owned(), Some(left.to_owned())), "{body}");
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
    let credential: Credential<keyfit::scopien::kind::Key> = Credential::refreshed(source, refresh);
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
