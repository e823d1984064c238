//! Answers of a future version of an API: with unknown members, values outside of enumerations, and timestamps in another notation.

use keyfit_openapi::Api;
use keyfit_openapi::schema::{self, Direction};
use serde_json::{Map, Value, json};

/// The highest depth of schema composition; it ends recursive schemas.
const MAX_DEPTH: usize = 16;

/// Returns the value with all changes that a client has to tolerate.
pub(super) fn as_future_version(api: &Api, schema: &Value, value: &Value) -> Value {
    changed_value(api, &[schema], value)
}

/// Returns the changed value of a value that has to match all of these schemas.
fn changed_value(api: &Api, schemas: &[&Value], value: &Value) -> Value {
    let mut parts = Vec::new();
    for schema in schemas {
        collect_schemas(api, schema, value, 0, &mut parts);
    }
    let all = |key: &'static str| parts.iter().filter_map(move |part| part.get(key));
    match value {
        Value::Object(members) => {
            let others: Vec<&Value> = all("additionalProperties").filter(|others| others.is_object()).collect();
            let changed = members.iter().map(|(name, member)| {
                let described: Vec<&Value> = all("properties").filter_map(|known| known.get(name)).collect();
                let schemas = if described.is_empty() { &others } else { &described };
                (name.clone(), changed_value(api, schemas, member))
            });
            let mut changed: Map<String, Value> = changed.collect();
            // A map of strings to one type takes no members of another type.
            if others.is_empty() {
                changed.insert("keyfit_new".to_owned(), json!({ "since": [1, 2] }));
            }
            Value::Object(changed)
        }
        Value::Array(items) => {
            let each: Vec<&Value> = all("items").collect();
            items.iter().map(|item| changed_value(api, &each, item)).collect()
        }
        Value::String(_) if all("enum").next().is_some() => json!("keyfit-new"),
        Value::String(_) if all("format").any(|format| format == "date-time") => json!("2026-01-22 10:00:00"),
        other => other.clone(),
    }
}

/// Collects the schema, the parts of its `allOf`, and from its unions the alternative that the value matches.
fn collect_schemas<'a>(api: &'a Api, schema: &'a Value, value: &Value, depth: usize, parts: &mut Vec<&'a Value>) {
    let schema = api.resolve(schema);
    if depth > MAX_DEPTH || parts.iter().any(|part| std::ptr::eq(*part, schema)) {
        return;
    }
    parts.push(schema);
    let listed = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    for part in listed("allOf") {
        collect_schemas(api, part, value, depth + 1, parts);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(variant) =
            listed(key).find(|variant| schema::mismatch(api, Direction::Answer, variant, value).is_none())
        {
            collect_schemas(api, variant, value, depth + 1, parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    #[test]
    fn what_is_composed_is_changed_as_a_whole() {
        let document =
            "openapi: 3.0.3\ninfo: {title: t, version: '1'}\nservers: [{url: 'https://t.example'}]\npaths: {}\n";
        let source =
            Source { name: "t".to_owned(), document: Text::new("t.yaml", document), overlay: None, contract: None };
        let api = Api::read(&source).expect("a document");
        let text = json!({ "type": "string" });
        let instant = json!({ "properties": { "at": { "type": "string", "format": "date-time" } } });
        let at = json!({ "at": "2026-01-22T10:00:00Z" });
        let new = json!({ "since": [1, 2] });
        let parts = json!({ "allOf": [{ "properties": { "id": text } }, instant] });
        assert_eq!(as_future_version(&api, &parts, &at), json!({ "at": "2026-01-22 10:00:00", "keyfit_new": new }));
        // A part that makes the object a map takes no members of another type.
        let map = json!({ "allOf": [{ "properties": { "id": text } }, { "additionalProperties": instant }] });
        assert_eq!(
            as_future_version(&api, &map, &json!({ "id": "a", "b": at })),
            json!({ "id": "a", "b": { "at": "2026-01-22 10:00:00", "keyfit_new": new } })
        );
        // The matching alternative, and not the first one.
        let union = json!({ "oneOf": [{ "type": "integer" }, { "type": "string", "enum": ["a"] }] });
        assert_eq!(as_future_version(&api, &union, &json!("a")), "keyfit-new");
    }
}
