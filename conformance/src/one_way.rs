//! The `readOnly` members of resources that a call creates or changes.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, BodyFormat, Operation, example};
use serde_json::{Value, json};

use crate::bent::unsent;

/// A text that no server sets by itself.
const TEXT: &str = "keyfit-read-only";
/// The same for an instant and a date.
const INSTANT: &str = "2001-02-03T04:05:06Z";
const DATE: &str = "2001-02-03";

/// Returns the `readOnly` members of a body that creates or changes a resource, with their schemas, if a value can be generated.
pub(crate) fn read_only<'a>(api: &'a Api, operation: &'a Operation) -> Vec<(String, &'a Value)> {
    let is_such = ["POST", "PUT", "PATCH"].contains(&operation.method.as_str());
    let body = operation.body.as_ref().filter(|body| is_such && body.format(api) == BodyFormat::Json);
    let Some(body) = body else { return Vec::new() };
    let names = unsent(api, &body.schema, &json!({}));
    let known =
        names.into_iter().filter_map(|name| Some((name.clone(), api.member(&body.schema, &format!("/{name}"))?)));
    known.filter(|(_, schema)| other(api, schema, &Value::Null).is_some()).collect()
}

/// Returns another value for such a member than the current one.
pub(crate) fn other(api: &Api, schema: &Value, current: &Value) -> Option<Value> {
    let schema = api.resolve(schema);
    let next = || current.as_i64().and_then(|current| current.checked_add(1)).map(Value::from);
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().cloned();
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => INSTANT,
        Some("date") => DATE,
        _ => TEXT,
    };
    let made = [Some(json!(text)), next(), Some(json!(7)), Some(json!(!current.as_bool().unwrap_or_default()))];
    let mut all = listed.chain(made.into_iter().flatten()).chain([example::value(api, Direction::Answer, schema)]);
    all.find(|value| {
        let is_plain = !value.is_object() && !value.is_array() && !value.is_null();
        is_plain && value != current && schema::mismatch(api, Direction::Answer, schema, value).is_none()
    })
}
