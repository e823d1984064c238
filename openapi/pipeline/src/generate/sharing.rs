//! The split of schemas that requests and responses share into two, because requests stay strict and responses do not.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::errors::ERRORS;
use crate::repair::Repairs;
use crate::{name, pointer, walk};

/// Keeps the schemas that a call needs for its request, its response or its error bodies: other schemas would be unused
/// types.
pub(crate) fn keep_used(document: &mut Value) {
    let mut used = reachable(document, &request_schemas(document));
    used.extend(reachable(document, &answer_schemas(document)));
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.retain(|name, _| used.contains(name));
    }
}

/// Gives responses their own copy of each schema that requests use too, called `<Name>Answer`. Returns the names of the
/// schemas that requests use.
pub(crate) fn split_shared(document: &mut Value, repairs: &mut Repairs) -> BTreeSet<String> {
    let requests = reachable(document, &request_schemas(document));
    let answers = reachable(document, &answer_schemas(document));
    let mut taken = type_names(document);
    let renamed: HashMap<&str, String> = requests
        .intersection(&answers)
        .map(|name| (name.as_str(), name::unique(&format!("{name}Answer"), &mut taken)))
        .collect();
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return requests;
    };
    let mut copies = Map::new();
    for (name, schema) in schemas.iter_mut() {
        if let Some(new) = renamed.get(name.as_str()) {
            let mut copy = schema.clone();
            rename(&mut copy, &renamed);
            copies.insert(new.clone(), copy);
            let at = pointer::join("/components/schemas", name);
            repairs.note("split-schema", &at, format!("requests use it too, so answers have their own: `{new}`"));
        } else if !requests.contains(name) {
            rename(schema, &renamed);
        }
    }
    schemas.extend(copies);
    for at in walk::operation_pointers(document) {
        for answers in ["responses", ERRORS] {
            if let Some(answers) = document.pointer_mut(&pointer::join(&at, answers)) {
                rename(answers, &renamed);
            }
        }
    }
    requests
}

/// Returns the Rust names of all schemas.
pub(crate) fn type_names(document: &Value) -> HashSet<String> {
    walk::members(document, "/components/schemas").iter().map(|(at, _)| name::of_type(&pointer::name(at))).collect()
}

/// Adds component schemas.
pub(super) fn add(document: &mut Value, schemas: Map<String, Value>) {
    if schemas.is_empty() {
        return;
    }
    let known = &mut document["components"]["schemas"];
    if !known.is_object() {
        *known = json!({});
    }
    if let Some(known) = known.as_object_mut() {
        known.extend(schemas);
    }
}

/// Updates references to renamed schemas.
pub(super) fn rename(node: &mut Value, renamed: &HashMap<&str, String>) {
    match node {
        Value::Object(object) => {
            let target = object.get("$ref").and_then(Value::as_str).and_then(walk::component);
            let name = target.filter(|component| !component.contains('/')).map(pointer::name);
            if let Some(new) = name.and_then(|name| renamed.get(name.as_str())) {
                let target = pointer::join("#/components/schemas", new);
                object.insert("$ref".to_owned(), json!(target));
            }
            object.values_mut().for_each(|inner| rename(inner, renamed));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, renamed)),
        _ => {}
    }
}

fn request_schemas(document: &Value) -> Vec<&Value> {
    let calls = walk::operations(document);
    calls.into_iter().flat_map(|(_, call)| [&call["parameters"], &call["requestBody"]]).collect()
}

fn answer_schemas(document: &Value) -> Vec<&Value> {
    let calls = walk::operations(document).into_iter();
    calls.flat_map(|(_, call)| [&call["responses"], &call[ERRORS]]).collect()
}

/// Returns the names of the component schemas that the nodes refer to, directly and indirectly.
pub(super) fn reachable(document: &Value, nodes: &[&Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for node in nodes {
        walk::references(node, &mut |_, target| open.extend(walk::component(target).map(walk::holder)));
    }
    while let Some(name) = open.pop() {
        if let Some(schema) = document["components"]["schemas"].get(&name)
            && found.insert(name)
        {
            walk::references(schema, &mut |_, target| open.extend(walk::component(target).map(walk::holder)));
        }
    }
    found
}
