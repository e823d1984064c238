//! Whether a value fits a schema of OpenAPI 3.0. That dialect has `nullable` and boolean `exclusiveMinimum` and is no
//! JSON Schema draft, so validators of those drafts read it wrongly. Of later words it knows lists of types and constants.
//! Patterns and formats are not judged, and of what takes more steps than there are for one value, no more than these.

use std::cell::Cell;
use std::fmt;

use serde_json::Value;

use crate::{Api, walk};

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
    check(&Scope::of(&api.document), schema, value, "").err()
}

/// How many schemas are held against one value at most. Alternatives of alternatives multiply.
const STEPS: usize = 300_000;

/// The document that a schema is of, and the steps that are left.
pub(crate) struct Scope<'a> {
    document: &'a Value,
    left: Cell<usize>,
}

impl<'a> Scope<'a> {
    pub(crate) fn of(document: &'a Value) -> Self {
        Self::with(document, STEPS)
    }

    /// The same with other steps.
    pub(crate) fn with(document: &'a Value, steps: usize) -> Self {
        Self { document, left: Cell::new(steps) }
    }

    /// The steps that are left; where none is, what was judged may be wrong.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Takes a step; `false` where none is left.
    fn step(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

/// Whether a value fits a schema of the document.
pub(crate) fn fits(scope: &Scope<'_>, schema: &Value, value: &Value) -> bool {
    check(scope, schema, value, "").is_ok()
}

pub(crate) fn check(scope: &Scope<'_>, schema: &Value, value: &Value, at: &str) -> Result<(), Mismatch> {
    if !scope.step() {
        return Ok(());
    }
    let document = scope.document;
    let schema = walk::resolve(document, schema);
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    for part in members(schema, "allOf") {
        check(scope, part, value, at)?;
    }
    for key in ["anyOf", "oneOf"] {
        alternatives(scope, schema, key, value, at)?;
    }
    if !is_of_kind(schema, value) {
        return fail(at, format!("is {} where {} is asked for", name(value), kinds(schema).join(" or ")));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return fail(at, "is not the one value");
    }
    let is_text = is_text(schema);
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed
            .iter()
            .any(|one| one == value || (is_text && !one.is_string() && value.as_str() == Some(&text_of(one))))
    {
        return fail(at, "is none of the listed values");
    }
    match value {
        Value::Object(_) => object(scope, schema, value, at),
        Value::Array(items) => array(scope, schema, items, at),
        Value::String(text) => length(schema, "minLength", "maxLength", text.chars().count(), "characters", at),
        Value::Number(number) => range(schema, number.as_f64().unwrap_or_default(), at),
        _ => Ok(()),
    }
}

/// One of the alternatives of a union, or exactly one of them.
fn alternatives(scope: &Scope<'_>, schema: &Value, key: &str, value: &Value, at: &str) -> Result<(), Mismatch> {
    let variants = members(schema, key);
    if variants.is_empty() {
        return Ok(());
    }
    if let Some(tag) = discriminator(schema)
        && let Some(told) = value.get(tag).and_then(Value::as_str)
        && variants.iter().any(|variant| tag_of(schema, variant).is_some())
    {
        let named = variants.iter().find(|variant| names(schema, variant, told));
        match named {
            Some(variant) => return check(scope, variant, value, at),
            // Some say by a constant of their own what the discriminator has no word of.
            None if variants.iter().any(|variant| is_constant(scope, variant, tag, told)) => {}
            None => return fail(&format!("{at}/{tag}"), "names none of the variants"),
        }
    }
    let mut fitting: Vec<&Value> = variants.iter().filter(|variant| check(scope, variant, value, at).is_ok()).collect();
    if key == "oneOf" && fitting.len() > 1 {
        fitting = distinct(scope, fitting);
    }
    let count = fitting.len();
    // What tells them apart may be what is not judged here.
    let is_clear = |variant: &Value| {
        let variant = walk::resolve(scope.document, variant);
        variant.get("pattern").is_none() && variant.get("format").is_none()
    };
    if count == 0 || (key == "oneOf" && count > 1 && fitting.into_iter().all(is_clear)) {
        return fail(at, format!("fits {count} of the {} variants", variants.len()));
    }
    Ok(())
}

/// Whether a schema lists this text for a member.
fn is_constant(scope: &Scope<'_>, schema: &Value, member: &str, text: &str) -> bool {
    walk::composed(scope.document, schema).into_iter().any(|part| {
        let member = walk::resolve(scope.document, &part["properties"][member]);
        member["const"] == text || members(member, "enum").iter().any(|value| value == text)
    })
}

/// What tells a reader something, and nothing of the value.
const ANNOTATIONS: [&str; 7] = ["default", "deprecated", "description", "example", "examples", "externalDocs", "title"];

/// How deep two schemas are compared.
const DEEPEST: usize = 16;

/// The schemas without those that say what an earlier one says: no value can be of one of them alone.
fn distinct<'a>(scope: &Scope<'_>, schemas: Vec<&'a Value>) -> Vec<&'a Value> {
    let mut distinct: Vec<&Value> = Vec::new();
    for schema in schemas {
        if !distinct.iter().any(|known| says_the_same(scope, known, schema, 0)) {
            distinct.push(schema);
        }
    }
    distinct
}

/// Whether two schemas ask for the same, by the same words.
fn says_the_same(scope: &Scope<'_>, one: &Value, other: &Value, depth: usize) -> bool {
    if !scope.step() || depth > DEEPEST {
        return false;
    }
    let (one, other) = (walk::resolve(scope.document, one), walk::resolve(scope.document, other));
    if std::ptr::eq(one, other) {
        return true;
    }
    let same = |one: &Value, other: &Value| says_the_same(scope, one, other, depth + 1);
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let says = |key: &&String| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-");
            one.keys().filter(says).count() == other.keys().filter(says).count()
                && one.iter().filter(|(key, _)| says(key)).all(|(key, one)| match (one, other.get(key)) {
                    // Names that the author of the document chose, and no words of schemas.
                    (Value::Object(one), Some(Value::Object(other))) if key == "properties" => {
                        one.len() == other.len()
                            && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
                    }
                    (one, other) => other.is_some_and(|other| same(one, other)),
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// The member that tells which alternative of a union a value is.
pub(crate) fn discriminator(schema: &Value) -> Option<&str> {
    schema["discriminator"]["propertyName"].as_str()
}

/// What the discriminator says for an alternative: the key of its mapping, or the name of its schema.
pub(crate) fn tag_of<'a>(schema: &'a Value, variant: &'a Value) -> Option<&'a str> {
    let reference = variant.get("$ref").and_then(Value::as_str)?;
    let name = reference.rsplit('/').next()?;
    let mapping = schema["discriminator"]["mapping"].as_object();
    let mapped = mapping.into_iter().flatten().find(|(_, target)| leads_to(target, reference, name));
    Some(mapped.map_or(name, |(key, _)| key.as_str()))
}

/// Whether a value of the discriminator means this alternative.
fn names(schema: &Value, variant: &Value, told: &str) -> bool {
    let Some(reference) = variant.get("$ref").and_then(Value::as_str) else { return false };
    let name = reference.rsplit('/').next().unwrap_or_default();
    match schema["discriminator"]["mapping"].get(told) {
        Some(target) => leads_to(target, reference, name),
        None => told == name,
    }
}

/// A mapping names a schema by reference or by name.
fn leads_to(target: &Value, reference: &str, name: &str) -> bool {
    target.as_str().is_some_and(|target| target == reference || target == name)
}

fn object(scope: &Scope<'_>, schema: &Value, value: &Value, at: &str) -> Result<(), Mismatch> {
    for required in members(schema, "required").iter().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            return fail(&format!("{at}/{required}"), "is missing");
        }
    }
    let (properties, others) =
        (schema.get("properties").and_then(Value::as_object), schema.get("additionalProperties"));
    let Some(members) = value.as_object() else { return Ok(()) };
    let below = |key: &str| format!("{at}/{key}");
    if !matches!(others, Some(Value::Bool(false) | Value::Object(_))) {
        // The fewer of the two: the parts of a composition may have a property each, and the value all of them.
        return match properties {
            Some(known) if known.len() < members.len() => known
                .iter()
                .filter_map(|(key, property)| Some((key, property, members.get(key)?)))
                .try_for_each(|(key, property, member)| check(scope, property, member, &below(key))),
            Some(known) => members
                .iter()
                .filter_map(|(key, member)| Some((key, known.get(key)?, member)))
                .try_for_each(|(key, property, member)| check(scope, property, member, &below(key))),
            None => Ok(()),
        };
    }
    for (key, member) in members {
        match (properties.and_then(|properties| properties.get(key)), others) {
            (Some(property), _) => check(scope, property, member, &below(key))?,
            (None, Some(Value::Bool(false))) => return fail(&below(key), "is not a known member"),
            (None, Some(others)) => check(scope, others, member, &below(key))?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn array(scope: &Scope<'_>, schema: &Value, items: &[Value], at: &str) -> Result<(), Mismatch> {
    length(schema, "minItems", "maxItems", items.len(), "items", at)?;
    let Some(each) = schema.get("items") else { return Ok(()) };
    items.iter().enumerate().try_for_each(|(index, item)| check(scope, each, item, &format!("{at}/{index}")))
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
    // Later dialects write the bound itself there.
    let out = bound("exclusiveMinimum").is_some_and(|least| number <= least)
        || bound("exclusiveMaximum").is_some_and(|most| number >= most);
    if too_small || too_big || out {
        return fail(at, format!("is out of range at {number}"));
    }
    Ok(())
}

/// Whether a value is of one of the types that the schema names, if it names any.
pub(crate) fn is_of_kind(schema: &Value, value: &Value) -> bool {
    let kinds = kinds(schema);
    kinds.is_empty() || kinds.iter().any(|kind| is_of_type(kind, value))
}

fn is_text(schema: &Value) -> bool {
    kinds(schema).contains(&"string")
}

/// A plain value as text: lists of texts may be written without quotes.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The types that a schema allows; none where it says nothing of them.
fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "null" => value.is_null(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Source, Text};

    #[test]
    fn a_variant_may_say_by_a_constant_what_the_discriminator_has_no_word_of() {
        let named = |kind: Value| json!({ "type": "object", "required": ["kind"], "properties": { "kind": kind } });
        let pets = ["Cat", "Dog", "Bird"].map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }));
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": "a", "version": "1" },
            "paths": {},
            "components": { "schemas": {
                "Pet": {
                    "discriminator": { "propertyName": "kind" },
                    "oneOf": pets,
                },
                "Cat": named(json!({ "const": "cat" })),
                "Dog": { "allOf": [named(json!({ "enum": ["dog", "hound"] }))] },
                "Bird": named(json!({ "type": "string" })),
            } },
        });
        let document = Text::new("a.json", document.to_string());
        let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let pet = &api.document["components"]["schemas"]["Pet"];
        for (kind, fits) in [("Bird", true), ("Cat", false), ("worm", false)] {
            assert_eq!(mismatch(&api, pet, &json!({ "kind": kind })).is_none(), fits, "{kind}");
        }
        let strict = json!({ "discriminator": pet["discriminator"], "oneOf": [pet["oneOf"][0], pet["oneOf"][1]] });
        for (kind, fits) in [("cat", true), ("hound", true), ("worm", false)] {
            assert_eq!(mismatch(&api, &strict, &json!({ "kind": kind })).is_none(), fits, "{kind}");
        }
    }
}
