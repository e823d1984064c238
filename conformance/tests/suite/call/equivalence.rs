//! Calls without a generated client send what the generated clients send.

use std::collections::BTreeMap;

use keyfit::dispatch::{Access, connect};
use keyfit::{Config, DynamicClient, RetryPolicy};
use keyfit_conformance::apis;
use keyfit_conformance::call::{Arguments, Callee, CredentialSelection, SelectedCredential};
use keyfit_openapi::{Operation, example};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{Answer, Server, TOKEN};

/// What is typed for these arguments: parameters by name, and the body whole.
fn typed(operation: &Operation, arguments: &Map<String, Value>) -> (Vec<String>, Option<Vec<u8>>) {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut typed = Vec::new();
    for parameter in &operation.parameters {
        let Some(value) = arguments.get(&parameter.name) else { continue };
        let values = value.as_array().map_or_else(|| vec![plain(value)], |items| items.iter().map(plain).collect());
        typed.extend(values.into_iter().map(|value| format!("{}={value}", parameter.name)));
    }
    (typed, arguments.get("body").map(|body| plain(body).into_bytes()))
}

/// The members of the body by name, where it is an object.
fn by_members(arguments: &Map<String, Value>) -> Option<Vec<String>> {
    let members = arguments.get("body")?.as_object()?.iter().flat_map(|(name, value)| match value {
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            items.iter().filter_map(Value::as_str).map(|item| format!("body:{name}={item}")).collect()
        }
        Value::String(text) => vec![format!("body:{name}={text}")],
        other => vec![format!("body:{name}={other}")],
    });
    Some(members.collect())
}

/// A request with the order of its parameters and members taken out.
#[derive(Clone, Debug, PartialEq)]
struct Leveled {
    target: String,
    headers: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    body: Value,
}

fn leveled(request: &str) -> Leveled {
    let (first, rest) = request.split_once('\n').unwrap_or((request, ""));
    let (target, query) = first.split_once('?').unwrap_or((first, ""));
    let mut query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    query.sort();
    let mut headers = BTreeMap::new();
    let mut body = String::new();
    for line in rest.lines() {
        match line.split_once(": ") {
            Some((name, value)) if body.is_empty() && !line.starts_with(['{', '[', '"']) => {
                headers.insert(name.to_owned(), value.to_owned());
            }
            _ => body.push_str(line),
        }
    }
    // The types of generated clients write whole seconds as such.
    let body = body.replace(".000Z\"", "Z\"");
    let mut body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    // And they leave null out, where a caller has to give a value or none.
    without_nulls(&mut body);
    Leveled { target: target.to_owned(), headers, query, body }
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Every member with a documented default, which the types of generated clients send where nothing is given.
fn defaults(node: &Value, found: &mut Vec<(String, Value)>) {
    let children: Vec<&Value> = match node {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => return,
    };
    for (name, schema) in node["properties"].as_object().into_iter().flatten() {
        found.extend(schema.get("default").map(|default| (name.clone(), default.clone())));
    }
    for child in children {
        defaults(child, found);
    }
}

/// The body of a generated client without the defaults that this one lacks.
fn without_defaults(expected: &mut Value, sent: &Value, defaults: &[(String, Value)]) {
    match (expected, sent) {
        (Value::Object(expected), Value::Object(sent)) => {
            expected.retain(|name, value| {
                sent.contains_key(name) || !defaults.iter().any(|(known, default)| known == name && default == value)
            });
            for (name, value) in expected {
                without_defaults(value, sent.get(name).unwrap_or(&Value::Null), defaults);
            }
        }
        (Value::Array(expected), Value::Array(sent)) => {
            expected.iter_mut().zip(sent).for_each(|(value, sent)| without_defaults(value, sent, defaults));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_every_api_that_ships() {
    let server = tokio::task::spawn_blocking(|| Server::start(Answer::json(200, "{}"))).await.expect("a server");
    let config =
        || Config::default().base_url(server.server.base_url()).retry(RetryPolicy::never()).ignore_rate_limits();
    let mut compared = 0;
    let mut with_members = 0;
    for source in apis::shipped() {
        let callee = Callee::read(&source).unwrap_or_else(|error| panic!("{error}"));
        let mut known = Vec::new();
        defaults(&callee.api.document, &mut known);
        let client = connect(&callee.api.name, config(), Access::Token(TOKEN.into())).expect("a client");
        for operation in &callee.api.operations {
            let id = &operation.id;
            let arguments = example::arguments(&callee.api, operation);
            // What the server answers is of no interest here.
            let _ = client.call(id, &arguments).await;
            let expected = leveled(&server.one());
            let wanted = CredentialSelection { has_token: true, ..CredentialSelection::default() };
            let chosen = SelectedCredential::of(&callee, operation, wanted, |_| false)
                .unwrap_or_else(|error| panic!("{id}: {error}"));
            let access = Access::Token(TOKEN.into()).credential(&chosen[0].kind, chosen[0].carrier).expect("a token");
            let dynamic = DynamicClient::new(callee.table, access, config()).expect("a client");
            let (typed, body) = typed(operation, &arguments);
            let mut ways = vec![(typed.clone(), body)];
            ways.extend(by_members(&arguments).map(|members| ([typed, members].concat(), None)));
            with_members += ways.len() - 1;
            for (typed, body) in ways {
                let arguments = Arguments::read(&callee.api, operation, &typed, body);
                let arguments = arguments.unwrap_or_else(|error| panic!("{id} {typed:?}: {error}"));
                let call = arguments.add_to_call(dynamic.call(id).expect("it is there"));
                let _ = call.stream().await;
                let (sent, mut expected) = (leveled(&server.one()), expected.clone());
                without_defaults(&mut expected.body, &sent.body, &known);
                assert_eq!(sent, expected, "{id} {typed:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 90 && with_members > 20, "{compared} {with_members}");
}
