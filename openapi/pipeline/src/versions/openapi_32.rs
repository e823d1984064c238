//! The conversion of OpenAPI 3.2 to 3.1. Features that 3.1 lacks are set aside, or kept unchanged for steps that support
//! them, such as `itemSchema`. Features that do not concern requests and responses, such as the hierarchy of tags, are kept.

use serde_json::{Map, Value, json};

use super::{Moves, UnsendableCall, is_method};
use crate::media_type::essence;
use crate::repair::Repairs;
use crate::{pointer, walk};

const MEDIA_TYPES: &str = "#/components/mediaTypes/";
const SCHEMES: &str = "#/components/securitySchemes/";

/// Converts a document in place.
pub(super) fn convert(document: &mut Value, repairs: &mut Repairs) -> (Moves, Vec<UnsendableCall>) {
    let mut moves = Moves::default();
    let Some(root) = document.as_object_mut() else { return (moves, Vec::new()) };
    root.insert("openapi".to_owned(), json!("3.1.1"));
    own_address(document);
    let named = document.pointer("/components/mediaTypes").cloned().unwrap_or_default();
    visit(document, &mut |key, node| match key {
        "content" => media_types(node, &named),
        "parameters" => query_strings(node),
        "examples" => shown_data(node),
        "security" => scheme_names(node),
        _ => {}
    });
    let set_aside = methods(document, &mut moves, repairs);
    (moves, set_aside)
}

/// Calls `change` with each member under a keyword of OpenAPI; names that the author chose are skipped.
fn visit(node: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
    match node {
        Value::Object(object) => {
            for (key, inner) in object {
                change(key, inner);
                match key.as_str() {
                    "example" | "examples" | "default" | "enum" | "const" => {}
                    "properties" => {
                        inner.as_object_mut().into_iter().flatten().for_each(|(_, inner)| visit(inner, change));
                    }
                    key if key.starts_with("x-") => {}
                    _ => visit(inner, change),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, change)),
        _ => {}
    }
}

/// Makes references local that use the document's own address (`$self`).
fn own_address(document: &mut Value) {
    let Some(Value::String(address)) = document.as_object_mut().and_then(|root| root.shift_remove("$self")) else {
        return;
    };
    let mut own = Vec::new();
    walk::references(document, &mut |at, target| {
        let inside = target.strip_prefix(address.as_str()).filter(|inside| inside.starts_with('#'));
        own.extend(inside.map(|inside| (at.to_owned(), inside.to_owned())));
    });
    for (at, inside) in own {
        if let Some(reference) = document.pointer_mut(&at) {
            *reference = json!(inside);
        }
    }
}

/// Replaces references to named media types by the media types, because 3.1 has no such component.
fn media_types(content: &mut Value, named: &Value) {
    for (_, media) in content.as_object_mut().into_iter().flatten() {
        let name = media.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(MEDIA_TYPES));
        if let Some(found) = name.and_then(|name| named.get(pointer::name(name))) {
            *media = found.clone();
        }
    }
}

/// Converts a query that is described as a form to an object whose members are parameters.
fn query_strings(parameters: &mut Value) {
    let list: Vec<&mut Value> = match parameters {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(named) => named.iter_mut().map(|(_, parameter)| parameter).collect(),
        _ => return,
    };
    for parameter in list {
        let Some(object) = parameter.as_object_mut().filter(|object| object.get("in") == Some(&json!("querystring")))
        else {
            continue;
        };
        let content = object.get("content").and_then(Value::as_object);
        let form = content
            .and_then(|content| content.iter().find(|(kind, _)| essence(kind) == "application/x-www-form-urlencoded"));
        let Some(schema) = form.and_then(|(_, media)| media.get("schema")).cloned() else { continue };
        object.shift_remove("content");
        object.extend(Map::from_iter([
            ("in".to_owned(), json!("query")),
            ("style".to_owned(), json!("form")),
            ("explode".to_owned(), json!(true)),
            ("schema".to_owned(), schema),
        ]));
        object.entry("name").or_insert_with(|| json!("query"));
    }
}

/// Renames `dataValue` to `value`, its name in 3.1.
fn shown_data(examples: &mut Value) {
    for (_, example) in examples.as_object_mut().into_iter().flatten() {
        let Some(example) = example.as_object_mut().filter(|example| !example.contains_key("value")) else { continue };
        if let Some(value) = example.shift_remove("dataValue") {
            example.insert("value".to_owned(), value);
        }
    }
}

/// Replaces the address of a scheme in a requirement by its name.
fn scheme_names(security: &mut Value) {
    for alternative in security.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let whole = std::mem::take(alternative);
        let named = |name: String| name.strip_prefix(SCHEMES).map_or(name.clone(), pointer::name);
        alternative.extend(whole.into_iter().map(|(name, scopes)| (named(name), scopes)));
    }
}

/// Sets operations aside whose method clients do not support: `query`, and those of `additionalOperations`.
fn methods(document: &mut Value, moves: &mut Moves, repairs: &mut Repairs) -> Vec<UnsendableCall> {
    let mut set_aside = Vec::new();
    let items: Vec<String> = walk::path_items(document).into_iter().map(|(at, _)| at).collect();
    for at in items {
        let Some(item) = document.pointer_mut(&at).and_then(Value::as_object_mut) else { continue };
        let mut found: Vec<String> = Vec::new();
        found.extend(item.contains_key("query").then(|| "query".to_owned()));
        if let Some(Value::Object(more)) = item.shift_remove("additionalOperations") {
            for (method, operation) in more {
                let written = pointer::join(&pointer::join(&at, "additionalOperations"), &method);
                let key = if is_method(&method) { method.to_ascii_lowercase() } else { method };
                let place = pointer::join(&at, &key);
                if item.contains_key(&key) {
                    let note =
                        format!("`{key}` stands beside `additionalOperations` already: the one there was dropped");
                    repairs.narrow("method-case", &place, note);
                    continue;
                }
                moves.add(place, written);
                if !is_method(&key) {
                    found.push(key.clone());
                }
                item.insert(key, operation);
            }
        }
        set_aside.extend(found.into_iter().map(|method| UnsendableCall {
            reason: format!("clients have no calls by the method {}", method.to_uppercase()),
            at: pointer::join(&at, &method),
        }));
    }
    set_aside
}
