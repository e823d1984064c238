//! Nullable components that are compositions or enums. The generator makes two types with one name of such compositions, and
//! an enum is a type of its values alone, so the references to them become nullable instead.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::walker::for_each_schema;
use crate::{pointer, walk};

/// Makes every component that is a composition or an enum non-null, and the references to it nullable.
pub(crate) fn move_to_references(document: &mut Value) {
    headers(document);
    loop {
        let names: HashSet<String> = walk::members(document, "/components/schemas")
            .into_iter()
            .filter(|(_, schema)| schema["nullable"] == true && (is_composed(schema) || is_enum(schema)))
            .map(|(at, _)| pointer::name(&at))
            .collect();
        if names.is_empty() {
            return;
        }
        for name in &names {
            let schema = document.pointer_mut(&pointer::join("/components/schemas", name));
            let Some(schema) = schema.and_then(Value::as_object_mut) else { continue };
            schema.shift_remove("nullable");
            if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                values.retain(|value| !value.is_null());
            }
        }
        for_each_schema(document, |_, _, schema| make_nullable(schema, &names));
    }
}

/// Makes nullable headers optional: a header is a text or is absent.
fn headers(document: &mut Value) {
    for at in walk::operation_pointers(document) {
        let parameters = document.pointer_mut(&pointer::join(&at, "parameters")).and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "header") {
            if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut)
                && schema.shift_remove("nullable") == Some(json!(true))
            {
                parameter["required"] = json!(false);
            }
        }
    }
}

fn is_composed(schema: &Value) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.get(key).is_some())
}

fn is_enum(schema: &Value) -> bool {
    schema["enum"].as_array().is_some_and(|values| values.iter().any(|value| !value.is_null()))
}

fn make_nullable(schema: &mut Value, names: &HashSet<String>) {
    if refers(schema, names) {
        *schema = json!({ "nullable": true, "allOf": [schema.take()] });
        return;
    }
    let Some(object) = schema.as_object_mut() else { return };
    for inner in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        make_nullable(inner.1, names);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            make_nullable(inner, names);
        }
    }
    let mut is_nullable = false;
    for key in ["allOf", "anyOf", "oneOf"] {
        for part in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            // In `allOf`, null must fit all parts, otherwise one; the schema around the parts becomes nullable.
            if refers(part, names) {
                is_nullable |= key != "allOf";
            } else {
                make_nullable(part, names);
            }
        }
    }
    if is_nullable {
        object.insert("nullable".to_owned(), json!(true));
    }
}

fn refers(schema: &Value, names: &HashSet<String>) -> bool {
    walk::schema_name(schema).is_some_and(|name| names.contains(&pointer::name(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_header_that_may_be_null_may_be_left_out() {
        let header = |schema| json!([{ "name": "last-event-id", "in": "header", "required": false, "schema": schema }]);
        let document = |schema| json!({ "paths": { "/a": { "get": { "parameters": header(schema) } } } });
        let mut nullable = document(json!({ "type": "string", "nullable": true }));
        super::move_to_references(&mut nullable);
        assert_eq!(nullable, document(json!({ "type": "string" })));
    }

    #[test]
    fn what_refers_to_a_nullable_composition_or_enum_is_nullable_instead() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let nullable = |name: &str| json!({ "nullable": true, "allOf": [reference(name)] });
        let text = json!({ "type": "string" });
        let mut document = json!({ "paths": {}, "components": { "schemas": {
            "A": { "nullable": true, "oneOf": [text, { "type": "integer" }] },
            "Alias": reference("A"),
            "Either": { "anyOf": [reference("A"), text] },
            "Kind": { "nullable": true, "type": "string", "enum": ["a", null] },
            "All": { "allOf": [reference("A"), { "type": "object" }] },
            "Members": { "type": "object", "properties": {
                "a": reference("A"), "list": { "type": "array", "items": reference("Alias") },
                "map": { "additionalProperties": reference("Either") }, "all": reference("All"),
                "kinds": { "type": "array", "items": reference("Kind") },
            } },
        } } });
        super::move_to_references(&mut document);
        assert_eq!(
            document["components"]["schemas"],
            json!({
                "A": { "oneOf": [text, { "type": "integer" }] },
                "Alias": { "allOf": [reference("A")] },
                "Either": { "anyOf": [reference("A"), text] },
                "Kind": { "type": "string", "enum": ["a"] },
                "All": { "allOf": [reference("A"), { "type": "object" }] },
                "Members": { "type": "object", "properties": {
                    "a": nullable("A"), "list": { "type": "array", "items": nullable("Alias") },
                    "map": { "additionalProperties": nullable("Either") }, "all": reference("All"),
                    "kinds": { "type": "array", "items": nullable("Kind") },
                } },
            })
        );
    }
}
