//! What became of a published document, step by step: each overlay action and each repair, before and after.

use serde_json::Value;

use crate::{Api, SourcePlace, pointer};

/// An overlay action, or the repairs of one node.
#[derive(Clone, Debug)]
pub struct Step {
    /// `overlay`, or the rules of the repairs.
    pub rules: Vec<&'static str>,
    /// Where the action stands in the overlay, or the node in the document.
    pub place: SourcePlace,
    /// The action's target, or the node's JSON pointer.
    pub target: String,
    /// Why: the action's description, or what the repairs say.
    pub reasons: Vec<String>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// A node that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The JSON pointer of the node.
    pub pointer: String,
    /// What stood there, `None` where nothing did.
    pub before: Option<Value>,
    /// What stands there now, `None` where nothing does.
    pub after: Option<Value>,
}

impl Api {
    /// The overlay's actions in their order, then the repairs, those of one node together.
    pub fn steps(&self) -> Vec<Step> {
        let states = self.located.states();
        let mut steps: Vec<Step> = Vec::new();
        for (index, repair) in self.repairs.iter().enumerate() {
            let is_action = repair.rule == "overlay" && index + 1 < states.len();
            if is_action && let Some(overlay) = &self.located.overlay {
                let mut changes = Vec::new();
                compare(&states[index], &states[index + 1], "", &mut changes);
                steps.push(Step {
                    rules: vec![repair.rule],
                    place: overlay.action(index),
                    target: repair.pointer.clone(),
                    reasons: vec![repair.note.clone()],
                    changes,
                });
            } else if let Some(step) = steps.iter_mut().find(|step| step.target == repair.pointer) {
                step.rules.push(repair.rule);
                step.reasons.push(repair.note.clone());
            } else {
                let mut changes = Vec::new();
                let node = |document: &Value| document.pointer(&repair.pointer).cloned();
                difference(node(&states[states.len() - 1]), node(&self.document), &repair.pointer, &mut changes);
                steps.push(Step {
                    rules: vec![repair.rule],
                    place: self.located.place_in(&states, &repair.pointer),
                    target: repair.pointer.clone(),
                    reasons: vec![repair.note.clone()],
                    changes,
                });
            }
        }
        steps
    }

    /// The place of a node in the document, or where the overlay put it in, in the overlay; of a node that is in neither
    /// that of what is left around it.
    pub fn place(&self, pointer: &str) -> SourcePlace {
        self.located.place(pointer)
    }
}

/// The innermost nodes that differ.
fn compare(before: &Value, after: &Value, at: &str, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                difference(Some(value.clone()), new.get(key).cloned(), &pointer::join(at, key), changes);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                difference(None, Some(value.clone()), &pointer::join(at, key), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (before, after)) in old.iter().zip(new).enumerate() {
                compare(before, after, &format!("{at}/{index}"), changes);
            }
        }
        _ => difference(Some(before.clone()), Some(after.clone()), at, changes),
    }
}

fn difference(before: Option<Value>, after: Option<Value>, at: &str, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(before), Some(after)) if is_container(&before, &after) => compare(&before, &after, at, changes),
        (before, after) => changes.push(Change { pointer: at.to_owned(), before, after }),
    }
}

/// Whether the difference lies further inside.
fn is_container(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(_), Value::Object(_)) => true,
        (Value::Array(before), Value::Array(after)) => before.len() == after.len(),
        _ => false,
    }
}
