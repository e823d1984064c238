//! Keywords of JSON Schema 2020-12, the schema dialect of OpenAPI 3.1, that OpenAPI 3.0 writes differently. Some 3.0
//! documents use these keywords as well.

use serde_json::{Map, Value, json};

use super::schema_record::SchemaRecord;

/// Keywords that constrain a value and are not part of its type.
pub(crate) const UNCHECKED_KEYWORDS: [&str; 13] = [
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

/// The keywords of each type, for a schema with several types.
const STRING: [&str; 4] = ["format", "maxLength", "minLength", "pattern"];
const NUMBER: [&str; 6] = ["exclusiveMaximum", "exclusiveMinimum", "format", "maximum", "minimum", "multipleOf"];
const ARRAY: [&str; 4] = ["items", "maxItems", "minItems", "uniqueItems"];
const OBJECT: [&str; 5] = ["additionalProperties", "maxProperties", "minProperties", "properties", "required"];

/// Converts a schema to OpenAPI 3.0.
pub(crate) fn convert(schema: &mut Value, record: &mut SchemaRecord<'_>) {
    if schema.get("$dynamicRef").is_some() || schema.get("$recursiveRef").is_some() {
        return record.widen(schema, "its reference depends on where it is used");
    }
    let Some(object) = schema.as_object_mut() else { return };
    if object.is_empty() {
        return;
    }
    let unchecked: Vec<&str> =
        UNCHECKED_KEYWORDS.into_iter().filter(|key| object.shift_remove(*key).is_some()).collect();
    if unchecked.iter().any(|key| !key.starts_with("unevaluated")) {
        record.narrow("unchecked", format!("not checked before it is sent: `{}`", unchecked.join("`, `")));
    }
    if let Some(value) = object.shift_remove("const") {
        object.insert("enum".to_owned(), json!([value]));
    }
    exclusive_bounds(object);
    tuples(object, record);
    pattern_properties(object, record);
    if object.contains_key("contentEncoding") && object.get("type") == Some(&json!("string")) {
        record.note("content-encoding", "text, encoded by the caller");
    }
    null_alternative(object);
    several_types(object, record);
    if object.get("type") == Some(&json!("null")) {
        record.widen(schema, "nothing but null is allowed");
    }
}

/// Converts an exclusive bound that is a number to a bound and a flag.
fn exclusive_bounds(object: &mut Map<String, Value>) {
    for (flag, bound, is_tighter) in [
        ("exclusiveMinimum", "minimum", f64::gt as fn(&f64, &f64) -> bool),
        ("exclusiveMaximum", "maximum", f64::lt as fn(&f64, &f64) -> bool),
    ] {
        let Some(limit) = object.get(flag).filter(|limit| limit.is_number()).cloned() else { continue };
        object.shift_remove(flag);
        let other = object.get(bound).and_then(Value::as_f64);
        let holds = other.is_none_or(|other| limit.as_f64().is_some_and(|limit| !is_tighter(&other, &limit)));
        if holds {
            object.insert(bound.to_owned(), limit);
            object.insert(flag.to_owned(), json!(true));
        }
    }
}

fn tuples(object: &mut Map<String, Value>, record: &mut SchemaRecord<'_>) {
    let is_tuple = object.shift_remove("prefixItems").is_some() || object.get("items").is_some_and(Value::is_array);
    if is_tuple {
        object.insert("items".to_owned(), json!({}));
        record.narrow("tuple", "the places of a list have types of their own: any values");
    }
}

fn pattern_properties(object: &mut Map<String, Value>, record: &mut SchemaRecord<'_>) {
    let Some(patterns) = object.shift_remove("patternProperties") else { return };
    let mut schemas: Vec<Value> =
        patterns.as_object().into_iter().flatten().map(|(_, schema)| schema.clone()).collect();
    let is_closed = object.get("additionalProperties").is_none_or(|extra| *extra == json!(false));
    let schema = if is_closed && schemas.len() == 1 { schemas.pop() } else { None };
    object.insert("additionalProperties".to_owned(), schema.unwrap_or_else(|| json!({})));
    record.narrow("pattern-members", "members whose names follow a pattern: any names");
}

/// Converts `anyOf: [X, {type: null}]`, and the 3.0 notation of generators: an alternative with nothing but `nullable`.
fn null_alternative(object: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf"] {
        let Some(list) = object.get_mut(key).and_then(Value::as_array_mut) else { continue };
        let count = list.len();
        let is_null = |part: &Value| {
            let is_bare = part.as_object().is_some_and(|part| part.keys().all(|key| key == "nullable"));
            part.get("type") == Some(&json!("null"))
                || part.get("const") == Some(&Value::Null)
                || (is_bare && part["nullable"] == true)
        };
        list.retain(|part| !is_null(part));
        if list.len() == count || list.is_empty() {
            continue;
        }
        if list.len() == 1 {
            let only = list.pop().unwrap_or_default();
            object.shift_remove(key);
            let parts = object.entry("allOf").or_insert_with(|| json!([]));
            if let Some(parts) = parts.as_array_mut() {
                parts.push(only);
            }
        }
        object.insert("nullable".to_owned(), json!(true));
    }
}

/// Converts `type: [string, null]`, and lists of several types.
fn several_types(object: &mut Map<String, Value>, record: &mut SchemaRecord<'_>) {
    let Some(list) = object.get("type").and_then(Value::as_array) else { return };
    let mut kinds: Vec<String> = Vec::new();
    for kind in list.iter().filter_map(Value::as_str) {
        if !kinds.iter().any(|known| known == kind) {
            kinds.push(kind.to_owned());
        }
    }
    if kinds.len() > 1 && kinds.iter().any(|kind| kind == "null") {
        kinds.retain(|kind| kind != "null");
        object.insert("nullable".to_owned(), json!(true));
    }
    if kinds.iter().any(|kind| kind == "number") {
        kinds.retain(|kind| kind != "integer");
    }
    match kinds.as_slice() {
        [] => {
            object.shift_remove("type");
            record.note("odd-keyword", "`type` is a list without types");
        }
        [one] => {
            object.insert("type".to_owned(), json!(one));
        }
        _ => {
            let parts = kinds.iter().map(|kind| schema_of_type(object, kind)).collect();
            object.retain(|key, _| {
                let moved = [STRING.as_slice(), &NUMBER, &ARRAY, &OBJECT].concat();
                key != "type" && key != "enum" && !moved.contains(&key.as_str())
            });
            object.insert("oneOf".to_owned(), Value::Array(parts));
            record.note("several-types", format!("one of {}", kinds.join(", ")));
        }
    }
}

/// Returns the schema for one of several types.
fn schema_of_type(object: &Map<String, Value>, kind: &str) -> Value {
    let keys: &[&str] = match kind {
        "string" => &STRING,
        "integer" | "number" => &NUMBER,
        "array" => &ARRAY,
        "object" => &OBJECT,
        _ => &[],
    };
    let mut part: Map<String, Value> =
        keys.iter().filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone()))).collect();
    part.insert("type".to_owned(), json!(kind));
    if let Some(values) = object.get("enum").and_then(Value::as_array) {
        let of_kind = |value: &&Value| match kind {
            "string" => value.is_string(),
            "integer" | "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => false,
        };
        let values: Vec<&Value> = values.iter().filter(of_kind).collect();
        if !values.is_empty() {
            part.insert("enum".to_owned(), json!(values));
        }
    }
    Value::Object(part)
}
