//! The handling of `readOnly` and `writeOnly` members, and of unions, by a naive client.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, example};
use serde_json::{Map, Value};

/// The highest depth of schema composition; it ends recursive schemas.
const MAX_DEPTH: usize = 16;

/// Returns a body with the members that only answers have.
pub(super) fn with_read_only(api: &Api, schema: &Value, value: &Value) -> Value {
    changed(api, schema, value, 0, &mut |parts, members| {
        for (name, member) in properties(parts).filter(|(_, member)| has_flag(api, member, "readOnly")) {
            members.entry(name.clone()).or_insert_with(|| example::value(api, Direction::Answer, member));
        }
    })
}

/// Returns an answer with only the members of the first alternative of a union, even if another one matches.
pub(super) fn as_first_alternative(api: &Api, schema: &Value, value: &Value) -> Value {
    changed(api, schema, value, 0, &mut |parts, members| {
        let unions = parts.iter().flat_map(|part| ["oneOf", "anyOf"].map(|key| &part[key])).filter_map(Value::as_array);
        for alternatives in unions {
            let names = |alternative| -> Vec<&String> {
                properties(&composed(api, alternative)).map(|(name, _)| name).collect()
            };
            let known = alternatives.first().map(names).unwrap_or_default();
            let others: Vec<&String> = alternatives.iter().skip(1).flat_map(names).collect();
            members.retain(|name, _| known.contains(&name) || !others.contains(&name));
        }
    })
}

/// Returns whether an answer lacks a required member that only requests have.
pub(super) fn lacks_write_only(api: &Api, schema: &Value, value: &Value) -> bool {
    let mut lacks = false;
    changed(api, schema, value, 0, &mut |parts, members| {
        let required = parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten());
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        lacks |= properties(parts).any(|(name, member)| {
            required.contains(&name.as_str()) && has_flag(api, member, "writeOnly") && !members.contains_key(name)
        });
    });
    lacks
}

/// Returns the value after `change` was applied to each object in it, with the composed schemas of the object.
fn changed<F: FnMut(&[&Value], &mut Map<String, Value>)>(
    api: &Api,
    schema: &Value,
    value: &Value,
    depth: usize,
    change: &mut F,
) -> Value {
    let mut parts = composed(api, schema);
    if depth > MAX_DEPTH {
        return value.clone();
    }
    let alternatives =
        parts.iter().flat_map(|part| ["oneOf", "anyOf"].map(|key| &part[key])).filter_map(Value::as_array);
    let fitting = alternatives.flatten().find(|one| schema::mismatch(api, Direction::Answer, one, value).is_none());
    match value {
        Value::Object(members) => {
            let mut members = members.clone();
            change(&parts, &mut members);
            parts.extend(fitting.into_iter().flat_map(|one| composed(api, one)));
            for (name, member) in &mut members {
                let known = properties(&parts).find(|(known, _)| *known == name).map(|(_, schema)| schema);
                if let Some(schema) = known {
                    *member = changed(api, schema, member, depth + 1, change);
                }
            }
            Value::Object(members)
        }
        Value::Array(items) => {
            let Some(schema) = parts.iter().find_map(|part| part.get("items")) else { return value.clone() };
            items.iter().map(|item| changed(api, schema, item, depth + 1, change)).collect()
        }
        _ => value.clone(),
    }
}

/// Returns a schema and the parts of its `allOf`.
fn composed<'a>(api: &'a Api, schema: &'a Value) -> Vec<&'a Value> {
    let mut parts = vec![api.resolve(schema)];
    let mut next = 0;
    while let Some(part) = parts.get(next).copied().filter(|_| next < MAX_DEPTH) {
        parts.extend(part["allOf"].as_array().into_iter().flatten().map(|part| api.resolve(part)));
        next += 1;
    }
    parts
}

fn properties<'a>(parts: &[&'a Value]) -> impl Iterator<Item = (&'a String, &'a Value)> {
    parts.iter().filter_map(|part| part["properties"].as_object()).flatten()
}

fn has_flag(api: &Api, member: &Value, flag: &str) -> bool {
    member[flag] == true || api.resolve(member)[flag] == true
}
