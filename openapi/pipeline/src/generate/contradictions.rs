//! Compositions that no value fits: in Rust they would be types that cannot be constructed, and responses that cannot be
//! decoded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::walker::for_each_schema;
use crate::repair::Repairs;
use crate::walk;

/// The maximum depth to which compositions are followed.
const MAX_DEPTH: usize = 8;

/// The maximum number of schemas that are visited for one composition.
const MAX_SCHEMAS: usize = 1000;

/// Replaces such compositions by any JSON value.
pub(crate) fn narrow(document: &mut Value, repairs: &mut Repairs) {
    for_each_schema(document, |document, site, schema| {
        let mut found = false;
        walk::schemas(schema, &mut |inner| {
            if inner.get("allOf").is_some() && !is_satisfiable(document, inner) {
                found = true;
                *inner = json!({ "description": "Any JSON value: the document composes it of parts that contradict each other." });
            }
        });
        if found {
            let why = "parts of `allOf` that no value fits together: any JSON value";
            repairs.narrow("contradiction", &site.pointer, why);
        }
    });
}

/// Returns whether a value can fit all parts of a composition.
pub(super) fn is_satisfiable(document: &Value, schema: &Value) -> bool {
    Constraints::of(document, schema).is_satisfiable()
}

/// The constraints of a composition's parts on one value.
#[derive(Default)]
struct Constraints<'a> {
    kinds: BTreeSet<&'a str>,
    /// The values that every part with an enum allows.
    values: Option<Vec<&'a Value>>,
    members: BTreeMap<&'a str, Constraints<'a>>,
}

impl<'a> Constraints<'a> {
    fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut constraints = Self::default();
        constraints.add(document, schema, 0, &mut MAX_SCHEMAS.clone());
        constraints
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value, depth: usize, budget: &mut usize) {
        if depth > MAX_DEPTH || *budget == 0 {
            return;
        }
        *budget -= 1;
        let schema = walk::resolve(document, schema);
        match schema["type"].as_str() {
            // Every integer is a number.
            Some("integer") => self.kinds.insert("number"),
            Some(kind) => self.kinds.insert(kind),
            None => false,
        };
        if let Some(values) = schema["enum"].as_array() {
            match &mut self.values {
                Some(known) => known.retain(|value| values.contains(value)),
                None => self.values = Some(values.iter().collect()),
            }
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.members.entry(name).or_default().add(document, member, depth + 1, budget);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(document, part, depth + 1, budget);
        }
    }

    fn is_satisfiable(&self) -> bool {
        self.kinds.len() <= 1
            && self.values.as_ref().is_none_or(|values| !values.is_empty())
            && self.members.values().all(Self::is_satisfiable)
    }
}
