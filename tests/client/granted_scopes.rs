//! What a token may do, as each API says it.

use crate::support::{Scripted, TOKEN};
use keyfit::auth::{Needs, Scopes};
use keyfit::instasent::ingest::DatasourceToken;
use keyfit::instasent::product::ProductToken;
use keyfit::scopien::Key;
use keyfit::{ErrorKind, instasent, scopien};
use serde_json::{Value, json};

async fn scopien(scopes: Value) -> Option<Scopes> {
    let server =
        Scripted::json(200, json!({"authenticated": true, "keyId": "key_1", "scopes": scopes}).to_string()).await;
    let key = Key::new(TOKEN).expect("a key");
    let client = scopien::Client::with_config(key, server.config()).expect("a client");
    let granted = client.granted_scopes().await.expect("an answer");
    assert_eq!(server.received()[0].target, "/auth/test");
    granted
}

fn product(server: &Scripted) -> instasent::product::Client {
    let token = ProductToken::new(TOKEN).expect("a token");
    instasent::product::Client::with_config(token, server.config()).expect("a client")
}

fn ingest(server: &Scripted) -> instasent::ingest::Client {
    let token = DatasourceToken::new(TOKEN).expect("a token");
    instasent::ingest::Client::with_config(token, server.config()).expect("a client")
}

#[tokio::test]
async fn scopien_grants_in_two_forms() {
    assert_eq!(scopien(json!(["read", "new"])).await, Some(Scopes::flat(["read", "new"])));
    assert_eq!(
        scopien(json!({"accounts": ["read", "new"], "new": []})).await,
        Some(Scopes::by_resource([("accounts", vec!["read", "new"]), ("new", vec![])]))
    );
    assert_eq!(scopien(json!([])).await, Some(Scopes::flat::<String>([])));
    assert_eq!(scopien(Value::Null).await, None);
}

#[tokio::test]
async fn a_lack_is_found_before_the_first_call() {
    let granted = scopien(json!({"accounts": ["read"]})).await.expect("scopes");
    let operation = |id: &str| scopien::API.operation(id).expect(id);
    assert!(Needs::of(&[operation("accounts-list")]).check(&granted).is_ok());
    let error = Needs::of(&[operation("accounts-create")]).check(&granted).expect_err("no write");
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert!(error.to_string().contains("write on accounts"), "{error}");
}

#[tokio::test]
async fn product_grants_in_an_organization_and_in_a_project() {
    let body = json!({"entity": {"uid": "p1"}, "metadata": {"scopes": ["PROJECT_AUDIENCE_READ", "PROJECT_NEW"]}});
    let server = Scripted::json(200, body.to_string()).await;
    let expected = Some(Scopes::flat(["PROJECT_AUDIENCE_READ", "PROJECT_NEW"]));
    assert_eq!(product(&server).granted_scopes().await.expect("an answer"), expected);
    assert_eq!(product(&server).granted_scopes_in("p1").await.expect("an answer"), expected);
    let targets: Vec<_> = server.received().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/", "/project/p1"]);
}

#[tokio::test]
async fn ingest_grants_in_a_data_source() {
    let body = json!({"token": {"scopes": ["PROJECT_DATASOURCE_WRITE"], "type": "datasource"}});
    let server = Scripted::json(200, body.to_string()).await;
    let granted = ingest(&server).granted_scopes("p1", "d1").await.expect("an answer");
    assert_eq!(granted, Some(Scopes::flat(["PROJECT_DATASOURCE_WRITE"])));
    assert_eq!(server.received()[0].target, "/project/p1/datasource/d1/stream");
}

#[tokio::test]
async fn an_answer_that_names_no_scope_says_nothing() {
    for metadata in [json!({}), json!({"scopes": []})] {
        let server = Scripted::json(200, json!({"entity": {"uid": "p1"}, "metadata": metadata}).to_string()).await;
        assert_eq!(product(&server).granted_scopes_in("p1").await.expect("an answer"), None);
        let server = Scripted::json(200, json!({"token": metadata}).to_string()).await;
        assert_eq!(ingest(&server).granted_scopes("p1", "d1").await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn a_refused_question_is_an_error() {
    let server = Scripted::json(401, "{}").await;
    let error = ingest(&server).granted_scopes("p1", "d1").await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let error = ingest(&server).granted_scopes("..", "d1").await.expect_err("no segment");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}
