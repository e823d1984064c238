//! Dangling references: a part that needs one is read without it, or set aside. Everything else is kept.

use serde_json::{Value, json};

use super::Unsupported;
use super::parameters::remove_operation;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The rule of the repairs that record dangling references.
const RULE: &str = "dangling-reference";

/// Resolves every dangling reference within the document: a schema becomes any JSON value, a response any response.
/// Operations with a dangling parameter or body are set aside; other parts are removed.
pub(super) fn resolve(document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    loop {
        let mut dangling = Vec::new();
        walk::references(document, &mut |at, target| {
            if pointer::of_reference(target).is_some_and(|target| document.pointer(target).is_none()) {
                dangling.push((at.to_owned(), target.to_owned()));
            }
        });
        if dangling.is_empty() {
            unsupported.reverse();
            return unsupported;
        }
        // In reverse order, so that the indexes of earlier list items stay valid.
        for (at, target) in dangling.iter().rev() {
            let holder = at.strip_suffix("/$ref").unwrap_or(at);
            let why = format!("the reference `{target}` leads nowhere");
            match ReplacedNode::at(holder) {
                ReplacedNode::Schema => {
                    repairs.narrow(RULE, at, format!("{why}: any JSON value"));
                    if let Some(schema) = document.pointer_mut(holder).and_then(Value::as_object_mut) {
                        schema.shift_remove("$ref");
                    }
                }
                ReplacedNode::Response => {
                    repairs.narrow(RULE, at, format!("{why}: nothing is known of this answer"));
                    if let Some(response) = document.pointer_mut(holder) {
                        *response = json!({ "description": "" });
                    }
                }
                ReplacedNode::Call(of) => {
                    let calls = walk::calls_of(document, &of);
                    if calls.is_empty() {
                        repairs.narrow(RULE, at, format!("{why}: left out"));
                    }
                    for call in calls.iter().rev() {
                        unsupported.push(remove_operation(document, call, why.clone(), repairs));
                    }
                    remove(document, holder);
                }
                ReplacedNode::Other => {
                    repairs.narrow(RULE, at, format!("{why}: left out"));
                    remove(document, holder);
                }
            }
        }
    }
}

/// The kind of node that a reference replaces.
#[derive(Debug, Eq, PartialEq)]
enum ReplacedNode {
    Schema,
    Response,
    /// A parameter or body of an operation, or of all operations of a path, with the pointer of the operation or path.
    Call(String),
    /// A header, an example, a link, a callback, another component.
    Other,
}

impl ReplacedNode {
    /// Returns the part at a place.
    fn at(holder: &str) -> Self {
        let steps: Vec<String> = pointer::names(holder).collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let upto = |count: usize| steps[..count].iter().fold(String::new(), |at, step| pointer::join(&at, step));
        match steps.as_slice() {
            ["components", "schemas", _, ..] => Self::Schema,
            // A path item that is described elsewhere.
            ["paths", _] | ["paths", _, "parameters", _] => Self::Call(upto(2)),
            ["paths", _, _, "parameters", _] | ["paths", _, _, "requestBody"] => Self::Call(upto(3)),
            [.., "responses", _] => Self::Response,
            steps if steps.contains(&"schema") => Self::Schema,
            _ => Self::Other,
        }
    }
}

/// Removes a node from its map or list.
fn remove(document: &mut Value, at: &str) {
    let Some((parent, last)) = at.rsplit_once('/') else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.shift_remove(&pointer::name(last))),
        Some(Value::Array(items)) => {
            if let Some(place) = last.parse().ok().filter(|place| *place < items.len()) {
                items.remove(place);
            }
        }
        _ => {}
    }
}
