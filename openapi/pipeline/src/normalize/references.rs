//! References to other nodes than named components: to a part of a schema, or to a part of an operation.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// The maximum number of rounds: a schema that was given a name may refer to another one without a name.
const MAX_ROUNDS: usize = 8;

/// Decodes percent-encoded references; a `$ref` is a URI.
pub(crate) fn decode(document: &mut Value, repairs: &mut Repairs) {
    let mut encoded = Vec::new();
    walk::references(document, &mut |at, target| {
        if target.starts_with('#') && target.contains('%') {
            encoded.push((at.to_owned(), target.to_owned()));
        }
    });
    for (at, target) in encoded {
        let Some(plain) = percent_decoded(&target).filter(|plain| document.pointer(&plain[1..]).is_some()) else {
            continue;
        };
        if document.pointer(&target[1..]).is_none()
            && let Some(reference) = document.pointer_mut(&at)
        {
            *reference = json!(plain);
            repairs.note("encoded-reference", &at, format!("read as `{plain}`"));
        }
    }
}

/// Moves the schemas that such references refer to into named components, because a type needs a name.
pub(crate) fn name_targets(document: &mut Value, repairs: &mut Repairs) {
    for _ in 0..MAX_ROUNDS {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        walk::references(document, &mut |at, target| {
            if leads_inside(target) && is_schema(at) {
                found.entry(target.to_owned()).or_insert_with(|| at.to_owned());
            }
        });
        if found.is_empty() {
            return;
        }
        let mut taken: HashSet<String> = walk::members(document, "/components/schemas")
            .iter()
            .map(|(at, _)| name::of_type(&pointer::name(at)))
            .collect();
        let mut named = Map::new();
        let mut moved: HashMap<&str, String> = HashMap::new();
        for (target, at) in &found {
            let Some(schema) = pointer::of_reference(target).and_then(|target| document.pointer(target)) else {
                continue;
            };
            let words: Vec<&str> = target.rsplit('/').filter(|word| word.parse::<u32>().is_err()).collect();
            let last = words.first().map_or_else(String::new, |word| pointer::name(word));
            let name = name::unique(&name::of_type(&last), &mut taken);
            named.insert(name.clone(), schema.clone());
            repairs.note("inner-reference", at, format!("`{target}` is the type `{name}`"));
            moved.insert(target, pointer::join("#/components/schemas", &name));
        }
        // All at once: a document may have as many such references as schemas.
        redirect(document, &moved);
        named.values_mut().for_each(|schema| redirect(schema, &moved));
        let Some(root) = document.as_object_mut() else { return };
        let components = root.entry("components").or_insert_with(|| json!({}));
        if let Some(components) = components.as_object_mut() {
            let schemas = components.entry("schemas").or_insert_with(|| json!({}));
            if let Some(schemas) = schemas.as_object_mut() {
                schemas.extend(named);
            }
        }
    }
}

fn leads_inside(target: &str) -> bool {
    match walk::component(target) {
        Some(name) => name.contains('/'),
        None => target.starts_with("#/"),
    }
}

/// Returns whether a reference at this place replaces a schema.
fn is_schema(at: &str) -> bool {
    at.starts_with("/components/schemas/") || at.contains("/schema/")
}

fn redirect(node: &mut Value, moved: &HashMap<&str, String>) {
    match node {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value.as_str().filter(|_| key == "$ref").and_then(|target| moved.get(target)) {
                    Some(to) => *value = json!(to),
                    None => redirect(value, moved),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, moved)),
        _ => {}
    }
}

pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
