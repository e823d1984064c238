//! Validation of values against OpenAPI schemas. The dialect of 3.0 has `nullable` and boolean `exclusiveMinimum` and is not
//! a JSON Schema draft, so validators of those drafts misread it. Of 3.1, the keywords for a value, its members and its items
//! are supported, and formats on request. Not supported are `if`, `contains`, `propertyNames`, dependent keywords and
//! unevaluated members and items. Validation of one value ends after a maximum number of steps; the remaining parts are not
//! checked.

mod discriminator;
mod equality;
mod types;
mod validation;

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

pub(crate) use self::discriminator::{discriminator, tag_of};
pub(crate) use self::types::{is_of_kind, text_of};
use self::validation::is_hidden;
pub(crate) use self::validation::{Validation, check, fits};
use crate::{Api, format, walk};

/// The direction in which a value is sent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

impl Direction {
    /// Returns the flag of members that are not sent in this direction: if such a member is required, it is required in the
    /// other direction only.
    pub(crate) fn hidden(self) -> &'static str {
        match self {
            Self::Request => "readOnly",
            Self::Answer => "writeOnly",
        }
    }
}

/// A mismatch between a value and its schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    /// The place in the value, as a JSON pointer.
    pub at: String,
    /// A description of the problem.
    pub problem: String,
}

/// A function that validates a value against a schema, such as [`mismatch`] or [`misformat`].
pub type ValueCheck = fn(&Api, Direction, &Value, &Value) -> Option<Mismatch>;

/// Returns the first mismatch between a schema and a value that is sent in this direction; `None` if it fits.
pub fn mismatch(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    check(&Validation::of(&api.document, direction), schema, value, "").err()
}

/// Returns the first text of a value that does not have the format of its schema; also `None` if the value has another
/// mismatch.
pub fn misformat(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation = Validation { checks_formats: true, ..Validation::of(&api.document, direction) };
    let found = check(&validation, schema, value, "").err()?;
    mismatch(api, direction, schema, value).is_none().then_some(found)
}

/// Returns the same as [`mismatch`], except that parts marked as inferred (`x-unverified`) accept any value.
pub fn mismatch_of_known(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation = Validation { accepts_unverified: true, ..Validation::of(&api.document, direction) };
    check(&validation, schema, value, "").err()
}

/// Returns the same as [`misformat`], except that parts marked as inferred (`x-unverified`) accept any value.
pub fn misformat_of_known(api: &Api, direction: Direction, schema: &Value, value: &Value) -> Option<Mismatch> {
    let validation =
        Validation { checks_formats: true, accepts_unverified: true, ..Validation::of(&api.document, direction) };
    let found = check(&validation, schema, value, "").err()?;
    mismatch_of_known(api, direction, schema, value).is_none().then_some(found)
}

/// Returns whether any text in a part of the document has a format that can be validated. Returns true if the part is larger
/// than the search limit.
pub fn names_format(api: &Api, part: &Value) -> bool {
    let mut open = vec![part];
    let mut seen: HashSet<*const Value> = HashSet::new();
    while let Some(value) = open.pop() {
        let value = walk::resolve(&api.document, value);
        if !seen.insert(std::ptr::from_ref(value)) {
            continue;
        }
        let format = value.get("format").and_then(Value::as_str);
        if seen.len() > MAX_PARTS
            || format.is_some_and(|format| format::is_known(format) && is_of_kind(value, &Value::from("")))
        {
            return true;
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    false
}

/// The maximum number of parts of a document that are searched for a format.
const MAX_PARTS: usize = 5_000;

/// Returns whether a member of a schema is sent in this direction, and not in the other direction only.
pub fn is_sent(api: &Api, direction: Direction, schema: &Value, member: &str) -> bool {
    !is_hidden(&Validation::of(&api.document, direction), schema, member)
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the body" } else { &self.at };
        write!(f, "{at} {}", self.problem)
    }
}

impl Mismatch {
    /// Returns the top-level member at fault.
    pub fn field(&self) -> &str {
        self.at.trim_start_matches('/').split('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
