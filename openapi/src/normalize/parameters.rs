//! Parameters: written out at each operation, complete, and guarded where they become part of a path.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::Unsupported;
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// What a string in a path must match: not empty, no `.` or `..`, no backslash. Unguarded, `/sms/..` is sent as `/`,
/// with the token.
pub(crate) const PATH_GUARD: &str = r"^(?!\.{1,2}$)[^\\]+$";

/// Headers that belong to the transport; OpenAPI 3.0 says that such parameters are ignored.
pub(crate) const TRANSPORT_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Methods that the builder of every call has.
const BUILDER: [&str; 3] = ["new", "send", "transmit"];

/// Resolves references to parameters and copies those of the path item into each operation, which overrides them by
/// name and place.
pub(crate) fn inline(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let item = at.rsplit_once('/').map_or("", |(item, _)| item);
        let own = resolved(document, &pointer::join(&at, "parameters"));
        let mut all = own.clone();
        for shared in resolved(document, &pointer::join(item, "parameters")) {
            let overridden = own.iter().any(|own| own["name"] == shared["name"] && own["in"] == shared["in"]);
            if !overridden {
                all.push(shared);
            }
        }
        all.retain(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default();
            let transport =
                parameter["in"] == "header" && TRANSPORT_HEADERS.contains(&name.to_ascii_lowercase().as_str());
            if transport {
                repairs.note(
                    "transport-header",
                    &at,
                    format!("the header parameter `{name}` belongs to the transport and was dropped"),
                );
            }
            !transport
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

/// Removes operations whose parameters no client method can carry.
pub(crate) fn set_aside(document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        let parameters = resolved(document, &pointer::join(&at, "parameters"));
        let has_body = document.pointer(&pointer::join(&at, "requestBody")).is_some();
        let reason = parameters.iter().find_map(|parameter| unsupported_parameter(document, parameter));
        if let Some(reason) = reason.or_else(|| clashing_name(&parameters, has_body)) {
            unsupported.push(remove_operation(document, &at, reason, repairs));
        }
    }
    unsupported
}

/// Takes an operation out of the document.
pub(crate) fn remove_operation(document: &mut Value, at: &str, reason: String, repairs: &mut Repairs) -> Unsupported {
    let (method, path) = walk::method_and_path(at);
    let operation = format!("{} {path}", method.to_uppercase());
    repairs.note("set-aside", at, format!("no client method: {reason}"));
    if let Some((item, _)) = at.rsplit_once('/')
        && let Some(item) = document.pointer_mut(item).and_then(Value::as_object_mut)
    {
        item.shift_remove(&method);
    }
    Unsupported { operation, reason }
}

/// Adds what a path template needs: undeclared parameters, and `required: true`.
pub(crate) fn complete(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let (_, path) = walk::method_and_path(&at);
        let names = template_names(&path);
        let Some(parameters) = document.pointer_mut(&pointer::join(&at, "parameters")).and_then(Value::as_array_mut)
        else {
            continue;
        };
        parameters.retain(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let unused = parameter["in"] == "path" && !names.contains(&name);
            if unused {
                repairs.note("path-parameter", &at, format!("`{name}` is not in the path template and was dropped"));
            }
            !unused
        });
        for name in names {
            let declared =
                parameters.iter_mut().find(|parameter| parameter["in"] == "path" && parameter["name"] == name.as_str());
            match declared {
                Some(parameter) if parameter["required"] != true => {
                    parameter["required"] = json!(true);
                    repairs.note("path-parameter", &at, format!("`{name}` is part of the path, hence required"));
                }
                Some(_) => {}
                None => {
                    parameters
                        .push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
                    repairs.note("path-parameter", &at, format!("`{name}` was not declared: a string"));
                }
            }
        }
    }
}

/// Puts [`PATH_GUARD`] on every string in a path, beside a pattern that is there already.
pub(crate) fn guard(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let list = pointer::join(&at, "parameters");
        for (index, parameter) in resolved(document, &list).into_iter().enumerate() {
            let schema = walk::resolve(document, &parameter["schema"]);
            let Some(guarded) = schema.as_object().filter(|_| parameter["in"] == "path").and_then(guarded) else {
                continue;
            };
            let place = format!("{list}/{index}");
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

/// The guarded schema, `None` where its values need no guard.
fn guarded(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    let text = |key| schema.get(key).and_then(Value::as_str);
    // These formats become types that can hold neither dots alone nor slashes.
    let is_typed = matches!(text("format"), Some("date" | "date-time" | "ip" | "ipv4" | "ipv6"));
    if is_typed || schema.get("type").is_some_and(|kind| kind != "string") {
        return None;
    }
    let pattern = match text("pattern") {
        // A pattern of the document may match anywhere in the text; both have to match.
        Some(own) => format!(r"(?=[\s\S]*?(?:{own})){PATH_GUARD}"),
        None => PATH_GUARD.to_owned(),
    };
    let mut guarded = schema.clone();
    guarded.insert("type".to_owned(), json!("string"));
    guarded.insert("pattern".to_owned(), json!(pattern));
    // The generator would name a type of a crate that the client does not depend on; examples need the format.
    if text("format") != Some("uuid") {
        guarded.shift_remove("format");
    }
    Some(guarded)
}

/// The names in a path template, in order.
pub(crate) fn template_names(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

fn resolved(document: &Value, at: &str) -> Vec<Value> {
    let list = document.pointer(at).and_then(Value::as_array);
    list.into_iter().flatten().map(|parameter| walk::resolve(document, parameter).clone()).collect()
}

/// Two setters of one name do not compile, and of two parameters of one name the generator forgets one.
fn clashing_name(parameters: &[Value], has_body: bool) -> Option<String> {
    let mut taken = HashSet::from(BUILDER.map(str::to_owned));
    if has_body {
        taken.insert("body".to_owned());
    }
    let names = parameters.iter().filter_map(|parameter| parameter["name"].as_str());
    let clash = names.map(name::of_argument).find(|argument| !taken.insert(argument.clone()))?;
    Some(format!("two of its arguments would be called `{clash}`"))
}

fn unsupported_parameter(document: &Value, parameter: &Value) -> Option<String> {
    let name = parameter["name"].as_str().unwrap_or("?");
    let place = parameter["in"].as_str().unwrap_or("?");
    if !matches!(place, "path" | "query" | "header") {
        return Some(format!("the parameter `{name}` is sent in a {place}"));
    }
    if parameter.get("content").is_some() || parameter.get("schema").is_none() {
        return Some(format!("the parameter `{name}` has no schema of its own"));
    }
    let schema = walk::resolve(document, &parameter["schema"]);
    if place != "query" && (schema["type"] == "array" || schema["type"] == "object" || schema["nullable"] == true) {
        return Some(format!("the {place} parameter `{name}` is no plain value"));
    }
    match parameter.get("style").and_then(Value::as_str) {
        None | Some("form" | "simple") => None,
        Some(style) => Some(format!("the parameter `{name}` is written in the style {style}")),
    }
}
