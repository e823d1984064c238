//! The conversion of 2.0 schemas to 3.0.

use serde_json::{Map, Value, json};

use crate::pointer;

/// The keys under which a subtype states its discriminator value.
const DISCRIMINATOR_VALUES: [&str; 2] = ["x-discriminator-value", "x-ms-discriminator-value"];

/// The keys by which documents of 2.0, which has no `nullable`, allow null.
const NULLABLE: [&str; 2] = ["x-nullable", "x-isnullable"];

/// The maximum number of bases between a subtype and the one with the discriminator.
const MAX_DEPTH: usize = 16;

/// Converts a schema with all schemas inside it.
pub(super) fn converted(schema: &Value) -> Value {
    let mut schema = schema.clone();
    convert(&mut schema);
    schema
}

fn convert(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (key, inner) in object.iter_mut() {
        match key.as_str() {
            "properties" | "patternProperties" => {
                inner.as_object_mut().into_iter().flatten().for_each(|(_, inner)| convert(inner));
            }
            "allOf" | "anyOf" | "oneOf" => inner.as_array_mut().into_iter().flatten().for_each(convert),
            "items" if inner.is_array() => inner.as_array_mut().into_iter().flatten().for_each(convert),
            "items" | "additionalProperties" | "not" => convert(inner),
            _ => {}
        }
    }
    if object.get("type") == Some(&json!("file")) {
        object.insert("type".to_owned(), json!("string"));
        object.insert("format".to_owned(), json!("binary"));
    }
    if let Some(name) = object.get("discriminator").filter(|name| name.is_string()).cloned() {
        object.insert("discriminator".to_owned(), json!({ "propertyName": name }));
    }
    kinds(object);
    nullable(object);
}

/// Converts a list of types, which 2.0 does not allow but some documents have.
fn kinds(object: &mut Map<String, Value>) {
    let Some(list) = object.get("type").and_then(Value::as_array) else { return };
    let mut kinds: Vec<Value> = list.clone();
    kinds.retain(|kind| kind != "null");
    if kinds.len() < list.len() {
        object.insert("nullable".to_owned(), json!(true));
    }
    match kinds.len() {
        0 => drop(object.shift_remove("type")),
        1 => drop(object.insert("type".to_owned(), kinds.remove(0))),
        _ => {
            object.shift_remove("type");
            let kinds = kinds.into_iter().map(|kind| json!({ "type": kind })).collect();
            object.entry("anyOf").or_insert(Value::Array(kinds));
        }
    }
}

fn nullable(object: &mut Map<String, Value>) {
    let is_nullable = NULLABLE.iter().any(|key| object.get(*key) == Some(&json!(true)));
    for key in NULLABLE {
        object.shift_remove(key);
    }
    if !is_nullable {
        return;
    }
    object.insert("nullable".to_owned(), json!(true));
    // In 3.0, keywords beside a reference are ignored.
    if let Some(reference) = object.shift_remove("$ref") {
        object.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
}

/// Adds the discriminator values of subtypes to the discriminators of their bases. Without such a value, both versions use
/// the name of the subtype.
pub(super) fn map_discriminators(schemas: &mut Map<String, Value>) {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for (name, schema) in schemas.iter() {
        let value = DISCRIMINATOR_VALUES.iter().find_map(|key| schema.get(*key)?.as_str());
        if let Some(value) = value
            && let Some(base) = base(schemas, schema, 0)
        {
            found.push((base.to_owned(), value.to_owned(), name.clone()));
        }
    }
    for (base, value, name) in found {
        if let Some(discriminator) = schemas.get_mut(&base).and_then(|base| base.get_mut("discriminator")) {
            discriminator["mapping"][value] = json!(pointer::join("#/components/schemas", &name));
        }
    }
}

/// Returns the name of the schema with the discriminator that a subtype is composed of.
fn base<'a>(schemas: &'a Map<String, Value>, schema: &'a Value, depth: usize) -> Option<&'a str> {
    let parts = schema.get("allOf").and_then(Value::as_array).filter(|_| depth < MAX_DEPTH)?;
    parts.iter().filter_map(|part| part.get("$ref")?.as_str()?.strip_prefix("#/definitions/")).find_map(|name| {
        let base_schema = schemas.get(name)?;
        let has = base_schema.get("discriminator").is_some_and(Value::is_object);
        if has { Some(name) } else { base(schemas, base_schema, depth + 1) }
    })
}
