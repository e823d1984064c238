//! A schema with all parts that its `allOf` and its references add: a value has to fit all of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::node::Node;
use super::schema_set::SchemaSet;
use super::values::{self, Values};

/// The maximum number of parts of a schema.
const MAX_PARTS: usize = 256;

/// A schema and the parts of its `allOf`, the schema itself first.
pub(super) struct FlatSchema<'a> {
    parts: Vec<Node<'a>>,
    /// True if a value can be null.
    pub(super) is_nullable: bool,
    /// True if there were more parts than the maximum.
    pub(super) is_cut: bool,
    /// References that cannot be resolved.
    pub(super) unresolved: BTreeSet<&'a str>,
}

/// Schemas of which a value has to fit one.
pub(super) struct Union<'a> {
    pub(super) list: Node<'a>,
    pub(super) variants: Vec<Node<'a>>,
}

impl<'a> FlatSchema<'a> {
    pub(super) fn of(set: &SchemaSet<'a>) -> Self {
        let mut flat = Self { parts: Vec::new(), is_nullable: false, is_cut: false, unresolved: BTreeSet::new() };
        let mut open: Vec<Node<'a>> = set.nodes().cloned().collect();
        if let [one] = &open[..]
            && one.reference().is_none()
            && one.get("allOf").is_none()
        {
            flat.is_nullable = one.is_true("nullable");
            flat.parts = open;
            return flat;
        }
        flat.is_nullable = null_of_all(&open, &mut HashSet::new()) == Some(true);
        // The first one is visited first.
        open.reverse();
        let mut seen = HashSet::new();
        while let Some(part) = open.pop() {
            if !seen.insert(part.at.clone()) {
                continue;
            }
            if flat.parts.len() == MAX_PARTS {
                flat.is_cut = true;
                break;
            }
            let (target, mut below) = below(&part);
            if target.is_none() {
                flat.unresolved.extend(part.reference());
            }
            below.reverse();
            open.extend(below);
            open.extend(target);
            if !part.is_plain_reference() {
                flat.parts.push(part);
            }
        }
        if flat.parts.is_empty() {
            // Circular references.
            flat.unresolved.extend(set.first.reference());
        }
        flat
    }

    /// Returns the schema itself.
    pub(super) fn first(&self) -> Option<&Node<'a>> {
        self.parts.first()
    }

    pub(super) fn parts(&self) -> &[Node<'a>] {
        &self.parts
    }

    /// Returns an annotation keyword; that of the schema itself has precedence over those of its parts.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.all(key).next()
    }

    /// Returns the values of a keyword in all parts.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = Node<'a>> {
        self.parts.iter().filter_map(move |part| part.get(key))
    }

    /// Returns the keyword if it is `true`.
    pub(super) fn flag(&self, key: &str) -> Option<Node<'a>> {
        self.all(key).find(|node| *node.value == Value::Bool(true))
    }

    /// Returns the string values of the keyword in all parts, sorted and without duplicates.
    pub(super) fn texts(&self, key: &str) -> Vec<&'a str> {
        let mut texts: Vec<&str> = self.parts.iter().filter_map(|part| part.text(key)).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// Returns the members by name; `None` for one that is required and not described.
    pub(super) fn members(&self) -> BTreeMap<&'a str, Option<SchemaSet<'a>>> {
        let mut members: BTreeMap<&'a str, Option<SchemaSet<'a>>> = BTreeMap::new();
        for part in &self.parts {
            for (name, node) in part.get("properties").iter().flat_map(Node::entries) {
                match members.entry(name).or_default() {
                    Some(set) => set.and(node),
                    none => *none = Some(SchemaSet::of(node)),
                }
            }
        }
        for name in self.required() {
            members.entry(name).or_default();
        }
        members
    }

    /// Returns the names of the required members.
    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.parts.iter().filter_map(|part| part.value.as_object()?.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Returns whether members that are not described are forbidden.
    pub(super) fn is_closed(&self) -> bool {
        self.all("additionalProperties").any(|others| *others.value == Value::Bool(false))
    }

    /// Returns the schema of members that are not described.
    pub(super) fn others(&self) -> Option<SchemaSet<'a>> {
        SchemaSet::all(self.all("additionalProperties").filter(|others| others.value.is_object()))
    }

    /// Returns the schema of the elements.
    pub(super) fn items(&self) -> Option<SchemaSet<'a>> {
        SchemaSet::all(self.all("items"))
    }

    /// Returns the types that a value must have; several fit no value, except that an integer is also a number.
    pub(super) fn kinds(&self) -> Vec<&'a str> {
        let mut kinds = self.texts("type");
        if kinds.contains(&"integer") {
            kinds.retain(|kind| *kind != "number");
        }
        kinds
    }

    /// Returns the type; without one, the type that the other keywords imply.
    pub(super) fn kind(&self) -> Option<&'a str> {
        let kinds = self.kinds();
        let implied = || match () {
            () if self.all("properties").next().is_some() => Some("object"),
            () if self.all("items").next().is_some() => Some("array"),
            () => self.values()?.kind(),
        };
        kinds.into_iter().next().or_else(implied)
    }

    /// Returns the values of which a value has to be one.
    pub(super) fn values(&self) -> Option<Values<'a>> {
        let own = self.all("enum").filter(|list| list.value.is_array()).map(|list| vec![list]);
        let lists = own.chain(self.all_unions().filter_map(|choice| values::of_constants(&choice.variants)));
        Values::in_all(lists)
    }

    /// Returns each list of schemas of which a value has to fit one, except lists of constants.
    pub(super) fn unions(&self) -> Vec<Union<'a>> {
        self.all_unions().filter(|choice| values::of_constants(&choice.variants).is_none()).collect()
    }

    fn all_unions(&self) -> impl Iterator<Item = Union<'a>> {
        let lists = self.parts.iter().flat_map(|part| ["oneOf", "anyOf"].into_iter().filter_map(|key| part.get(key)));
        lists.filter_map(|list| {
            let variants: Vec<Node<'a>> = list.items().collect();
            (!variants.is_empty()).then_some(Union { list, variants })
        })
    }

    /// Returns the schemas of which a value has to fit one, if the schema is only a list of them.
    pub(super) fn only_union(&self) -> Option<Vec<Node<'a>>> {
        const SAYS_NOTHING: [&str; 10] =
            ["$ref", "allOf", "oneOf", "anyOf", "nullable", "default", "deprecated", "description", "example", "title"];
        let keys = |part: &Node<'a>| {
            part.value.as_object().is_some_and(|object| {
                object.keys().all(|key| SAYS_NOTHING.contains(&key.as_str()) || key.starts_with("x-"))
            })
        };
        if !self.parts.iter().all(keys) {
            return None;
        }
        let mut choices = self.unions();
        choices.pop().filter(|_| choices.is_empty()).map(|choice| choice.variants)
    }
}

/// Returns the target of a part's reference, and the parts of its own `allOf`.
fn below<'a>(part: &Node<'a>) -> (Option<Node<'a>>, Vec<Node<'a>>) {
    let is_alone = part.reference().is_some() && !part.is_31;
    let own = part.get("allOf").filter(|_| !is_alone);
    (part.target(), own.iter().flat_map(Node::items).collect())
}

/// Returns whether null fits all of them; `None` if they do not determine it.
fn null_of_all(nodes: &[Node<'_>], seen: &mut HashSet<String>) -> Option<bool> {
    let mut all = None;
    for node in nodes {
        match null_of(node, seen) {
            Some(false) => return Some(false),
            Some(true) => all = Some(true),
            None => {}
        }
    }
    all
}

fn null_of(node: &Node<'_>, seen: &mut HashSet<String>) -> Option<bool> {
    if !seen.insert(node.at.clone()) {
        return None;
    }
    let is_alone = node.reference().is_some() && !node.is_31;
    let (target, mut parts) = below(node);
    parts.extend(target);
    if is_alone && !node.is_true("nullable") {
        return null_of_all(&parts, seen);
    }
    let has_type = node.get("type").is_some();
    if node.is_true("nullable") {
        // In 3.0, the flag is beside the parts that it makes nullable, as in 3.1 if it replaced an alternative of null.
        return if has_type && node.is_31 { null_of_all(&parts, seen).or(Some(true)) } else { Some(true) };
    }
    if has_type { Some(false) } else { null_of_all(&parts, seen) }
}
