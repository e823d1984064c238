//! Limits on compositions, which the generator expands: the parts of `allOf` are merged through their references, and each
//! combination of alternatives becomes a type. A few lines can exhaust the memory.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::walker::schema_pointers;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The maximum number of combinations of alternatives in a composition.
const MAX_COMBINATIONS: usize = 64;

/// The maximum number of schemas that are merged for one.
const MAX_MERGED: usize = 2000;

/// The maximum nesting depth of compositions.
const MAX_DEPTH: usize = 100;

/// The maximum number of members in all expanded compositions together: a fixed number, plus a number for each member of the
/// document. A chain of compositions repeats every member in each following link, which grows quadratically.
const MAX_MEMBERS: usize = 2000;
const MAX_MEMBERS_PER_MEMBER: usize = 20;

const TOO_MANY: &str = "too many combinations of alternatives";
const TOO_LONG: &str = "composed of more members than all compositions together may repeat";
const OF_ANY: &str = "composed of what is any JSON value itself";

/// Narrows compositions beyond the limits to any JSON value, the smallest first, and then compositions that include them: a
/// type of the other parts would lose members silently.
pub(crate) fn narrow(document: &mut Value, repairs: &mut Repairs) {
    let mut sizes = ExpansionSizes::default();
    let mut places: Vec<(usize, String)> = schema_pointers(document)
        .into_iter()
        .map(|at| {
            let size = document.pointer(&at).map_or(SINGLE, |schema| sizes.of(document, schema, 0));
            (size.merged, at)
        })
        .collect();
    places.sort_by_key(|(merged, _)| *merged);
    let own = places.iter().filter_map(|(_, at)| document.pointer(at)).map(members).sum::<usize>();
    let mut left = MAX_MEMBERS.saturating_add(own.saturating_mul(MAX_MEMBERS_PER_MEMBER));
    let mut narrowed: HashSet<String> = HashSet::new();
    for (_, at) in places {
        let Some(mut schema) = document.pointer(&at).cloned() else { continue };
        let mut found = None;
        walk::schemas(&mut schema, &mut |inner| {
            if !is_composed(inner) {
                return;
            }
            let size = sizes.of(document, inner, 0);
            let why = match left.checked_sub(size.written()) {
                _ if size.is_too_large() => TOO_MANY,
                _ if contains_any_value(inner, &narrowed) => OF_ANY,
                None => TOO_LONG,
                Some(rest) => {
                    left = rest;
                    return;
                }
            };
            found = Some(why);
            *inner = json!({ "description": any_value_description(why) });
        });
        if let Some(name) = at.strip_prefix("/components/schemas/").filter(|_| found.is_some()) {
            let name = pointer::name(name);
            let size = sizes.of(document, &schema, 0);
            sizes.known.insert(name.clone(), size);
            if contains_any_value(&schema, &narrowed) {
                narrowed.insert(name);
            }
        }
        if let (Some(why), Some(place)) = (found, document.pointer_mut(&at)) {
            *place = schema;
            repairs.narrow("alternatives", &at, format!("{why}: any JSON value"));
        }
    }
}

/// Returns whether parts of the schema are merged with each other.
fn is_composed(schema: &Value) -> bool {
    let has = |key| schema.get(key).is_some();
    has("allOf") || (has("oneOf") || has("anyOf")) && has("properties")
}

/// Returns the parts of a composition.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|key| list(schema, key))
}

/// Returns the description of a narrowed schema.
fn any_value_description(why: &str) -> String {
    format!("Any JSON value: {why}.")
}

/// Returns whether a schema or a part of it was narrowed.
fn contains_any_value(schema: &Value, narrowed: &HashSet<String>) -> bool {
    let said = schema.get("description").and_then(Value::as_str);
    said.is_some_and(|said| [TOO_MANY, TOO_LONG, OF_ANY].into_iter().any(|why| said == any_value_description(why)))
        || walk::schema_name(schema).is_some_and(|name| narrowed.contains(name))
        || parts(schema).any(|part| contains_any_value(part, narrowed))
}

/// Returns the number of members of a schema, those of schemas inside it included.
fn members(schema: &Value) -> usize {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own: usize = properties.map(|(_, member)| 1 + members(member)).sum();
    let inside = ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key));
    own + inside.chain(parts(schema)).map(members).sum::<usize>()
}

#[derive(Clone, Copy)]
struct ExpansionSize {
    combinations: usize,
    merged: usize,
    /// The number of members of one combination.
    members: usize,
}

const SINGLE: ExpansionSize = ExpansionSize { combinations: 1, merged: 1, members: 0 };

const UNBOUNDED: ExpansionSize = ExpansionSize { combinations: usize::MAX, merged: usize::MAX, members: usize::MAX };

impl ExpansionSize {
    fn is_too_large(self) -> bool {
        self.combinations > MAX_COMBINATIONS || self.merged > MAX_MERGED
    }

    /// Returns the number of members in the expansion.
    fn written(self) -> usize {
        self.combinations.saturating_mul(self.members)
    }
}

/// The sizes of components, by name.
#[derive(Default)]
struct ExpansionSizes {
    known: HashMap<String, ExpansionSize>,
}

impl ExpansionSizes {
    fn of(&mut self, document: &Value, schema: &Value, depth: usize) -> ExpansionSize {
        if depth > MAX_DEPTH {
            return UNBOUNDED;
        }
        if let Some(name) = walk::schema_name(schema) {
            if let Some(size) = self.known.get(name) {
                return *size;
            }
            // Ends circular compositions.
            self.known.insert(name.to_owned(), SINGLE);
            let target = document.pointer(&pointer::join("/components/schemas", &pointer::name(name)));
            let size = target.map_or(SINGLE, |target| self.of(document, target, depth + 1));
            self.known.insert(name.to_owned(), size);
            return size;
        }
        let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let own = own.map(|(_, member)| 1 + members(member)).sum();
        let mut size = ExpansionSize { members: own, ..SINGLE };
        for part in list(schema, "allOf") {
            let part = self.of(document, part, depth + 1);
            size.combinations = size.combinations.saturating_mul(part.combinations);
            size.merged = size.merged.saturating_add(part.merged);
            size.members = size.members.saturating_add(part.members);
        }
        for key in ["anyOf", "oneOf"] {
            let (mut alternatives, mut largest) = (0_usize, 0);
            for part in list(schema, key) {
                let part = self.of(document, part, depth + 1);
                alternatives = alternatives.saturating_add(part.combinations);
                size.merged = size.merged.saturating_add(part.merged);
                largest = largest.max(part.members);
            }
            size.combinations = size.combinations.saturating_mul(alternatives.max(1));
            size.members = size.members.saturating_add(largest);
        }
        size
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a chain of compositions, each with one more member than the one before.
    fn chain(links: usize) -> Value {
        let link = |number: usize| {
            let own = json!({ "type": "object", "properties": { format!("p{number}"): { "type": "string" } } });
            let schema = match number {
                0 => own,
                _ => json!({ "allOf": [{ "$ref": format!("#/components/schemas/C{}", number - 1) }, own] }),
            };
            (format!("C{number}"), schema)
        };
        let schemas: serde_json::Map<String, Value> = (0..links).map(link).collect();
        json!({ "paths": {}, "components": { "schemas": schemas } })
    }

    /// Returns the number of members of all compositions after expansion.
    fn written(document: &Value) -> usize {
        let mut sizes = ExpansionSizes::default();
        let schemas = walk::members(document, "/components/schemas");
        schemas.into_iter().map(|(_, schema)| sizes.of(document, schema, 0).written()).sum()
    }

    #[test]
    fn what_compositions_repeat_grows_with_the_document_and_not_with_its_square() {
        for links in [80, 400, 1600] {
            let mut document = chain(links);
            let mut repairs = Repairs::default();
            narrow(&mut document, &mut repairs);
            assert!(
                written(&document) <= MAX_MEMBERS + MAX_MEMBERS_PER_MEMBER * links,
                "{links}: {}",
                written(&document)
            );
            let said = repairs.iter().count();
            assert_eq!(said > 0, links > 80, "{links}: {said}");
        }
    }

    #[test]
    fn what_is_composed_of_any_value_is_one_and_says_so() {
        let mut document = chain(300);
        let mut repairs = Repairs::default();
        narrow(&mut document, &mut repairs);
        let schemas = walk::members(&document, "/components/schemas");
        let typed =
            schemas.iter().take_while(|(_, schema)| is_composed(schema) || schema.get("type").is_some()).count();
        assert!(schemas.iter().skip(typed).all(|(_, schema)| members(schema) == 0), "no link loses members");
        assert_eq!(repairs.iter().count(), schemas.len() - typed);
    }
}
