//! Auth and error behaviour under review: who gets which status where, what refusals look like at both ends, and the
//! requests as clients send them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use keyfit::dispatch::{Access, connect};
use keyfit::{Config, RetryPolicy};
use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::contract::Family;
use keyfit_openapi::example;
use keyfit_openapi::schema::Direction;
use serde_json::Value;

use crate::common::{Recorder, against_mock, catalogues, http, side};

const TOKEN: &str = "canary";

/// A row an operation, a column a rule on authentication, scopes and tenants; in the cells the status of the answer.
#[tokio::test(flavor = "multi_thread")]
async fn operations_by_identities() {
    let http = http();
    for mut catalogue in catalogues() {
        catalogue.cases.retain(|case| matches!(case.family, Family::Auth | Family::Scope | Family::Tenant));
        let catalogue = side(catalogue, Side::Server);
        let outcomes = against_mock(&catalogue, None, &http).await;
        let mut statuses: BTreeMap<(&str, &str), u16> = BTreeMap::new();
        for (case, outcome) in catalogue.cases.iter().zip(&outcomes) {
            let cell = (catalogue.operation(case).id.as_str(), catalogue.rule(case).id.as_str());
            statuses.insert(cell, outcome.status.unwrap_or_default());
        }
        insta::assert_snapshot!(format!("identities-{}", catalogue.contract.name), matrix(&catalogue, &statuses));
    }
}

fn matrix(catalogue: &Catalogue, statuses: &BTreeMap<(&str, &str), u16>) -> String {
    let of_server = |id: &&str| statuses.keys().any(|(_, rule)| rule == id);
    let rules: Vec<&str> = catalogue.contract.rules.iter().map(|rule| rule.id.as_str()).filter(of_server).collect();
    let mut table = String::new();
    for (number, rule) in rules.iter().enumerate() {
        let _ = writeln!(table, "{:>2} {rule}", number + 1);
    }
    let _ = write!(table, "\n{:34}", "");
    for number in 1..=rules.len() {
        let _ = write!(table, "{number:>4}");
    }
    for operation in &catalogue.api.operations {
        let _ = write!(table, "\n{:34}", operation.id);
        for rule in &rules {
            match statuses.get(&(operation.id.as_str(), *rule)) {
                Some(status) => drop(write!(table, "{status:>4}")),
                None => table.push_str("   ."),
            }
        }
    }
    table
}

/// For each status that the contract shapes: the body, and what keyfit makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_at_both_ends() {
    for catalogue in catalogues() {
        let operation = &catalogue.api.operations[0];
        let arguments = example::arguments(&catalogue.api, operation);
        let recorder = Recorder::start().await;
        let client = connect(&catalogue.api.name, config(&recorder), Access::Token(TOKEN.into())).expect("a client");
        let mut text = String::new();
        for status in [400, 401, 402, 403, 404, 405, 413, 422, 429, 500, 503] {
            let shape = catalogue.contract.error_shape(&operation.errors, status).expect("the contract has a default");
            let body = shape.body(status, "keyfit says no", 30).map(|body| body.to_string()).unwrap_or_default();
            recorder.set(status, body.clone());
            let error = client.call(&operation.id, &arguments).await.expect_err("a refusal");
            let _ = writeln!(text, "{status} {body}\n    {:?}: {error}", error.kind());
        }
        insta::assert_snapshot!(format!("refusals-{}", catalogue.contract.name), text);
    }
}

/// Every operation as it goes out, with the token masked.
#[tokio::test(flavor = "multi_thread")]
async fn requests_as_sent() {
    for catalogue in catalogues() {
        let recorder = Recorder::start().await;
        let client = connect(&catalogue.api.name, config(&recorder), Access::Token(TOKEN.into())).expect("a client");
        let mut text = String::new();
        for operation in &catalogue.api.operations {
            let arguments = example::arguments(&catalogue.api, operation);
            // What the recorder answers is of no interest here.
            let _ = client.call(&operation.id, &arguments).await;
            let requests = recorder.take();
            assert_eq!(requests.len(), 1, "{}", operation.id);
            let _ = write!(text, "{}: {}", operation.id, requests[0].replace(TOKEN, "[redacted]"));
        }
        insta::assert_snapshot!(format!("requests-{}", catalogue.contract.name), text);
    }
}

/// The catalogue's documents hold their own examples: a value that a schema refuses could not be sent or answered.
#[test]
fn every_example_fits_its_schema() {
    for Catalogue { api, .. } in catalogues() {
        for operation in &api.operations {
            let arguments = example::arguments(&api, operation);
            if let (Some(body), Some(value)) = (&operation.body, arguments.get("body")) {
                fits(&api, &operation.id, &body.schema, value);
            }
            for schema in operation.responses.values().filter_map(|shape| shape.schema.as_ref()) {
                fits(&api, &operation.id, schema, &example::value(&api, Direction::Answer, schema));
            }
        }
    }
}

fn fits(api: &keyfit_openapi::Api, operation: &str, schema: &Value, value: &Value) {
    let mismatch = keyfit_openapi::schema::mismatch(api, Direction::Answer, schema, value);
    assert!(mismatch.is_none(), "{} {operation}: {}: {value}", api.name, mismatch.expect("just seen"));
}

/// One attempt a call: what is looked at is a single answer.
fn config(recorder: &Recorder) -> Config {
    Config::default().base_url(recorder.base_url()).retry(RetryPolicy::never()).ignore_rate_limits()
}
