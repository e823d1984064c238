//! The record of changes to one outermost schema and to the schemas inside it.

use serde_json::{Map, Value, json};

use crate::pointer;
use crate::repair::Repairs;

/// The place of the current schema, and the repairs that are recorded there.
pub(crate) struct SchemaRecord<'a> {
    /// The JSON pointer of the current schema.
    pub(crate) at: String,
    pub(crate) repairs: &'a mut Repairs,
}

impl SchemaRecord<'_> {
    /// Moves the place to an inner schema. Returns the mark that [`leave`](Self::leave) takes.
    pub(crate) fn enter(&mut self, keys: &[&str]) -> usize {
        let length = self.at.len();
        for key in keys {
            self.at = pointer::join(&self.at, key);
        }
        length
    }

    /// Moves the place back to the outer schema.
    pub(crate) fn leave(&mut self, outer: usize) {
        self.at.truncate(outer);
    }

    /// Replaces a schema by any JSON value.
    pub(crate) fn widen(&mut self, schema: &mut Value, why: &str) {
        self.narrow("any-value", format!("{why}: any JSON value"));
        *schema = json!({ "description": format!("Any JSON value: {why}.") });
    }

    /// Records a change that loses nothing.
    pub(crate) fn note(&mut self, rule: &'static str, note: impl Into<String>) {
        self.repairs.note(rule, &self.at, note);
    }

    /// Records a change that leaves callers with less than the document promises.
    pub(crate) fn narrow(&mut self, rule: &'static str, note: impl Into<String>) {
        self.repairs.narrow(rule, &self.at, note);
    }
}

/// Adds a paragraph to the description.
pub(crate) fn describe(object: &mut Map<String, Value>, text: &str) {
    let own = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let whole = format!("{own}\n\n{text}");
    object.insert("description".to_owned(), json!(whole.trim()));
}
