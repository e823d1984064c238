//! What a token request holds, and what it must not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
                    let verifier = body.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap_or("");
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
                // my%20client:p%25s%20w%2B
                .header("authorization", "Basic bXklMjBjbGllbnQ6cCUyNXMlMjB3JTJC")
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
    let grant = |encoding| ClientCredentials::new(builder(&server).encoding(encoding).build().expect("an endpoint"));
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
            when.method(POST).header_missing("authorization").body("grant_type=client_credentials&client_id=my+client");
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
    let grant = ClientCredentials::new(builder(&server).secret_in_body(secret.clone()).build().expect("an endpoint"));
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
    "two\n".clone_into(&mut secret.0.lock().expect("no panic"));
    let error = grant.fetch().await.expect_err("nothing is sent with what was copied along");
    assert!(error.to_string().contains("holds a line break") && !error.to_string().contains("two"), "{error}");
    let error = TokenEndpoint::builder(server.url("/token"), "my\nclient").build().expect_err("no id");
    assert!(error.to_string().contains("holds a line break"), "{error}");
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

/// One request of each grant, to a server that repeats this; what is said of its refusal.
async fn refusals(repeated: &str) -> Vec<String> {
    let server = MockServer::start_async().await;
    let text = format!("no {repeated}");
    server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(400).json_body(json!({"error": text, "error_description": text, "request_id": text}));
        })
        .await;
    let endpoint = builder(&server).secret_in_header(TestSecret::new(SECRET)).build().expect("an endpoint");
    let of_code = endpoint.exchange(consented(&[]).await.0).await.expect_err("refused");
    let of_refresh = session(endpoint.clone(), tokens("a1", 0)).await.0.fetch().await.expect_err("refused");
    let of_client = ClientCredentials::new(endpoint).with_parameter("client_assertion", ASSERTION);
    let of_client = (of_client.fetch().await.expect_err("refused"), format!("{of_client:?}"));
    let shown = |error: &Error| format!("{error} {error:?} {:?} {:?}", error.source(), token_error(error));
    vec![shown(&of_code), shown(&of_refresh), shown(&of_client.0) + &of_client.1]
}

const SECRET: &str = "correct horse/battery+staple"; // not-a-secret
const ASSERTION: &str = "an-assertion-of-the-client"; // not-a-secret

#[tokio::test]
async fn a_client_secret_is_masked_in_every_encoding_and_so_is_the_header_that_holds_it() {
    let header = STANDARD.encode("my%20client:correct%20horse%2Fbattery%2Bstaple");
    let mut cases = 0;
    for written in encodings::written(SECRET).into_iter().take(encodings::ENCODINGS.len()) {
        for shown in refusals(&written.text).await {
            cases += 1;
            assert_eq!(encodings::leak(&shown, &written, 0), None, "{}: {shown}", written.name);
            assert!(shown.contains("[redacted]"), "{}: {shown}", written.name);
        }
    }
    println!("secrets: {cases} cases, 0 hits");
    for shown in refusals(&format!("Basic {header}, my%20client:correct%20horse%2Fbattery%2Bstaple")).await {
        assert!(shown.contains("no Basic [redacted], my%20client:[redacted]"), "{shown}");
    }
    let of_client = refusals(&ASSERTION.to_uppercase()).await.pop().expect("the last");
    assert!(!of_client.to_lowercase().contains(ASSERTION), "{of_client}");
}

#[tokio::test]
async fn what_the_callback_says_is_masked_where_it_repeats_its_secrets() {
    let request = AuthorizationRequest::new("https://auth.example.com/authorize", "my client", REDIRECT);
    let pending = MemoryPendingAuthorizations::new();
    let url = request.expect("a request").begin("session-1", &pending).await.expect("a URL");
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("there").1.into_owned();
    let callback = format!("/callback?error=a{state}&error_description=session-1+the-code&code=the-code&state={state}");
    let error = handle_callback(&callback, "session-1", &pending).await.expect_err("a refusal");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("(a[redacted]): [redacted] [redacted]"), "{shown}");
    for secret in [state.as_str(), "session-1", "the-code"] {
        assert!(!shown.contains(secret), "{shown}");
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
