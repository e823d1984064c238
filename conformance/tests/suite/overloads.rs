//! Operations that share a path: by a fragment, by a query, or below the server of another one.

use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::mock::{ControlledMock, MockOptions};
use keyfit_openapi::{Source, Text};
use serde_json::{Value, json};

use crate::common::{against_mock, broken, http};

/// An operation that takes an object with this member and answers with one with that.
fn post(id: &str, takes: &str, answers: &str) -> Value {
    let object = |member: &str| {
        let schema = json!({
            "type": "object",
            "required": [member],
            "properties": { member: { "type": "string" } },
            "additionalProperties": false,
        });
        json!({ "application/json": { "schema": schema } })
    };
    json!({ "post": {
        "operationId": id,
        "requestBody": { "required": true, "content": object(takes) },
        "responses": { "200": { "description": "done", "content": object(answers) }, "401": { "description": "no" } },
    } })
}

fn catalogue() -> Arc<Catalogue> {
    let mut upload = post("upload", "name", "stored");
    upload["servers"] = json!([{ "url": "https://upload.example/other" }]);
    let document = json!({
        "openapi": "3.0.3",
        "info": { "title": "Jobs", "version": "1" },
        "servers": [{ "url": "https://jobs.example/v1" }],
        "security": [{ "key": [] }],
        "paths": {
            "/jobs": post("start", "name", "started"),
            "/jobs#again": post("again", "job", "repeated"),
            "/jobs?dry=true": post("plan", "name", "planned"),
            "/jobs?dry=true&all=1": post("plan-all", "name", "listed"),
            "/files": upload,
        },
        "components": { "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } },
    });
    let document = Text::new("jobs.json", document.to_string());
    let made = scaffold("jobs", &document, &CredentialChoices::default()).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(made.overlay.contains("$.paths['/jobs#again'].post"), "{}", made.overlay);
    let source = Source {
        name: "jobs".to_owned(),
        document,
        overlay: Some(Text::new("overlay.yaml", made.overlay)),
        contract: Some(Text::new("contract.toml", made.contract)),
    };
    Arc::new(Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}")))
}

#[tokio::test]
async fn the_mock_tells_operations_apart_by_query_and_body() {
    let catalogue = catalogue();
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    let mock = ControlledMock::start(api, contract, MockOptions::default()).await.expect("a mock");
    let token = mock.tokens()[0].secret.reveal();
    for (path, body, served) in [
        ("/jobs", json!({ "name": "a" }), "started"),
        ("/jobs", json!({ "job": "a" }), "repeated"),
        ("/jobs?other=1", json!({ "job": "a" }), "repeated"),
        ("/jobs?dry=true", json!({ "name": "a" }), "planned"),
        ("/jobs?all=1&dry=true", json!({ "name": "a" }), "listed"),
        ("/jobs?dry=false", json!({ "name": "a" }), "started"),
        // Below its base URL the mock is every server.
        ("/files", json!({ "name": "a" }), "stored"),
    ] {
        let request = http().post(format!("{}{path}", mock.base_url())).bearer_auth(token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path} {body}");
        let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        assert!(answer.get(served).is_some(), "{path} {body}: {answer}");
    }
    // Of what fits none the first one answers.
    let request = http().post(format!("{}/jobs", mock.base_url())).bearer_auth(token);
    let answer = request.header("content-type", "application/json").body("{}").send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_of_operations_that_share_a_path_passes_the_check() {
    let mut catalogue = Catalogue::clone(&catalogue());
    catalogue.cases.retain(|case| case.side == Side::Server);
    let catalogue = Arc::new(catalogue);
    let outcomes = against_mock(&catalogue, None, &http()).await;
    for (case, why) in broken(&catalogue, &outcomes) {
        // The fragment is not sent.
        let is_skipped = why == "no request tells it from `start`, which is checked in its place";
        assert!(is_skipped && case.id.ends_with("/again"), "{}: {why}", case.id);
    }
    for operation in ["start", "plan", "plan-all", "upload"] {
        let is_checked = catalogue.cases.iter().any(|case| case.id.ends_with(&format!("/{operation}")));
        assert!(is_checked, "{operation}");
    }
}
