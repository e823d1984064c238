//! What no repair can mend: unsupported versions, missing parts, dangling references, clashing ids.

use std::collections::{HashMap, HashSet};

use heck::ToSnakeCase as _;
use serde_json::Value;

use crate::Failure;
use crate::load::Located;
use crate::{name, pointer, walk};

/// Refuses everything but OpenAPI 3.0.
pub(crate) fn version(located: &Located, document: &Value) -> Result<(), Failure> {
    if !document.is_object() {
        return Err(located.failure(
            "",
            "the document is not an object",
            "an OpenAPI document starts with `openapi: 3.0.x`",
        ));
    }
    if let Some(swagger) = document.get("swagger") {
        return Err(located.failure(
            "/swagger",
            format!("Swagger {} is not supported", plain(swagger)),
            "convert the document to OpenAPI 3.0",
        ));
    }
    let Some(version) = document.get("openapi") else {
        return Err(located.failure(
            "",
            "the key `openapi` is missing",
            "add `openapi: 3.0.3`, or check that this is the document",
        ));
    };
    let text = plain(version);
    if text == "3.0" || text.starts_with("3.0.") {
        return Ok(());
    }
    Err(located.failure(
        "/openapi",
        format!("OpenAPI {text} is not supported"),
        "use an OpenAPI 3.0 document (3.0.0 to 3.0.4); convert a 3.1 document down to 3.0.3",
    ))
}

/// Refuses a document without the parts that everything else is built on.
pub(crate) fn parts(located: &Located, document: &Value) -> Result<(), Failure> {
    for (node, key) in [("", "info"), ("", "paths"), ("/info", "title"), ("/info", "version")] {
        let parent = document.pointer(node).unwrap_or(&Value::Null);
        let Some(part) = parent.get(key) else {
            return Err(located.failure(
                node,
                format!("the key `{key}` is missing"),
                "OpenAPI 3.0 requires it: add it, by hand or by overlay",
            ));
        };
        if node.is_empty() && !part.is_object() {
            return Err(located.failure(
                &pointer::join(node, key),
                format!("`{key}` is not an object"),
                "write it as a mapping",
            ));
        }
    }
    walk::path_items(document).into_iter().try_for_each(|(at, item)| path_item(located, &at, item))
}

fn path_item(located: &Located, at: &str, item: &Value) -> Result<(), Failure> {
    let path = pointer::name(at);
    if item.get("$ref").is_some() {
        return Err(located.failure(
            at,
            "a path item that is a reference is not supported",
            "write the path item out in its place",
        ));
    }
    let Some(members) = item.as_object() else {
        return Err(located.failure(at, "the path item is not an object", "write its operations as a mapping"));
    };
    if !path.starts_with('/') {
        return Err(located.failure(
            at,
            format!("the path `{path}` does not start with a slash"),
            "start it with `/`: otherwise it would be dropped silently",
        ));
    }
    // Each of these would send the request to another path than the one that the token is meant for.
    if let Some(odd) = path.chars().find(|letter| !letter.is_ascii_graphic() || matches!(letter, '?' | '#' | '\\')) {
        return Err(located.failure(
            at,
            format!("the path `{path}` holds {odd:?}"),
            "declare query parameters as parameters, and percent-encode what is no plain ASCII",
        ));
    }
    for (key, operation) in members {
        let at = pointer::join(at, key);
        let method = key.to_ascii_lowercase();
        if !walk::METHODS.contains(&method.as_str()) {
            continue;
        }
        if *key != method {
            return Err(located.failure(
                &at,
                format!("the method `{key}` is not in lower case"),
                format!("write `{method}`: otherwise it would be dropped silently"),
            ));
        }
        if !operation.is_object() {
            return Err(located.failure(
                &at,
                "the operation is not an object",
                "write it as a mapping with `responses`, or remove the key",
            ));
        }
        if operation.get("responses").is_none_or(|responses| !responses.is_object()) {
            return Err(located.failure(&at, "the operation has no `responses`", "list at least one answer"));
        }
    }
    Ok(())
}

/// Refuses a `$ref` that leads nowhere or into another file.
pub(crate) fn references(located: &Located, document: &Value) -> Result<(), Failure> {
    let mut failure = None;
    walk::references(document, &mut |at, reference| {
        if failure.is_some() {
            return;
        }
        let Some(target) = pointer::of_reference(reference) else {
            failure = Some(located.failure(
                at,
                format!("the reference `{reference}` leads to another file"),
                "only references within the document (`#/...`) are supported: bundle the files into one",
            ));
            return;
        };
        if document.pointer(target).is_none() {
            failure = Some(located.failure(
                at,
                format!("the reference `{reference}` leads nowhere"),
                format!("add `{}` at that place, or correct the reference", pointer::name(target)),
            ));
        } else if walk::component(reference).is_some_and(|name| name.contains('/')) {
            failure = Some(located.failure(
                at,
                format!("the reference `{reference}` leads into the inside of a schema"),
                "give that part a name under `components/schemas`, and refer to it",
            ));
        }
    });
    failure.map_or(Ok(()), Err)
}

/// Refuses a schema that is composed of itself: no value fits it, and the generator would not end.
pub(crate) fn compositions(located: &Located, document: &Value) -> Result<(), Failure> {
    for (at, schema) in walk::members(document, "/components/schemas") {
        let mut open = parts_of(schema);
        let mut seen = HashSet::new();
        while let Some(reference) = open.pop() {
            if reference.strip_prefix('#') == Some(at.as_str()) {
                return Err(located.failure(
                    &at,
                    format!("the schema `{}` is composed of itself", pointer::name(&at)),
                    "take it out of its own `$ref`, `allOf`, `anyOf` or `oneOf`, by overlay",
                ));
            }
            if let Some(part) = pointer::of_reference(reference).and_then(|target| document.pointer(target))
                && seen.insert(reference)
            {
                open.extend(parts_of(part));
            }
        }
    }
    Ok(())
}

/// The references that a schema is composed of; those of its members are values of their own.
fn parts_of(schema: &Value) -> Vec<&str> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return vec![reference];
    }
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten().flat_map(parts_of).collect()
}

/// Refuses an operationId that stands twice, also after conversion to a Rust name.
pub(crate) fn operation_ids(located: &Located, document: &Value) -> Result<(), Failure> {
    let mut seen: HashMap<String, (String, String)> = HashMap::new();
    for (at, operation) in walk::operations(document) {
        let Some(id) = operation.get("operationId").and_then(Value::as_str) else { continue };
        if let Some((other, first)) = seen.insert(id.to_snake_case(), (id.to_owned(), at.clone())) {
            let problem = if other == id {
                format!("the operationId `{id}` stands twice")
            } else {
                format!("the operationIds `{other}` and `{id}` give the same Rust name `{}`", id.to_snake_case())
            };
            let first = located.place(&pointer::join(&first, "operationId"));
            return Err(located.failure(
                &pointer::join(&at, "operationId"),
                problem,
                format!("it was first used at {first}: rename one of the two, by overlay if the document is published"),
            ));
        }
    }
    Ok(())
}

/// Refuses two schemas whose names give the same Rust type.
pub(crate) fn schema_names(located: &Located, document: &Value) -> Result<(), Failure> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for name in schemas.into_iter().flat_map(serde_json::Map::keys) {
        if let Some(other) = seen.insert(name::of_type(name), name) {
            return Err(located.failure(
                &pointer::join("/components/schemas", name),
                format!("the schemas `{other}` and `{name}` give the same Rust type"),
                "rename one of the two by overlay",
            ));
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
