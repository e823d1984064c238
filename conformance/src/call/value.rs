//! Typed values, parsed by their schema. Texts are unchanged; numbers keep their digits.

use std::mem;

use keyfit_openapi::{Api, ListStyle, Parameter};
use serde_json::Value;
use serde_json::value::RawValue;

/// The highest depth of schema composition; it ends recursive schemas.
const MAX_DEPTH: usize = 8;

/// The type of a value, as far as it affects parsing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Text,
    Integer,
    Number,
    Boolean,
    /// A list, with the schema of its items.
    List(&'a Value),
    Object,
    /// One of several types, or an unknown one.
    Any,
}

/// Returns the type of a schema.
pub(super) fn kind<'a>(api: &'a Api, schema: &'a Value) -> Kind<'a> {
    match kinds(api, schema).as_slice() {
        [one] => *one,
        _ => Kind::Any,
    }
}

/// Returns the possible types of a value, each once; empty if any type is valid.
fn kinds<'a>(api: &'a Api, schema: &'a Value) -> Vec<Kind<'a>> {
    let mut found = Vec::new();
    if collect(api, schema, 0, &mut found).is_none() {
        found.clear();
    }
    found
}

/// Collects the possible types. Returns `None` if any type is valid.
fn collect<'a>(api: &'a Api, schema: &'a Value, depth: usize, found: &mut Vec<Kind<'a>>) -> Option<()> {
    let schema = api.resolve(schema);
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() => vec!["object"],
        _ => Vec::new(),
    };
    for name in &names {
        let kind = match *name {
            "string" => Kind::Text,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            "array" => Kind::List(&schema["items"]),
            "object" => Kind::Object,
            "null" => continue,
            _ => return None,
        };
        match found.iter_mut().find(|known| mem::discriminant(*known) == mem::discriminant(&kind)) {
            // Items of lists with several forms are parsed without a schema.
            Some(known @ Kind::List(_)) => *known = Kind::List(&Value::Null),
            Some(_) => {}
            None => found.push(kind),
        }
    }
    if !names.is_empty() {
        return Some(());
    }
    if depth == MAX_DEPTH {
        return None;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        // One part has the type, and the others may not mention it.
        return parts.iter().find_map(|part| collect(api, part, depth + 1, found));
    }
    let alternatives = ["oneOf", "anyOf"].into_iter().find_map(|key| schema[key].as_array())?;
    alternatives.iter().try_for_each(|alternative| collect(api, alternative, depth + 1, found))
}

/// Returns a description of a parameter's type.
pub(super) fn type_description(api: &Api, parameter: &Parameter) -> String {
    match (parameter.style.and_then(ListStyle::separator), kind(api, &parameter.schema)) {
        (Some(separator), Kind::List(items)) => {
            format!("list of {}, repeated, as JSON, or with `{separator}` between its values", named_item(api, items))
        }
        _ => type_name(api, &parameter.schema),
    }
}

/// Returns a description of the type.
pub(super) fn type_name(api: &Api, schema: &Value) -> String {
    let resolved = api.resolve(schema);
    let values = resolved["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    match kind(api, schema) {
        Kind::Text if (1..=8).contains(&values.len()) => values.join("|"),
        Kind::Text => resolved["format"].as_str().map_or_else(|| "text".to_owned(), |format| format!("text, {format}")),
        Kind::List(items) => format!("list of {}, repeated or as JSON", named_item(api, items)),
        Kind::Any => match kinds(api, schema).as_slice() {
            [] => "JSON or text".to_owned(),
            several => several.iter().map(|kind| one_of_several(*kind)).collect::<Vec<_>>().join(", or "),
        },
        plain => one_of_several(plain).to_owned(),
    }
}

/// Returns a description of one of several types.
fn one_of_several(kind: Kind<'_>) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "true|false",
        Kind::List(_) => "list, repeated or as JSON",
        Kind::Object => "JSON object",
        Kind::Any => "JSON or text",
    }
}

/// Returns a description of the items' type. Lists may be recursive, so only the outer type is named.
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

/// Returns the values of a parameter as JSON, also from a single text with separators.
pub(super) fn of_parameter(api: &Api, parameter: &Parameter, typed: &[&str]) -> Result<Box<RawValue>, String> {
    let separator = parameter.style.and_then(ListStyle::separator);
    match (separator, kind(api, &parameter.schema), typed) {
        (Some(separator), Kind::List(_), [one]) if !one.trim_start().starts_with('[') => {
            json(api, &parameter.schema, &one.split(separator).collect::<Vec<_>>())
        }
        _ => json(api, &parameter.schema, typed),
    }
}

/// Returns the values of one name as JSON. The error names the expected type and no value, which may be a secret.
pub(super) fn json(api: &Api, schema: &Value, typed: &[&str]) -> Result<Box<RawValue>, String> {
    let text = match (kind(api, schema), typed) {
        (Kind::List(_), [one]) if one.trim_start().starts_with('[') => checked(one, '[', "a list as JSON")?,
        (Kind::List(items), many) => list(api, items, many)?,
        (_, [one]) => scalar(api, schema, one)?,
        (Kind::Any, many) => several(api, &kinds(api, schema), many)?,
        (_, many) => return Err(format!("is given {} times and takes one value", many.len())),
    };
    RawValue::from_string(text).map_err(|_| "is not JSON".to_owned())
}

/// Returns one value as JSON.
fn scalar(api: &Api, schema: &Value, typed: &str) -> Result<String, String> {
    let kind = kind(api, schema);
    let resolved = api.resolve(schema);
    // The text `null` is null, unless the schema permits any text.
    let is_free_text = matches!(kind, Kind::Text) && resolved.get("format").is_none() && resolved.get("enum").is_none();
    if typed == "null" && !is_free_text && is_nullable(resolved) {
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
        Kind::Any => any(api, &kinds(api, schema), typed),
    }
}

/// Returns a value of one of several types as JSON: as it is if it has one of them, else as a text, else as the only item of a list.
fn any(api: &Api, kinds: &[Kind<'_>], typed: &str) -> Result<String, String> {
    let first = typed.trim_start().chars().next().unwrap_or_default();
    let fits = |kind: &Kind<'_>| match kind {
        Kind::Text => first == '"',
        Kind::Integer => (first == '-' || first.is_ascii_digit()) && !typed.contains(['.', 'e', 'E']),
        Kind::Number => first == '-' || first.is_ascii_digit(),
        Kind::Boolean => matches!(typed, "true" | "false"),
        Kind::List(_) => first == '[',
        Kind::Object => first == '{',
        Kind::Any => true,
    };
    let is_json = serde_json::from_str::<&RawValue>(typed).is_ok();
    if is_json && (kinds.is_empty() || kinds.iter().any(fits)) {
        return Ok(typed.to_owned());
    }
    if kinds.is_empty() || kinds.iter().any(|kind| matches!(kind, Kind::Text | Kind::Any)) {
        return Ok(Value::from(typed).to_string());
    }
    several(api, kinds, &[typed]).map_err(|_| "is of none of the types".to_owned())
}

/// Returns several values of one name as a list.
fn several(api: &Api, kinds: &[Kind<'_>], typed: &[&str]) -> Result<String, String> {
    let listed = kinds.iter().find_map(|kind| match kind {
        Kind::List(items) => Some(*items),
        _ => None,
    });
    let items = listed.or(kinds.is_empty().then_some(&Value::Null));
    list(api, items.ok_or_else(|| format!("is given {} times and takes one value", typed.len()))?, typed)
}

/// Returns values as the items of a list.
fn list(api: &Api, items: &Value, typed: &[&str]) -> Result<String, String> {
    let items: Result<Vec<_>, String> = typed.iter().map(|one| scalar(api, items, one)).collect();
    Ok(format!("[{}]", items?.join(",")))
}

/// Returns a JSON text if it begins with this character.
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

/// Returns a value for a path, a header, or a form: a text without quotes, the items of a list separated by commas.
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
