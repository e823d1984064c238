//! The component schemas for which a generated client has two types, and those with `Patch` members.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::generate::{Patched, patched};
use crate::{name, pointer, walk};

/// The component schemas that both requests and responses use, for each of which responses have a type of their own; and the
/// `Patch` members of those that requests use.
#[derive(Debug)]
pub(super) struct Types<'a> {
    document: &'a Value,
    shared: OnceCell<BTreeSet<String>>,
    patched: OnceCell<BTreeMap<String, Patched>>,
}

impl<'a> Types<'a> {
    /// Creates the types of a document; they are computed when a name is needed.
    pub(super) fn of(document: &'a Value) -> Self {
        Self { document, shared: OnceCell::new(), patched: OnceCell::new() }
    }

    /// Returns the type name of a component schema in responses.
    pub(super) fn of_answer(&self, component: &str) -> String {
        let is_shared = self.shared.get_or_init(|| shared(self.document)).contains(component);
        name::of_type(component) + if is_shared { "Answer" } else { "" }
    }

    /// Returns the members of a component schema whose type is `Patch` in requests.
    pub(super) fn patched(&self, component: &str) -> Patched {
        self.patched.get_or_init(|| patched(self.document)).get(component).copied().unwrap_or(Patched::None)
    }
}

fn shared(document: &Value) -> BTreeSet<String> {
    let (mut sent, mut answered) = (Vec::new(), Vec::new());
    for (_, item) in walk::path_items(document) {
        sent.extend(item.get("parameters"));
        for (method, operation) in item.as_object().into_iter().flatten() {
            if !walk::METHODS.contains(&method.as_str()) {
                continue;
            }
            sent.extend(["parameters", "requestBody"].iter().filter_map(|key| operation.get(*key)));
            let responses = operation.get("responses").and_then(Value::as_object);
            let successes = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
            answered.extend(successes.map(|(_, response)| response));
        }
    }
    let mut links = HashMap::new();
    let (sent, answered) = (reached(document, &sent, &mut links), reached(document, &answered, &mut links));
    sent.intersection(&answered).filter_map(|target| walk::component(target)).map(str::to_owned).collect()
}

/// Returns the components that the nodes refer to, directly or indirectly; the targets of each component are cached in
/// `links`.
fn reached<'a>(
    document: &'a Value,
    nodes: &[&'a Value],
    links: &mut HashMap<&'a str, Vec<&'a str>>,
) -> HashSet<&'a str> {
    let mut open = Vec::new();
    for node in nodes {
        references(node, &mut open);
    }
    let mut seen = HashSet::new();
    while let Some(target) = open.pop() {
        if seen.insert(target) {
            let links = links.entry(target).or_insert_with(|| {
                let mut found = Vec::new();
                if let Some(node) = pointer::of_reference(target).and_then(|at| document.pointer(at)) {
                    references(node, &mut found);
                }
                found
            });
            open.extend(links.iter());
        }
    }
    seen
}

fn references<'a>(node: &'a Value, found: &mut Vec<&'a str>) {
    match node {
        Value::Object(members) => {
            for (key, inner) in members {
                match inner {
                    Value::String(target) if key == "$ref" => found.push(target),
                    Value::Object(_) | Value::Array(_) if !matches!(key.as_str(), "example" | "examples") => {
                        references(inner, found);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                references(item, found);
            }
        }
        _ => {}
    }
}
