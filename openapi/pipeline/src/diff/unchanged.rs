//! What is the same in both documents, with all that it refers to: nothing can be found there, so that it is not compared.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Document;
use super::joint::Joint;
use super::node::{Node, Revision};
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
            match (target(old.value), target(new.value)) {
                (Some(before), Some(after)) if is_same(before, after, &|_| true, &mut { usize::MAX }) => {
                    same.insert(reference);
                    for held in references(after) {
                        holders.entry(held).or_default().push(reference);
                    }
                }
                _ => changed.push(reference),
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
        old.is_one() && new.is_one() && self.is_same(old.first.value, new.first.value, MOST_NODES)
    }

    /// Whether a member of two nodes is the same, or in neither of them.
    pub(super) fn has_member(&self, old: &Node<'_>, new: &Node<'_>, key: &str) -> bool {
        let [old, new] = [old, new].map(|node| node.value.get(key).unwrap_or(&Value::Null));
        self.is_same(old, new, usize::MAX)
    }

    fn is_same(&self, old: &Value, new: &Value, mut most: usize) -> bool {
        let Some(references) = &self.references else { return false };
        is_same(old, new, &|reference| references.contains(reference), &mut most)
    }
}

/// Whether two values are the same, and each of their references is a good one. `false` where so many nodes do not tell.
fn is_same(old: &Value, new: &Value, is_good: &impl Fn(&str) -> bool, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            // Most have their members in the same order.
            let mut pairs = before.iter().zip(after);
            before.len() == after.len()
                && pairs.all(|((key, old), (other, new))| {
                    let new = if key == other { Some(new) } else { after.get(key) };
                    let leads_well = |new: &Value| key != "$ref" || new.as_str().is_none_or(is_good);
                    new.is_some_and(|new| leads_well(new) && is_same(old, new, is_good, left))
                })
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(old, new)| is_same(old, new, is_good, left))
        }
        _ => old == new,
    }
}

/// The references within a value, and what looks like one in its examples.
fn references(value: &Value) -> Vec<&str> {
    let (mut found, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let targets = members.iter().filter(|(key, _)| *key == "$ref");
                found.extend(targets.filter_map(|(_, target)| target.as_str()));
                open.extend(members.values().filter(|inner| inner.is_object() || inner.is_array()));
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
