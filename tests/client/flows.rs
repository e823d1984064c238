//! Tokens by the flows that a document names, for a generated client.

use httpmock::prelude::*;
use keyfit::auth::oauth::{MemoryPendingAuthorizations, MemoryStore, RefreshingSession, TokenSet};
use keyfit::auth::source::MemorySource;
use keyfit::auth::{AccessToken, Credential, OAuthFlow};
use keyfit::{Config, ErrorKind, RetryPolicy};

use crate::locks;
use crate::opening::recording;

const SECRET: &str = "fixture-secret-client";
const TOKEN: &str = r#"{"access_token":"fixture-token-granted","token_type":"Bearer","expires_in":600}"#;

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The header of a client with this id and the secret.
const CLIENT: &str = "Basic cGFyY2VsczpmaXh0dXJlLXNlY3JldC1jbGllbnQ="; // not-a-secret

#[tokio::test]
async fn client_credentials_of_the_document_open_its_calls() {
    let server = MockServer::start_async().await;
    let token = server
        .mock_async(|when, then| {
            let form = "grant_type=client_credentials&scope=read+write&resource=https%3A%2F%2Flocks.example%2F";
            when.method(POST).path("/token").header("authorization", CLIENT).body(form);
            then.status(200).header("content-type", "application/json").body(TOKEN);
        })
        .await;
    let flow = locks::oauth::CLIENT_CREDENTIALS.with_token_url(leaked(server.url("/token")));
    let endpoint = flow.token_endpoint("parcels").expect("a URL").secret_in_header(MemorySource::new(SECRET)).build();
    let grant = keyfit::auth::oauth::ClientCredentials::new(endpoint.expect("an endpoint"));
    let grant = grant.with_scopes(flow.scopes.iter().copied()).with_resource("https://locks.example/");
    let credential: Credential<locks::kind::Service> = Credential::from_source(grant);
    let (api, seen) = recording(204).await;
    let client = locks::Client::with_config(credential, Config::default().base_url(api.base_url())).expect("a client");
    for _ in 0..2 {
        client.service_alone().send().await.expect("an answer");
    }
    client.public().send().await.expect("an answer");
    let carried = vec![("authorization".to_owned(), "Bearer fixture-token-granted".to_owned())]; // not-a-secret
    assert_eq!(*seen.lock().expect("no panic"), [carried.clone(), carried, Vec::new()]);
    assert_eq!(token.calls_async().await, 1);
}

#[tokio::test]
async fn one_line_is_all_that_a_service_writes() {
    let (api, seen) = recording(204).await;
    let config = Config::default().base_url(api.base_url()).retry(RetryPolicy::never());
    let credential = locks::oauth("parcels", MemorySource::new(SECRET)).expect("the document's URL");
    let shown = format!("{credential:?}");
    let client = locks::Client::with_config(credential, config).expect("a client");
    // Nobody listens at the port of the document.
    let error = client.service_alone().send().await.map(drop).expect_err("no token");
    let text = format!("{error} {error:?} {shown}");
    assert!(text.contains("http://127.0.0.1:9") && !text.contains(SECRET), "{text}");
    assert!(!error.may_have_been_sent() && seen.lock().expect("no panic").is_empty());
    // What needs no token is not held up by it.
    client.public().send().await.expect("an answer");
}

#[tokio::test]
async fn a_user_consents_where_the_document_says_and_refreshes_where_it_says() {
    let flow = locks::oauth::AUTHORIZATION_CODE;
    let pending = MemoryPendingAuthorizations::new();
    let request = flow.authorization("parcels", "https://app.example/callback").expect("a request");
    let url = request.resource("https://locks.example/").begin("session", &pending).await.expect("a URL");
    assert!(url.as_str().starts_with("https://auth.locks.example/authorize?client_id=parcels&"), "{url}");
    let has = |name: &str, value: &str| url.query_pairs().any(|(n, v)| n == name && v == value);
    assert!(has("scope", "read") && has("code_challenge_method", "S256") && has("resource", "https://locks.example/"));

    let server = MockServer::start_async().await;
    let refreshed = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/refresh")
                .body("grant_type=refresh_token&refresh_token=fixture-token-r&client_id=parcels");
            then.status(200).header("content-type", "application/json").body(TOKEN);
        })
        .await;
    let flow = flow.with_token_url(leaked(server.url("/token"))).with_refresh_url(leaked(server.url("/refresh")));
    let endpoint = flow.token_endpoint("parcels").expect("a URL").build().expect("an endpoint");
    let expired = AccessToken::new("fixture-token-old").expiring_at(std::time::UNIX_EPOCH); // not-a-secret
    let tokens = TokenSet::new(expired).refresh("fixture-token-r"); // not-a-secret
    let session = RefreshingSession::start(endpoint, tokens, MemoryStore::new()).await.expect("a session");
    let credential: Credential<locks::kind::Service> = Credential::from_source(session);
    credential.ready().await.expect("a token");
    assert_eq!(refreshed.calls_async().await, 1);
}

#[tokio::test]
async fn a_server_that_describes_itself_is_asked_where_its_tokens_are() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.method(GET).path("/tenant/.well-known/openid-configuration");
            let (issuer, token) = (server.url("/tenant"), server.url("/tenant/token"));
            then.status(200).body(format!(r#"{{"issuer":"{issuer}","token_endpoint":"{token}"}}"#));
        })
        .await;
    let token = server
        .mock_async(|when, then| {
            when.method(POST).path("/tenant/token").header("authorization", CLIENT);
            then.status(200).header("content-type", "application/json").body(TOKEN);
        })
        .await;
    let flow = OAuthFlow::new().with_issuer(leaked(server.url("/tenant")));
    let secret = MemorySource::new(SECRET);
    let credential = flow.discovered_client_credentials::<locks::kind::Service>("parcels", secret).await;
    credential.expect("an endpoint").ready().await.expect("a token");
    assert_eq!(token.calls_async().await, 1);
}

#[test]
fn what_the_document_does_not_say_or_says_in_plain_http_is_an_error_before_anything_is_sent() {
    let secret = || MemorySource::new(SECRET);
    let of = |flow: OAuthFlow| flow.client_credentials::<locks::kind::Service>("parcels", secret()).map(drop);
    for (flow, told) in [
        (OAuthFlow::new(), "names no token URL"),
        (OAuthFlow::new().with_token_url("http://login.example/token"), "is plain http"),
        (
            OAuthFlow::new().with_token_url("https://login.example/token").with_refresh_url("http://login.example/"),
            "refresh",
        ),
    ] {
        let error = of(flow).expect_err(told);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(OAuthFlow::new().authorization("parcels", "https://app.example/").is_err());
}
