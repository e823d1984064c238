//! A schema with everything that its `allOf` brings in.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::node::Node;

/// How many parts a schema may be composed of.
const MOST_PARTS: usize = 64;

/// A schema and the parts of its `allOf`, the schema itself first.
pub(super) struct Flat<'a> {
    parts: Vec<Node<'a>>,
    /// Whether there were more parts than are looked at.
    pub(super) is_cut: bool,
}

impl<'a> Flat<'a> {
    pub(super) fn of(schema: &Node<'a>) -> Self {
        let mut parts: Vec<Node<'a>> = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![schema.resolved()];
        let mut is_cut = false;
        while let Some(part) = open.pop() {
            if !seen.insert(part.at.clone()) {
                continue;
            }
            if parts.len() == MOST_PARTS {
                is_cut = true;
                break;
            }
            let below = part.get("allOf");
            let mut below: Vec<Node<'a>> = below.iter().flat_map(Node::items).map(|part| part.resolved()).collect();
            // The first one is looked at first.
            below.reverse();
            open.extend(below);
            parts.push(part);
        }
        Self { parts, is_cut }
    }

    /// The schema itself.
    pub(super) fn first(&self) -> Option<&Node<'a>> {
        self.parts.first()
    }

    /// A keyword, that of the schema itself before those of its parts.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.parts.iter().find_map(|part| part.get(key))
    }

    /// A keyword that is a string.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.value.as_str()
    }

    /// Whether a keyword is `true`.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| *node.value == Value::Bool(true))
    }

    /// The members by name, `None` where one is required and not described.
    pub(super) fn members(&self) -> BTreeMap<&'a str, Option<Node<'a>>> {
        let mut members: BTreeMap<&'a str, Option<Node<'a>>> = BTreeMap::new();
        for part in &self.parts {
            for (name, node) in part.get("properties").iter().flat_map(Node::entries) {
                members.entry(name).or_insert(Some(node));
            }
        }
        for name in self.required() {
            members.entry(name).or_default();
        }
        members
    }

    /// The names of the members that must be there.
    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.parts.iter().filter_map(|part| part.value.as_object()?.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// The type, where none is given that which the other keywords imply.
    pub(super) fn kind(&self) -> Option<&'a str> {
        self.text("type").or_else(|| match () {
            () if self.get("properties").is_some() => Some("object"),
            () if self.get("items").is_some() => Some("array"),
            () => None,
        })
    }

    /// Whether it is nothing but a list of shapes.
    pub(super) fn is_list_of_shapes(&self) -> bool {
        const SAYS_NOTHING: [&str; 8] =
            ["oneOf", "anyOf", "nullable", "default", "deprecated", "description", "example", "title"];
        let keys = |part: &Node<'a>| {
            part.value.as_object().is_some_and(|object| {
                object.keys().all(|key| SAYS_NOTHING.contains(&key.as_str()) || key.starts_with("x-"))
            })
        };
        self.parts.iter().all(keys) && !self.variants().is_empty()
    }

    /// The schemas of which one has to fit.
    pub(super) fn variants(&self) -> Vec<Node<'a>> {
        let lists = ["oneOf", "anyOf"].into_iter().filter_map(|key| self.get(key));
        lists.flat_map(|list| list.items().collect::<Vec<_>>()).collect()
    }
}
