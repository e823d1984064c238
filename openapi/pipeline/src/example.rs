//! Values that fit a schema: the arguments of a valid request, for tests, probes and the mock.

mod numbers;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use self::numbers::{integer, number};
use crate::cost::excess;
use crate::normalize::is_pattern;
use crate::operation::{Operation, Parameter};
use crate::plain::short;
use crate::schema::Scope;
use crate::{Api, pattern, pointer, schema, walk};

/// How deep a value may nest before optional members are left out; ends schemas that contain themselves.
const DEPTH: usize = 6;

/// How deep a value may nest at all; ends schemas that require themselves, which no value fits.
const END: usize = 2 * DEPTH;

/// The longest list and text that are made for a lower limit, so that no document can exhaust the memory.
const LONGEST: u64 = 10_000;

/// What one example may cost: the values that are made, copied and judged for it, and its texts by every 64 bytes.
const EXAMPLE: usize = 30_000;

/// What the examples of a document may cost together.
const DOCUMENT: usize = 1_000_000;

/// What the text of a pattern costs.
const PATTERN: usize = 200;

/// How many of the examples that a schema lists are tried.
const LISTED: usize = 50;

/// How many alternatives of a union are tried; fewer the deeper it stands, so that unions of unions end.
const ALTERNATIVES: usize = 16;

/// A request that is made from the document alone.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Each parameter's value under its name, and the body under `body`. Optional parameters are included.
    pub arguments: Map<String, Value>,
    /// Why it may not be a valid one: what is required and could not be made.
    pub gap: Option<String>,
}

/// A request for an operation, and whether it is known to be a valid one.
pub fn request(api: &Api, operation: &Operation) -> Request {
    let mut left = EXAMPLE;
    request_within(api, operation, &mut left)
}

/// A request for each operation of a document, within what its examples may cost together.
pub fn requests(api: &Api) -> Vec<Request> {
    let mut left = DOCUMENT;
    let request = |operation| {
        let mut own = left.min(EXAMPLE);
        left -= own;
        let request = request_within(api, operation, &mut own);
        left += own;
        request
    };
    api.operations.iter().map(request).collect()
}

/// The parameters of such a request alone.
pub fn parameters(api: &Api, operation: &Operation) -> Map<String, Value> {
    Maker { document: &api.document, gap: None, left: EXAMPLE }.parameters(api, operation)
}

fn request_within(api: &Api, operation: &Operation, left: &mut usize) -> Request {
    let mut maker = Maker { document: &api.document, gap: None, left: *left };
    let mut arguments = maker.parameters(api, operation);
    if let Some(body) = &operation.body {
        let content = format!("{}/requestBody/content", operation.pointer());
        let media = api.document.pointer(&pointer::join(&content, &body.media_type));
        let example = media.and_then(|media| {
            // One that the schema refuses says nothing of a valid request.
            own_examples(media).take(LISTED).find(|example| maker.fits(&body.schema, example))
        });
        let example = example.and_then(|example| maker.copy(example));
        let before = maker.gap.take();
        arguments.insert("body".to_owned(), example.unwrap_or_else(|| maker.value(&body.schema, 0)));
        maker.gap = before.or_else(|| Some(format!("the body: {}", maker.gap.take()?)));
    }
    *left = maker.left;
    Request { arguments, gap: maker.gap }
}
/// A valid request for an operation, as far as the document tells how to make one; see [`request`].
pub fn arguments(api: &Api, operation: &Operation) -> Map<String, Value> {
    request(api, operation).arguments
}

/// A value that fits the schema: its `example`, `default` or first `enum` value where it has one, otherwise one made
/// from its type and limits. Optional properties are included.
pub fn value(api: &Api, schema: &Value) -> Value {
    Maker { document: &api.document, gap: None, left: EXAMPLE }.value(schema, 0)
}

struct Maker<'a> {
    document: &'a Value,
    /// Why what was made may not fit.
    gap: Option<String>,
    /// What may still be spent.
    left: usize,
}

impl Maker<'_> {
    /// The values of an operation's parameters, by name: those that are required, and the others that can be made.
    fn parameters(&mut self, api: &Api, operation: &Operation) -> Map<String, Value> {
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

    /// The value of a parameter, by what the document writes about it.
    fn parameter(&mut self, parameter: &Parameter, written: Option<&Value>) -> Value {
        let own = walk::resolve(self.document, &parameter.schema);
        let mut told = written.into_iter().flat_map(own_examples).take(LISTED);
        if let Some(example) = told.find(|value| self.holds(own, value)).and_then(|example| self.copy(example)) {
            return example;
        }
        let named = json!(format!("{}-1", parameter.name.trim_start_matches('_')));
        if is_plain_text(own) && self.holds(own, &named) { named } else { self.value(own, 0) }
    }

    /// Takes from what may be spent; `false` where it is too little.
    fn spend(&mut self, cost: usize) -> bool {
        self.left = self.left.saturating_sub(cost);
        if self.left == 0 {
            let limits = format!("{EXAMPLE} steps for an example, or {DOCUMENT} for all of a document");
            self.gap.get_or_insert_with(|| format!("it takes more than the {limits}"));
        }
        self.left > 0
    }

    fn copy(&mut self, value: &Value) -> Option<Value> {
        self.spend(walk::size(value)).then(|| value.clone())
    }

    fn fits(&mut self, schema: &Value, value: &Value) -> bool {
        let scope = Scope::with(self.document, self.left);
        let fits = schema::fits(&scope, schema, value);
        let cost = self.left - scope.left();
        self.spend(cost) && fits
    }

    /// Whether a value fits, its pattern included.
    fn holds(&mut self, schema: &Value, value: &Value) -> bool {
        let pattern = own_pattern(schema).filter(|pattern| !pattern::is_guard(pattern));
        let matches = pattern.zip(value.as_str()).is_none_or(|(pattern, text)| pattern::matches(pattern, text));
        matches && self.fits(schema, value)
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        // What ends the depth counts as well: an object at the end may have any number of members.
        if !self.spend(1) || depth > END {
            return Value::Null;
        }
        let schema = walk::resolve(self.document, schema);
        let told = ["example", "default"].into_iter().filter_map(|key| schema.get(key));
        let listed = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
        let mut told = told.chain(listed).take(LISTED);
        let told = told.find(|value| !value.is_null() && self.holds(schema, value));
        if let Some(value) = told.and_then(|value| self.copy(value)) {
            return value;
        }
        if let Some(only) = schema.get("const") {
            return self.copy(only).unwrap_or_default();
        }
        if let Some(value) = schema.get("enum").and_then(Value::as_array).and_then(|values| one_of(schema, values)) {
            return value;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(schema, parts, depth);
        }
        for key in ["oneOf", "anyOf"] {
            let variants = schema.get(key).and_then(Value::as_array).filter(|variants| !variants.is_empty());
            if let Some(variants) = variants {
                return self.alternative(schema, variants, depth);
            }
        }
        match walk::kind(schema) {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("string") => self.string(schema),
            Some("boolean") => json!(true),
            Some("integer") => integer(schema),
            Some("number") => number(schema),
            _ => Value::Null,
        }
    }

    /// The members of a schema with what its parts have.
    fn all_of(&mut self, schema: &Value, parts: &[Value], depth: usize) -> Value {
        let mut merged = self.object(schema, depth);
        for part in parts {
            match self.value(part, depth + 1) {
                Value::Object(members) => {
                    let Some(merged) = merged.as_object_mut() else { continue };
                    // A part may demand what another one describes.
                    let demanded: HashSet<&str> = undescribed(walk::resolve(self.document, part)).collect();
                    for (name, member) in members {
                        if !(demanded.contains(name.as_str()) && merged.contains_key(&name)) {
                            merged.insert(name, member);
                        }
                    }
                }
                // A part that only describes leaves the value to the others.
                Value::Null if says_nothing(walk::resolve(self.document, part)) => {}
                other => return other,
            }
        }
        merged
    }

    /// The first alternative whose value is one of the union, with what the union itself names.
    fn alternative(&mut self, schema: &Value, variants: &[Value], depth: usize) -> Value {
        let is_null = |variant: &&Value| *walk::resolve(self.document, variant) == json!({ "type": "null" });
        let (nulls, others): (Vec<&Value>, Vec<&Value>) = variants.iter().partition(is_null);
        let before = self.gap.take();
        let mut first = None;
        for variant in others.into_iter().chain(nulls).take((ALTERNATIVES >> depth).max(1)) {
            self.gap = None;
            let value = self.of_variant(schema, variant, depth);
            let gap = self.gap.take();
            if gap.is_none() && self.fits(schema, &value) {
                self.gap = before;
                return value;
            }
            first.get_or_insert((value, gap));
        }
        let (value, gap) = first.unwrap_or_default();
        self.gap = before.or(gap);
        value
    }

    fn of_variant(&mut self, schema: &Value, variant: &Value, depth: usize) -> Value {
        let mut value = self.value(variant, depth + 1);
        let Some(members) = value.as_object_mut() else { return value };
        if schema.get("properties").is_some()
            && let Value::Object(shared) = self.object(schema, depth)
        {
            for (name, member) in shared {
                members.entry(name).or_insert(member);
            }
        }
        if let Some(tag) = schema::discriminator(schema)
            && let Some(told) = schema::tag_of(schema, variant)
        {
            let own = &walk::resolve(self.document, variant)["properties"][tag];
            let own = walk::resolve(self.document, own);
            // A tag that names its values is believed.
            if own.get("enum").is_none() && own.get("const").is_none() {
                members.insert(tag.to_owned(), json!(told));
            }
        }
        value
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required: HashSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut members = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(name.as_str());
            if depth >= DEPTH && !is_required {
                continue;
            }
            let before = self.gap.take();
            let value = self.value(property, depth + 1);
            // What nobody can make and nobody has to send is left out.
            if is_required || self.gap.is_none() {
                members.insert(name.clone(), value);
            } else {
                self.gap = None;
            }
            self.gap = before.or(self.gap.take());
        }
        // What is demanded and not described may be anything, or what further members are.
        let more = &schema["additionalProperties"];
        for name in undescribed(schema) {
            if *more == false || members.contains_key(name) || !self.spend(1) {
                continue;
            }
            let value = if more.is_object() { self.value(more, depth + 1) } else { json!("text") };
            members.insert(name.to_owned(), value);
        }
        Value::Object(members)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        if depth >= DEPTH {
            return json!([]);
        }
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1);
        let item = self.value(&schema["items"], depth + 1);
        let count = usize::try_from(least).unwrap_or(usize::MAX);
        let cost = count.saturating_mul(walk::size(&item));
        // One item too many items or not: it shows what they are.
        let count = if least <= LONGEST && self.spend(cost) { count } else { 1 };
        if u64::try_from(count).unwrap_or(u64::MAX) < least {
            self.gap.get_or_insert(format!("a list of {least} items is longer than what is made"));
        }
        Value::Array(vec![item; count])
    }

    fn string(&mut self, schema: &Value) -> Value {
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => "2026-01-22T10:00:00Z",
            Some("date") => "2026-01-22",
            Some("uuid") => "00000000-0000-4000-8000-000000000000",
            Some("email") => "ada@example.com",
            Some("uri" | "url") => "https://example.com/",
            Some("ipv4" | "ip") => "192.0.2.1",
            Some("ipv6") => "2001:db8::1",
            _ => "text",
        };
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let wanted = bound("minLength").unwrap_or(0);
        let least = usize::try_from(wanted.min(LONGEST)).unwrap_or_default();
        if wanted > LONGEST || !self.spend(least / 64) {
            self.gap.get_or_insert(format!("a text of {wanted} characters is longer than what is made"));
        }
        let most = usize::try_from(bound("maxLength").unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut text: String = text.chars().take(most).collect();
        let missing = least.saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('x', missing));
        let Some(pattern) = own_pattern(schema) else { return json!(text) };
        if let Some(why) = excess(pattern) {
            self.gap.get_or_insert_with(|| format!("no text is made for the pattern `{}`: {why}", short(pattern)));
            return json!(text);
        }
        self.spend(PATTERN);
        if pattern::matches(pattern, &text) {
            return json!(text);
        }
        json!(pattern::example(pattern, least, most).unwrap_or_else(|| {
            self.gap = Some(format!("no text is known that matches the pattern `{}`", short(pattern)));
            text
        }))
    }
}

/// The members that a schema demands and does not describe.
fn undescribed(schema: &Value) -> impl Iterator<Item = &str> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.filter(|name| schema["properties"].get(name).is_none())
}

/// Whether any value fits a schema, as far as it says.
fn says_nothing(schema: &Value) -> bool {
    const SAYS: [&str; 6] = ["const", "enum", "allOf", "anyOf", "oneOf", "not"];
    walk::kind(schema).is_none() && SAYS.iter().all(|key| schema.get(key).is_none())
}

/// The examples beside a schema: of a parameter, of a body.
fn own_examples(node: &Value) -> impl Iterator<Item = &Value> {
    let named = node.get("examples").and_then(Value::as_object).into_iter().flatten();
    node.get("example").into_iter().chain(named.filter_map(|(_, example)| example.get("value")))
}

fn own_pattern(schema: &Value) -> Option<&str> {
    schema.get("pattern").and_then(Value::as_str).filter(|pattern| is_pattern(pattern))
}

/// Whether a parameter can have any text, so that its own name is one.
fn is_plain_text(schema: &Value) -> bool {
    let says_more =
        ["allOf", "anyOf", "oneOf", "const", "example", "default", "enum", "examples", "format", "x-example"];
    matches!(walk::kind(schema), None | Some("string")) && !says_more.iter().any(|key| schema.get(*key).is_some())
}

/// The first value of a list that is of its type. Where none is, the list was written without quotes.
fn one_of(schema: &Value, values: &[Value]) -> Option<Value> {
    let fits = |value: &&Value| schema::is_of_kind(schema, value);
    let first = values.iter().filter(|value| !value.is_null()).find(fits).or_else(|| values.iter().find(fits));
    first.cloned().or_else(|| {
        let first = values.first()?;
        Some(if walk::kind(schema) == Some("string") { json!(schema::text_of(first)) } else { first.clone() })
    })
}

#[cfg(test)]
mod tests;
