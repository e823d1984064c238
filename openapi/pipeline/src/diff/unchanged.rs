//! What is the same in both documents, with all that it refers to: nothing can be found there, so that it is not compared.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Document;
use super::joint::Joint;
use super::node::Revision;
use super::operation::Operation;
use crate::pointer;

/// How many nodes of a schema are looked at: those of a larger one are looked at by themselves when it is compared.
const MOST_NODES: usize = 64;

/// What is the same in both documents.
pub(super) struct Unchanged<'a> {
    /// The references that lead to the same. Nothing counts as the same where what stands beside a reference counts in one of the
    /// two documents alone.
    references: Option<HashSet<&'a str>>,
}

impl<'a> Unchanged<'a> {
    pub(super) fn of(old: &'a Document, new: &'a Document) -> Self {
        let (old, new) = (old.root(Revision::Old), new.root(Revision::New));
        if old.is_31 != new.is_31 {
            return Self { references: None };
        }
        let (mut same, mut changed) = (HashSet::new(), Vec::new());
        // For each reference those that lead to what holds it.
        let mut holders: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut seen = HashSet::new();
        let mut open = references(new.value);
        while let Some(reference) = open.pop() {
            if !seen.insert(reference) {
                continue;
            }
            let target = |document: &'a Value| document.pointer(pointer::of_reference(reference)?);
            let Some(target) = target(new.value).filter(|after| target(old.value) == Some(after)) else {
                changed.push(reference);
                continue;
            };
            same.insert(reference);
            for held in references(target) {
                holders.entry(held).or_default().push(reference);
            }
        }
        while let Some(reference) = changed.pop() {
            let holders = holders.remove(reference).unwrap_or_default();
            changed.extend(holders.into_iter().filter(|holder| same.remove(holder)));
        }
        Self { references: Some(same) }
    }

    /// Whether two schemas are the same; `false` where they are too large to be looked at as often as something holds them.
    pub(super) fn has(&self, old: &Joint<'_>, new: &Joint<'_>) -> bool {
        old.is_one() && new.is_one() && self.is_same(old.first.value, new.first.value, &mut MOST_NODES.clone())
    }

    /// Whether two operations have the same parameters, bodies and answers.
    pub(super) fn has_operation(&self, old: &Operation<'_>, new: &Operation<'_>) -> bool {
        let is_same = |old, new| self.is_same(old, new, &mut usize::MAX.clone());
        let shared = [old, new].map(|operation| operation.item.value.get("parameters").unwrap_or(&Value::Null));
        old.path == new.path && is_same(old.node.value, new.node.value) && is_same(shared[0], shared[1])
    }

    /// Looks at so many nodes at most.
    fn is_same(&self, old: &Value, new: &Value, left: &mut usize) -> bool {
        let Some(references) = &self.references else { return false };
        if *left == 0 {
            return false;
        }
        *left -= 1;
        match (old, new) {
            (Value::Object(before), Value::Object(after)) => {
                before.len() == after.len()
                    && before.iter().all(|(key, old)| {
                        let leads_to_same = |new: &str| key != "$ref" || references.contains(new);
                        after.get(key).is_some_and(|new| self.is_same(old, new, left) && new.as_str().is_none_or(leads_to_same))
                    })
            }
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(old, new)| self.is_same(old, new, left))
            }
            _ => old == new,
        }
    }
}

/// The references within a value, and what looks like one in its examples.
fn references(value: &Value) -> Vec<&str> {
    let (mut found, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
