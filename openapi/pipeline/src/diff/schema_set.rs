//! Schemas that a value has to fit all at once: a member that several parts of an `allOf` describe has a schema in each.

use super::flat_schema::FlatSchema;
use super::node::Node;
use crate::walk;

/// One or more schemas, all of which a value has to fit.
#[derive(Clone, Debug)]
pub(super) struct SchemaSet<'a> {
    pub(super) first: Node<'a>,
    rest: Vec<Node<'a>>,
}

impl<'a> SchemaSet<'a> {
    pub(super) fn of(node: Node<'a>) -> Self {
        Self { first: node, rest: Vec::new() }
    }

    /// Joins all of these; `None` if there are none.
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

    pub(super) fn is_single(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns the same schemas, with plain references resolved.
    pub(super) fn resolved(&self) -> Self {
        let follow = |node: &Node<'a>| if node.is_plain_reference() { node.resolved() } else { node.clone() };
        let mut set = Self::of(follow(&self.first));
        for node in &self.rest {
            let node = follow(node);
            if set.nodes().all(|known| known.at != node.at) {
                set.and(node);
            }
        }
        set
    }

    /// Returns whether it refers to schemas that may be shared, or is composed of several.
    pub(super) fn is_shared(&self) -> bool {
        !self.rest.is_empty() || self.first.reference().is_some() || self.first.get("allOf").is_some()
    }

    /// Returns the name of the component that it refers to.
    pub(super) fn component(&self) -> Option<&'a str> {
        let is_one = self.is_single() && self.first.is_plain_reference();
        walk::component(self.first.reference().filter(|_| is_one)?)
    }

    /// Returns the name of the component that it refers to, or wraps to make it nullable or give it another description.
    pub(super) fn base_component(&self) -> Option<&'a str> {
        const OF_WRAPPERS: [&str; 6] = ["$ref", "allOf", "nullable", "description", "title", "deprecated"];
        self.component().or_else(|| {
            let mut keys = self.first.value.as_object()?.keys();
            let is_wrapper = keys.all(|key| OF_WRAPPERS.contains(&key.as_str()) || key.starts_with("x-"));
            if !is_wrapper || !self.is_single() {
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

    /// Returns a key that identifies it in the document.
    pub(super) fn key(&self) -> String {
        self.rest.iter().fold(self.first.at.clone(), |key, node| key + "\n" + &node.at)
    }

    /// Returns whether a flag is set on one of them.
    pub(super) fn is_marked(&self, flag: &str) -> bool {
        self.nodes().any(|node| node.is_marked(flag))
    }

    /// Returns whether no value fits: a schema of 3.1 that is `false`.
    pub(super) fn accepts_nothing(&self) -> bool {
        self.nodes().any(|node| *node.value == serde_json::Value::Bool(false))
    }

    pub(super) fn flat(&self) -> FlatSchema<'a> {
        FlatSchema::of(self)
    }
}
