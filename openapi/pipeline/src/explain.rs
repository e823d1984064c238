//! What became of a published document, step by step: each overlay action and each repair, before and after.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Api, Generated, Repair, SourcePlace, pointer, versions};

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
        let place = |pointer: &str| self.located.place_in(&states, pointer);
        // Repairs are made to the document in the words of 3.0 or 3.1.
        let before = versions::settled(states.last().unwrap_or(&self.document).clone());
        steps.extend(grouped(self.repairs.iter().skip(actions), [&before, &self.document], place));
        steps
    }

    /// What the generator was given instead of the repaired document, the repairs of one node together. Where only code is
    /// another, nothing is changed.
    pub fn steps_of_client(&self, client: &Generated) -> Vec<Step> {
        let states = self.located.states();
        let place = |pointer: &str| self.located.place_in(&states, pointer);
        let own = client.repairs.iter().skip(self.repairs.iter().count());
        grouped(own, [&self.document, &client.document], place)
    }

    /// The place of a node in the document, or where the overlay put it in, in the overlay; of a node that is in neither
    /// that of what is left around it.
    pub fn place(&self, pointer: &str) -> SourcePlace {
        self.located.place(pointer)
    }
}

/// The repairs of each node, with what is different there.
fn grouped<'a>(
    repairs: impl Iterator<Item = &'a Repair>,
    [before, after]: [&Value; 2],
    place: impl Fn(&str) -> SourcePlace,
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
