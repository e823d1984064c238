//! The conversion of form fields into a value, by its schema.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Body, FormMember, ListStyle};
use serde_json::{Map, Value};

use super::{Field, is_json};

/// The highest nesting depth of field names.
const MAX_DEPTH: usize = 32;

/// Converts fields into a value by the schema of the form. Values that do not match remain texts.
pub(crate) fn of(api: &Api, body: &Body, mut fields: Vec<Field>) -> Value {
    let mut value = Map::new();
    for known in body.form_members(api) {
        let schema = api.resolve(&known.schema);
        let is_own = |name: &str| match known.style {
            Some(ListStyle::Brackets) => {
                name.strip_prefix(known.name.as_str()).is_some_and(|rest| rest.starts_with('['))
            }
            _ if known.is_spread => schema["properties"].get(name).is_some(),
            _ => name == known.name,
        };
        let (own, others): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(|field| is_own(&field.name));
        fields = others;
        if !own.is_empty() {
            value.insert(known.name.clone(), of_member(api, &known, schema, &own));
        }
    }
    let extra = &api.resolve(&body.schema)["additionalProperties"];
    for field in fields {
        let content = if field.is_json() { json_of(&field) } else { typed(api, extra, field.shown()) };
        value.insert(field.name, content);
    }
    Value::Object(value)
}

fn of_member(api: &Api, known: &FormMember, schema: &Value, own: &[Field]) -> Value {
    let kind = api.kind(schema);
    let texts = || own.iter().map(Field::shown);
    match (kind, known.style) {
        (_, Some(ListStyle::Brackets)) => nested(api, schema, &known.name, own),
        _ if known.is_spread => {
            let members = own
                .iter()
                .map(|field| (field.name.clone(), typed(api, &schema["properties"][&field.name], field.shown())));
            Value::Object(members.collect())
        }
        (Some("array"), Some(style)) => {
            let joined = texts().next().unwrap_or_default();
            let items = joined
                .split(style.separator().unwrap_or(','))
                .map(|item| typed(api, &schema["items"], item.to_owned()));
            Value::Array(items.collect())
        }
        (Some("object"), Some(style)) => {
            let joined = texts().next().unwrap_or_default();
            let parts: Vec<&str> = joined.split(style.separator().unwrap_or(',')).collect();
            let members = parts.chunks(2).filter(|pair| pair.len() == 2);
            let member =
                |pair: &[&str]| (pair[0].to_owned(), typed(api, &schema["properties"][pair[0]], pair[1].to_owned()));
            Value::Object(members.map(member).collect())
        }
        (Some("array"), None) if !known.media_type.as_deref().is_some_and(is_json) => {
            let items = api.resolve(&schema["items"]);
            Value::Array(own.iter().map(|field| one(api, items, field)).collect())
        }
        _ if own.len() > 1 => Value::Array(own.iter().map(|field| one(api, &Value::Null, field)).collect()),
        _ => one(api, schema, &own[0]),
    }
}

/// Converts one field into a value.
fn one(api: &Api, schema: &Value, field: &Field) -> Value {
    let is_json = field.is_json() || matches!(api.kind(schema), Some("object" | "array"));
    if is_json && field.file_name.is_none() { json_of(field) } else { typed(api, schema, field.shown()) }
}

fn json_of(field: &Field) -> Value {
    serde_json::from_slice(&field.content).unwrap_or_else(|_| Value::String(field.shown()))
}

/// Converts a text into a value by its schema.
fn typed(api: &Api, schema: &Value, text: String) -> Value {
    let schema = api.resolve(schema);
    match api.kind(schema) {
        Some("integer" | "number" | "boolean") => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Some("string") => Value::String(text),
        // For a union, into the alternative that it matches.
        _ => {
            let value = Value::String(text);
            let fits = schema::mismatch(api, Direction::Request, schema, &value).is_none();
            match serde_json::from_str::<Value>(value.as_str().unwrap_or_default()) {
                Ok(other) if !fits && schema::mismatch(api, Direction::Request, schema, &other).is_none() => other,
                _ => value,
            }
        }
    }
}

/// Converts fields with bracketed names into a value.
fn nested(api: &Api, schema: &Value, name: &str, fields: &[Field]) -> Value {
    let mut tree = Value::Null;
    for field in fields {
        let keys: Vec<&str> =
            field.name[name.len()..].split('[').skip(1).map(|key| key.trim_end_matches(']')).collect();
        if keys.len() <= MAX_DEPTH {
            put(&mut tree, &keys, field.shown());
        }
    }
    shaped(api, schema, tree)
}

fn put(tree: &mut Value, keys: &[&str], text: String) {
    match keys {
        [] => *tree = Value::String(text),
        ["", rest @ ..] => {
            if !tree.is_array() {
                *tree = Value::Array(Vec::new());
            }
            if let Some(items) = tree.as_array_mut() {
                let mut item = Value::Null;
                put(&mut item, rest, text);
                items.push(item);
            }
        }
        [key, rest @ ..] => {
            if !tree.is_object() {
                *tree = Value::Object(Map::new());
            }
            put(&mut tree[*key], rest, text);
        }
    }
}

/// Converts a tree of texts into a value by its schema: numeric keys are the positions of a list.
fn shaped(api: &Api, schema: &Value, tree: Value) -> Value {
    let schema = api.resolve(schema);
    match tree {
        Value::Object(members) if api.kind(schema) == Some("array") => {
            Value::Array(members.into_iter().map(|(_, item)| shaped(api, &schema["items"], item)).collect())
        }
        Value::Object(members) => {
            let known = |name: &str| schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            Value::Object(
                members
                    .into_iter()
                    .map(|(name, member)| {
                        let member = shaped(api, known(&name), member);
                        (name, member)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| shaped(api, &schema["items"], item)).collect())
        }
        Value::String(text) => typed(api, schema, text),
        other => other,
    }
}

/// Converts pairs whose names have brackets after this name into a value.
pub(crate) fn of_brackets(api: &Api, schema: &Value, name: &str, pairs: &[(String, String)]) -> Value {
    let fields: Vec<Field> = pairs.iter().map(|(name, text)| Field::text(name, text.as_str())).collect();
    nested(api, schema, name, &fields)
}
