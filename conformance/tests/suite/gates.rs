//! Every way to log in, in every form that a security requirement has: alone, as one of two alternatives, with another
//! credential at once, optional, and not at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::mock::Mutant;
use keyfit_openapi::{Source, Text};
use serde_json::{Map, Value, json};

use crate::common::{against_mock, broken, http, side, without};

/// The schemes, each with what the document says of it.
fn schemes() -> [(&'static str, Value); 6] {
    let key = |place: &str, name: &str| json!({ "type": "apiKey", "in": place, "name": name });
    [
        ("bearer", json!({ "type": "http", "scheme": "bearer" })),
        ("basic", json!({ "type": "http", "scheme": "basic" })),
        ("bot", json!({ "type": "http", "scheme": "Bot" })),
        ("header", key("header", "X-Gate-Key")),
        ("cookie", key("cookie", "gate")),
        ("query", key("query", "gate_key")),
    ]
}

/// An operation of each scheme and form. `spare` is the other alternative, `app` is needed besides.
fn document() -> String {
    let mut paths = Map::new();
    let answers = json!({
        "200": { "description": "open", "content": { "application/json": { "schema": {
            "type": "object", "required": ["open"], "properties": { "open": { "type": "boolean" } },
        } } } },
        "401": { "description": "closed", "content": { "application/json": { "schema": {
            "type": "object", "required": ["message"], "properties": { "message": { "type": "string" } },
        } } } },
    });
    let mut add = |path: String, security: Value| {
        let id = path.trim_start_matches('/').replace('/', "-");
        paths.insert(path, json!({ "get": { "operationId": id, "security": security, "responses": answers } }));
    };
    for (name, _) in schemes() {
        add(format!("/{name}/alone"), json!([{ name: [] }]));
        add(format!("/{name}/or"), json!([{ name: [] }, { "spare": [] }]));
        add(format!("/{name}/or-last"), json!([{ "spare": [] }, { name: [] }]));
        add(format!("/{name}/and"), json!([{ name: [], "app": [] }]));
        add(format!("/{name}/optional"), json!([{}, { name: [] }]));
        add(format!("/{name}/public"), json!([]));
    }
    add("/machine/alone".to_owned(), json!([{ "machine": [] }]));
    add("/machine/and".to_owned(), json!([{ "machine": [], "app": [] }]));
    add("/session/alone".to_owned(), json!([{ "session": [] }]));
    let mut all: Map<String, Value> = schemes().into_iter().map(|(name, scheme)| (name.to_owned(), scheme)).collect();
    all.insert("spare".to_owned(), json!({ "type": "apiKey", "in": "header", "name": "X-Spare-Key" }));
    all.insert("app".to_owned(), json!({ "type": "apiKey", "in": "header", "name": "X-App-Key" }));
    all.insert("machine".to_owned(), json!({ "type": "mutualTLS" }));
    all.insert("session".to_owned(), json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }));
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Gates", "version": "1" },
        "servers": [{ "url": "https://gates.example/v1" }],
        "paths": paths,
        "components": { "securitySchemes": all },
    })
    .to_string()
}

/// The API with the contract that `keyfit init` begins.
pub(crate) fn source() -> Source {
    let document = Text::new("gates.json", document());
    let made = scaffold("gates", &document, &CredentialChoices::default()).expect("a contract");
    // What breaks these breaks another rule before.
    let breakable_elsewhere = ["answer.status", "answer.refusal", "answer.server-error", "answer.problem-status"];
    let contract = without(&made.contract, &breakable_elsewhere);
    // The mock sees no certificate, so that the rule on which this one builds is not reached there.
    let except = "expect = { keeps = [\"challenge\"] }\nexcept = [\"machine-*\"]";
    let contract = contract.replace("expect = { keeps = [\"challenge\"] }", except);
    Source {
        name: "gates".to_owned(),
        document,
        overlay: Some(Text::new("overlay.yaml", made.overlay)),
        contract: Some(Text::new("contract.toml", contract)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scheme_is_checked_in_every_form_and_the_mock_admits_it() {
    let catalogue = side(Catalogue::read(&source()).expect("a contract"), Side::Server);
    let outcomes = against_mock(&catalogue, None, &http()).await;
    let broken = broken(&catalogue, &outcomes);
    let told: Vec<String> = broken.iter().map(|(case, why)| format!("{}: {why}", case.id)).collect();
    assert_eq!(told, [""; 0], "nothing is wrong, and nothing is left out");
    let mut rules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in &catalogue.cases {
        let rule = catalogue.rule(case).id.strip_prefix("gates.").expect("its name");
        rules.entry(&catalogue.operation(case).id).or_default().push(rule);
    }
    let table = rules.into_iter().fold(String::new(), |mut table, (operation, rules)| {
        let _ = writeln!(table, "{operation}: {}", rules.join(" "));
        table
    });
    insta::assert_snapshot!(table);
}

/// What is found of a defect, and at which operations.
async fn found(catalogue: &std::sync::Arc<Catalogue>, mutant: Mutant) -> Vec<String> {
    let outcomes = against_mock(catalogue, Some(mutant), &http()).await;
    broken(catalogue, &outcomes).iter().map(|(case, _)| case.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_of_one_form_is_found_at_the_operations_of_that_form() {
    let catalogue = side(Catalogue::read(&source()).expect("a contract"), Side::Server);
    let names: Vec<&str> = schemes().iter().map(|(name, _)| *name).collect();
    let of = |form: &str, rule: &dyn Fn(&str) -> Vec<String>| -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for name in &names {
            ids.extend(rule(name).into_iter().map(|rule| format!("gates/auth/{rule}/{name}-{form}")));
        }
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let refused = sorted(found(&catalogue, Mutant::RefusesAnonymous).await);
    let once = |_: &str| vec!["anonymous".to_owned()];
    assert_eq!(refused, sorted([of("optional", &once), of("public", &once)].concat()));
    let halves = |name: &str| vec![format!("without-{name}"), "without-app".to_owned()];
    assert_eq!(sorted(found(&catalogue, Mutant::AcceptsOneOfSeveral).await), of("and", &halves));
    let wrong = |name: &str| vec![format!("unknown-{name}"), "unknown-app".to_owned()];
    assert_eq!(sorted(found(&catalogue, Mutant::JudgesOneOfSeveral).await), of("and", &wrong));
    let mixed = sorted(found(&catalogue, Mutant::MixesPlaces).await);
    let once = |_: &str| vec!["other-alternative".to_owned()];
    assert_eq!(mixed, sorted([of("or", &once), of("or-last", &once)].concat()));
    let passwords = sorted(found(&catalogue, Mutant::IgnoresPasswords).await);
    assert!(passwords.iter().all(|id| id.contains("/wrong-password/basic-")) && !passwords.is_empty(), "{passwords:?}");
}
