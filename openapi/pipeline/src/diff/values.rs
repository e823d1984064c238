//! Lists of values: an `enum`, several of which a value has to be in at once, or a union of constants.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::comparison::Comparison;
use super::node::Node;
use super::rules::{Direction, Rule, surface as surf};
use super::schema::SchemaPair;
use crate::generate::{NAME_KEYS, texts_of_each, variant};
use crate::name;

/// The maximum nesting depth of unions of constants.
const MAX_DEPTH: usize = 4;

/// The values of which a value has to be one, in their order.
pub(super) struct Values<'a> {
    all: Vec<(String, &'a Value, Node<'a>)>,
    /// The list that contains them.
    pub(super) at: Node<'a>,
}

impl<'a> Values<'a> {
    /// Returns the values that all lists contain; each list may consist of several pieces.
    pub(super) fn in_all(lists: impl Iterator<Item = Vec<Node<'a>>>) -> Option<Self> {
        let read = |pieces: Vec<Node<'a>>| {
            let at = pieces.first()?.clone();
            let mut seen = HashSet::new();
            let values =
                pieces.iter().flat_map(|piece| piece.value.as_array().into_iter().flatten().map(move |it| (piece, it)));
            let all = values.filter_map(|(piece, value)| {
                let text = canonical(value);
                seen.insert(text.clone()).then(|| (text, value, piece.clone()))
            });
            let all = all.collect();
            Some(Self { all, at })
        };
        lists.filter_map(read).reduce(|one, other| {
            let (mut fewer, more) = if other.all.len() < one.all.len() { (other, one) } else { (one, other) };
            let has = more.texts();
            fewer.all.retain(|(text, ..)| has.contains(text.as_str()));
            fewer
        })
    }

    /// Returns the variants of the values in the client, by the texts of the values; integers have variants only if each of
    /// them has a name.
    fn variants(&self) -> HashMap<&str, String> {
        let listed = || self.all.iter().filter(|(_, value, _)| !value.is_null());
        let mut seen = HashSet::new();
        let is_named =
            listed().all(|(_, value, at)| document_name(value, at).is_some_and(|name| seen.insert(variant(name))));
        let called = |(_, value, at): &(String, &'a Value, Node<'a>)| match value {
            value if is_named => document_name(value, at).map(variant),
            Value::String(_) => Some(name::of_type(&plain(value))),
            _ => None,
        };
        listed().filter_map(|listed| Some((listed.0.as_str(), called(listed)?))).collect()
    }

    fn texts(&self) -> HashSet<&str> {
        self.all.iter().map(|(text, ..)| text.as_str()).collect()
    }

    /// Returns whether both have a value in common.
    pub(super) fn shares(&self, other: &Self) -> bool {
        !self.texts().is_disjoint(&other.texts())
    }

    /// Returns the common type of all values except null.
    pub(super) fn kind(&self) -> Option<&'static str> {
        let kind = |value: &Value| match value {
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            _ => "object",
        };
        let mut kinds: Vec<&str> =
            self.all.iter().filter(|(_, value, _)| !value.is_null()).map(|(_, value, _)| kind(value)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        match kinds[..] {
            [kind] => Some(kind),
            ["integer", "number"] => Some("number"),
            _ => None,
        }
    }
}

/// Returns the document's name for a value of a list: by the vendor keys of generators, or by the title of an alternative
/// that is one value.
fn document_name<'a>(value: &Value, list: &Node<'a>) -> Option<&'a str> {
    let schema = list.around()?;
    let index = list.value.as_array()?.iter().position(|listed| listed == value)?;
    let name = texts_of_each(schema.value.as_object()?, &NAME_KEYS).and_then(|names| names[index].as_str());
    let is_alternative = schema.at.rsplit('/').nth(1).is_some_and(|key| matches!(key, "oneOf" | "anyOf"));
    name.or_else(|| schema.text("title").filter(|_| is_alternative))
}

/// Returns the lists of values of shapes that are constants only; `None` if one is not.
pub(super) fn of_constants<'a>(variants: &[Node<'a>]) -> Option<Vec<Node<'a>>> {
    let mut lists = Vec::new();
    variants.iter().all(|variant| constants(variant, &mut lists, 0)).then_some(lists)
}

fn constants<'a>(variant: &Node<'a>, lists: &mut Vec<Node<'a>>, depth: usize) -> bool {
    const OF_CONSTANTS: [&str; 11] = [
        "enum",
        "type",
        "title",
        "$comment",
        "externalDocs",
        "description",
        "deprecated",
        "example",
        "examples",
        "oneOf",
        "anyOf",
    ];
    let shape = if variant.is_plain_reference() { variant.resolved() } else { variant.clone() };
    let Some(object) = shape.value.as_object() else { return false };
    if depth == MAX_DEPTH || !object.keys().all(|key| OF_CONSTANTS.contains(&key.as_str()) || key.starts_with("x-")) {
        return false;
    }
    let choices: Vec<Node<'a>> = ["oneOf", "anyOf"].into_iter().filter_map(|key| shape.get(key)).collect();
    match (shape.get("enum"), &choices[..]) {
        (Some(list), []) if list.value.is_array() => {
            lists.push(list);
            true
        }
        (None, [choice]) => choice.items().all(|inner| constants(&inner, lists, depth + 1)),
        _ => false,
    }
}

/// Compares the lists of values.
pub(super) fn compare(cx: &mut Comparison<'_>, schemas: &SchemaPair<'_, '_>) {
    let SchemaPair { rules, old, new, here, rust_item } = schemas;
    let (before, after) = (old.values(), new.values());
    let rust = |what: &str| rust_item.effect(|| format!("{} {what}", rust_item.holder()));
    match (&before, &after) {
        (Some(before), Some(after)) => {
            let (had, has) = (before.variants(), after.variants());
            let mut report =
                |rule: &'static Rule, at: &Node<'_>, value: &Value, variant: Option<&String>, what: &str| {
                    let rust = rust_item.effect(|| match variant {
                        Some(variant) if rules.direction == Direction::Request => {
                            rust_item.variant_effect(variant, what)
                        }
                        Some(_) => format!("a known value of {} {what}", rust_item.holder()),
                        None => "no change: only texts and what has names become an enum".to_owned(),
                    });
                    cx.report(rule, at, format!("the value `{}` {what}", plain(value)), rust);
                };
            let (old_texts, new_texts) = (before.texts(), after.texts());
            for (text, value, at) in before.all.iter().filter(|(text, ..)| !new_texts.contains(text.as_str())) {
                report(rules.enum_value_removed, at, value, had.get(text.as_str()), "is gone");
            }
            for (text, value, at) in after.all.iter().filter(|(text, ..)| !old_texts.contains(text.as_str())) {
                report(rules.enum_value_added, at, value, has.get(text.as_str()), "is new");
            }
            names(cx, schemas, after, &had, &has);
        }
        (None, Some(after)) => {
            cx.report(rules.enum_closed, &after.at, "only listed values are left", rust("becomes an enum"));
        }
        (Some(_), None) => {
            cx.report(rules.enum_opened, here, "the list of values is gone", rust("is no longer an enum"));
        }
        (None, None) => {}
    }
}

/// Compares the names of the values of both lists in the client.
fn names(
    cx: &mut Comparison<'_>,
    schemas: &SchemaPair<'_, '_>,
    after: &Values<'_>,
    had: &HashMap<&str, String>,
    has: &HashMap<&str, String>,
) {
    let rust_item = schemas.rust_item;
    // A value without a type has no variants.
    if rust_item.untyped.is_some() {
        return;
    }
    if had.is_empty() != has.is_empty() {
        let (detail, what) = if has.is_empty() {
            ("the values have no names any more", "is no longer an enum")
        } else {
            ("the values have names", "becomes an enum")
        };
        return cx.report(
            &surf::ENUM_VALUE_RENAMED,
            &after.at,
            detail,
            rust_item.effect(|| format!("{} {what}", rust_item.holder())),
        );
    }
    for (text, value, at) in &after.all {
        let (Some(was), Some(is)) = (had.get(text.as_str()), has.get(text.as_str())) else { continue };
        if was != is {
            let detail = format!("the value `{}` is called `{is}`, no longer `{was}`", plain(value));
            cx.report(
                &surf::ENUM_VALUE_RENAMED,
                at,
                detail,
                rust_item.effect(|| rust_item.variant_effect(was, &format!("becomes `{is}`"))),
            );
        }
    }
}

/// Returns a value as text: a string without its quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns a value as text that is equal for equal values: 20 for 20.0, members in one order.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            // Larger ones cannot be distinguished as floats.
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(key, value)| (key, canonical(value))).collect();
            format!("{members:?}")
        }
        _ => value.to_string(),
    }
}
