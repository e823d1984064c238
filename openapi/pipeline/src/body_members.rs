//! Schemas of places in a body.

use std::collections::HashSet;

use serde_json::Value;

use crate::{pointer, walk};

/// The maximum depth to which compositions are followed.
const MAX_DEPTH: usize = 8;

/// A member of a body that a schema describes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) schema: &'a Value,
    /// True if every body has it, and it is never null.
    pub(crate) is_required: bool,
}

/// Returns the member at a JSON pointer in bodies of a schema.
pub(crate) fn member<'a>(document: &'a Value, schema: &'a Value, pointer: &str) -> Option<Member<'a>> {
    let schema = walk::resolve(document, schema);
    let mut found = Member { schema, is_required: !is_nullable(schema) };
    if pointer.is_empty() {
        return Some(found);
    }
    if !pointer.starts_with('/') {
        return None;
    }
    for name in pointer::names(pointer) {
        let inner = property(document, found.schema, &name, &mut Visited::default(), MAX_DEPTH)?;
        found = Member { is_required: found.is_required && inner.is_required, ..inner };
    }
    Some(found)
}

/// Returns the schema of a list's items.
pub(crate) fn items<'a>(document: &'a Value, list: &'a Value) -> Option<&'a Value> {
    let list = walk::resolve(document, list);
    match walk::kind(list) {
        Some("array") => {}
        None if is_open(list) => return Some(&ANYTHING),
        _ => return None,
    }
    let own = list.get("items");
    own.or_else(|| parts(list, "allOf").find_map(|part| walk::resolve(document, part).get("items")))
        .map_or(Some(&ANYTHING), |items| Some(walk::resolve(document, items)))
}

/// Returns the members of an object that its schema names, those of its parts and alternatives included.
pub(crate) fn property_names<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let mut found = Vec::new();
    add_names(document, schema, &mut Visited::default(), MAX_DEPTH, &mut found);
    found
}

/// The schemas that were visited: nested compositions can reach one schema in exponentially many ways.
#[derive(Default)]
struct Visited(HashSet<*const Value>);

impl Visited {
    /// Returns true if a schema is visited for the first time.
    fn is_new(&mut self, schema: &Value) -> bool {
        self.0.insert(schema)
    }
}

fn add_names<'a>(
    document: &'a Value,
    schema: &'a Value,
    seen: &mut Visited,
    depth: usize,
    found: &mut Vec<(&'a str, &'a Value)>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let schema = walk::resolve(document, schema);
    if !seen.is_new(schema) {
        return;
    }
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name, walk::resolve(document, member)));
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        parts(schema, key).for_each(|part| add_names(document, part, seen, depth, found));
    }
}

/// Returns whether a schema does not constrain the members of a value.
pub(crate) fn is_open(schema: &Value) -> bool {
    let says = ["properties", "items", "allOf", "oneOf", "anyOf", "additionalProperties", "enum", "const", "$ref"];
    matches!(walk::kind(schema), None | Some("object"))
        && says.iter().all(|key| schema.get(key).is_none_or(|value| value == true))
}

/// The schema of a value that nothing constrains.
static ANYTHING: Value = Value::Bool(true);

fn property<'a>(
    document: &'a Value,
    schema: &'a Value,
    name: &str,
    seen: &mut Visited,
    depth: usize,
) -> Option<Member<'a>> {
    let depth = depth.checked_sub(1)?;
    let schema = walk::resolve(document, schema);
    // The search ends at a schema that has the member, so a visited schema lacks it.
    if !seen.is_new(schema) {
        return None;
    }
    if is_open(schema) {
        return Some(Member { schema: &ANYTHING, is_required: false });
    }
    let requires = |schema: &Value| parts(schema, "required").any(|required| required == name);
    if let Some(member) = schema.get("properties").and_then(|members| members.get(name)) {
        let member = walk::resolve(document, member);
        return Some(Member { schema: member, is_required: requires(schema) && !is_nullable(member) });
    }
    let whole = parts(schema, "allOf").find_map(|part| property(document, part, name, seen, depth));
    if let Some(member) = whole {
        return Some(Member {
            is_required: member.is_required || requires(schema) && !is_nullable(member.schema),
            ..member
        });
    }
    let alternatives = parts(schema, "oneOf").chain(parts(schema, "anyOf"));
    let member = alternatives.into_iter().find_map(|part| property(document, part, name, seen, depth))?;
    Some(Member { is_required: false, ..member })
}

pub(crate) fn parts<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn is_nullable(schema: &Value) -> bool {
    schema.get("nullable") == Some(&Value::Bool(true)) || parts(schema, "type").any(|kind| kind == "null")
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn each_part_of_a_composition_of_compositions_is_looked_into_once() {
        let level = |below: usize| match below.checked_sub(1) {
            None => json!({ "type": "object", "properties": { "deep": { "type": "string" } } }),
            Some(below) => json!({ "allOf": vec![json!({ "$ref": format!("#/components/schemas/S{below}") }); 64] }),
        };
        let schemas: Map<String, Value> = (0..7).map(|number| (format!("S{number}"), level(number))).collect();
        let document = json!({ "components": { "schemas": schemas } });
        let top = &document["components"]["schemas"]["S6"];
        // Without the record of visited schemas this would take 64 to the power of 6 steps.
        assert_eq!(property_names(&document, top).len(), 1);
        assert!(member(&document, top, "/deep").is_some());
        assert!(member(&document, top, "/other").is_none());
    }
}
