//! Errors that no repair can fix: missing parts, references to files that are not read, circular compositions.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::load::LocatedDocument;
use crate::{Error, files};
use crate::{pointer, walk};

/// Returns an error if the document lacks a part that every later step needs.
pub(crate) fn parts(located: &LocatedDocument, document: &Value) -> Result<(), Error> {
    for (node, key) in [("", "info"), ("", "paths")] {
        let parent = document.pointer(node).unwrap_or(&Value::Null);
        let Some(part) = parent.get(key) else {
            return Err(located.error_at(
                node,
                format!("the key `{key}` is missing"),
                "OpenAPI requires it: add it, by hand or by overlay",
            ));
        };
        if node.is_empty() && !part.is_object() {
            return Err(located.error_at(
                &pointer::join(node, key),
                format!("`{key}` is not an object"),
                "write it as a mapping",
            ));
        }
    }
    walk::path_items(document).into_iter().try_for_each(|(at, item)| path_item(located, &at, item))
}

fn path_item(located: &LocatedDocument, at: &str, item: &Value) -> Result<(), Error> {
    // References with a known target are resolved already.
    if let Some(reference) = item.get("$ref") {
        return Err(leads_elsewhere(located, &pointer::join(at, "$ref"), &scalar_text(reference)));
    }
    let Some(members) = item.as_object() else {
        return Err(located.error_at(at, "the path item is not an object", "write its operations as a mapping"));
    };
    for (key, operation) in members {
        let at = pointer::join(at, key);
        let method = key.to_ascii_lowercase();
        if !walk::METHODS.contains(&method.as_str()) {
            continue;
        }
        if !operation.is_object() {
            return Err(located.error_at(
                &at,
                "the operation is not an object",
                "write it as a mapping with `responses`, or remove the key",
            ));
        }
    }
    Ok(())
}

/// Returns an error if a `$ref` refers to another file.
pub(crate) fn references(located: &LocatedDocument, document: &Value) -> Result<(), Error> {
    let mut error = None;
    walk::references(document, &mut |at, reference| {
        if error.is_none() && pointer::of_reference(reference).is_none() {
            error = Some(leads_elsewhere(located, at, reference));
        }
    });
    error.map_or(Ok(()), Err)
}

fn leads_elsewhere(located: &LocatedDocument, at: &str, reference: &str) -> Error {
    let (problem, help) = files::refused_reference(located.source.path(), reference);
    located.error_at(at, problem, help)
}

/// Returns an error if a schema is composed of itself: no value fits it, and the generator would not end.
pub(crate) fn compositions(located: &LocatedDocument, document: &Value) -> Result<(), Error> {
    let schemas = walk::members(document, "/components/schemas");
    // True while a schema is on the current path, false once it is done.
    let mut is_open: HashMap<&str, bool> = HashMap::new();
    for (at, schema) in &schemas {
        if is_open.contains_key(at.as_str()) {
            continue;
        }
        is_open.insert(at, true);
        let mut way = vec![(at.as_str(), parts_of(schema))];
        while let Some((node, parts)) = way.last_mut() {
            let Some(reference) = parts.pop() else {
                is_open.insert(node, false);
                way.pop();
                continue;
            };
            let Some(target) = pointer::of_reference(reference) else { continue };
            match is_open.get(target) {
                Some(true) => {
                    let circle: HashSet<&str> =
                        way.iter().map(|(node, _)| *node).skip_while(|node| *node != target).collect();
                    if let Some((at, _)) = schemas.iter().find(|(at, _)| circle.contains(at.as_str())) {
                        return Err(composed_of_itself(located, at));
                    }
                }
                Some(false) => {}
                None => {
                    if let Some(part) = document.pointer(target) {
                        is_open.insert(target, true);
                        way.push((target, parts_of(part)));
                    }
                }
            }
        }
    }
    Ok(())
}

fn composed_of_itself(located: &LocatedDocument, at: &str) -> Error {
    located.error_at(
        at,
        format!("the schema `{}` is composed of itself", pointer::name(at)),
        "take it out of its own `$ref`, `allOf`, `anyOf` or `oneOf`, by overlay",
    )
}

/// Returns the references that a schema is composed of. References of its members are not included: members are values of
/// their own.
fn parts_of(schema: &Value) -> Vec<&str> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return vec![reference];
    }
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten().flat_map(parts_of).collect()
}

/// Returns a scalar as its author wrote it.
fn scalar_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
