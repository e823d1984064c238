//! The construction of one value, within a budget.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::combined_schema::{CombinedSchema, Union};
use super::numbers::{integer, number};
use super::{DOCUMENT_BUDGET, EXAMPLE_BUDGET};
use crate::normalize::is_pattern;
use crate::operation::{Operation, Parameter};
use crate::pattern_cost::excess;
use crate::plain::short;
use crate::schema::{Direction, Validation};
use crate::{Api, pattern, schema, walk};

/// The nesting depth beyond which optional members are left out; ends schemas that contain themselves.
pub(super) const MAX_OPTIONAL_DEPTH: usize = 6;

/// The maximum nesting depth; ends schemas that require themselves, which no value fits.
pub(super) const MAX_DEPTH: usize = 2 * MAX_OPTIONAL_DEPTH;

/// The maximum length of a list or text that is made for a lower limit, so that no document can exhaust the memory.
const MAX_LENGTH: u64 = 10_000;

/// The cost of a text that is made for a pattern.
const PATTERN_COST: usize = 200;

/// The maximum number of a schema's listed examples that are tried.
pub(super) const MAX_LISTED: usize = 50;

/// The maximum number of alternatives of a union that are tried. It halves with each level of depth, so that nested unions
/// end.
const MAX_ALTERNATIVES: usize = 16;

pub(super) struct ExampleMaker<'a> {
    pub(super) document: &'a Value,
    /// The direction in which the value is sent.
    pub(super) direction: Direction,
    /// The reason why the value may not fit.
    pub(super) gap: Option<String>,
    /// The remaining budget.
    pub(super) left: usize,
    /// True if optional members are left out.
    pub(super) is_sparse: bool,
    /// True if a text or a number was made without a value from the document.
    pub(super) is_made_up: bool,
}

impl<'a> ExampleMaker<'a> {
    pub(super) fn new(document: &'a Value, direction: Direction, left: usize) -> Self {
        Self { document, direction, gap: None, left, is_sparse: false, is_made_up: false }
    }

    /// Returns the values of an operation's parameters, by name: the required ones, and the optional ones that can be made.
    pub(super) fn parameters(&mut self, api: &Api, operation: &Operation) -> Map<String, Value> {
        let mut arguments = Map::new();
        let written = api.document.pointer(&operation.pointer()).and_then(|node| node["parameters"].as_array());
        let mut told: HashMap<&str, &Value> = HashMap::new();
        for written in written.into_iter().flatten() {
            if let Some(name) = written["name"].as_str() {
                told.entry(name).or_insert(written);
            }
        }
        for parameter in &operation.parameters {
            let before = self.gap.take();
            let value = self.parameter(parameter, told.get(parameter.name.as_str()).copied());
            if parameter.required || self.gap.is_none() {
                arguments.insert(parameter.name.clone(), value);
                self.gap = before.or_else(|| Some(format!("`{}`: {}", parameter.name, self.gap.take()?)));
            } else {
                self.gap = before;
            }
        }
        arguments
    }

    /// Returns the value of a parameter, from its entry in the document.
    fn parameter(&mut self, parameter: &Parameter, written: Option<&Value>) -> Value {
        let own = walk::resolve(self.document, &parameter.schema);
        let whole = CombinedSchema::of(self.document, &[own]);
        let mut told = written.into_iter().flat_map(own_examples).take(MAX_LISTED);
        if let Some(example) =
            told.find(|value| self.fits_with_patterns(&whole, value)).and_then(|example| self.copy(example))
        {
            return example;
        }
        let named = json!(format!("{}-1", parameter.name.trim_start_matches('_')));
        if is_plain_text(own) && self.fits_with_patterns(&whole, &named) { named } else { self.valid_value(own) }
    }

    /// Takes a cost from the budget; returns `false` if the budget is exhausted.
    fn spend(&mut self, cost: usize) -> bool {
        self.left = self.left.saturating_sub(cost);
        if self.left == 0 {
            let limits = format!("{EXAMPLE_BUDGET} steps for an example, or {DOCUMENT_BUDGET} for all of a document");
            self.gap.get_or_insert_with(|| format!("it takes more than the {limits}"));
        }
        self.left > 0
    }

    pub(super) fn copy(&mut self, value: &Value) -> Option<Value> {
        self.spend(walk::size(value)).then(|| value.clone())
    }

    /// Makes a value that fits the schema: with optional members, or, if that fails, without them. If both fail, the gap
    /// holds the reason.
    pub(super) fn valid_value(&mut self, schema: &Value) -> Value {
        let before = self.gap.take();
        let reserve = self.left / 2;
        self.left -= reserve;
        let full = self.attempt(schema);
        self.left += reserve;
        let gap = self.gap.take();
        let value = if gap.is_some() {
            self.is_sparse = true;
            let sparse = self.attempt(schema);
            self.is_sparse = false;
            // The first value is returned because it shows more of the problem than the second.
            if self.gap.take().is_none() { Ok(sparse) } else { Err(full) }
        } else {
            Ok(full)
        };
        self.gap = before.or_else(|| gap.filter(|_| value.is_err()));
        value.unwrap_or_else(|full| full)
    }

    pub(super) fn attempt(&mut self, schema: &Value) -> Value {
        let value = self.value(schema, 0);
        if self.gap.is_none() {
            let validation = Validation::with(self.document, self.direction, self.left);
            let mismatch = schema::check(&validation, schema, &value, "").err();
            let cost = self.left - validation.left();
            self.spend(cost);
            self.gap = self
                .gap
                .take()
                .or_else(|| mismatch.map(|mismatch| format!("what is made for it does not fit: {mismatch}")));
        }
        value
    }

    pub(super) fn fits(&mut self, schemas: &[&Value], value: &Value) -> bool {
        let validation = Validation::with(self.document, self.direction, self.left);
        let fits = schemas.iter().all(|schema| schema::fits(&validation, schema, value));
        let cost = self.left - validation.left();
        self.spend(cost) && fits
    }

    /// Returns whether a value fits, its patterns included.
    fn fits_with_patterns(&mut self, whole: &CombinedSchema<'_>, value: &Value) -> bool {
        if whole.parts().any(|part| is_stringified(part, value)) {
            return false;
        }
        let is_matched = |pattern: &str| value.as_str().is_none_or(|text| pattern::matches(pattern, text));
        patterns(whole).filter(|pattern| !pattern::is_guard(pattern)).all(is_matched) && self.fits(&whole.roots, value)
    }

    pub(super) fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.value_of_all(&[schema], depth)
    }

    /// Makes a value that fits all of these schemas.
    fn value_of_all(&mut self, schemas: &[&Value], depth: usize) -> Value {
        self.combined_value(CombinedSchema::of(self.document, schemas), depth)
    }

    fn combined_value(&mut self, mut whole: CombinedSchema<'_>, depth: usize) -> Value {
        // Values beyond the depth limit cost as well: an object there may have any number of members.
        if !self.spend(1) || depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(value) = self.stated_value(&whole).or_else(|| self.enum_value(&whole)) {
            return value;
        }
        if let Some(union) = whole.next_union() {
            return self.alternative(&whole, union, depth);
        }
        self.is_made_up |= matches!(whole.kind(), Some("string" | "integer" | "number"));
        match whole.kind() {
            Some("object") => self.object(&whole, depth),
            Some("array") => self.array(&whole, depth),
            Some("string") => self.string(&whole),
            Some("boolean") => json!(true),
            Some("integer") => integer(&whole),
            Some("number") => number(&whole),
            _ => Value::Null,
        }
    }

    /// Returns an example or default that fits.
    fn stated_value(&mut self, whole: &CombinedSchema<'_>) -> Option<Value> {
        let mut told = whole.new_parts().flat_map(stated_values).filter(|value| !value.is_null()).take(MAX_LISTED);
        told.find(|value| self.fits_with_patterns(whole, value)).and_then(|value| self.copy(value))
    }

    /// Returns the only value, or the first listed value that fits. If no listed value has the schema's type, the list was
    /// written without quotes.
    fn enum_value(&mut self, whole: &CombinedSchema<'_>) -> Option<Value> {
        if let Some(only) = whole.new_parts().find_map(|part| part.get("const")) {
            return self.copy(only);
        }
        let values = whole.new_parts().find_map(|part| part.get("enum")?.as_array())?;
        let (nulls, others): (Vec<&Value>, Vec<&Value>) = values.iter().partition(|value| value.is_null());
        let is_of_kind = |value: &&&Value| whole.parts().all(|part| schema::is_of_kind(part, value));
        let typed: Vec<&Value> = others.iter().chain(&nulls).filter(is_of_kind).take(MAX_LISTED).copied().collect();
        let fitting = typed.iter().find(|value| self.fits(&whole.roots, value));
        match (fitting.or(typed.first()), values.first()?) {
            (Some(value), _) => self.copy(value),
            (None, first) if whole.kind() == Some("string") => Some(json!(schema::text_of(first))),
            (None, first) => self.copy(first),
        }
    }

    /// Returns the first alternative whose value is valid for the union and fits the other keywords.
    fn alternative(&mut self, whole: &CombinedSchema<'_>, union: Union<'_>, depth: usize) -> Value {
        let is_null = |variant: &&Value| *walk::resolve(self.document, variant) == json!({ "type": "null" });
        let (nulls, others): (Vec<&Value>, Vec<&Value>) = union.variants.iter().partition(is_null);
        let before = self.gap.take();
        let mut first = None;
        for variant in others.into_iter().chain(nulls).take((MAX_ALTERNATIVES >> depth).max(1)) {
            self.gap = None;
            let value = self.combined_value(whole.with(self.document, union, variant), depth + 1);
            let gap = self.gap.take();
            if gap.is_none() && self.fits(&whole.roots, &value) {
                self.gap = before;
                return value;
            }
            let gap = gap.unwrap_or_else(|| "no value is known that is of one of the alternatives alone".to_owned());
            first.get_or_insert((value, Some(gap)));
        }
        let (value, gap) = first.unwrap_or_default();
        self.gap = before.or(gap);
        value
    }

    fn object(&mut self, whole: &CombinedSchema<'_>, depth: usize) -> Value {
        let demanded = whole.required();
        let required: HashSet<&str> = demanded.iter().copied().collect();
        let others: Vec<&Value> = whole.all("additionalProperties").filter(|others| others.is_object()).collect();
        let described = whole.members();
        let names: HashSet<&str> = described.iter().map(|(name, _)| *name).collect();
        let undescribed = demanded.iter().filter(|name| !names.contains(*name)).map(|name| (*name, others.clone()));
        let undescribed: Vec<_> = undescribed.collect();
        let mut members = Map::new();
        for (name, schemas) in described.into_iter().chain(undescribed) {
            let hidden = self.direction.hidden();
            let is_marked =
                |schema: &&Value| schema[hidden] == true || walk::resolve(self.document, schema)[hidden] == true;
            if schemas.iter().any(is_marked) {
                continue;
            }
            let is_required = required.contains(name);
            if (self.is_sparse || depth >= MAX_OPTIONAL_DEPTH) && !is_required {
                continue;
            }
            let before = self.gap.take();
            // A required member that is not described may have any value.
            let value = if schemas.is_empty() { json!("any") } else { self.value_of_all(&schemas, depth + 1) };
            // An optional member that cannot be made is left out.
            if is_required || self.gap.is_none() {
                members.insert(name.to_owned(), value);
            } else {
                self.gap = None;
            }
            self.gap = before.or(self.gap.take());
        }
        for (tag, told) in &whole.tags {
            // A member that lists its values decides the discriminator itself.
            let is_told = |schema: &&Value| ["const", "enum"].iter().any(|key| schema.get(key).is_some());
            let schemas = whole.all("properties").filter_map(|properties| properties.get(tag));
            if !schemas.map(|schema| walk::resolve(self.document, schema)).any(|schema| is_told(&schema)) {
                members.insert((*tag).to_owned(), json!(told));
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, whole: &CombinedSchema<'_>, depth: usize) -> Value {
        let least = whole.least("minItems");
        let wanted = if depth >= MAX_OPTIONAL_DEPTH || self.is_sparse { least } else { least.max(1) };
        let wanted = wanted.min(whole.most("maxItems").unwrap_or(u64::MAX));
        if wanted == 0 {
            return json!([]);
        }
        let items: Vec<&Value> = whole.all("items").collect();
        let item = self.value_of_all(&items, depth + 1);
        let count = usize::try_from(wanted).unwrap_or(usize::MAX);
        let cost = count.saturating_mul(walk::size(&item));
        // The list keeps one item even if it should have more: the item shows the problem.
        let count = if wanted <= MAX_LENGTH && self.spend(cost) { count } else { 1 };
        if u64::try_from(count).unwrap_or(u64::MAX) < least {
            self.gap.get_or_insert(format!("a list of {least} items is longer than what is made"));
        }
        Value::Array(vec![item; count])
    }

    fn string(&mut self, whole: &CombinedSchema<'_>) -> Value {
        let text = match whole.all("format").find_map(Value::as_str) {
            Some("date-time") => "2026-01-22T10:00:00Z",
            Some("date") => "2026-01-22",
            Some("time") => "10:00:00Z",
            Some("duration") => "PT1H",
            Some("uuid") => "00000000-0000-4000-8000-000000000000",
            Some("email") => "ada@example.com",
            Some("uri" | "url") => "https://example.com/",
            Some("ipv4" | "ip") => "192.0.2.1",
            Some("ipv6") => "2001:db8::1",
            _ => "text",
        };
        let wanted = whole.least("minLength");
        let least = usize::try_from(wanted.min(MAX_LENGTH)).unwrap_or_default();
        if wanted > MAX_LENGTH || !self.spend(least / 64) {
            self.gap.get_or_insert(format!("a text of {wanted} characters is longer than what is made"));
        }
        let most = usize::try_from(whole.most("maxLength").unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut text: String = text.chars().take(most).collect();
        let missing = least.saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('x', missing));
        let patterns: Vec<&str> = patterns(whole).collect();
        let Some(pattern) = patterns.first() else { return json!(text) };
        if let Some((pattern, why)) = patterns.iter().find_map(|pattern| Some((pattern, excess(pattern)?))) {
            self.gap.get_or_insert_with(|| format!("no text is made for the pattern `{}`: {why}", short(pattern)));
            return json!(text);
        }
        self.spend(PATTERN_COST);
        let is_matched = |text: &String| patterns.iter().all(|pattern| pattern::matches(pattern, text));
        if is_matched(&text) {
            return json!(text);
        }
        json!(pattern::example(pattern, least, most).filter(is_matched).unwrap_or_else(|| {
            self.gap = Some(format!("no text is known that matches the pattern `{}`", short(pattern)));
            text
        }))
    }
}

/// Returns the examples beside a schema: of a parameter or a body.
pub(super) fn own_examples(node: &Value) -> impl Iterator<Item = &Value> {
    let named = node.get("examples").and_then(Value::as_object).into_iter().flatten();
    node.get("example").into_iter().chain(named.filter_map(|(_, example)| example.get("value")))
}

/// Returns the example and default values of a schema.
fn stated_values(schema: &Value) -> impl Iterator<Item = &Value> {
    let listed = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    schema.get("example").into_iter().chain(schema.get("default")).chain(listed)
}

/// Returns the patterns that a text has to match.
fn patterns<'a>(whole: &CombinedSchema<'a>) -> impl Iterator<Item = &'a str> {
    whole.all("pattern").filter_map(Value::as_str).filter(|pattern| is_pattern(pattern))
}

/// Returns whether a parameter accepts any text, so that its own name is a valid value.
fn is_plain_text(schema: &Value) -> bool {
    let says_more =
        ["allOf", "anyOf", "oneOf", "const", "example", "default", "enum", "examples", "format", "x-example"];
    matches!(walk::kind(schema), None | Some("string")) && !says_more.iter().any(|key| schema.get(*key).is_some())
}

/// Returns whether an example is a text although the schema describes an object or a list: JSON that its author wrote as a
/// text fits every schema without a type.
pub(super) fn is_stringified(schema: &Value, example: &Value) -> bool {
    example.is_string() && matches!(walk::kind(schema), Some("object" | "array")) && schema.get("type").is_none()
}
