//! The steps by which a published document becomes the one that is generated from: each overlay action and each repair, with
//! the nodes before and after.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Api, Generated, Repair, SourceLocation, pointer, versions};

/// An overlay action, or the repairs of one node.
#[derive(Clone, Debug)]
pub struct Step {
    /// `overlay`, or the rules of the repairs.
    pub rules: Vec<&'static str>,
    /// The place of the action in the overlay, or of the node in the document.
    pub place: SourceLocation,
    /// The action's target, or the node's JSON pointer.
    pub target: String,
    /// The reasons: the action's description, or the notes of the repairs.
    pub reasons: Vec<String>,
    /// The nodes that the step changed.
    pub changes: Vec<Change>,
}

/// A node that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The JSON pointer of the node.
    pub pointer: String,
    /// The value before the step; `None` if there was no node.
    pub before: Option<Value>,
    /// The value after the step; `None` if the node was removed.
    pub after: Option<Value>,
}

impl Api {
    /// Returns the overlay's actions in their order, then the repairs, grouped by node.
    pub fn steps(&self) -> Vec<Step> {
        let states = self.located.states();
        let mut steps: Vec<Step> = Vec::new();
        let actions = if self.located.overlay.is_some() { states.len() - 1 } else { 0 };
        for (index, repair) in self.repairs.iter().enumerate().take(actions) {
            let Some(overlay) = &self.located.overlay else { break };
            let mut changes = Vec::new();
            compare(&states[index], &states[index + 1], "", &mut changes);
            steps.push(Step {
                rules: vec![repair.rule],
                place: overlay.action(index),
                target: repair.pointer.clone(),
                reasons: vec![repair.note.clone()],
                changes,
            });
        }
        let place = |pointer: &str| self.located.location_in(&states, pointer);
        // Repairs are made to the document after its conversion to OpenAPI 3.0 or 3.1.
        let before = versions::converted(states.last().unwrap_or(&self.document).clone());
        steps.extend(steps_by_node(self.repairs.iter().skip(actions), [&before, &self.document], place));
        steps
    }

    /// Returns the changes that the generator made to the repaired document before it generated this client, grouped by node.
    /// A step that only changes generated code has no changes.
    pub fn steps_of_client(&self, client: &Generated) -> Vec<Step> {
        let states = self.located.states();
        let place = |pointer: &str| self.located.location_in(&states, pointer);
        let own = client.repairs.iter().skip(self.repairs.iter().count());
        steps_by_node(own, [&self.document, &client.document], place)
    }

    /// Returns the place of a node: in the document, or in the overlay if the overlay added the node. For a node that is in
    /// neither, returns the place of the nearest enclosing node.
    pub fn location(&self, pointer: &str) -> SourceLocation {
        self.located.location(pointer)
    }
}

/// Groups repairs by node, and adds the difference at each node.
fn steps_by_node<'a>(
    repairs: impl Iterator<Item = &'a Repair>,
    [before, after]: [&Value; 2],
    place: impl Fn(&str) -> SourceLocation,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for repair in repairs {
        let narrowed = if repair.narrowed { "narrowed: " } else { "" };
        let reason = format!("{narrowed}{}", repair.note);
        let count = steps.len();
        let index = *places.entry(&repair.pointer).or_insert(count);
        if let Some(step) = steps.get_mut(index) {
            step.rules.push(repair.rule);
            step.reasons.push(reason);
            continue;
        }
        let mut changes = Vec::new();
        let node = |document: &Value| document.pointer(&repair.pointer).cloned();
        difference(node(before), node(after), &repair.pointer, &mut changes);
        steps.push(Step {
            rules: vec![repair.rule],
            place: place(&repair.pointer),
            target: repair.pointer.clone(),
            reasons: vec![reason],
            changes,
        });
    }
    steps
}

/// Collects the innermost nodes that differ.
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

/// Returns true if the two values must be compared member by member.
fn is_container(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(_), Value::Object(_)) => true,
        (Value::Array(before), Value::Array(after)) => before.len() == after.len(),
        _ => false,
    }
}
