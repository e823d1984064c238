//! The parts that are equal in both documents, with everything that they refer to. They are not compared.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Document;
use super::node::{Node, Revision};
use super::schema_set::SchemaSet;
use crate::pointer;

/// The maximum number of nodes of a schema that are checked. The nodes of a larger one are checked when it is compared.
const MAX_NODES: usize = 64;

/// The equal parts of both documents.
pub(super) struct Unchanged<'a> {
    /// The references with equal targets. `None` if keywords beside a reference apply in one of the documents only: then nothing
    /// counts as equal.
    references: Option<HashSet<&'a str>>,
}

impl<'a> Unchanged<'a> {
    pub(super) fn of(old: &'a Document, new: &'a Document) -> Self {
        let (old, new) = (old.root(Revision::Old), new.root(Revision::New));
        if old.is_31 != new.is_31 {
            return Self { references: None };
        }
        let (mut same, mut changed) = (HashSet::new(), Vec::new());
        // The references to the targets that contain each reference.
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

    /// Returns whether two schemas are equal; `false` if they are too large to be checked at each occurrence.
    pub(super) fn is_same_schema(&self, old: &SchemaSet<'_>, new: &SchemaSet<'_>) -> bool {
        old.is_single() && new.is_single() && self.is_same(old.first.value, new.first.value, MAX_NODES)
    }

    /// Returns whether a member of two nodes is equal, or absent in both.
    pub(super) fn is_same_member(&self, old: &Node<'_>, new: &Node<'_>, key: &str) -> bool {
        let [old, new] = [old, new].map(|node| node.value.get(key).unwrap_or(&Value::Null));
        self.is_same(old, new, usize::MAX)
    }

    fn is_same(&self, old: &Value, new: &Value, mut most: usize) -> bool {
        let Some(references) = &self.references else { return false };
        is_same(old, new, &|reference| references.contains(reference), &mut most)
    }
}

/// Returns whether two values are equal and `is_good` accepts each of their references; `false` if `left` nodes do not suffice.
fn is_same(old: &Value, new: &Value, is_good: &impl Fn(&str) -> bool, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            // Most objects have their members in the same order.
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

/// Returns the references within a value, `$ref` members of its examples included.
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
