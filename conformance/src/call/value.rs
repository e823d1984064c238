//! What is typed as a value, read by the schema that it is for. A text stays as it is; numbers keep their digits.

use keyfit_openapi::{Api, Parameter};
use serde_json::Value;
use serde_json::value::RawValue;

/// The type of a value, as far as it decides how a text is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Text,
    Integer,
    Number,
    Boolean,
    /// A list, with the schema of its items.
    List(&'a Value),
    Object,
    /// Of several types, or of none that is told.
    Any,
}

/// The type that a schema asks for.
pub(super) fn kind<'a>(api: &'a Api, schema: &'a Value) -> Kind<'a> {
    let schema = api.resolve(schema);
    let named = match &schema["type"] {
        Value::String(name) => Some(name.as_str()),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.next().filter(|_| names.next().is_none())
        }
        _ => None,
    };
    match named {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("array") => Kind::List(&schema["items"]),
        Some("object") => Kind::Object,
        Some(_) => Kind::Any,
        None if schema.get("properties").is_some() => Kind::Object,
        None => match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([one]) => kind(api, one),
            _ => Kind::Any,
        },
    }
}

/// What a parameter takes, in words.
pub(super) fn taken(api: &Api, parameter: &Parameter) -> String {
    match parameter.separator {
        Some(separator) => format!("list, repeated, as JSON, or as text with `{separator}` between its values"),
        None => named(api, &parameter.schema),
    }
}

/// The type in words.
pub(super) fn named(api: &Api, schema: &Value) -> String {
    let resolved = api.resolve(schema);
    let values = resolved["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    match kind(api, schema) {
        Kind::Text if (1..=8).contains(&values.len()) => values.join("|"),
        Kind::Text => resolved["format"].as_str().map_or_else(|| "text".to_owned(), |format| format!("text, {format}")),
        Kind::Integer => "integer".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Boolean => "true|false".to_owned(),
        Kind::List(items) => format!("list of {}, repeated or as JSON", named_item(api, items)),
        Kind::Object => "JSON object".to_owned(),
        Kind::Any => "JSON or text".to_owned(),
    }
}

/// A list may hold itself: of its items only the type is told.
fn named_item(api: &Api, schema: &Value) -> &'static str {
    match kind(api, schema) {
        Kind::Text => "texts",
        Kind::Integer => "integers",
        Kind::Number => "numbers",
        Kind::Boolean => "true|false",
        Kind::List(_) => "lists",
        Kind::Object => "JSON objects",
        Kind::Any => "values",
    }
}

/// What was typed for one name, as JSON. The error says what is wanted and repeats nothing: a value may be a secret.
pub(super) fn json(api: &Api, schema: &Value, typed: &[&str]) -> Result<Box<RawValue>, String> {
    let text = match (kind(api, schema), typed) {
        (Kind::List(_), [one]) if one.trim_start().starts_with('[') => checked(one, '[', "a list as JSON")?,
        (Kind::List(items), many) => {
            let items: Result<Vec<_>, String> = many.iter().map(|one| scalar(api, items, one)).collect();
            format!("[{}]", items?.join(","))
        }
        (_, [one]) => scalar(api, schema, one)?,
        // Of several types, a list may be one.
        (Kind::Any, many) => {
            let items: Result<Vec<_>, String> = many.iter().map(|one| scalar(api, &Value::Null, one)).collect();
            format!("[{}]", items?.join(","))
        }
        (_, many) => return Err(format!("is given {} times and takes one value", many.len())),
    };
    RawValue::from_string(text).map_err(|_| "is not JSON".to_owned())
}

/// A list that is sent as one text: a text as it was typed, several values or a list as JSON with the separator between them.
pub(super) fn joined(typed: &[&str], separator: char) -> Result<String, String> {
    let listed = match typed {
        [one] if one.trim_start().starts_with('[') => serde_json::from_str::<Vec<Box<RawValue>>>(one).ok(),
        _ => None,
    };
    let values: Vec<String> = match (listed, typed) {
        (Some(items), _) => items.iter().map(|item| plain(item)).collect(),
        (None, [one]) => return Ok((*one).to_owned()),
        (None, many) => many.iter().map(|one| (*one).to_owned()).collect(),
    };
    if values.iter().any(|value| value.contains(separator)) {
        return Err(format!("holds `{separator}` within one of several values, which is what stands between them"));
    }
    Ok(values.join(&separator.to_string()))
}

/// A text as JSON.
pub(super) fn text(text: &str) -> Box<RawValue> {
    // What is written as JSON is JSON.
    serde_json::value::to_raw_value(text).unwrap_or_default()
}

/// One value as JSON.
fn scalar(api: &Api, schema: &Value, typed: &str) -> Result<String, String> {
    let kind = kind(api, schema);
    if typed == "null" && !matches!(kind, Kind::Text) && is_nullable(api.resolve(schema)) {
        return Ok(typed.to_owned());
    }
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    let is_number =
        |text: &str| text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && is_json(text);
    match kind {
        Kind::Text => Ok(Value::from(typed).to_string()),
        Kind::Integer if is_number(typed) && !typed.contains(['.', 'e', 'E']) => Ok(typed.to_owned()),
        Kind::Integer => Err("is not an integer".to_owned()),
        Kind::Number if is_number(typed) => Ok(typed.to_owned()),
        Kind::Number => Err("is not a number".to_owned()),
        Kind::Boolean if matches!(typed, "true" | "false") => Ok(typed.to_owned()),
        Kind::Boolean => Err("is neither true nor false".to_owned()),
        Kind::List(_) => checked(typed, '[', "a list as JSON"),
        Kind::Object => checked(typed, '{', "an object as JSON"),
        Kind::Any if is_json(typed) => Ok(typed.to_owned()),
        Kind::Any => Ok(Value::from(typed).to_string()),
    }
}

/// A text that is JSON and begins so.
fn checked(typed: &str, first: char, what: &str) -> Result<String, String> {
    let is_so = typed.trim_start().starts_with(first) && serde_json::from_str::<&RawValue>(typed).is_ok();
    if is_so { Ok(typed.trim().to_owned()) } else { Err(format!("is not {what}")) }
}

fn is_nullable(schema: &Value) -> bool {
    schema["nullable"] == true
        || schema["type"].as_array().is_some_and(|types| types.iter().any(|name| name == "null"))
        || ["anyOf", "oneOf"].iter().any(|key| {
            schema[*key].as_array().is_some_and(|variants| variants.iter().any(|variant| variant["type"] == "null"))
        })
}

/// A value as it stands in a path, a header, a form: a text without quotes, items of a list with commas between them.
pub(super) fn plain(json: &RawValue) -> String {
    match json.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(json.get()).unwrap_or_default(),
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(json.get()).unwrap_or_default();
            items.iter().map(|item| plain(item)).collect::<Vec<_>>().join(",")
        }
        _ => json.get().to_owned(),
    }
}
