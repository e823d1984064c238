//! A value in one of the two documents, with its position.

use serde::Serialize;
use serde_json::Value;

use crate::pointer;

/// One of the two documents.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Revision {
    /// The document before.
    Old,
    /// The document after.
    New,
}

/// A value with its document and its JSON pointer there.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    root: &'a Value,
    /// True for OpenAPI 3.1, in which keywords beside a `$ref` apply as well.
    pub(super) is_31: bool,
    pub(super) revision: Revision,
    pub(super) value: &'a Value,
    pub(super) at: String,
}

/// The maximum length of a chain of references.
const MAX_REFERENCE_CHAIN: usize = 16;
/// The keywords beside a `$ref` that do not constrain the value; flags are checked where they matter.
const ANNOTATIONS: [&str; 12] = [
    "$ref",
    "$comment",
    "$id",
    "$schema",
    "deprecated",
    "description",
    "example",
    "examples",
    "readOnly",
    "summary",
    "title",
    "writeOnly",
];

impl<'a> Node<'a> {
    /// Creates the node of a whole document.
    pub(super) fn of(revision: Revision, root: &'a Value) -> Self {
        let is_31 = root["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
        Self { root, is_31, revision, value: root, at: String::new() }
    }

    /// Returns the node of the whole document.
    pub(super) fn root(&self) -> Self {
        self.with(self.root, String::new())
    }

    /// Returns a member; `None` if there is no such member.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(self.with(value, pointer::join(&self.at, key)))
    }

    /// Returns the members of an object, without vendor extensions; empty if it is not an object.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .filter(|(key, _)| !key.starts_with("x-"))
            .map(|(key, value)| (key.as_str(), self.with(value, pointer::join(&self.at, key))))
    }

    /// Returns the members whose names the document's author chose: one may start with `x-`.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), self.with(value, pointer::join(&self.at, key))))
    }

    /// Returns the elements of an array; empty if it is not an array.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.value.as_array().into_iter().flatten();
        items.enumerate().map(|(index, value)| self.with(value, format!("{}/{index}", self.at)))
    }

    /// Returns a member that is a string.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    /// Returns whether a member is `true`.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.value.as_object().and_then(|object| object.get(key)) == Some(&Value::Bool(true))
    }

    /// Returns its `$ref`.
    pub(super) fn reference(&self) -> Option<&'a str> {
        self.text("$ref")
    }

    /// Returns the node itself, or the target of its references. A reference that is dangling, circular or external is not
    /// followed.
    pub(super) fn resolved(&self) -> Self {
        let mut node = self.clone();
        for _ in 0..MAX_REFERENCE_CHAIN {
            let Some(target) = node.reference().and_then(pointer::of_reference) else { return node };
            let Some(value) = self.root.pointer(target) else { return node };
            node = self.with(value, target.to_owned());
        }
        node
    }

    /// Returns the target of its `$ref`; `None` if it has no reference, or a dangling one.
    pub(super) fn target(&self) -> Option<Self> {
        let target = self.reference().and_then(pointer::of_reference)?;
        Some(self.with(self.root.pointer(target)?, target.to_owned()))
    }

    /// Returns whether it is a reference without constraints beside it. In 3.0 only `nullable` counts beside it, as authors
    /// expect.
    pub(super) fn is_plain_reference(&self) -> bool {
        let says_nothing = |key: &String| ANNOTATIONS.contains(&key.as_str()) || key.starts_with("x-");
        self.reference().is_some()
            && !self.is_true("nullable")
            && (!self.is_31 || self.value.as_object().is_some_and(|object| object.keys().all(says_nothing)))
    }

    /// Returns the node that it is a member of.
    pub(super) fn around(&self) -> Option<Self> {
        let (at, _) = self.at.rsplit_once('/')?;
        Some(self.with(self.root.pointer(at)?, at.to_owned()))
    }

    /// Returns whether a flag is set, on the node itself or on the target of its reference.
    pub(super) fn is_marked(&self, flag: &str) -> bool {
        if self.reference().is_none() {
            return self.is_true(flag);
        }
        self.is_true(flag) || self.resolved().is_true(flag)
    }

    fn with(&self, value: &'a Value, at: String) -> Self {
        Self { value, at, ..*self }
    }
}
