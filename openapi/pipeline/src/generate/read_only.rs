//! Drops `readOnly` properties from `required` in request schemas, and `writeOnly` properties in response schemas.

use std::collections::BTreeSet;

use serde_json::Value;

use super::walker::{Side, for_each_schema};
use crate::repair::Repairs;
use crate::walk;

/// The maximum depth to which compositions are followed.
const MAX_DEPTH: usize = 8;

/// Removes such members from `required`. `requests` are the names of the schemas that requests use.
pub(crate) fn relax_required(document: &mut Value, requests: &BTreeSet<String>, repairs: &mut Repairs) {
    for_each_schema(document, |document, site, schema| {
        let (flag, rule, side) = match site.side(requests) {
            Side::Request => ("readOnly", "read-only", "answers"),
            Side::Response => ("writeOnly", "write-only", "requests"),
        };
        let mut found: BTreeSet<String> = BTreeSet::new();
        walk::schemas(schema, &mut |inner| {
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
        if !found.is_empty() {
            let names: Vec<&str> = found.iter().map(String::as_str).collect();
            repairs.note(
                rule,
                &site.pointer,
                format!("only {side} have it, so it is not required here: `{}`", names.join("`, `")),
            );
        }
    });
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
