//! Traversals of a document: its path items, operations, references and schemas.

use serde_json::Value;

use crate::pointer;

/// Returns whether a document is OpenAPI 3.1, in which keywords beside a `$ref` apply as well.
pub(crate) fn is_31(document: &Value) -> bool {
    document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"))
}

/// The operation keys of a path item (OpenAPI 3.0).
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Returns whether a key of a path item is a method of OpenAPI 3.2 that clients do not support: `query`, or one of
/// `additionalOperations`, which are in capitals.
pub(crate) fn is_other_method(key: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_known = METHODS.iter().any(|method| key.eq_ignore_ascii_case(method));
    key == "query"
        || (!is_known && key.starts_with(|first: char| first.is_ascii_uppercase()) && key.bytes().all(is_token))
}

/// Returns whether RFC 9110 defines a method (lower case) as safe.
pub(crate) fn is_safe(method: &str) -> bool {
    matches!(method, "get" | "head" | "options")
}

/// Returns the path items with their pointers, without vendor extensions.
pub(crate) fn path_items(document: &Value) -> Vec<(String, &Value)> {
    members(document, "/paths").into_iter().filter(|(at, _)| !pointer::name(at).starts_with("x-")).collect()
}

/// Returns the members of an object in the document, with their pointers.
pub(crate) fn members<'a>(document: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let object = document.pointer(at).and_then(Value::as_object);
    object.into_iter().flatten().map(|(key, value)| (pointer::join(at, key), value)).collect()
}

/// Returns the operations with their pointers, in the document's order.
pub(crate) fn operations(document: &Value) -> Vec<(String, &Value)> {
    path_items(document).into_iter().flat_map(|(at, item)| calls_in(at, item)).collect()
}

/// Returns the operations of a path item.
fn calls_in(at: String, item: &Value) -> impl Iterator<Item = (String, &Value)> {
    let members = item.as_object().into_iter().flatten();
    let calls = members.filter(|(key, call)| METHODS.contains(&key.as_str()) && call.is_object());
    calls.map(move |(method, call)| (pointer::join(&at, method), call))
}

/// Returns the pointers of the operations of the path item at a pointer, or of the single operation there.
pub(crate) fn calls_of(document: &Value, at: &str) -> Vec<String> {
    let item = if at.matches('/').count() > 2 { at.rsplit_once('/').map_or(at, |(item, _)| item) } else { at };
    if pointer::name(item).starts_with("x-") {
        return Vec::new();
    }
    let calls = document.pointer(item).into_iter().flat_map(|found| calls_in(item.to_owned(), found));
    calls.map(|(call, _)| call).filter(|call| at == item || call == at).collect()
}

/// Returns the pointers of all operations, for passes that change them.
pub(crate) fn operation_pointers(document: &Value) -> Vec<String> {
    operations(document).into_iter().map(|(at, _)| at).collect()
}

/// Returns the method (lower case) and path template of an operation's pointer.
pub(crate) fn method_and_path(at: &str) -> (String, String) {
    let (item, method) = at.rsplit_once('/').unwrap_or_default();
    (method.to_owned(), pointer::name(item))
}

/// Calls `found` with the pointer and target of every `$ref`. Examples are skipped: they are not schemas.
pub(crate) fn references(document: &Value, found: &mut dyn FnMut(&str, &str)) {
    visit(document, "", false, found);
}

/// Visits a node. Where keys are names that the document's author chose, they are not keywords: a property may be called
/// `example`.
fn visit(node: &Value, at: &str, keys_are_names: bool, found: &mut dyn FnMut(&str, &str)) {
    match node {
        Value::Object(object) => {
            for (key, value) in object {
                let is_data = matches!(key.as_str(), "example" | "examples") || is_extension(key);
                if is_data && !keys_are_names {
                    continue;
                }
                let below = pointer::join(at, key);
                match value.as_str() {
                    Some(target) if key == "$ref" => found(&below, target),
                    _ => {
                        let names_follow = at == "/components" || matches!(key.as_str(), "properties" | "headers");
                        visit(value, &below, names_follow && !keys_are_names, found);
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{at}/{index}"), false, found);
            }
        }
        _ => {}
    }
}

/// Returns whether a key is a vendor extension.
pub(crate) fn is_extension(key: &str) -> bool {
    key.starts_with("x-") && key != "x-webhooks"
}

/// Returns the value itself, or the node that its `$ref` refers to. References were checked when the document was read.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // Bounded, because a reference may lead back to itself.
    for _ in 0..16 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(pointer::of_reference);
        match target.and_then(|target| document.pointer(target)) {
            Some(next) => value = next,
            None => return value,
        }
    }
    value
}

/// Returns a schema and all parts that it is composed of by `allOf`, without duplicates, the schema first.
pub(crate) fn composed<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![resolve(document, schema)];
    let mut at = 0;
    while let Some(schema) = found.get(at).copied() {
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let part = resolve(document, part);
            if !found.iter().any(|known| std::ptr::eq(*known, part)) && found.len() < MAX_PARTS {
                found.push(part);
            }
        }
        at += 1;
    }
    found
}

/// The maximum number of parts of a composition; further parts are ignored.
const MAX_PARTS: usize = 256;

/// Returns the size of a value: its nodes, plus its texts by every 64 bytes.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().fold(1, |sum, member| sum + size(member)),
        Value::Array(items) => items.iter().fold(1, |sum, item| sum + size(item)),
        Value::String(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

/// Returns the number of entries of the longest list or map.
pub(crate) fn widest(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(widest).fold(members.len(), usize::max),
        Value::Array(items) => items.iter().map(widest).fold(items.len(), usize::max),
        _ => 0,
    }
}

/// Returns the type of a schema, or the type that its keywords imply.
pub(crate) fn kind(schema: &Value) -> Option<&str> {
    let types = schema.get("type");
    let listed = types.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(kind) = types.and_then(Value::as_str).or_else(|| listed.into_iter().find(|kind| *kind != "null")) {
        return Some(kind);
    }
    let has = |key| schema.get(key).is_some();
    match schema {
        _ if has("properties") || has("additionalProperties") => Some("object"),
        _ if has("items") => Some("array"),
        _ => {
            let parts = schema.get("allOf").and_then(Value::as_array)?;
            parts.iter().find_map(kind)
        }
    }
}

/// Returns the name of the component schema that a reference refers to.
pub(crate) fn component(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// Returns the name of the component that a reference refers to, or that contains the referenced node.
pub(crate) fn holder(component: &str) -> String {
    pointer::name(component.split('/').next().unwrap_or_default())
}

/// Returns the name of the component schema that a `$ref` refers to.
pub(crate) fn schema_name(schema: &Value) -> Option<&str> {
    component(schema.get("$ref")?.as_str()?)
}

/// Calls `change` with a schema and then with each schema inside it.
pub(crate) fn schemas(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    change(schema);
    let Some(object) = schema.as_object_mut() else { return };
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
            schemas(inner, change);
        }
    }
    for key in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        for inner in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            schemas(inner, change);
        }
    }
    for inner in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        schemas(inner.1, change);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_calls_of_a_path_and_a_call_itself_are_found_without_the_others() {
        let item = json!({ "get": {}, "post": {}, "head": [], "summary": "", "x-get": {} });
        let document = json!({ "paths": { "/a": item, "/a/b": item, "x-c": item } });
        assert_eq!(calls_of(&document, "/paths/~1a"), ["/paths/~1a/get", "/paths/~1a/post"]);
        assert_eq!(calls_of(&document, "/paths/~1a/post"), ["/paths/~1a/post"]);
        for nothing in ["/paths/~1a/head", "/paths/~1nowhere", "/paths/x-c", "/paths/x-c/get"] {
            assert!(calls_of(&document, nothing).is_empty(), "{nothing}");
        }
        assert_eq!(operation_pointers(&document).len(), 4);
    }
}
