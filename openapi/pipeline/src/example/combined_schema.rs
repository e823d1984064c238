//! All schemas that a value has to fit at once: a schema, the schemas that it refers to, and the parts of its `allOf`.

use std::collections::HashMap;

use serde_json::Value;

use crate::{schema, walk};

/// The maximum number of parts of a schema; ends schemas that contain themselves.
const MAX_PARTS: usize = 256;

/// The schemas that one value has to fit, with their parts.
#[derive(Clone, Debug, Default)]
pub(super) struct CombinedSchema<'a> {
    /// The schemas that the value has to fit; the other fields follow from them.
    pub(super) roots: Vec<&'a Value>,
    parts: Vec<&'a Value>,
    /// The index of the first part that the last chosen alternative added.
    fresh: usize,
    /// The unions without a chosen alternative.
    open: Vec<Union<'a>>,
    /// Members that identify the chosen alternatives, with their values.
    pub(super) tags: Vec<(&'a str, &'a str)>,
}

/// Alternatives of which the value has to fit one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Union<'a> {
    owner: &'a Value,
    pub(super) variants: &'a [Value],
}

impl<'a> CombinedSchema<'a> {
    pub(super) fn of(document: &'a Value, schemas: &[&'a Value]) -> Self {
        let mut whole = Self { roots: schemas.to_vec(), ..Self::default() };
        for schema in schemas {
            whole.add(document, schema);
        }
        whole
    }

    /// Returns the same schemas with one alternative of a union added.
    pub(super) fn with(&self, document: &'a Value, union: Union<'a>, variant: &'a Value) -> Self {
        let mut whole = self.clone();
        if let Some(tag) = schema::discriminator(union.owner)
            && let Some(told) = schema::tag_of(union.owner, variant)
        {
            whole.tags.push((tag, told));
        }
        whole.fresh = whole.parts.len();
        whole.add(document, variant);
        whole
    }

    /// Removes and returns the first open union.
    pub(super) fn next_union(&mut self) -> Option<Union<'a>> {
        (!self.open.is_empty()).then(|| self.open.remove(0))
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value) {
        let schema = walk::resolve(document, schema);
        if self.parts.len() == MAX_PARTS || self.parts.iter().any(|part| std::ptr::eq(*part, schema)) {
            return;
        }
        self.parts.push(schema);
        for key in ["oneOf", "anyOf"] {
            if let Some(variants) = schema.get(key).and_then(Value::as_array).filter(|variants| !variants.is_empty()) {
                self.open.push(Union { owner: schema, variants });
            }
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.add(document, part);
        }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().copied()
    }

    /// Returns the parts of the last chosen alternative, or all parts.
    pub(super) fn new_parts(&self) -> impl Iterator<Item = &'a Value> {
        self.parts[self.fresh..].iter().copied()
    }

    /// Returns the values of a keyword in all parts.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().filter_map(move |part| part.get(key))
    }

    /// Returns the type; of several, the one that the others allow as well.
    pub(super) fn kind(&self) -> Option<&'a str> {
        let mut kinds = self.parts.iter().filter_map(|part| walk::kind(part)).peekable();
        let Some(first) = kinds.peek().copied() else { return self.parts.iter().find_map(|part| implied_type(part)) };
        Some(kinds.find(|kind| *kind == "integer").unwrap_or(first))
    }

    /// Returns the greatest lower bound of a length.
    pub(super) fn least(&self, key: &str) -> u64 {
        self.all(key).filter_map(Value::as_u64).max().unwrap_or_default()
    }

    /// Returns the least upper bound of a length.
    pub(super) fn most(&self, key: &str) -> Option<u64> {
        self.all(key).filter_map(Value::as_u64).min()
    }

    /// Returns the names of the required members, in the order of the document.
    pub(super) fn required(&self) -> Vec<&'a str> {
        self.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect()
    }

    /// Returns the described members in the order of the document, each with all schemas that describe it.
    pub(super) fn members(&self) -> Vec<(&'a str, Vec<&'a Value>)> {
        let mut members: Vec<(&str, Vec<&Value>)> = Vec::new();
        let mut places = HashMap::new();
        for (name, property) in self.all("properties").filter_map(Value::as_object).flatten() {
            let place = *places.entry(name.as_str()).or_insert(members.len());
            if place == members.len() {
                members.push((name, Vec::new()));
            }
            members[place].1.push(property);
        }
        members
    }
}

/// Returns the type that the keywords of a schema imply, for a schema without a type.
fn implied_type(schema: &Value) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| schema.get(*word).is_some());
    match () {
        () if says(&["maxLength", "minLength", "pattern"]) => Some("string"),
        () if says(&["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"]) => Some("number"),
        () if says(&["maxItems", "minItems", "uniqueItems"]) => Some("array"),
        () if says(&["maxProperties", "minProperties", "required"]) => Some("object"),
        () => None,
    }
}
