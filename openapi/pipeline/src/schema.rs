//! Validation of values against OpenAPI schemas. The dialect of 3.0 has `nullable` and boolean `exclusiveMinimum` and is not
//! a JSON Schema draft, so validators of those drafts misread it. Of 3.1, the keywords for a value, its members and its items
//! are supported, and formats on request. Not supported are `if`, `contains`, `propertyNames`, dependent keywords and
//! unevaluated members and items. Validation of one value ends after a maximum number of steps; the remaining parts are not
//! checked.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::normalize::is_pattern;
use crate::{Api, format, pattern, walk};

/// The direction in which a value is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

impl Direction {
    /// Returns the flag of members that are not sent in this direction: if such a member is required, it is required in the
    /// other direction only.
    pub(crate) fn hidden(self) -> &'static str {
        match self {
            Self::Request => "readOnly",
            Self::Answer => "writeOnly",
        }
    }
}

/// A mismatch between a value and its schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// The place in the value, as a JSON pointer.
    pub at: String,
    /// A description of the problem.
    pub problem: String,
}

/// A function that validates a value against a schema, such as [`mismatch`] or [`misformat`].
pub type ValueCheck = fn(&Api, Direction, &Value, &Value) -> Option<Mismatch>;

/// Returns the first mismatch between a schema and a value that is sent in this direction; `None` if it fits.
pub fn mismatch(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    check(&Validation::of(&api.document, direction), schema, value, "").err()
}

/// Returns the first text of a value that does not have the format of its schema; also `None` if the value has another
/// mismatch.
pub fn misformat(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation = Validation { checks_formats: true, ..Validation::of(&api.document, direction) };
    let found = check(&validation, schema, value, "").err()?;
    mismatch(api, direction, schema, value).is_none().then_some(found)
}

/// Returns the same as [`mismatch`], except that parts marked as inferred (`x-unverified`) accept any value.
pub fn mismatch_of_known(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation = Validation { accepts_unverified: true, ..Validation::of(&api.document, direction) };
    check(&validation, schema, value, "").err()
}

/// Returns the same as [`misformat`], except that parts marked as inferred (`x-unverified`) accept any value.
pub fn misformat_of_known(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation =
        Validation { checks_formats: true, accepts_unverified: true, ..Validation::of(&api.document, direction) };
    let found = check(&validation, schema, value, "").err()?;
    mismatch_of_known(api, direction, schema, value).is_none().then_some(found)
}

/// Returns whether any text in a part of the document has a format that can be validated. Returns true if the part is larger
/// than the search limit.
pub fn names_format(api: &Api, part: &Value) -> bool {
    let mut open = vec![part];
    let mut seen: HashSet<*const Value> = HashSet::new();
    while let Some(value) = open.pop() {
        let value = walk::resolve(&api.document, value);
        if !seen.insert(std::ptr::from_ref(value)) {
            continue;
        }
        let format = value.get("format").and_then(Value::as_str);
        if seen.len() > MAX_PARTS
            || format.is_some_and(|format| format::is_known(format) && is_of_kind(value, &Value::from("")))
        {
            return true;
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    false
}

/// The maximum number of parts of a document that are searched for a format.
const MAX_PARTS: usize = 5_000;

/// Returns whether a member of a schema is sent in this direction, and not in the other direction only.
pub fn is_sent(api: &Api, direction: Direction, schema: &Value, member: &str) -> bool {
    !is_hidden(&Validation::of(&api.document, direction), schema, member)
}

/// The maximum number of schemas that one value is validated against. Nested alternatives multiply.
const MAX_STEPS: usize = 300_000;

/// The mark of parts of a transcribed document that are inferred only.
const UNVERIFIED: &str = "x-unverified";

/// The cost of a pattern match, in steps.
const PATTERN_STEPS: usize = 30;

/// The document of a schema, the direction of the value, and the remaining steps.
pub(crate) struct Validation<'a> {
    document: &'a Value,
    direction: Direction,
    /// True if keywords beside a `$ref` apply as well.
    is_31: bool,
    /// True if texts must have the format of their schema.
    checks_formats: bool,
    /// True if inferred parts of the document accept any value.
    accepts_unverified: bool,
    left: Cell<usize>,
}

impl<'a> Validation<'a> {
    pub(crate) fn of(document: &'a Value, direction: Direction) -> Self {
        Self::with(document, direction, MAX_STEPS)
    }

    /// Creates a scope with another number of steps.
    pub(crate) fn with(document: &'a Value, direction: Direction, steps: usize) -> Self {
        Self {
            document,
            direction,
            is_31: walk::is_31(document),
            checks_formats: false,
            accepts_unverified: false,
            left: Cell::new(steps),
        }
    }

    /// Returns the remaining steps. At zero, the result of the validation may be wrong.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Consumes steps; returns `false` if there are none left.
    fn spend(&self, count: usize) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(count));
        left > 0
    }
}

/// Returns whether a value fits a schema of the document.
pub(crate) fn fits(validation: &Validation<'_>, schema: &Value, value: &Value) -> bool {
    check(validation, schema, value, "").is_ok()
}

pub(crate) fn check(validation: &Validation<'_>, schema: &Value, value: &Value, at: &str) -> Result<(), Mismatch> {
    check_part(validation, schema, schema, value, at)
}

/// Checks a value against a part of the schema that it has to fit as a whole.
fn check_part(
    validation: &Validation<'_>,
    whole: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
) -> Result<(), Mismatch> {
    if !validation.spend(1) {
        return Ok(());
    }
    let document = validation.document;
    // Authors of 3.0 documents expect `nullable` to apply beside a `$ref` too.
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    let target = walk::resolve(document, schema);
    if validation.accepts_unverified && [schema, target].iter().any(|node| node.get(UNVERIFIED).is_some()) {
        return Ok(());
    }
    if validation.is_31 && !std::ptr::eq(schema, target) && schema.as_object().is_some_and(|object| object.len() > 1) {
        check_keywords(validation, whole, schema, value, at)?;
    }
    if value.is_null() && target["nullable"] == true {
        return Ok(());
    }
    check_keywords(validation, whole, target, value, at)
}

/// Checks a value against the keywords of a schema, without its reference.
fn check_keywords(
    validation: &Validation<'_>,
    whole: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
) -> Result<(), Mismatch> {
    if *schema == Value::Bool(false) {
        return fail(at, "is where nothing may be");
    }
    for inner in members(schema, "allOf") {
        check_part(validation, whole, inner, value, at)?;
    }
    for key in ["anyOf", "oneOf"] {
        check_union(validation, whole, schema, key, value, at)?;
    }
    // An inferred `not` accepts any value as well.
    if let Some(not) = schema.get("not").filter(|not| !(validation.accepts_unverified && not.get(UNVERIFIED).is_some()))
        && check(validation, not, value, at).is_ok()
    {
        return fail(at, "is what it must not be");
    }
    if !is_of_kind(schema, value) {
        return fail(at, format!("is {} where {} is asked for", type_name(value), kinds(schema).join(" or ")));
    }
    if schema.get("const").is_some_and(|only| !is_same(only, value)) {
        return fail(at, "is not the one value");
    }
    let is_text = is_text(schema);
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed
            .iter()
            .any(|one| is_same(one, value) || (is_text && !one.is_string() && value.as_str() == Some(&text_of(one))))
    {
        return fail(at, "is none of the listed values");
    }
    match value {
        Value::Object(members) => check_object(validation, whole, schema, members, at),
        Value::Array(items) => check_array(validation, schema, items, at),
        Value::String(text) => {
            let format = schema.get("format").and_then(Value::as_str).filter(|_| validation.checks_formats);
            if let Some(format) = format.filter(|format| !format::fits(format, text)) {
                return fail(at, format!("is no `{format}`"));
            }
            check_length(schema, "minLength", "maxLength", text.chars().count(), "characters", at)?;
            let pattern = schema.get("pattern").and_then(Value::as_str).filter(|pattern| is_pattern(pattern));
            match pattern.filter(|pattern| validation.spend(PATTERN_STEPS) && !pattern::matches(pattern, text)) {
                Some(_) => fail(at, "does not match the pattern"),
                None => Ok(()),
            }
        }
        Value::Number(number) => check_range(schema, number.as_f64().unwrap_or_default(), at),
        _ => Ok(()),
    }
}

/// Returns whether two values are equal. Numbers are compared by value, not by notation.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}

/// Checks that a value fits one of the alternatives of a union (`anyOf`), or exactly one (`oneOf`).
fn check_union(
    validation: &Validation<'_>,
    whole: &Value,
    schema: &Value,
    key: &str,
    value: &Value,
    at: &str,
) -> Result<(), Mismatch> {
    let variants = members(schema, key);
    if variants.is_empty() {
        return Ok(());
    }
    if let Some(tag) = discriminator(schema)
        && let Some(told) = value.get(tag).and_then(Value::as_str)
        && variants.iter().any(|variant| tag_of(schema, variant).is_some())
    {
        let named = variants.iter().find(|variant| is_named_by(schema, variant, told));
        match named {
            Some(variant) => return check_part(validation, whole, variant, value, at),
            // Some alternatives state the value by a constant, without an entry in the discriminator's mapping.
            None if variants.iter().any(|variant| is_constant(validation, variant, tag, told)) => {}
            None => return fail(&format!("{at}/{tag}"), "names none of the variants"),
        }
    }
    let mut fitting: Vec<&Value> =
        variants.iter().filter(|variant| check_part(validation, whole, variant, value, at).is_ok()).collect();
    if key == "oneOf" && fitting.len() > 1 {
        fitting = distinct(validation, fitting);
    }
    // A null that fits several nullable alternatives counts once.
    if value.is_null() {
        fitting.truncate(1);
    }
    let count = fitting.len();
    // The alternatives may be distinguished by keywords that are not checked here.
    let is_clear = |variant: &Value| {
        let variant = walk::resolve(validation.document, variant);
        variant.get("format").is_none() && !(validation.accepts_unverified && variant.get(UNVERIFIED).is_some())
    };
    if count == 0 || (key == "oneOf" && count > 1 && fitting.into_iter().all(is_clear)) {
        return fail(at, format!("fits {count} of the {} variants", variants.len()));
    }
    Ok(())
}

/// Returns whether a schema lists this text as a value of a member.
fn is_constant(validation: &Validation<'_>, schema: &Value, member: &str, text: &str) -> bool {
    walk::composed(validation.document, schema).into_iter().any(|part| {
        let member = walk::resolve(validation.document, &part["properties"][member]);
        member["const"] == text || members(member, "enum").iter().any(|value| value == text)
    })
}

/// The keywords that inform readers and do not constrain values.
const ANNOTATIONS: [&str; 7] = ["default", "deprecated", "description", "example", "examples", "externalDocs", "title"];

/// The maximum depth of a comparison of two schemas.
const MAX_DEPTH: usize = 16;

/// Returns the schemas without duplicates: no value can fit only one of two equal schemas.
fn distinct<'a>(validation: &Validation<'_>, schemas: Vec<&'a Value>) -> Vec<&'a Value> {
    let mut distinct: Vec<&Value> = Vec::new();
    for schema in schemas {
        if !distinct.iter().any(|known| is_equal_schema(validation, known, schema, 0)) {
            distinct.push(schema);
        }
    }
    distinct
}

/// Returns whether two schemas are equal, annotations left out.
fn is_equal_schema(validation: &Validation<'_>, one: &Value, other: &Value, depth: usize) -> bool {
    if !validation.spend(1) || depth > MAX_DEPTH {
        return false;
    }
    let (one, other) = (walk::resolve(validation.document, one), walk::resolve(validation.document, other));
    if std::ptr::eq(one, other) {
        return true;
    }
    let same = |one: &Value, other: &Value| is_equal_schema(validation, one, other, depth + 1);
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let says = |key: &&String| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-");
            one.keys().filter(says).count() == other.keys().filter(says).count()
                && one.iter().filter(|(key, _)| says(key)).all(|(key, one)| match (one, other.get(key)) {
                    // Names that the author of the document chose, not keywords.
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

/// Returns the member that identifies the alternative of a value.
pub(crate) fn discriminator(schema: &Value) -> Option<&str> {
    schema["discriminator"]["propertyName"].as_str()
}

/// Returns the discriminator value of an alternative: its key in the mapping, or the name of its schema.
pub(crate) fn tag_of<'a>(schema: &'a Value, variant: &'a Value) -> Option<&'a str> {
    let reference = variant.get("$ref").and_then(Value::as_str)?;
    let name = reference.rsplit('/').next()?;
    let mapping = schema["discriminator"]["mapping"].as_object();
    let mapped = mapping.into_iter().flatten().find(|(_, target)| leads_to(target, reference, name));
    Some(mapped.map_or(name, |(key, _)| key.as_str()))
}

/// Returns whether a discriminator value selects this alternative.
fn is_named_by(schema: &Value, variant: &Value, told: &str) -> bool {
    let Some(reference) = variant.get("$ref").and_then(Value::as_str) else { return false };
    let name = reference.rsplit('/').next().unwrap_or_default();
    match schema["discriminator"]["mapping"].get(told) {
        Some(target) => leads_to(target, reference, name),
        None => told == name,
    }
}

/// Returns whether an entry of a mapping names a schema, by reference or by name.
fn leads_to(target: &Value, reference: &str, name: &str) -> bool {
    target.as_str().is_some_and(|target| target == reference || target == name)
}

fn check_object(
    validation: &Validation<'_>,
    whole: &Value,
    schema: &Value,
    members: &Map<String, Value>,
    at: &str,
) -> Result<(), Mismatch> {
    for required in self::members(schema, "required").iter().filter_map(Value::as_str) {
        if !members.contains_key(required) && ![schema, whole].iter().any(|all| is_hidden(validation, all, required)) {
            return fail(&format!("{at}/{required}"), "is missing");
        }
    }
    check_length(schema, "minProperties", "maxProperties", members.len(), "members", at)?;
    let (properties, others) =
        (schema.get("properties").and_then(Value::as_object), schema.get("additionalProperties"));
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let below = |key: &str| format!("{at}/{key}");
    if patterns.is_none() && !matches!(others, Some(Value::Bool(false) | Value::Object(_))) {
        // The smaller of the two sets is iterated: each part of a composition may have one property, and the value all of
        // them.
        return match properties {
            Some(known) if known.len() < members.len() => known
                .iter()
                .filter_map(|(key, property)| Some((key, property, members.get(key)?)))
                .try_for_each(|(key, property, member)| check(validation, property, member, &below(key))),
            Some(known) => members
                .iter()
                .filter_map(|(key, member)| Some((key, known.get(key)?, member)))
                .try_for_each(|(key, property, member)| check(validation, property, member, &below(key))),
            None => Ok(()),
        };
    }
    for (key, member) in members {
        let named = properties.and_then(|properties| properties.get(key));
        let followed = patterns.into_iter().flatten().filter(|(pattern, _)| {
            validation.spend(PATTERN_STEPS) && is_pattern(pattern) && pattern::matches(pattern, key)
        });
        let told: Vec<&Value> = named.into_iter().chain(followed.map(|(_, schema)| schema)).collect();
        match others {
            Some(Value::Bool(false)) if told.is_empty() => return fail(&below(key), "is not a known member"),
            Some(others @ Value::Object(_)) if told.is_empty() => check(validation, others, member, &below(key))?,
            _ => told.into_iter().try_for_each(|schema| check(validation, schema, member, &below(key)))?,
        }
    }
    Ok(())
}

/// Returns whether a member is not sent in this direction.
fn is_hidden(validation: &Validation<'_>, schema: &Value, member: &str) -> bool {
    let flag = validation.direction.hidden();
    walk::composed(validation.document, schema).into_iter().any(|part| {
        let member = &part["properties"][member];
        member[flag] == true || walk::resolve(validation.document, member)[flag] == true
    })
}

fn check_array(validation: &Validation<'_>, schema: &Value, items: &[Value], at: &str) -> Result<(), Mismatch> {
    check_length(schema, "minItems", "maxItems", items.len(), "items", at)?;
    if schema["uniqueItems"] == true {
        let mut seen = HashSet::new();
        if !items.iter().all(|item| validation.spend(1) && seen.insert(item.to_string())) {
            return fail(at, "has an item twice");
        }
    }
    // Earlier drafts have the list of positional schemas in `items`.
    let places = [&schema["prefixItems"], &schema["items"]].into_iter().find_map(Value::as_array);
    let places = places.map_or(&[][..], Vec::as_slice);
    for (index, (place, item)) in places.iter().zip(items).enumerate() {
        check(validation, place, item, &format!("{at}/{index}"))?;
    }
    let Some(each) = schema.get("items").filter(|each| !each.is_array()) else { return Ok(()) };
    let behind = items.iter().enumerate().skip(places.len());
    behind.into_iter().try_for_each(|(index, item)| check(validation, each, item, &format!("{at}/{index}")))
}

fn check_length(schema: &Value, least: &str, most: &str, count: usize, unit: &str, at: &str) -> Result<(), Mismatch> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    let count = count as u64;
    if bound(least).is_some_and(|least| count < least) || bound(most).is_some_and(|most| count > most) {
        return fail(at, format!("has {count} {unit}"));
    }
    Ok(())
}

fn check_range(schema: &Value, number: f64, at: &str) -> Result<(), Mismatch> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let excluded = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let too_small =
        bound("minimum").is_some_and(|least| number < least || (excluded("exclusiveMinimum") && number <= least));
    let too_big =
        bound("maximum").is_some_and(|most| number > most || (excluded("exclusiveMaximum") && number >= most));
    // Later dialects have the bound itself there.
    let out = bound("exclusiveMinimum").is_some_and(|least| number <= least)
        || bound("exclusiveMaximum").is_some_and(|most| number >= most);
    if too_small || too_big || out {
        return fail(at, format!("is out of range at {number}"));
    }
    // A float rarely represents a decimal fraction exactly.
    let rest = bound("multipleOf").filter(|step| *step > 0.0).map(|step| (number / step) - (number / step).round());
    if rest.is_some_and(|rest| rest.abs() > 1e-9 * (1.0 + number.abs())) {
        return fail(at, format!("is not a multiple at {number}"));
    }
    Ok(())
}

/// Returns whether a value has one of the types of the schema, or the schema has none.
pub(crate) fn is_of_kind(schema: &Value, value: &Value) -> bool {
    let kinds = kinds(schema);
    kinds.is_empty() || kinds.iter().any(|kind| is_of_type(kind, value))
}

fn is_text(schema: &Value) -> bool {
    kinds(schema).contains(&"string")
}

/// Returns a plain value as text: lists of texts may be written without quotes.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the types that a schema allows; an empty list if it does not name any.
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

fn type_name(value: &Value) -> &'static str {
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
    /// Returns the top-level member at fault.
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
        let api = Api::read(&source).unwrap_or_else(|error| panic!("{error}"));
        let pet = &api.document["components"]["schemas"]["Pet"];
        for (kind, fits) in [("Bird", true), ("Cat", false), ("worm", false)] {
            assert_eq!(mismatch(&api, Direction::Answer, pet, &json!({ "kind": kind })).is_none(), fits, "{kind}");
        }
        let strict = json!({ "discriminator": pet["discriminator"], "oneOf": [pet["oneOf"][0], pet["oneOf"][1]] });
        for (kind, fits) in [("cat", true), ("hound", true), ("worm", false)] {
            assert_eq!(mismatch(&api, Direction::Answer, &strict, &json!({ "kind": kind })).is_none(), fits, "{kind}");
        }
    }
    /// Returns for each value whether it does not fit.
    fn refused(version: &str, schema: &Value, direction: Direction, values: &[Value]) -> Vec<bool> {
        let document = json!({ "openapi": version, "components": { "schemas": {
            "Text": { "type": "string" }, "Nothing": { "type": "string", "nullable": true },
        } } });
        values.iter().map(|value| check(&Validation::of(&document, direction), schema, value, "").is_err()).collect()
    }

    #[test]
    fn a_format_is_judged_where_it_is_asked_for_and_all_else_fits() {
        let instant = json!({ "type": ["string", "null"], "format": "date-time" });
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "at": instant,
                "all": { "type": "array", "items": instant },
                "either": { "oneOf": [instant, { "type": "string", "format": "date" }] },
                "loose": { "anyOf": [{ "type": "string", "format": "uuid" }, { "type": "string" }] },
                "number": { "type": "integer", "format": "int32" },
            },
        });
        let document = Text::new("a.json", json!({ "openapi": "3.1.0", "info": {}, "paths": {} }).to_string());
        let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).unwrap_or_else(|error| panic!("{error}"));
        let found = |value: Value| misformat(&api, Direction::Answer, &schema, &value).map(|found| found.to_string());
        for (value, says) in [
            (json!({ "id": 1, "at": "2026-01-22T10:00:00Z", "either": "2026-01-22", "loose": "a", "number": 1 }), None),
            (json!({ "id": 1, "at": null, "either": "2026-01-22T10:00:00Z" }), None),
            (json!({ "id": 1, "at": "secret" }), Some("/at is no `date-time`")),
            (json!({ "id": 1, "all": ["2026-01-22T10:00:00Z", "no"] }), Some("/all/1 is no `date-time`")),
            (json!({ "id": 1, "either": "no" }), Some("/either fits 0 of the 2 variants")),
            (json!({ "at": "no" }), None),
        ] {
            assert_eq!(found(value.clone()).as_deref(), says, "{value}");
            assert!(value.get("id").is_none() || mismatch(&api, Direction::Answer, &schema, &value).is_none());
        }
    }

    #[test]
    fn a_required_member_is_demanded_of_who_sends_it() {
        let named = |flag: &str| {
            json!({ "allOf": [
            { "required": ["name"] },
            { "type": "object", "properties": { "name": { "type": "string", flag: true } } },
        ] })
        };
        let values = [json!({}), json!({ "name": "Ada" }), json!({ "name": 1 })];
        for (flag, direction, of_none) in [
            ("readOnly", Direction::Request, false),
            ("readOnly", Direction::Answer, true),
            ("writeOnly", Direction::Request, true),
            ("writeOnly", Direction::Answer, false),
        ] {
            assert_eq!(
                refused("3.0.3", &named(flag), direction, &values),
                [of_none, false, true],
                "{flag} {direction:?}"
            );
        }
    }

    #[test]
    fn what_stands_beside_a_reference_counts_as_its_version_says() {
        let text = "#/components/schemas/Text";
        let nullable = json!({ "$ref": text, "nullable": true });
        let short = json!({ "$ref": text, "maxLength": 2 });
        let values = [json!(null), json!("abc"), json!("ab")];
        let all = |version, schema| refused(version, schema, Direction::Request, &values);
        assert_eq!(all("3.0.3", &nullable), [false, false, false]);
        assert_eq!(all("3.0.3", &short), [true, false, false]);
        assert_eq!(all("3.1.0", &short), [true, true, false]);
        assert_eq!(all("3.0.3", &json!({ "$ref": "#/components/schemas/Nothing" })), [false, false, false]);
    }

    #[test]
    fn the_words_of_3_1_are_judged() {
        for (schema, fitting, others) in [
            (
                json!({ "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } }),
                vec![json!(["a", 1, 2]), json!([]), json!("a")],
                vec![json!([1]), json!(["a", "b"])],
            ),
            (json!({ "prefixItems": [{}], "items": false }), vec![json!([1])], vec![json!([1, 2])]),
            (json!({ "items": [{ "type": "string" }] }), vec![json!(["a", 1])], vec![json!([1])]),
            (
                json!({ "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false }),
                vec![json!({ "x-a": "b" })],
                vec![json!({ "x-a": 1 }), json!({ "y": "b" })],
            ),
            (json!({ "not": { "type": "string" } }), vec![json!(1)], vec![json!("a")]),
            (json!({ "uniqueItems": true }), vec![json!([1, "1"])], vec![json!([1, 1])]),
            (json!({ "multipleOf": 0.1 }), vec![json!(0.3), json!(1_000_000.1)], vec![json!(0.35)]),
            (
                json!({ "minProperties": 1, "maxProperties": 1 }),
                vec![json!({ "a": 1 })],
                vec![json!({}), json!({ "a": 1, "b": 2 })],
            ),
            (json!({ "pattern": "^a+$" }), vec![json!("aa"), json!(1)], vec![json!("b")]),
            (json!({ "const": 3 }), vec![json!(3.0)], vec![json!(4)]),
            (json!({ "enum": [{ "a": 1 }] }), vec![json!({ "a": 1.0 })], vec![json!({ "a": 2 })]),
        ] {
            assert!(!refused("3.1.0", &schema, Direction::Answer, &fitting).contains(&true), "{schema}");
            assert!(!refused("3.1.0", &schema, Direction::Answer, &others).contains(&false), "{schema}");
        }
    }

    #[test]
    fn what_is_inferred_alone_is_asked_for_by_nobody_who_spares_it() {
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": "a", "version": "1" },
            "paths": {},
            "components": { "schemas": { "Guess": { "type": "string", "x-unverified": "inferred" } } },
        });
        let document = Text::new("a.json", document.to_string());
        let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).expect("it can be read");
        let guess = json!({ "$ref": "#/components/schemas/Guess" });
        let schema = json!({ "type": "object", "properties": { "known": { "type": "string" }, "guess": guess } });
        for (value, strictly, leniently) in [
            (json!({ "known": "a", "guess": 1 }), true, false),
            // A known part is checked after an inferred part as well.
            (json!({ "guess": 1, "known": 1 }), true, true),
            (json!([]), true, true),
            (json!({ "known": "a", "guess": "b" }), false, false),
        ] {
            assert_eq!(mismatch(&api, Direction::Answer, &schema, &value).is_some(), strictly, "{value}");
            assert_eq!(mismatch_of_known(&api, Direction::Answer, &schema, &value).is_some(), leniently, "{value}");
        }
        // Any value fits an inferred alternative, and may fit another one besides.
        let one_of = json!({ "oneOf": [guess, { "type": "integer" }] });
        assert_eq!(mismatch_of_known(&api, Direction::Answer, &one_of, &json!(1)), None);
    }
}
