//! Whether a value fits a schema of OpenAPI 3.0. That dialect has `nullable` and boolean `exclusiveMinimum` and is no
//! JSON Schema draft, so validators of those drafts read it wrongly. Patterns and formats are not judged.

use std::fmt;

use keyfit_openapi::Api;
use serde_json::Value;

/// Where a value departs from its schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// The place in the value, as a JSON pointer.
    pub at: String,
    /// What is wrong there.
    pub problem: String,
}

/// The first mismatch of a value with a schema, `None` if it fits.
pub fn mismatch(api: &Api, schema: &Value, value: &Value) -> Option<Mismatch> {
    check(api, schema, value, "").err()
}

fn check(api: &Api, schema: &Value, value: &Value, at: &str) -> Result<(), Mismatch> {
    let schema = api.resolve(schema);
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    for part in members(schema, "allOf") {
        check(api, part, value, at)?;
    }
    for key in ["anyOf", "oneOf"] {
        let variants = members(schema, key);
        let fitting = variants.iter().filter(|variant| check(api, variant, value, at).is_ok()).count();
        if !variants.is_empty() && (fitting == 0 || (key == "oneOf" && fitting > 1)) {
            return fail(at, format!("fits {fitting} of the {} variants", variants.len()));
        }
    }
    if let Some(kind) = schema.get("type").and_then(Value::as_str)
        && !is_of_type(kind, value)
    {
        return fail(at, format!("is {} where {kind} is asked for", name(value)));
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return fail(at, "is none of the listed values");
    }
    match value {
        Value::Object(_) => object(api, schema, value, at),
        Value::Array(items) => array(api, schema, items, at),
        Value::String(text) => length(schema, "minLength", "maxLength", text.chars().count(), "characters", at),
        Value::Number(number) => range(schema, number.as_f64().unwrap_or_default(), at),
        _ => Ok(()),
    }
}

fn object(api: &Api, schema: &Value, value: &Value, at: &str) -> Result<(), Mismatch> {
    for required in members(schema, "required").iter().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            return fail(&format!("{at}/{required}"), "is missing");
        }
    }
    let properties = schema.get("properties");
    for (key, member) in value.as_object().into_iter().flatten() {
        let below = format!("{at}/{key}");
        match (properties.and_then(|properties| properties.get(key)), schema.get("additionalProperties")) {
            (Some(property), _) => check(api, property, member, &below)?,
            (None, Some(Value::Bool(false))) => return fail(&below, "is not a known member"),
            (None, Some(others @ Value::Object(_))) => check(api, others, member, &below)?,
            _ => {}
        }
    }
    Ok(())
}

fn array(api: &Api, schema: &Value, items: &[Value], at: &str) -> Result<(), Mismatch> {
    length(schema, "minItems", "maxItems", items.len(), "items", at)?;
    let Some(each) = schema.get("items") else { return Ok(()) };
    items.iter().enumerate().try_for_each(|(index, item)| check(api, each, item, &format!("{at}/{index}")))
}

fn length(schema: &Value, least: &str, most: &str, count: usize, unit: &str, at: &str) -> Result<(), Mismatch> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    let count = count as u64;
    if bound(least).is_some_and(|least| count < least) || bound(most).is_some_and(|most| count > most) {
        return fail(at, format!("has {count} {unit}"));
    }
    Ok(())
}

fn range(schema: &Value, number: f64, at: &str) -> Result<(), Mismatch> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let excluded = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let too_small =
        bound("minimum").is_some_and(|least| number < least || (excluded("exclusiveMinimum") && number <= least));
    let too_big =
        bound("maximum").is_some_and(|most| number > most || (excluded("exclusiveMaximum") && number >= most));
    if too_small || too_big {
        return fail(at, format!("is out of range at {number}"));
    }
    Ok(())
}

fn is_of_type(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        _ => true,
    }
}

fn members<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn fail(at: &str, problem: impl Into<String>) -> Result<(), Mismatch> {
    Err(Mismatch { at: at.to_owned(), problem: problem.into() })
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the body" } else { &self.at };
        write!(f, "{at} {}", self.problem)
    }
}

impl Mismatch {
    /// The member that is at fault, without what is around it.
    pub fn field(&self) -> &str {
        self.at.trim_start_matches('/').split('/').next().unwrap_or_default()
    }
}
