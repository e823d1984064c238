//! Lenient decoding of responses; requests stay strict. A server that adds an enum value, lengthens a field or writes an odd
//! date must not turn a success into an error.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::enums::{self, Enum, EnumValue};
use super::walker::{Side, for_each_schema};
use super::{names, sharing, streams};
use crate::repair::Repairs;
use crate::{name, pointer};

/// The format of an instant in a response; requests keep `date-time`.
pub(crate) const RESPONSE_INSTANT: &str = "answer-instant";

/// The format of a credential, which must not be printed with the response that holds it.
pub(crate) const SECRET: &str = "password";

/// Limits that are not enforced for responses.
const LIMITS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Relaxes all schemas except those that requests use, and returns the enums of responses.
pub(crate) fn relax_responses(document: &mut Value, requests: &BTreeSet<String>, repairs: &mut Repairs) -> Vec<Enum> {
    let mut relaxer = Relaxer { taken: sharing::type_names(document), ..Relaxer::default() };
    let items = format!("/responses/{}/", streams::ITEM_STATUS);
    for_each_schema(document, |document, site, schema| {
        let pointer = site.pointer.as_str();
        match (&site.component, site.side(requests)) {
            (_, Side::Request) => {}
            (Some(name), Side::Response) => {
                relaxer.component(schema, name);
                relaxer.report(pointer, repairs);
            }
            (None, Side::Response) => {
                let suffix = if pointer.contains(&items) { "Item" } else { "Answer" };
                relaxer.inner(schema, &format!("{}{suffix}", site.operation_name(document)));
                let call = pointer.split_once("/responses/").map_or(pointer, |(call, _)| call);
                relaxer.report(&pointer::join(call, "responses"), repairs);
            }
        }
    });
    sharing::add(document, relaxer.hoisted);
    relaxer.open
}

#[derive(Default)]
struct Relaxer {
    /// The Rust names of schemas that are in use.
    taken: HashSet<String>,
    open: Vec<Enum>,
    /// Enums from inside another schema: only a schema with a name can be replaced by a type of ours.
    hoisted: Map<String, Value>,
    /// The changes to the current schema.
    done: BTreeSet<(&'static str, &'static str)>,
}

impl Relaxer {
    fn component(&mut self, schema: &mut Value, name: &str) {
        match self.limits(schema) {
            Some(values) => self.open.push(open_enum(schema, name.to_owned(), values)),
            None => self.members(schema, name),
        }
    }

    fn inner(&mut self, schema: &mut Value, name: &str) {
        let Some(values) = self.limits(schema) else { return self.members(schema, name) };
        let name = name::unique(name, &mut self.taken);
        self.open.push(open_enum(schema, name.clone(), values));
        let whole = names::hoist(schema, &name);
        self.hoisted.insert(name, whole);
    }

    /// Removes the schema's own limits; returns the values of its enum.
    fn limits(&mut self, schema: &mut Value) -> Option<Vec<EnumValue>> {
        let object = schema.as_object_mut()?;
        let count = object.len();
        object.retain(|key, value| {
            let is_closed = key == "additionalProperties" && *value == json!(false);
            !is_closed && !LIMITS.contains(&key.as_str())
        });
        if object.len() < count {
            self.done.insert(("answer-limits", "an answer is not held to limits"));
        }
        if object.get("additionalProperties") == Some(&json!(true)) {
            object.insert("additionalProperties".to_owned(), json!({}));
            self.done.insert(("extra-members", "members beyond the named ones are kept"));
        }
        match object.get("format").and_then(Value::as_str) {
            Some("date-time") => {
                object.insert("format".to_owned(), json!(RESPONSE_INSTANT));
                self.done.insert(("answer-instant", "an instant that is no RFC 3339 is kept as it came"));
            }
            Some(SECRET) | None => {}
            Some(_) => {
                object.shift_remove("format");
                self.done.insert(("answer-format", "an answer is not held to formats"));
            }
        }
        let values = enums::take_values(object);
        if object.shift_remove("enum").is_some() {
            self.done.insert(("open-enum", "values that the document does not name are kept as they came"));
        }
        values
    }

    fn members(&mut self, schema: &mut Value, name: &str) {
        names::for_each_inner(schema, name, &mut |inner, name| self.inner(inner, name));
    }

    fn report(&mut self, at: &str, repairs: &mut Repairs) {
        for (rule, note) in std::mem::take(&mut self.done) {
            repairs.note(rule, at, note);
        }
    }
}

/// Creates an enum that keeps unknown values.
fn open_enum(schema: &Value, name: String, values: Vec<EnumValue>) -> Enum {
    Enum { name, description: schema["description"].as_str().unwrap_or_default().to_owned(), values, is_open: true }
}
