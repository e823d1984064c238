//! Values that violate one constraint of a schema and satisfy all others, for tests of a server's validation. Each value is
//! checked against the one implementation of schemas ([`schema`]): the original fits, the changed value does not, and it fits
//! again if the keywords of the constraint are removed. Where programs are commonly lenient without harm, the value is one
//! that no implementation accepts: letters in place of a number and not a number in quotes; a negative number below a minimum
//! of one and not zero.

use serde_json::{Map, Value, json};

use crate::schema::{self, Direction, Validation};
use crate::{Api, pattern, pointer, walk};

/// A constraint of a schema.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Constraint {
    /// A required member.
    Required,
    /// The type.
    Type,
    /// The bounds of a number, and `multipleOf`.
    Bounds,
    /// The length of a text.
    Length,
    /// The listed values.
    Enum,
    /// The pattern of a text.
    Pattern,
    /// The number of items of a list, and that its items are unique.
    Items,
    /// The absence of additional members.
    Additional,
}

impl Constraint {
    /// Returns the keywords of the constraint.
    pub fn keywords(self) -> &'static [&'static str] {
        match self {
            Self::Required => &["required"],
            Self::Type => &["type"],
            Self::Bounds => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            Self::Length => &["minLength", "maxLength"],
            Self::Enum => &["enum", "const"],
            Self::Pattern => &["pattern"],
            Self::Items => &["minItems", "maxItems", "uniqueItems"],
            Self::Additional => &["additionalProperties"],
        }
    }

    /// Returns the schema without the constraint, in all of its parts. Schemas that it refers to are not changed.
    pub fn removed_from(self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        strip(&mut schema, self.keywords(), false);
        schema
    }
}

/// The serialization of a value in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueFormat {
    /// As JSON.
    Json,
    /// As text, as in paths, queries and headers. No value violates the types string and boolean there: every value is a
    /// text, and some program reads any word as `false`. An empty text counts as no value.
    Text,
}

/// A change to a value after which it does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The violated constraint; `None` if the value still fits but programs may not expect it.
    pub constraint: Option<Constraint>,
    /// The place of the change in the value, as a JSON pointer.
    pub at: String,
    /// The new value; `None` if the member is removed.
    pub value: Option<Value>,
    /// The violation in words, to follow the name of the place: `-5, below 1`.
    pub description: String,
}

impl Violation {
    /// Returns the value with the change applied.
    pub fn applied(&self, value: &Value) -> Value {
        let mut broken = value.clone();
        set_member(&mut broken, &self.at, self.value.clone());
        broken
    }
}

/// The maximum number of breaches of one constraint in one value.
const MAX_VIOLATIONS: usize = 12;
/// The maximum number of nested values that are visited, and the maximum depth.
const MAX_NODES: usize = 400;
const MAX_DEPTH: usize = 6;
/// The maximum length of a text that is made, and the maximum for a URL or a header.
const MAX_LENGTH: usize = 10_000;
const MAX_LENGTH_IN_URL: usize = 1_000;
/// The maximum length of a text that is matched against a pattern: the time may grow with the square of the length, or
/// faster.
const MAX_LENGTH_MATCHED: usize = 250;
/// The maximum length of a list that is made.
const MAX_ITEMS: usize = 1_000;
/// Letters for a place that takes something else, and the name of a member or a value that no document has.
const LETTERS: &str = "keyfit";
const UNKNOWN: &str = "keyfit-unknown";
/// The limit beyond which a float loses halves and ones.
const MAX_NUMBER: f64 = 1e15;

/// Returns breaches of the schema of a request value: of each constraint as many as `most` asks for, and never more than
/// twelve. The list is empty if the value itself does not fit. The validation of a value is expensive, so only constraints
/// that are asked for are tried.
pub fn violations(
    api: &Api,
    schema: &Value,
    value: &Value,
    written: ValueFormat,
    most: &dyn Fn(Option<Constraint>) -> usize,
) -> Vec<Violation> {
    let mut finder = Finder { api, schema, value, written, most, found: Vec::new(), nodes: MAX_NODES };
    if finder.mismatch(schema, value).is_none() {
        finder.visit(schema, value, "", 0);
    }
    finder.found
}

struct Finder<'a> {
    api: &'a Api,
    schema: &'a Value,
    value: &'a Value,
    written: ValueFormat,
    most: &'a dyn Fn(Option<Constraint>) -> usize,
    found: Vec<Violation>,
    nodes: usize,
}

/// A nested value, with all schemas that it has to fit.
struct NestedValue<'a, 's> {
    parts: Vec<&'a Value>,
    value: &'a Value,
    at: &'s str,
}

impl<'a> Finder<'a> {
    fn visit(&mut self, schema: &'a Value, value: &'a Value, at: &str, depth: usize) {
        if self.nodes == 0 || depth > MAX_DEPTH {
            return;
        }
        self.nodes -= 1;
        let Some(parts) = parts(&self.api.document, schema) else { return };
        let nested = NestedValue { parts, value, at };
        // A body of another type is a case of its own, which other code makes.
        if depth > 0 || self.written == ValueFormat::Text {
            self.kind(&nested);
        }
        self.listed_values(&nested);
        match value {
            Value::Number(_) => self.number(&nested),
            Value::String(text) => self.text(&nested, text),
            Value::Array(items) => self.array(&nested, items, depth),
            Value::Object(members) => self.object(&nested, members, depth),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn kind(&mut self, nested: &NestedValue<'a, '_>) {
        let kind = match nested.value {
            Value::Number(_) => "a number",
            _ if self.written == ValueFormat::Text => return,
            Value::Null => return,
            Value::Bool(_) => "a boolean",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
            Value::String(_) => {
                let description = "an object where a text is due".to_owned();
                return self.add(Constraint::Type, nested, json!({ LETTERS: LETTERS }), description);
            }
        };
        self.add(Constraint::Type, nested, json!(LETTERS), format!("`{LETTERS}` where {kind} is due"));
    }

    fn listed_values(&mut self, nested: &NestedValue<'a, '_>) {
        let lists = nested.all("enum").filter_map(Value::as_array).flatten().chain(nested.all("const"));
        let listed: Vec<&Value> = lists.collect();
        let other = match nested.value {
            _ if listed.is_empty() => return,
            Value::String(_) => json!(UNKNOWN),
            Value::Number(_) => {
                json!(listed.iter().filter_map(|one| one.as_i64()).max().unwrap_or_default().saturating_add(1_000))
            }
            _ => return,
        };
        let description = format!("{other}, which is none of the listed values");
        self.add(Constraint::Enum, nested, other, description);
    }

    fn number(&mut self, nested: &NestedValue<'a, '_>) {
        let bound = |key: &'static str| nested.all(key).filter_map(Value::as_f64);
        let excludes = |key: &'static str| nested.all(key).any(|flag| *flag == true);
        let step = bound("multipleOf").find(|step| *step >= 1.0 && step.fract() == 0.0).unwrap_or(1.0);
        let least = bound("minimum").map(|least| (least, excludes("exclusiveMinimum")));
        let least =
            least.chain(bound("exclusiveMinimum").map(|least| (least, true))).max_by(|a, b| a.0.total_cmp(&b.0));
        let most = bound("maximum").map(|most| (most, excludes("exclusiveMaximum")));
        let most = most.chain(bound("exclusiveMaximum").map(|most| (most, true))).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((least, is_excluded)) = least.filter(|(least, _)| least.abs() < MAX_NUMBER) {
            let below = if is_excluded { (least / step).floor() } else { (least / step).ceil() - 1.0 };
            // Programs commonly read zero as no value.
            let below = if below == 0.0 { -5.0 } else { below } * step;
            let description = if is_excluded { "not above" } else { "below" };
            self.add(Constraint::Bounds, nested, number(below), format!("{below}, {description} {least}"));
            self.extreme(nested, number(least), &format!("{least}, the least that is allowed"));
        } else {
            self.extreme(nested, json!(-5), "-5, a negative number");
        }
        if let Some((most, is_excluded)) = most.filter(|(most, _)| most.abs() < MAX_NUMBER) {
            let above = if is_excluded { (most / step).ceil() } else { (most / step).floor() + 1.0 } * step;
            let description = if is_excluded { "not below" } else { "above" };
            self.add(Constraint::Bounds, nested, number(above), format!("{above}, {description} {most}"));
            self.extreme(nested, number(most), &format!("{most}, the most that is allowed"));
        } else {
            self.extreme(nested, json!(u64::MAX), "a number that fits into no signed 64 bits");
        }
        if let Some(value) = nested.value.as_f64().filter(|_| step > 1.0) {
            let description = format!("{}, no multiple of {step}", value + 1.0);
            self.add(Constraint::Bounds, nested, number(value + 1.0), description);
        }
    }

    fn text(&mut self, nested: &NestedValue<'a, '_>, text: &str) {
        let length = |key: &'static str| {
            nested.all(key).filter_map(Value::as_u64).filter_map(|bound| usize::try_from(bound).ok())
        };
        let (least, most) = (length("minLength").max().unwrap_or_default(), length("maxLength").min());
        let has_format = nested.all("format").next().is_some();
        let is_rigid = nested.all("format").any(|format| {
            ["date", "date-time", "time", "duration", "uuid", "ipv4", "ipv6"].iter().any(|known| format == known)
        });
        let patterns: Vec<&str> = nested.all("pattern").filter_map(Value::as_str).collect();
        let own = patterns.iter().filter(|pattern| !pattern::is_guard(pattern)).copied().collect::<Vec<_>>();
        let longest = match self.written {
            _ if !own.is_empty() => MAX_LENGTH_MATCHED,
            ValueFormat::Json => MAX_LENGTH,
            ValueFormat::Text => MAX_LENGTH_IN_URL,
        };
        if let Some(most) = most.filter(|most| *most < longest && !is_rigid) {
            let filled = filled(text, most + 1);
            self.add(Constraint::Length, nested, json!(filled), format!("a text of {}, above {most}", most + 1));
            let longest: String = filled.chars().skip(1).collect();
            self.extreme(nested, json!(longest), &format!("a text of {most}, the longest that is allowed"));
        } else if most.is_none() && !has_format {
            self.extreme(nested, json!(filled(text, longest)), &format!("a text of {longest} characters"));
        }
        // Programs commonly read an empty text as no value.
        let is_short = least > 1 || (least == 1 && self.written == ValueFormat::Json);
        if is_short && !is_rigid {
            let cut: String = text.chars().take(least - 1).collect();
            self.add(Constraint::Length, nested, json!(cut), format!("a text of {}, below {least}", least - 1));
        }
        if !own.is_empty() && own.iter().all(|pattern| is_common(pattern)) {
            let length = least.max(1).min(longest);
            for mark in ["!", "~", "_"] {
                let other = mark.repeat(length);
                let before = self.found.len();
                self.add(
                    Constraint::Pattern,
                    nested,
                    json!(other),
                    format!("`{}`, which its pattern excludes", short(&other)),
                );
                if self.found.len() > before {
                    break;
                }
            }
        }
        if !has_format {
            self.extreme(nested, json!("key\u{0}fit"), "a text with the character NUL");
            // The character takes two units in UTF-16, and the 3-byte UTF-8 of some databases cannot hold it.
            self.extreme(nested, json!("key\u{1d11e}fit"), "a text with a character beyond 16 bits");
        }
    }

    fn array(&mut self, nested: &NestedValue<'a, '_>, items: &'a [Value], depth: usize) {
        let count = |key: &'static str| {
            nested.all(key).filter_map(Value::as_u64).filter_map(|bound| usize::try_from(bound).ok())
        };
        let (least, most) = (count("minItems").max().unwrap_or_default(), count("maxItems").min());
        // A list without items cannot be written as text.
        if least > usize::from(self.written == ValueFormat::Text) {
            let cut = items.get(..least - 1).unwrap_or(items);
            self.add(Constraint::Items, nested, json!(cut), format!("a list of {}, below {least}", least - 1));
        }
        if let Some(most) = most.filter(|most| *most < MAX_ITEMS && !items.is_empty()) {
            let many: Vec<Value> = (0..=most).map(|place| numbered(&items[place % items.len()], place)).collect();
            self.add(Constraint::Items, nested, json!(many), format!("a list of {}, above {most}", most + 1));
        }
        if nested.all("uniqueItems").any(|flag| *flag == true) {
            let twice = match items {
                [first, _, rest @ ..] => [first, first].into_iter().chain(rest).cloned().collect(),
                [only] => vec![only.clone(), only.clone()],
                [] => Vec::new(),
            };
            self.add(Constraint::Items, nested, Value::Array(twice), "an item twice".to_owned());
        }
        let each: Vec<&Value> = nested.all("items").filter(|each| each.is_object()).collect();
        if let (Some(first), &[each]) = (items.first(), &each[..]) {
            self.visit(each, first, &pointer::join(nested.at, "0"), depth + 1);
        }
    }

    fn object(&mut self, nested: &NestedValue<'a, '_>, members: &'a Map<String, Value>, depth: usize) {
        let required = nested.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        for name in required.filter(|name| members.contains_key(*name)).collect::<Vec<_>>() {
            let at = pointer::join(nested.at, name);
            self.keep(Violation {
                constraint: Some(Constraint::Required),
                at,
                value: None,
                description: "missing".to_owned(),
            });
        }
        if let ([_], Some(Value::Bool(false))) = (&nested.parts[..], nested.all("additionalProperties").next()) {
            let at = pointer::join(nested.at, UNKNOWN);
            let description = "a member that the document excludes".to_owned();
            self.keep(Violation {
                constraint: Some(Constraint::Additional),
                at,
                value: Some(json!(LETTERS)),
                description,
            });
        }
        for (name, member) in members {
            let description: Vec<&Value> = nested.all("properties").filter_map(|known| known.get(name)).collect();
            let others = nested.all("additionalProperties").filter(|others| others.is_object());
            let description = if description.is_empty() { others.collect() } else { description };
            if let [schema] = description[..] {
                self.visit(schema, member, &pointer::join(nested.at, name), depth + 1);
            }
        }
    }

    /// Keeps a replacement for the value of a spot if it fits the schemas there without the one constraint.
    fn add(&mut self, constraint: Constraint, nested: &NestedValue<'a, '_>, value: Value, description: String) {
        if !self.is_wanted(Some(constraint)) {
            return;
        }
        let fits_rest = constraint == Constraint::Type
            || nested
                .parts
                .iter()
                .all(|part| self.mismatch(&own_keywords(part, constraint.keywords()), &value).is_none());
        if fits_rest {
            self.keep(Violation {
                constraint: Some(constraint),
                at: nested.at.to_owned(),
                value: Some(value),
                description,
            });
        }
    }

    /// Keeps a breach if its value does not fit, and the mismatch is at the place of the change.
    fn keep(&mut self, violation: Violation) {
        if self.is_wanted(violation.constraint)
            && self
                .mismatch(self.schema, &violation.applied(self.value))
                .is_some_and(|mismatch| mismatch.at == violation.at)
        {
            self.found.push(violation);
        }
    }

    /// Keeps a replacement that fits, but that programs may not expect.
    fn extreme(&mut self, nested: &NestedValue<'a, '_>, value: Value, description: &str) {
        if value == *nested.value {
            return;
        }
        let violation = Violation {
            constraint: None,
            at: nested.at.to_owned(),
            value: Some(value),
            description: description.to_owned(),
        };
        if self.is_wanted(None) && self.mismatch(self.schema, &violation.applied(self.value)).is_none() {
            self.found.push(violation);
        }
    }

    fn is_wanted(&self, constraint: Option<Constraint>) -> bool {
        let known = self.found.iter().filter(|known| known.constraint == constraint).count();
        known < (self.most)(constraint).min(MAX_VIOLATIONS)
    }

    fn mismatch(&self, schema: &Value, value: &Value) -> Option<schema::Mismatch> {
        schema::check(&Validation::of(&self.api.document, Direction::Request), schema, value, "").err()
    }
}

impl<'a> NestedValue<'a, '_> {
    /// Returns the values of a keyword in all parts.
    fn all(&self, key: &'static str) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().filter_map(move |part| part.get(key))
    }
}

/// Returns all schemas that a value has to fit at once: the schema, the parts of its `allOf`, and its only alternative beside
/// null. Returns `None` if there are several alternatives: it would not be known which of them is violated.
fn parts<'a>(document: &'a Value, schema: &'a Value) -> Option<Vec<&'a Value>> {
    let mut parts = walk::composed(document, schema);
    let mut at = 0;
    while let Some(part) = parts.get(at).copied() {
        if part.get("not").is_some() || parts.len() > MAX_VIOLATIONS {
            return None;
        }
        for key in ["anyOf", "oneOf"] {
            let variants = part.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let is_null = |variant: &&Value| walk::resolve(document, variant)["type"] == "null";
            match variants.iter().filter(|variant| !is_null(variant)).collect::<Vec<_>>()[..] {
                [] => {}
                [only] => parts.extend(walk::composed(document, only)),
                _ => return None,
            }
        }
        at += 1;
    }
    Some(parts)
}

/// Returns the keywords of one part alone, without compositions and without the given keywords.
fn own_keywords(part: &Value, keywords: &[&str]) -> Value {
    let is_kept =
        |key: &&String| !keywords.contains(&key.as_str()) && !["allOf", "anyOf", "oneOf"].contains(&key.as_str());
    let members = part.as_object().into_iter().flatten();
    Value::Object(members.filter(|(key, _)| is_kept(key)).map(|(key, word)| (key.clone(), word.clone())).collect())
}

/// Returns whether a pattern has the same meaning in all dialects. Patterns that JavaScript reads differently from the
/// languages of servers are skipped.
fn is_common(pattern: &str) -> bool {
    let own = [r"\A", r"\Z", r"\z", r"\h", r"\p", r"\P", r"\Q", r"\X", "(?", "[[:", "&&", "++", "*+"];
    !own.iter().any(|word| pattern.contains(word))
}

/// Returns the text, extended at its beginning to a length.
fn filled(text: &str, length: usize) -> String {
    let fill = text.chars().next().filter(char::is_ascii_alphanumeric).unwrap_or('k');
    let missing = length.saturating_sub(text.chars().count());
    let mut filled: String = std::iter::repeat_n(fill, missing).collect();
    filled.push_str(text);
    filled
}

/// Returns a copy of the item that differs from other copies, if it is a text or a number.
fn numbered(item: &Value, place: usize) -> Value {
    match item {
        Value::String(text) if place > 0 => json!(format!("{text}{place}")),
        Value::Number(number) => number.as_i64().map_or_else(
            || item.clone(),
            |number| json!(i64::try_from(place).map_or(number, |place| number.saturating_add(place))),
        ),
        _ => item.clone(),
    }
}

/// Returns a JSON number; a whole number has no fraction.
#[expect(clippy::cast_possible_truncation, reason = "bounds beyond what a float holds are left alone")]
fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

fn short(text: &str) -> String {
    text.chars().take(12).collect()
}

/// Sets or removes a member.
fn set_member(root: &mut Value, at: &str, value: Option<Value>) {
    let Some((above, name)) = at.rsplit_once('/') else {
        *root = value.unwrap_or_default();
        return;
    };
    let name = pointer::name(name);
    match (root.pointer_mut(above), value) {
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(name, value)),
        (Some(Value::Object(members)), None) => drop(members.shift_remove(&name)),
        (Some(Value::Array(items)), Some(value)) => {
            if let Some(item) = name.parse().ok().and_then(|place: usize| items.get_mut(place)) {
                *item = value;
            }
        }
        _ => {}
    }
}

impl Api {
    /// Returns the API with schemas that lack the constraint: a check with it misses violations of the constraint.
    #[must_use]
    pub fn without(&self, constraint: Constraint) -> Self {
        let mut api = self.clone();
        strip(&mut api.document, constraint.keywords(), false);
        for operation in &mut api.operations {
            let schemas = operation.parameters.iter_mut().map(|parameter| &mut parameter.schema);
            let schemas = schemas.chain(operation.body.as_mut().map(|body| &mut body.schema));
            schemas.for_each(|schema| strip(schema, constraint.keywords(), false));
        }
        api
    }
}

/// Removes keywords from every schema of a node. Below names that an author chose, keys are not keywords.
fn strip(node: &mut Value, keywords: &[&str], is_named: bool) {
    match node {
        Value::Object(members) => {
            if !is_named {
                members.retain(|key, _| !keywords.contains(&key.as_str()));
            }
            for (key, member) in members {
                let is_map =
                    ["properties", "patternProperties", "schemas", "definitions", "$defs"].contains(&key.as_str());
                strip(member, keywords, is_map && !is_named);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, keywords, false)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, Text};

    fn api() -> Api {
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": "a", "version": "1" },
            "paths": {},
            "components": { "schemas": {
                "Named": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "minLength": 2, "maxLength": 4 } } },
            } },
        });
        let document = Text::new("a.json", document.to_string());
        let source = Source { name: "a".to_owned(), document, overlay: None, contract: None };
        Api::read(&source).unwrap_or_else(|error| panic!("{error}"))
    }

    fn description(schema: &Value, value: &Value, written: ValueFormat) -> Vec<String> {
        let api = api();
        let found = violations(&api, schema, value, written, &|_| MAX_VIOLATIONS);
        for violation in &found {
            let fits = schema::mismatch(&api, Direction::Request, schema, &violation.applied(value)).is_none();
            assert_eq!(fits, violation.constraint.is_none(), "{violation:?}");
        }
        let description = |violation: &Violation| {
            violation.constraint.map(|constraint| format!("{constraint:?} {}: {}", violation.at, violation.description))
        };
        found.iter().filter_map(description).collect()
    }

    #[test]
    fn each_thing_that_a_schema_says_is_broken_once() {
        let schema = json!({
            "allOf": [{ "$ref": "#/components/schemas/Named" }],
            "required": ["count"],
            "properties": {
                "count": { "type": "integer", "minimum": 1, "maximum": 20 },
                "step": { "type": "integer", "exclusiveMinimum": 10, "multipleOf": 5 },
                "kind": { "type": "string", "enum": ["a", "b"] },
                "code": { "type": "string", "pattern": "^[A-Z]{3}$" },
                "odd": { "type": "string", "pattern": "(?i)^[a-z]+$" },
                "size": { "anyOf": [{ "type": "number", "maximum": 2.5 }, { "type": "null" }] },
                "either": { "anyOf": [{ "type": "number" }, { "type": "string", "maxLength": 2 }] },
                "tags": { "type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": { "type": "string" } },
                "inner": { "type": "object", "additionalProperties": false, "properties": { "on": { "type": "boolean" } } },
            },
        });
        let value = json!({
            "name": "abc", "count": 5, "step": 15, "kind": "a", "code": "ABC", "odd": "x", "size": 1.5, "either": "x", "tags": ["x"],
            "inner": { "on": true },
        });
        insta::assert_snapshot!(description(&schema, &value, ValueFormat::Json).join("\n"));
    }

    #[test]
    fn of_what_is_written_as_text_no_text_is_of_another_type() {
        let limit = json!({ "type": "integer", "minimum": 1 });
        assert_eq!(
            description(&limit, &json!(3), ValueFormat::Text),
            ["Type : `keyfit` where a number is due", "Bounds : -5, below 1"]
        );
        assert_eq!(description(&json!({ "type": "boolean" }), &json!(true), ValueFormat::Text), [""; 0]);
        assert_eq!(description(&json!({ "type": "string", "minLength": 1 }), &json!("a"), ValueFormat::Text), [""; 0]);
        assert_eq!(description(&limit, &json!(0), ValueFormat::Text), [""; 0], "what does not fit is not broken");
    }

    #[test]
    fn what_still_fits_and_need_not_be_expected_is_named() {
        let extremes = |schema: &Value, value: &Value| {
            let found = violations(&api(), schema, value, ValueFormat::Json, &|_| MAX_VIOLATIONS).into_iter();
            found
                .filter(|violation| violation.constraint.is_none())
                .map(|violation| violation.description)
                .collect::<Vec<_>>()
        };
        let integer = json!({ "type": "integer" });
        assert_eq!(
            extremes(&integer, &json!(1)),
            ["-5, a negative number", "a number that fits into no signed 64 bits"]
        );
        let text = json!({ "type": "string" });
        assert_eq!(
            extremes(&text, &json!("a")),
            ["a text of 10000 characters", "a text with the character NUL", "a text with a character beyond 16 bits"]
        );
        let bounded = json!({ "type": "integer", "minimum": 1, "maximum": 9 });
        assert_eq!(extremes(&bounded, &json!(1)), ["9, the most that is allowed"], "the least was sent already");
        assert_eq!(extremes(&json!({ "type": "string", "format": "date" }), &json!("2026-01-22")), [""; 0]);
        assert_eq!(extremes(&json!({ "type": "string", "enum": ["a"] }), &json!("a")), [""; 0]);
    }

    #[test]
    fn no_more_is_looked_for_than_is_asked_for() {
        let schema = json!({ "properties": {
            "a": { "type": "integer", "minimum": 1 },
            "b": { "type": "integer", "minimum": 1 },
        } });
        let one_type = |constraint: Option<Constraint>| usize::from(constraint == Some(Constraint::Type));
        let found = violations(&api(), &schema, &json!({ "a": 1, "b": 2 }), ValueFormat::Json, &one_type);
        let description: Vec<_> = found.iter().map(|violation| (violation.constraint, violation.at.as_str())).collect();
        assert_eq!(description, [(Some(Constraint::Type), "/a")]);
    }

    #[test]
    fn without_a_constraint_what_breaks_it_fits() {
        let api = api();
        let schema = json!({ "$ref": "#/components/schemas/Named" });
        let value = json!({ "name": "abcdef" });
        let fits = |api: &Api| schema::mismatch(api, Direction::Request, &schema, &value).is_none();
        assert!(!fits(&api) && fits(&api.without(Constraint::Length)) && !fits(&api.without(Constraint::Enum)));
        let mut node = json!({ "required": ["type"], "properties": { "type": { "type": "string" } } });
        strip(&mut node, &["type"], false);
        assert_eq!(node, json!({ "required": ["type"], "properties": { "type": {} } }));
    }
}
