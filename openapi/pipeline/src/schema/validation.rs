//! The validation of one value, within a budget of steps.

use std::cell::Cell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::discriminator::{discriminator, is_named_by, tag_of};
use super::equality::{distinct, is_same};
use super::types::{is_of_kind, is_text, kinds, members, text_of, type_name};
use super::{Direction, Mismatch};
use crate::normalize::is_pattern;
use crate::{format, pattern, walk};

/// The maximum number of schemas that one value is validated against. Nested alternatives multiply.
const MAX_STEPS: usize = 300_000;

/// The mark of parts of a transcribed document that are inferred only.
const UNVERIFIED: &str = "x-unverified";

/// The cost of a pattern match, in steps.
const PATTERN_STEPS: usize = 30;

/// The document of a schema, the direction of the value, and the remaining steps.
pub(crate) struct Validation<'a> {
    pub(super) document: &'a Value,
    pub(super) direction: Direction,
    /// True if keywords beside a `$ref` apply as well.
    pub(super) is_31: bool,
    /// True if texts must have the format of their schema.
    pub(super) checks_formats: bool,
    /// True if inferred parts of the document accept any value.
    pub(super) accepts_unverified: bool,
    pub(super) left: Cell<usize>,
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
    pub(super) fn spend(&self, count: usize) -> bool {
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
pub(super) fn is_hidden(validation: &Validation<'_>, schema: &Value, member: &str) -> bool {
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

fn fail(at: &str, problem: impl Into<String>) -> Result<(), Mismatch> {
    Err(Mismatch { at: at.to_owned(), problem: problem.into() })
}
