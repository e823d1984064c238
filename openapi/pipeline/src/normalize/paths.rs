//! Paths that later steps can rely on: path items written out, methods in lower case, templates with complete braces.

use serde_json::{Map, Value, json};

use super::Unsupported;
use super::parameters::remove_operation;
use crate::path_key::PathKey;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// Repairs `paths` in place.
pub(crate) fn repair(document: &mut Value, repairs: &mut Repairs) {
    if document.get("paths").is_none_or(Value::is_null) && has_webhooks(document) || document["paths"].is_null() {
        if let Some(root) = document.as_object_mut().filter(|root| root.contains_key("paths") || is_31(root)) {
            root.insert("paths".to_owned(), json!({}));
            repairs.note("no-paths", "/paths", "the document has no paths: a client without methods");
        }
        return;
    }
    write_out(document, repairs);
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    let mut mended = Map::new();
    for (path, mut item) in std::mem::take(paths) {
        let at = pointer::join("/paths", &path);
        if path.starts_with("x-") {
            mended.insert(path, item);
            continue;
        }
        if item.is_null() {
            repairs.note("empty-path", &at, "a path with nothing in it was dropped");
            continue;
        }
        methods(&mut item, &at, repairs);
        let mut whole = path.clone();
        if !path.starts_with('/') {
            whole.insert(0, '/');
            repairs.note("path-slash", &at, format!("a path starts with a slash: `{whole}`"));
        }
        let Some(known) = mended.get_mut(&whole).and_then(Value::as_object_mut) else {
            mended.insert(whole, item);
            continue;
        };
        // The same path is documented with and without its slash.
        for (key, value) in item.as_object_mut().map(std::mem::take).unwrap_or_default() {
            if known.contains_key(&key) {
                repairs.narrow("path-slash", &at, format!("`{key}` stands at `{whole}` already and was dropped"));
            } else {
                known.insert(key, value);
            }
        }
    }
    *paths = mended;
}

/// Removes the operations of paths that no request can be sent to.
pub(crate) fn set_aside(document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        let (_, path) = walk::method_and_path(&at);
        let key = PathKey::of(&path);
        if let Some(reason) = unusable_reason(key) {
            unsupported.push(remove_operation(document, &at, reason, repairs));
        }
    }
    unsupported
}

/// The maximum length of a path template, in bytes: RFC 9110 (section 4.1) asks recipients to support URIs of 8000 octets,
/// and no common server accepts more.
const MAX_LENGTH: usize = 8000;

/// Returns the reason why a path cannot be requested: the request would go to another path than the one that the token is
/// meant for, the path has no place for its values, or no server accepts it.
fn unusable_reason(key: PathKey<'_>) -> Option<String> {
    let path = key.path;
    if path.len() + key.query.len() > MAX_LENGTH {
        return Some(format!("the path is longer than {MAX_LENGTH} bytes, which servers do not take"));
    }
    if let Some(odd) = path.chars().find(|letter| !letter.is_ascii_graphic() || *letter == '\\') {
        return Some(format!("the path holds {odd:?}: percent-encode what is no plain ASCII"));
    }
    if has_dot_segment(path) {
        return Some("the path has a dot segment, which is resolved to another path".to_owned());
    }
    let mut open = false;
    for letter in path.chars() {
        let fits = match letter {
            '{' => !std::mem::replace(&mut open, true),
            '}' => std::mem::replace(&mut open, false),
            '/' => !open,
            _ => true,
        };
        if !fits {
            return Some("the braces of the path template do not match".to_owned());
        }
    }
    if open {
        return Some("the braces of the path template do not match".to_owned());
    }
    if path.contains("{}") {
        return Some("the path template has a parameter without a name".to_owned());
    }
    key.unusable_reason()
}

/// Returns whether a part of a path is `.` or `..` for a URL parser or a server, percent-encoded or cut at `;` as well.
/// Clients refuse to send such a path.
fn has_dot_segment(path: &str) -> bool {
    let mut path = path.to_ascii_lowercase();
    while path.contains("%25") {
        path = path.replace("%25", "%");
    }
    for (encoded, letter) in [("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("%3b", ";")] {
        path = path.replace(encoded, letter);
    }
    path.split('/').any(|part| matches!(part.split(';').next(), Some("." | "..")))
}

fn methods(item: &mut Value, at: &str, repairs: &mut Repairs) {
    let Some(object) = item.as_object_mut() else { return };
    let upper: Vec<String> = object
        .keys()
        .filter(|key| walk::METHODS.contains(&key.to_ascii_lowercase().as_str()) && **key != key.to_ascii_lowercase())
        .cloned()
        .collect();
    for key in upper {
        let lower = key.to_ascii_lowercase();
        if object.contains_key(&lower) {
            repairs.narrow("method-case", at, format!("`{key}` stands beside `{lower}` and was dropped"));
            object.shift_remove(&key);
        } else if let Some(operation) = object.shift_remove(&key) {
            object.insert(lower.clone(), operation);
            repairs.note("method-case", at, format!("the method `{key}` is written `{lower}`"));
        }
    }
    for (method, operation) in object.iter_mut().filter(|(key, _)| walk::METHODS.contains(&key.as_str())) {
        let Some(operation) = operation.as_object_mut() else { continue };
        if operation.get("responses").is_none_or(|responses| !responses.is_object()) {
            operation.insert("responses".to_owned(), json!({}));
            repairs.note("no-responses", &pointer::join(at, method), "no answers are documented");
        }
        let parameters = operation.get("parameters");
        if parameters.is_some_and(|parameters| !parameters.is_array()) {
            operation.shift_remove("parameters");
            repairs.narrow("odd-keyword", &pointer::join(at, method), "`parameters` is no list and was dropped");
        }
    }
}

/// Replaces references to path items by the path items. Members beside a reference override.
fn write_out(document: &mut Value, repairs: &mut Repairs) {
    for (at, item) in walk::path_items(document).into_iter().map(|(at, item)| (at, item.clone())).collect::<Vec<_>>() {
        if item.get("$ref").is_none_or(|target| !target.is_string()) {
            continue;
        }
        let target = walk::resolve(document, &item);
        // The lint refuses a dangling reference and one to another file, with its place.
        let Some(mut whole) = target.as_object().filter(|whole| !whole.contains_key("$ref")).cloned() else { continue };
        whole.extend(item.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        whole.shift_remove("$ref");
        if let Some(place) = document.pointer_mut(&at) {
            *place = Value::Object(whole);
            repairs.note("path-reference", &at, "the path item is a reference: written out");
        }
    }
}

fn has_webhooks(document: &Value) -> bool {
    document.get("webhooks").is_some_and(Value::is_object)
}

/// Returns whether the document is OpenAPI 3.1, in which `paths` is optional.
fn is_31(root: &Map<String, Value>) -> bool {
    root.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3.1"))
}
