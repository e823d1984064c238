//! Whether a request is the documented one: method, path, query, headers and body.

use std::collections::BTreeSet;

use keyfit_openapi::{Api, Operation, Place};
use serde_json::{Map, Value};

use super::script::Received;
use crate::catalogue::Catalogue;
use crate::contract::{Carrier, Credential};
use crate::secret::Secret;

/// The path of the base URL that clients are connected to, below the lane.
pub(super) const BASE_PATH: &str = "/base";

/// What is wrong with the request is the error.
pub(super) fn check(
    catalogue: &Catalogue,
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &Received,
    secret: &Secret,
) -> Result<(), String> {
    if request.method != operation.method {
        return Err(format!("the method is {}, not {}", request.method, operation.method));
    }
    path(operation, arguments, request)?;
    let carrier = catalogue.contract.client_credential().map_or(&Carrier::Header, Credential::carrier);
    query(operation, arguments, request, carrier, secret)?;
    headers(request, carrier, secret)?;
    body(&catalogue.api, operation, arguments, request)
}

fn path(operation: &Operation, arguments: &Map<String, Value>, request: &Received) -> Result<(), String> {
    let expected: Vec<String> = format!("{BASE_PATH}{}", operation.path)
        .split('/')
        .map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.and_then(|name| arguments.get(name)).map_or_else(|| segment.to_owned(), plain)
        })
        .collect();
    let sent: Vec<String> = request
        .path
        .split('/')
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    if sent == expected { Ok(()) } else { Err(format!("the path is {}, not {}", sent.join("/"), expected.join("/"))) }
}

fn query(
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &Received,
    carrier: &Carrier,
    secret: &Secret,
) -> Result<(), String> {
    let documented = operation.parameters.iter().filter(|parameter| parameter.place == Place::Query);
    let mut expected: BTreeSet<(String, String)> = documented
        .filter_map(|parameter| Some((parameter.name.clone(), plain(arguments.get(&parameter.name)?))))
        .collect();
    if let Carrier::Query(name) = carrier {
        expected.insert((name.clone(), secret.reveal().to_owned()));
    }
    let sent: BTreeSet<(String, String)> = request.query.iter().cloned().collect();
    match sent.symmetric_difference(&expected).next() {
        None => Ok(()),
        Some((name, _)) => Err(format!("the query parameter `{name}` is not sent as given")),
    }
}

fn headers(request: &Received, carrier: &Carrier, secret: &Secret) -> Result<(), String> {
    if let Some((name, value)) = carrier.header(secret.reveal())
        && request.header(name) != Some(&value)
    {
        return Err(format!("the token is not in the header `{name}`"));
    }
    if !request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        return Err("the header `Accept` does not ask for JSON".to_owned());
    }
    if request.header("api-version").is_some() {
        return Err("the header `api-version` is sent, which no document knows".to_owned());
    }
    Ok(())
}

fn body(api: &Api, operation: &Operation, arguments: &Map<String, Value>, request: &Received) -> Result<(), String> {
    let (Some(expected), Some(body)) = (arguments.get("body"), &operation.body) else {
        return if request.body.is_empty() { Ok(()) } else { Err("there is a body".to_owned()) };
    };
    if !request.header("content-type").is_some_and(|media_type| media_type.starts_with("application/json")) {
        return Err("the body is not sent as JSON".to_owned());
    }
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if agrees(api, &body.schema, &sent, expected) {
        return Ok(());
    }
    Err(format!("the body is {sent}, not {expected}"))
}

/// Whether what was sent says what was given: a documented default may be written
/// out and a null left out, and a time written in another way.
fn agrees(api: &Api, schema: &Value, sent: &Value, given: &Value) -> bool {
    let schema = api.resolve(schema);
    match (sent, given) {
        (Value::Object(sent), Value::Object(given)) => {
            let properties = &schema["properties"];
            let keeps = given.iter().all(|(name, given)| match sent.get(name) {
                Some(sent) => agrees(api, &properties[name], sent, given),
                None => given.is_null(),
            });
            let adds = sent.iter().filter(|(name, _)| !given.contains_key(*name));
            keeps && adds.into_iter().all(|(name, added)| api.resolve(&properties[name]).get("default") == Some(added))
        }
        (Value::Array(sent), Value::Array(given)) => {
            let each = &schema["items"];
            sent.len() == given.len() && sent.iter().zip(given).all(|(sent, given)| agrees(api, each, sent, given))
        }
        (Value::String(sent), Value::String(given)) if schema["format"] == "date-time" => {
            sent.replace(".000", "") == given.replace(".000", "")
        }
        _ => sent == given,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
