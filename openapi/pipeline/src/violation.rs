//! Values that violate one constraint of a schema and satisfy all others, for tests of a server's validation. Each value is
//! checked against the one implementation of schemas ([`schema`](crate::schema)): the original fits, the changed value does not, and it fits
//! again if the keywords of the constraint are removed. Where programs are commonly lenient without harm, the value is one
//! that no implementation accepts: letters in place of a number and not a number in quotes; a negative number below a minimum
//! of one and not zero.

mod finder;
mod values;

use serde_json::Value;

use self::finder::{Finder, MAX_NODES};

use crate::{Api, pointer};

/// A constraint of a schema.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Constraint {
    /// A required member.
    Required,
    /// The type.
    Type,
    /// The bounds of a number, and `multipleOf`.
    Bounds,
    /// The length of a text.
    Length,
    /// The listed values.
    Enum,
    /// The pattern of a text.
    Pattern,
    /// The number of items of a list, and that its items are unique.
    Items,
    /// The absence of additional members.
    Additional,
}

impl Constraint {
    /// Returns the keywords of the constraint.
    pub fn keywords(self) -> &'static [&'static str] {
        match self {
            Self::Required => &["required"],
            Self::Type => &["type"],
            Self::Bounds => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            Self::Length => &["minLength", "maxLength"],
            Self::Enum => &["enum", "const"],
            Self::Pattern => &["pattern"],
            Self::Items => &["minItems", "maxItems", "uniqueItems"],
            Self::Additional => &["additionalProperties"],
        }
    }

    /// Returns the schema without the constraint, in all of its parts. Schemas that it refers to are not changed.
    pub fn removed_from(self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        strip(&mut schema, self.keywords(), false);
        schema
    }
}

/// The serialization of a value in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueFormat {
    /// As JSON.
    Json,
    /// As text, as in paths, queries and headers. No value violates the types string and boolean there: every value is a
    /// text, and some program reads any word as `false`. An empty text counts as no value.
    Text,
}

/// A change to a value after which it does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The violated constraint; `None` if the value still fits but programs may not expect it.
    pub constraint: Option<Constraint>,
    /// The place of the change in the value, as a JSON pointer.
    pub at: String,
    /// The new value; `None` if the member is removed.
    pub value: Option<Value>,
    /// The violation in words, to follow the name of the place: `-5, below 1`.
    pub description: String,
}

impl Violation {
    /// Returns the value with the change applied.
    pub fn applied(&self, value: &Value) -> Value {
        let mut broken = value.clone();
        set_member(&mut broken, &self.at, self.value.clone());
        broken
    }
}

/// The maximum number of breaches of one constraint in one value.
const MAX_VIOLATIONS: usize = 12;

/// Returns breaches of the schema of a request value: of each constraint as many as `most` asks for, and never more than
/// twelve. The list is empty if the value itself does not fit. The validation of a value is expensive, so only constraints
/// that are asked for are tried.
pub fn violations(
    api: &Api,
    schema: &Value,
    value: &Value,
    written: ValueFormat,
    most: &dyn Fn(Option<Constraint>) -> usize,
) -> Vec<Violation> {
    let mut finder = Finder { api, schema, value, written, most, found: Vec::new(), nodes: MAX_NODES };
    if finder.mismatch(schema, value).is_none() {
        finder.visit(schema, value, "", 0);
    }
    finder.found
}

/// Sets or removes a member.
fn set_member(root: &mut Value, at: &str, value: Option<Value>) {
    let Some((above, name)) = at.rsplit_once('/') else {
        *root = value.unwrap_or_default();
        return;
    };
    let name = pointer::name(name);
    match (root.pointer_mut(above), value) {
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(name, value)),
        (Some(Value::Object(members)), None) => drop(members.shift_remove(&name)),
        (Some(Value::Array(items)), Some(value)) => {
            if let Some(item) = name.parse().ok().and_then(|place: usize| items.get_mut(place)) {
                *item = value;
            }
        }
        _ => {}
    }
}

impl Api {
    /// Returns the API with schemas that lack the constraint: a check with it misses violations of the constraint.
    #[must_use]
    pub fn without(&self, constraint: Constraint) -> Self {
        let mut api = self.clone();
        strip(&mut api.document, constraint.keywords(), false);
        for operation in &mut api.operations {
            let schemas = operation.parameters.iter_mut().map(|parameter| &mut parameter.schema);
            let schemas = schemas.chain(operation.body.as_mut().map(|body| &mut body.schema));
            schemas.for_each(|schema| strip(schema, constraint.keywords(), false));
        }
        api
    }
}

/// Removes keywords from every schema of a node. Below names that an author chose, keys are not keywords.
fn strip(node: &mut Value, keywords: &[&str], is_named: bool) {
    match node {
        Value::Object(members) => {
            if !is_named {
                members.retain(|key, _| !keywords.contains(&key.as_str()));
            }
            for (key, member) in members {
                let is_map =
                    ["properties", "patternProperties", "schemas", "definitions", "$defs"].contains(&key.as_str());
                strip(member, keywords, is_map && !is_named);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, keywords, false)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
