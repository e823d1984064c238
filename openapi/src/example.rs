//! Values that fit a schema: the arguments of a valid request, for tests, probes and the mock.

use serde_json::{Map, Number, Value, json};

use crate::operation::Operation;
use crate::{Api, pointer, walk};

/// How deep a value may nest before optional members are left out; ends schemas that contain themselves.
const DEPTH: usize = 6;

/// How deep a value may nest at all; ends schemas that require themselves, which no value fits.
const END: usize = 2 * DEPTH;

/// The longest list and text that are made for a lower limit, so that no document can exhaust the memory.
const LONGEST: u64 = 10_000;

/// A valid request for an operation: each parameter's value under its name, and the body under `body`. Optional
/// parameters are included.
pub fn arguments(api: &Api, operation: &Operation) -> Map<String, Value> {
    let mut arguments = Map::new();
    for parameter in &operation.parameters {
        let own = walk::resolve(&api.document, &parameter.schema);
        let example = parameter_example(api, operation, &parameter.name).cloned();
        let value = example.unwrap_or_else(|| {
            if own.get("type").is_none_or(|kind| kind == "string") && !has_own_value(own) {
                json!(format!("{}-1", parameter.name.trim_start_matches('_')))
            } else {
                value(api, own)
            }
        });
        arguments.insert(parameter.name.clone(), value);
    }
    if let Some(body) = &operation.body {
        let content = format!("{}/requestBody/content", operation.pointer());
        let media = api.document.pointer(&pointer::join(&content, &body.media_type));
        let example = media.and_then(|media| media.get("example")).cloned();
        arguments.insert("body".to_owned(), example.unwrap_or_else(|| value(api, &body.schema)));
    }
    arguments
}

/// A value that fits the schema: its `example`, `default` or first `enum` value where it has one, otherwise one made
/// from its type and limits. Optional properties are included.
pub fn value(api: &Api, schema: &Value) -> Value {
    of_schema(&api.document, schema, 0)
}

fn parameter_example<'a>(api: &'a Api, operation: &Operation, name: &str) -> Option<&'a Value> {
    let parameters = api.document.pointer(&operation.pointer())?["parameters"].as_array()?;
    parameters.iter().find(|parameter| parameter["name"] == name)?.get("example")
}

fn has_own_value(schema: &Value) -> bool {
    ["example", "default", "enum", "format", "x-example"].iter().any(|key| schema.get(*key).is_some())
}

fn of_schema(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth > END {
        return Value::Null;
    }
    let schema = walk::resolve(document, schema);
    for key in ["example", "default"] {
        if let Some(value) = schema.get(key).filter(|value| !value.is_null()) {
            return value.clone();
        }
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return all_of(document, schema, parts, depth);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(key).and_then(Value::as_array).and_then(|variants| variants.first()) {
            return of_schema(document, first, depth + 1);
        }
    }
    let kind = schema.get("type").and_then(Value::as_str);
    match kind {
        Some("object") => object(document, schema, depth),
        None if schema.get("properties").is_some() => object(document, schema, depth),
        Some("array") => array(document, schema, depth),
        Some("string") => json!(string(schema)),
        Some("boolean") => json!(true),
        Some("integer") => json!(schema.get("minimum").and_then(Value::as_i64).unwrap_or(1)),
        Some("number") => {
            Value::Number(schema.get("minimum").and_then(Value::as_f64).and_then(Number::from_f64).unwrap_or(1.into()))
        }
        _ => Value::Null,
    }
}

fn all_of(document: &Value, schema: &Value, parts: &[Value], depth: usize) -> Value {
    let mut merged = object(document, schema, depth);
    for part in parts {
        match of_schema(document, part, depth + 1) {
            Value::Object(members) => {
                if let Some(merged) = merged.as_object_mut() {
                    merged.extend(members);
                }
            }
            other => return other,
        }
    }
    merged
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object();
    let members = properties
        .into_iter()
        .flatten()
        .filter(|(name, _)| depth < DEPTH || required.contains(&name.as_str()))
        .map(|(name, property)| (name.clone(), of_schema(document, property, depth + 1)))
        .collect();
    Value::Object(members)
}

fn array(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth >= DEPTH {
        return json!([]);
    }
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, LONGEST);
    let item = of_schema(document, &schema["items"], depth + 1);
    Value::Array(vec![item; usize::try_from(least).unwrap_or(1)])
}

fn string(schema: &Value) -> String {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-22T10:00:00Z",
        Some("date") => "2026-01-22",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("email") => "ada@example.com",
        Some("uri" | "url") => "https://example.com/",
        _ => "text",
    };
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(LONGEST);
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let mut text: String = text.chars().take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
    while (text.chars().count() as u64) < least {
        text.push('x');
    }
    text
}
