//! Schemas that a value has to fit all at once: a member that several parts of an `allOf` describe has one in each.

use super::flat::Flat;
use super::node::Node;
use crate::walk;

/// One schema or more, all of which a value has to fit.
#[derive(Clone, Debug)]
pub(super) struct Joint<'a> {
    pub(super) first: Node<'a>,
    rest: Vec<Node<'a>>,
}

impl<'a> Joint<'a> {
    pub(super) fn of(node: Node<'a>) -> Self {
        Self { first: node, rest: Vec::new() }
    }

    /// All of these, `None` where there are none.
    pub(super) fn all(nodes: impl IntoIterator<Item = Node<'a>>) -> Option<Self> {
        let mut nodes = nodes.into_iter();
        Some(Self { first: nodes.next()?, rest: nodes.collect() })
    }

    pub(super) fn and(&mut self, node: Node<'a>) {
        self.rest.push(node);
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node<'a>> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(super) fn is_one(&self) -> bool {
        self.rest.is_empty()
    }

    /// The same with references followed that say nothing else.
    pub(super) fn resolved(&self) -> Self {
        let follow = |node: &Node<'a>| if node.is_plain_reference() { node.resolved() } else { node.clone() };
        let mut joint = Self::of(follow(&self.first));
        for node in &self.rest {
            let node = follow(node);
            if joint.nodes().all(|known| known.at != node.at) {
                joint.and(node);
            }
        }
        joint
    }

    /// Whether it leads to schemas that others may lead to as well, or is composed of several.
    pub(super) fn is_shared(&self) -> bool {
        !self.rest.is_empty() || self.first.reference().is_some() || self.first.get("allOf").is_some()
    }

    /// The name of the component that it is.
    pub(super) fn component(&self) -> Option<&'a str> {
        let is_one = self.is_one() && self.first.is_plain_reference();
        walk::component(self.first.reference().filter(|_| is_one)?)
    }

    /// The name of the component that it is, or that it wraps so that it can be null or has another description.
    pub(super) fn made_of(&self) -> Option<&'a str> {
        const OF_WRAPPERS: [&str; 6] = ["$ref", "allOf", "nullable", "description", "title", "deprecated"];
        self.component().or_else(|| {
            let mut keys = self.first.value.as_object()?.keys();
            let is_wrapper = keys.all(|key| OF_WRAPPERS.contains(&key.as_str()) || key.starts_with("x-"));
            if !is_wrapper || !self.is_one() {
                return None;
            }
            match (self.first.reference(), self.first.get("allOf")) {
                (Some(reference), None) => walk::component(reference),
                (None, Some(parts)) => {
                    let mut parts = parts.items();
                    let part = parts.next().filter(|_| parts.next().is_none())?;
                    Self::of(part).component()
                }
                _ => None,
            }
        })
    }

    /// What tells it from others of the document.
    pub(super) fn key(&self) -> String {
        self.rest.iter().fold(self.first.at.clone(), |key, node| key + "\n" + &node.at)
    }

    /// Whether a flag is set on one of them.
    pub(super) fn is_marked(&self, flag: &str) -> bool {
        self.nodes().any(|node| node.is_marked(flag))
    }

    /// Whether no value fits: a schema of 3.1 that is `false`.
    pub(super) fn is_never(&self) -> bool {
        self.nodes().any(|node| *node.value == serde_json::Value::Bool(false))
    }

    pub(super) fn flat(&self) -> Flat<'a> {
        Flat::of(self)
    }
}
