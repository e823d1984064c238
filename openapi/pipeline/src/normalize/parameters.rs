//! Parameters: copied to each operation, completed, and guarded if they become part of a path.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::Unsupported;
use crate::path_key::PathKey;
use crate::pattern_cost::excess;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The pattern that a string in a path must match: not empty, not `.` or `..`, no backslash. Without the guard, `/sms/..` is
/// sent as `/`, with the token.
pub(crate) const PATH_GUARD: &str = r"^(?!\.{1,2}$)[^\\]+$";

/// The text around a pattern of the document in front of the guard: both patterns have to match.
const BOTH_PATTERNS: (&str, &str) = (r"(?=[\s\S]*?(?:", "))");

/// Returns the document's own pattern, without the guard of a path.
pub(crate) fn unguarded(pattern: &str) -> &str {
    let inner = pattern
        .strip_suffix(PATH_GUARD)
        .and_then(|rest| rest.strip_prefix(BOTH_PATTERNS.0)?.strip_suffix(BOTH_PATTERNS.1));
    inner.unwrap_or(pattern)
}

/// Headers that belong to the transport; OpenAPI 3.0 says that such parameters are ignored.
pub(crate) const TRANSPORT_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Resolves references to parameters and copies those of the path item into each operation, which overrides them by
/// name and place.
pub(crate) fn inline(document: &mut Value, repairs: &mut Repairs) {
    let keys = key_headers(document);
    for at in walk::operation_pointers(document) {
        let item = at.rsplit_once('/').map_or("", |(item, _)| item);
        let own = well_formed(resolved(document, &pointer::join(&at, "parameters")), &at, repairs);
        let mut shared = well_formed(resolved(document, &pointer::join(item, "parameters")), &at, repairs);
        let overriding: HashSet<(&str, &str)> = own.iter().filter_map(name_and_place).collect();
        shared.retain(|shared| name_and_place(shared).is_none_or(|known| !overriding.contains(&known)));
        drop(overriding);
        let mut all = own;
        all.append(&mut shared);
        all.retain(|parameter| {
            if parameter["in"] != "header" {
                return true;
            }
            let name = parameter["name"].as_str().unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            if TRANSPORT_HEADERS.contains(&lower.as_str()) {
                let note = format!("the header parameter `{name}` belongs to the transport and was dropped");
                repairs.note("transport-header", &at, note);
                return false;
            }
            if keys.contains(&lower) {
                let note = format!("the header parameter `{name}` is the key of a security scheme and was dropped");
                repairs.note("key-header", &at, note);
                return false;
            }
            true
        });
        if let Some(operation) = document.pointer_mut(&at).and_then(Value::as_object_mut) {
            operation.insert("parameters".to_owned(), Value::Array(all));
        }
    }
    let items: Vec<String> = walk::path_items(document).into_iter().map(|(at, _)| at).collect();
    for at in items {
        if let Some(item) = document.pointer_mut(&at).and_then(Value::as_object_mut) {
            item.shift_remove("parameters");
        }
    }
}

/// Returns the headers, in lower case, in which security schemes send a key: the client sets them, not the caller.
fn key_headers(document: &Value) -> Vec<String> {
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let keys = schemes.into_iter().flat_map(Map::values).filter(|scheme| scheme["in"] == "header");
    keys.filter_map(|scheme| scheme["name"].as_str()).map(str::to_ascii_lowercase).collect()
}

/// Returns the parameters that have a name and a place, without duplicates.
fn well_formed(parameters: Vec<Value>, at: &str, repairs: &mut Repairs) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    for mut parameter in parameters {
        let Some((name, place)) = name_and_place(&parameter) else {
            repairs.narrow("lost-parameter", at, "a parameter without name or place cannot be given");
            continue;
        };
        if !seen.insert((name.to_owned(), place.to_owned())) {
            repairs.note("repeated-parameter", at, format!("the parameter `{name}` stands twice: the first counts"));
            continue;
        }
        if let Some(required) = parameter.get("required").filter(|required| !required.is_boolean()) {
            let required = required == "true";
            parameter["required"] = json!(required);
            repairs.note("odd-keyword", at, "`required` of a parameter is no boolean");
        }
        kept.push(parameter);
    }
    kept
}

/// Returns name and place, which identify a parameter of an operation.
fn name_and_place(parameter: &Value) -> Option<(&str, &str)> {
    Some((parameter["name"].as_str()?, parameter["in"].as_str()?))
}

/// Removes an operation from the document.
pub(crate) fn remove_operation(document: &mut Value, at: &str, reason: String, repairs: &mut Repairs) -> Unsupported {
    let (method, path) = walk::method_and_path(at);
    let operation = format!("{} {path}", method.to_uppercase());
    repairs.note("set-aside", at, format!("no client method: {reason}"));
    let mut id = None;
    if let Some((item, _)) = at.rsplit_once('/')
        && let Some(item) = document.pointer_mut(item).and_then(Value::as_object_mut)
    {
        let removed = item.shift_remove(&method);
        id = removed.and_then(|node| node.get("operationId")?.as_str().map(str::to_owned));
    }
    Unsupported { operation, id, reason }
}

/// Adds missing parameters of a path template and `required: true`, and drops path parameters that the template does not
/// have.
pub(crate) fn complete(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let (_, path) = walk::method_and_path(&at);
        let names = template_names(PathKey::of(&path).path);
        let wanted: HashSet<&str> = names.iter().map(String::as_str).collect();
        let Some(parameters) = document.pointer_mut(&pointer::join(&at, "parameters")).and_then(Value::as_array_mut)
        else {
            continue;
        };
        parameters.retain(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            let unused = parameter["in"] == "path" && !wanted.contains(name);
            if unused {
                repairs.note("path-parameter", &at, format!("`{name}` is not in the path template and was dropped"));
            }
            !unused
        });
        let of_path = parameters.iter().enumerate().filter(|(_, parameter)| parameter["in"] == "path");
        let mut declared: HashMap<String, usize> =
            of_path.filter_map(|(index, parameter)| Some((parameter["name"].as_str()?.to_owned(), index))).collect();
        for name in names {
            match declared.get(&name).map(|index| &mut parameters[*index]) {
                Some(parameter) if parameter["required"] != true => {
                    parameter["required"] = json!(true);
                    repairs.note("path-parameter", &at, format!("`{name}` is part of the path, hence required"));
                }
                Some(_) => {}
                None => {
                    declared.insert(name.clone(), parameters.len());
                    parameters
                        .push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
                    repairs.note("path-parameter", &at, format!("`{name}` was not declared: a string"));
                }
            }
        }
    }
}

/// Adds [`PATH_GUARD`] to every string in a path, in addition to an existing pattern.
pub(crate) fn guard(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let list = pointer::join(&at, "parameters");
        for (index, parameter) in resolved(document, &list).into_iter().enumerate() {
            let schema = walk::resolve(document, &parameter["schema"]);
            let Some(guarded) = schema.as_object().filter(|_| parameter["in"] == "path").and_then(guarded) else {
                continue;
            };
            let place = format!("{list}/{index}");
            if let Some(why) = schema["pattern"].as_str().and_then(unchecked_reason) {
                repairs.narrow("pattern", &place, format!("not checked before it is sent: {why}"));
            }
            if let Some(schema) = document.pointer_mut(&pointer::join(&place, "schema")) {
                *schema = Value::Object(guarded);
            }
            repairs.note(
                "path-guard",
                &place,
                "an empty segment, `.`, `..` and backslashes are refused before sending",
            );
        }
    }
}

/// Returns false for `/^[a-z]+$/u`, PHP's notation for a pattern: taken literally, no value would match it.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    let delimited = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    delimited.is_none_or(|(_, flags)| !flags.bytes().all(|flag| flag.is_ascii_lowercase()))
}

/// Returns the reason why clients do not check values against a pattern; `None` if they do.
pub(crate) fn unchecked_reason(pattern: &str) -> Option<&'static str> {
    if is_pattern(pattern) { excess(pattern) } else { Some("its pattern is none of JavaScript's") }
}

/// Returns the guarded schema; `None` if its values need no guard.
fn guarded(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let text = |key| schema.get(key).and_then(Value::as_str);
    // These formats become types whose values contain no slash and are never dots alone.
    let is_typed = matches!(text("format"), Some("date" | "date-time" | "ip" | "ipv4" | "ipv6"));
    if is_typed || schema.get("type").is_some_and(|kind| kind != "string") {
        return None;
    }
    let pattern = match text("pattern") {
        // The document's pattern may match anywhere in the text; both patterns have to match.
        Some(own) if unchecked_reason(own).is_none() => {
            format!("{}{own}{}{PATH_GUARD}", BOTH_PATTERNS.0, BOTH_PATTERNS.1)
        }
        _ => PATH_GUARD.to_owned(),
    };
    let mut guarded = schema.clone();
    guarded.insert("type".to_owned(), json!("string"));
    guarded.insert("pattern".to_owned(), json!(pattern));
    // For other formats, the generator would use a type from a crate that the client does not depend on. `uuid` is kept
    // because examples need it.
    if text("format") != Some("uuid") {
        guarded.shift_remove("format");
    }
    Some(guarded)
}

/// Returns the names in a path template, in order.
pub(crate) fn template_names(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

fn resolved(document: &Value, at: &str) -> Vec<Value> {
    let list = document.pointer(at).and_then(Value::as_array);
    list.into_iter().flatten().map(|parameter| walk::resolve(document, parameter).clone()).collect()
}
