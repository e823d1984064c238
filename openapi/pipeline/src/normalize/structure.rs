//! Keys that OpenAPI does not have, and scalars of the wrong type.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::pointer;
use crate::repair::Repairs;
use crate::walk;

const ROOT: &[&str] = &[
    "openapi",
    "info",
    "servers",
    "paths",
    "components",
    "security",
    "tags",
    "externalDocs",
    "webhooks",
    "jsonSchemaDialect",
];
const PATH_ITEM: &[&str] = &["summary", "description", "servers", "parameters", "$ref"];
const OPERATION: &[&str] = &[
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "security",
    "servers",
];

/// Converts numbers to strings where OpenAPI requires a string: `version: 1.0` is a number in YAML. Title and version are
/// informative only.
pub(crate) fn text_versions(document: &mut Value, repairs: &mut Repairs) {
    for at in ["/openapi", "/info/version", "/info/title"] {
        if let Some(text) = document.pointer_mut(at).filter(|text| text.is_number() || text.is_boolean()) {
            *text = json!(text.to_string());
            repairs.note("text-version", at, "OpenAPI wants a string here");
        }
    }
    if let Some(root) = document.as_object_mut()
        && root.get("info").is_none_or(|info| !info.is_object())
    {
        root.insert("info".to_owned(), json!({}));
        repairs.note("missing-info", "/info", "the document does not say what it describes");
    }
    for (key, stand_in) in [("title", "API"), ("version", "0")] {
        let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) else { return };
        if info.get(key).is_none_or(|text| !text.is_string()) {
            info.insert(key.to_owned(), json!(stand_in));
            repairs.note("missing-info", "/info", format!("`{key}` is missing: `{stand_in}`"));
        }
    }
    // The generator requires a patch level.
    if document["openapi"] == "3.0" {
        document["openapi"] = json!("3.0.3");
        repairs.note("text-version", "/openapi", "3.0 read as 3.0.3");
    }
}

/// Drops keys that OpenAPI does not have, such as `path` and `method` inside operations. Keeps `x-` keys.
pub(crate) fn stray_keys(document: &mut Value, repairs: &mut Repairs) {
    let mut referred: BTreeSet<String> = BTreeSet::new();
    walk::references(document, &mut |_, target| {
        let root = target.strip_prefix("#/").and_then(|target| target.split('/').next());
        referred.extend(root.map(str::to_owned));
    });
    // Swagger's `definitions` is not a key of OpenAPI, but references may refer to schemas there.
    let root: Vec<&str> = ROOT.iter().copied().chain(referred.iter().map(String::as_str)).collect();
    drop_unknown(document, "", &root, repairs);
    let items: Vec<String> = walk::path_items(document).into_iter().map(|(at, _)| at).collect();
    let methods: Vec<&str> = PATH_ITEM.iter().copied().chain(walk::METHODS).collect();
    for at in items {
        drop_unknown(document, &at, &methods, repairs);
    }
    for at in walk::operation_pointers(document) {
        drop_unknown(document, &at, OPERATION, repairs);
    }
    for key in ["webhooks", "x-webhooks"] {
        if document.get(key).and_then(Value::as_object).is_some_and(|hooks| !hooks.is_empty()) {
            repairs.note("webhooks", &pointer::join("", key), "what the server sends by itself is no part of a client");
        }
    }
}

fn drop_unknown(document: &mut Value, at: &str, known: &[&str], repairs: &mut Repairs) {
    let Some(object) = document.pointer_mut(at).and_then(Value::as_object_mut) else { return };
    let stray: Vec<String> =
        object.keys().filter(|key| !known.contains(&key.as_str()) && !key.starts_with("x-")).cloned().collect();
    for key in stray {
        object.shift_remove(&key);
        repairs.note("stray-key", &pointer::join(at, &key), format!("`{key}` is no OpenAPI key here and was dropped"));
    }
}
