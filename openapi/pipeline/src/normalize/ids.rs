//! operationIds. A missing id is derived from method and path alone, so that it stays the same if the document is reordered.

use std::collections::HashSet;

use heck::ToSnakeCase as _;
use serde_json::{Value, json};

use crate::repair::Repairs;
use crate::{name, walk};

/// Names that the generated client uses for itself.
const RESERVED: [&str; 10] = [
    "new",
    "new_with_client",
    "with_config",
    "with_options",
    "without_credential",
    "from_env",
    "from_profile",
    "over",
    "request",
    "clone",
];

/// A synthesized id for an operation without a usable id in the document.
pub(crate) struct AssignedId {
    /// The JSON pointer of the operation.
    pub(crate) at: String,
    /// Its id.
    pub(crate) id: String,
    /// The reason why the published id is not used.
    note: String,
}

/// Gives every operation an id whose Rust name is unique.
pub(crate) fn fill(document: &mut Value, repairs: &mut Repairs) {
    for AssignedId { at, id, note } in missing(document) {
        repairs.note("operation-id", &at, format!("{note}: called `{id}`"));
        if let Some(operation) = document.pointer_mut(&at).and_then(Value::as_object_mut) {
            operation.insert("operationId".to_owned(), json!(id));
        }
    }
}

/// Returns ids for the operations without one, and for those whose id cannot be a method name: a name that every client has,
/// or one that an earlier operation has.
pub(crate) fn missing(document: &Value) -> Vec<AssignedId> {
    let published = |operation: &Value| operation.get("operationId").and_then(Value::as_str).map(str::to_owned);
    let operations = walk::operations(document);
    let mut taken: HashSet<String> =
        operations.iter().filter_map(|(_, operation)| Some(name::of_argument(&published(operation)?))).collect();
    let mut seen = HashSet::new();
    let mut named = Vec::new();
    for (at, operation) in operations {
        let (method, path) = walk::method_and_path(&at);
        let (id, note) = match published(operation) {
            Some(id) if RESERVED.contains(&name::of_argument(&id).as_str()) => {
                (format!("{id}-operation"), format!("`{id}` is a name that every client has"))
            }
            Some(id) if !id.contains(|letter: char| letter.is_alphanumeric()) => {
                (derive(&method, &path), format!("`{id}` is no name"))
            }
            Some(id) if seen.insert(name::of_argument(&id)) => continue,
            Some(id) => (derive(&method, &path), format!("another operation is called `{id}` already")),
            None => (derive(&method, &path), "the document names no operationId".to_owned()),
        };
        named.push(AssignedId { at, id: unique(&id, &mut taken), note });
    }
    named
}

/// Derives an id from method and path: `GET /sms/{id}` gives `get-sms-by-id`.
pub(crate) fn derive(method: &str, path: &str) -> String {
    let mut words = vec![method.to_owned()];
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(parameter) => words.push(format!("by-{}", kebab(parameter))),
            None => words.push(kebab(segment)),
        }
    }
    if words.len() == 1 {
        words.push("root".to_owned());
    }
    words.join("-")
}

fn kebab(text: &str) -> String {
    text.to_snake_case().replace('_', "-")
}

fn unique(id: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = id.to_owned();
    let mut count = 2;
    while !taken.insert(name::of_argument(&candidate)) {
        candidate = format!("{id}-{count}");
        count += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_method_and_path() {
        assert_eq!(derive("get", "/sms/{id}"), "get-sms-by-id");
        assert_eq!(derive("post", "/api-keys/{keyId}/rotate"), "post-api-keys-by-key-id-rotate");
        assert_eq!(derive("get", "/"), "get-root");
    }

    #[test]
    fn ids_that_meet_are_told_apart() {
        let mut taken = HashSet::from(["get_sms".to_owned()]);
        assert_eq!(unique("get-sms", &mut taken), "get-sms-2");
        assert_eq!(unique("get-sms", &mut taken), "get-sms-3");
    }
}
