//! Drops `readOnly` properties from `required` in request schemas, and `writeOnly` properties in response schemas.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dialect::schema_pointers;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The maximum depth to which compositions are followed.
const MAX_DEPTH: usize = 8;

/// Removes such members from `required`. `requests` are the names of the schemas that requests use.
pub(crate) fn relax_required(document: &mut Value, requests: &BTreeSet<String>, repairs: &mut Repairs) {
    for at in schema_pointers(document) {
        let is_request = match at.strip_prefix("/components/schemas/") {
            Some(name) => requests.contains(&pointer::name(name)),
            None => !at.contains("/responses/"),
        };
        let (flag, rule, side) =
            if is_request { ("readOnly", "read-only", "answers") } else { ("writeOnly", "write-only", "requests") };
        let Some(mut schema) = document.pointer_mut(&at).map(Value::take) else { continue };
        let mut found: BTreeSet<String> = BTreeSet::new();
        walk::schemas(&mut schema, &mut |inner| {
            if inner.get("required").is_none() {
                return;
            }
            let mut flagged = BTreeSet::new();
            flagged_members(document, inner, flag, 0, &mut flagged);
            if let Some(required) = inner.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|name| {
                    let gone = name.as_str().filter(|name| flagged.contains(*name));
                    found.extend(gone.map(str::to_owned));
                    gone.is_none()
                });
            }
        });
        if let Some(place) = document.pointer_mut(&at) {
            *place = schema;
        }
        if !found.is_empty() {
            let names: Vec<&str> = found.iter().map(String::as_str).collect();
            repairs.note(
                rule,
                &at,
                format!("only {side} have it, so it is not required here: `{}`", names.join("`, `")),
            );
        }
    }
}

/// Collects the names of the members with the flag, with those of the schema's parts.
fn flagged_members(document: &Value, schema: &Value, flag: &str, depth: usize, found: &mut BTreeSet<String>) {
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if member.get(flag) == Some(&Value::Bool(true))
            || walk::resolve(document, member).get(flag) == Some(&Value::Bool(true))
        {
            found.insert(name.clone());
        }
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten().filter(|_| depth < MAX_DEPTH) {
        flagged_members(document, walk::resolve(document, part), flag, depth + 1, found);
    }
}
