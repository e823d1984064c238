//! The search for violations in a value and in the values inside it.

use serde_json::{Map, Value, json};

use super::values::{extended, is_common, number, numbered, short};
use super::{Constraint, MAX_VIOLATIONS, ValueFormat, Violation};
use crate::schema::{self, Direction, Validation};
use crate::{Api, pattern, pointer, walk};

/// The maximum number of nested values that are visited, and the maximum depth.
pub(super) const MAX_NODES: usize = 400;

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

pub(super) struct Finder<'a> {
    pub(super) api: &'a Api,
    pub(super) schema: &'a Value,
    pub(super) value: &'a Value,
    pub(super) written: ValueFormat,
    pub(super) most: &'a dyn Fn(Option<Constraint>) -> usize,
    pub(super) found: Vec<Violation>,
    pub(super) nodes: usize,
}

/// A nested value, with all schemas that it has to fit.
struct NestedValue<'a, 's> {
    parts: Vec<&'a Value>,
    value: &'a Value,
    at: &'s str,
}

impl<'a> Finder<'a> {
    pub(super) fn visit(&mut self, schema: &'a Value, value: &'a Value, at: &str, depth: usize) {
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
            let filled = extended(text, most + 1);
            self.add(Constraint::Length, nested, json!(filled), format!("a text of {}, above {most}", most + 1));
            let longest: String = filled.chars().skip(1).collect();
            self.extreme(nested, json!(longest), &format!("a text of {most}, the longest that is allowed"));
        } else if most.is_none() && !has_format {
            self.extreme(nested, json!(extended(text, longest)), &format!("a text of {longest} characters"));
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

    pub(super) fn mismatch(&self, schema: &Value, value: &Value) -> Option<schema::Mismatch> {
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
