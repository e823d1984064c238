//! Remote secret stores, spoken to over HTTP.
//!
//! The Vault here is a stub that is faithful to the key-value engine of version 2 as far as one read goes: path, headers,
//! both levels of `data`, the metadata, and the bodies of its errors are those of Vault's API documentation. No Vault
//! server is part of these tests. AWS has a real peer in `aws_peer.rs`; what it cannot answer is stubbed here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::future::BoxFuture;
use httpmock::Method::{GET, POST};
use httpmock::{Mock, MockServer};
use keyfit::auth::SecretSource;
use keyfit::auth::source::aws::{Credentials, SecretsManager, SecretsManagerSource};
use keyfit::auth::source::{JsonField, MemorySource, StoreFailure, Vault, VaultSource};
use keyfit::{Clock, Error, ErrorKind};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// The value in every store; no error may hold it.
const VALUE: &str = "do-not-print-me";
/// The token of Vault and the secret key of AWS; no error may hold it either.
const OPENER: &str = "fixture-opener-0001";

async fn read(source: &impl SecretSource) -> Result<String, Error> {
    source.read().await.map(|secret| secret.expose_secret().to_owned())
}

/// Reads what must fail, and checks that neither the error nor the source shows a secret.
async fn refusal(source: &impl SecretSource) -> (Option<StoreFailure>, String) {
    let error = read(source).await.expect_err("there is nothing to read");
    assert_eq!(error.kind(), ErrorKind::Credential);
    let mut shown = format!("{error:?} {source:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        shown += &error.to_string();
        cause = error.source();
    }
    for secret in [VALUE, OPENER] {
        assert!(!shown.contains(secret), "{shown}");
    }
    (StoreFailure::of(&error), error.to_string())
}

fn vault(server: &MockServer) -> VaultSource {
    let vault = Vault::new(&server.base_url(), MemorySource::new(OPENER)).expect("a loopback address");
    vault.secret("secret", "product", "api_key").expect("a path")
}

/// A Vault with one answer.
async fn vault_says(server: &MockServer, status: u16, body: impl Into<Value>) -> Mock<'_> {
    let body = body.into();
    server
        .mock_async(|when, then| {
            when.method(GET).path("/v1/secret/data/product").header("x-vault-token", OPENER);
            then.status(status).json_body(body);
        })
        .await
}

/// What version 2 of the engine answers.
fn version_2(fields: impl Into<Value>) -> Value {
    let metadata =
        json!({"created_time": "2026-01-22T02:22:25.7Z", "deletion_time": "", "destroyed": false, "version": 2});
    json!({
        "request_id": "b0e0c4a6", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": {"data": fields.into(), "metadata": metadata},
        "wrap_info": null, "warnings": null, "auth": null
    })
}

#[tokio::test]
async fn vaults_double_data_is_unwrapped() {
    let server = MockServer::start_async().await;
    let mock = vault_says(&server, 200, version_2(json!({"api_key": VALUE, "other": 1}))).await;
    assert_eq!(read(&vault(&server)).await.expect("a secret"), VALUE);
    mock.assert_async().await;
}

#[tokio::test]
async fn a_version_1_shape_of_vault_gives_a_clear_error() {
    for data in [json!({"api_key": VALUE}), json!({"api_key": VALUE, "data": "text"})] {
        let server = MockServer::start_async().await;
        vault_says(&server, 200, json!({"lease_duration": 2_764_800, "data": data})).await;
        let (failure, said) = refusal(&vault(&server)).await;
        assert_eq!(failure, Some(StoreFailure::Unreadable));
        assert!(said.starts_with("Vault, secret secret/product: ") && said.contains("version 1"), "{said}");
    }
}

#[tokio::test]
async fn each_refusal_of_vault_has_its_own_words() {
    let deleted = json!({"data": {"data": null, "metadata": {"deletion_time": "2026-01-22T02:22:25.7Z"}}});
    let echo = json!({"errors": [format!("{OPENER} {VALUE}")]});
    let cases = [
        (403, echo.clone(), StoreFailure::Forbidden, "the token is unknown or expired"),
        (404, json!({"errors": []}), StoreFailure::NotFound, "no such secret"),
        (404, deleted, StoreFailure::NotFound, "deleted"),
        (503, json!({"errors": ["Vault is sealed"]}), StoreFailure::Sealed, "unseal"),
        (429, echo.clone(), StoreFailure::RateLimited, "too many requests"),
        (500, echo.clone(), StoreFailure::Unavailable, "Vault failed"),
        (400, echo, StoreFailure::Refused, "refused the request"),
        (200, json!([VALUE]), StoreFailure::Unreadable, "no `data`"),
        (200, json!({"data": VALUE}), StoreFailure::Unreadable, "no `data`"),
    ];
    for (status, body, expected, words) in cases {
        let server = MockServer::start_async().await;
        vault_says(&server, status, body).await;
        let (failure, said) = refusal(&vault(&server)).await;
        assert_eq!(failure, Some(expected), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_field_of_vault_that_is_no_text_is_refused_by_name() {
    for (fields, words) in [
        (json!({"other": VALUE}), "has no field `api_key`"),
        (json!({"api_key": [VALUE]}), "`api_key` of Vault, secret secret/product is no string"),
        (json!({"api_key": "", "other": VALUE}), "is empty"),
    ] {
        let server = MockServer::start_async().await;
        vault_says(&server, 200, version_2(fields)).await;
        let (_, said) = refusal(&vault(&server)).await;
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_namespace_and_a_rotated_token_reach_vault() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(GET)
                .path("/v1/kv/data/a/b")
                .header("x-vault-namespace", "team")
                .header("x-vault-request", "true")
                .header("x-vault-token", "old");
            then.status(200).json_body(version_2(json!({"k": "first"})));
        })
        .await;
    let token = MemorySource::new("old");
    let vault = Vault::new(&server.base_url(), token.clone()).expect("a server").namespace("team").expect("a header");
    let source = vault.secret("kv", "a/b", "k").expect("a path");
    assert_eq!(read(&source).await.expect("a secret"), "first");
    mock.delete_async().await;
    server
        .mock_async(|when, then| {
            when.header("x-vault-token", "new");
            then.status(200).json_body(version_2(json!({"k": "second"})));
        })
        .await;
    token.set("new");
    assert_eq!(read(&source).await.expect("a secret"), "second");
}

#[tokio::test]
async fn a_redirect_of_a_store_is_not_followed() {
    let (server, elsewhere) = (MockServer::start_async().await, MockServer::start_async().await);
    let target = elsewhere
        .mock_async(|_, then| {
            then.status(200).json_body(version_2(json!({"api_key": VALUE})));
        })
        .await;
    server
        .mock_async(|_, then| {
            then.status(307).header("location", elsewhere.url("/v1/secret/data/product"));
        })
        .await;
    let (failure, said) = refusal(&vault(&server)).await;
    assert_eq!(failure, Some(StoreFailure::Refused));
    assert!(said.contains("redirects are not followed"), "{said}");
    assert_eq!(target.calls_async().await, 0);
}

#[tokio::test]
async fn an_endless_answer_and_a_silent_server_are_refused() {
    let server = MockServer::start_async().await;
    vault_says(&server, 200, version_2(json!({"api_key": VALUE.repeat(80_000)}))).await;
    let (failure, said) = refusal(&vault(&server)).await;
    assert_eq!(failure, Some(StoreFailure::Unreadable));
    assert!(said.contains("1 MiB"), "{said}");

    let nobody = Vault::new("http://127.0.0.1:9", MemorySource::new(OPENER)).expect("a loopback address");
    let (failure, said) = refusal(&nobody.secret("kv", "a", "k").expect("a path")).await;
    assert_eq!(failure, Some(StoreFailure::Unreachable));
    assert!(said.contains("could not be reached"), "{said}");
}

/// A clock that stands, so that the signature is the same each time.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn aws(server: &MockServer) -> SecretsManagerSource {
    let store = SecretsManager::new("eu-west-1", Credentials::new("AKIDEXAMPLE", OPENER).session_token(OPENER))
        .and_then(|store| store.endpoint(&server.base_url()))
        .expect("a loopback address");
    store.clock(Stopped).secret("product/api")
}

/// A Secrets Manager with one answer, for a well-formed and signed request.
async fn aws_says(server: &MockServer, status: u16, body: impl Into<Value>) -> Mock<'_> {
    let body = body.into();
    server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/")
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", "secretsmanager.GetSecretValue")
                .header("x-amz-date", "20150830T123600Z")
                .header("x-amz-security-token", OPENER)
                .header_prefix(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/secretsmanager/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=",
                )
                .json_body_includes(r#"{"SecretId": "product/api"}"#);
            then.status(status).json_body(body);
        })
        .await
}

#[tokio::test]
async fn a_secret_of_aws_is_read_whole_or_by_field() {
    let server = MockServer::start_async().await;
    let text = json!({"api_key": VALUE}).to_string();
    aws_says(&server, 200, json!({"Name": "product/api", "SecretString": text, "VersionStages": ["AWSCURRENT"]})).await;
    assert_eq!(read(&aws(&server)).await.expect("a secret"), text);
    assert_eq!(read(&aws(&server).field("api_key")).await.expect("a field"), VALUE);
    assert_eq!(read(&JsonField::new(aws(&server), "api_key")).await.expect("a field"), VALUE);
}

#[tokio::test]
async fn a_secret_of_aws_that_is_not_json_gives_a_clear_error_without_the_value() {
    for text in [VALUE.to_owned(), format!("{{\"api_key\": {VALUE}}}"), format!("\"{VALUE}\"")] {
        let server = MockServer::start_async().await;
        aws_says(&server, 200, json!({"SecretString": text})).await;
        let (_, said) = refusal(&aws(&server).field("api_key")).await;
        assert!(said.starts_with("AWS Secrets Manager, secret product/api is "), "{said}");
        assert!(said.contains("JSON"), "{said}");
    }
}

#[tokio::test]
async fn a_binary_secret_of_aws_is_refused() {
    let server = MockServer::start_async().await;
    aws_says(&server, 200, json!({"SecretBinary": VALUE})).await;
    let (failure, said) = refusal(&aws(&server)).await;
    assert_eq!(failure, Some(StoreFailure::Unreadable));
    assert!(said.ends_with("the secret is binary and has no text: store it as a string"), "{said}");
}

#[tokio::test]
async fn each_refusal_of_aws_has_its_own_words() {
    let said_by_aws = |code: &str| json!({"__type": code, "Message": format!("{VALUE} {OPENER}")});
    let cases = [
        (400, said_by_aws("ResourceNotFoundException"), StoreFailure::NotFound, "no such secret"),
        (400, said_by_aws("com.amazonaws.secretsmanager#AccessDeniedException"), StoreFailure::Forbidden, "policy"),
        (400, said_by_aws("ExpiredTokenException"), StoreFailure::Forbidden, "expired"),
        (400, said_by_aws("ThrottlingException"), StoreFailure::RateLimited, "too many"),
        (400, said_by_aws(VALUE), StoreFailure::Refused, "refused the request"),
        (403, json!(VALUE), StoreFailure::Forbidden, "refuses the access key"),
        (500, said_by_aws("InternalServiceError"), StoreFailure::Unavailable, "AWS failed"),
        (200, json!([VALUE]), StoreFailure::Unreadable, "no JSON object"),
        (200, json!({"SecretString": null}), StoreFailure::Unreadable, "no `SecretString`"),
    ];
    for (status, body, expected, words) in cases {
        let server = MockServer::start_async().await;
        aws_says(&server, status, body).await;
        let (failure, said) = refusal(&aws(&server)).await;
        assert_eq!(failure, Some(expected), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn the_previous_version_of_aws_is_asked_for_by_its_stage() {
    let server = MockServer::start_async().await;
    for stage in ["AWSCURRENT", "AWSPREVIOUS"] {
        server
            .mock_async(|when, then| {
                when.json_body(json!({"SecretId": "product/api", "VersionStage": stage}));
                then.status(200).json_body(json!({"SecretString": stage}));
            })
            .await;
    }
    assert_eq!(read(&aws(&server)).await.expect("a secret"), "AWSCURRENT");
    assert_eq!(read(&aws(&server).stage("AWSPREVIOUS")).await.expect("a secret"), "AWSPREVIOUS");
}

#[test]
fn a_store_over_plain_http_or_in_no_region_is_refused() {
    let plain = "http://vault.example.com:8200";
    for error in [
        Vault::new(plain, MemorySource::new(OPENER)).err(),
        SecretsManager::new("eu-west-1", Credentials::from_env()).and_then(|store| store.endpoint(plain)).err(),
        SecretsManager::new("evil.example/", Credentials::from_env()).err(),
        SecretsManager::new("", Credentials::from_env()).err(),
    ] {
        assert_eq!(error.expect("it is refused").kind(), ErrorKind::Configuration);
    }
}
