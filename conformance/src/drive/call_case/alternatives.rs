//! Answers that contain each alternative of a union once.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, example};
use serde_json::Value;

use crate::text::pointer::join;

/// The highest number of answers, and the highest depth of unions that are found.
const MAX_ANSWERS: usize = 24;
const MAX_DEPTH: usize = 6;

/// Returns the answer with each other alternative in turn, with the pointer to that alternative.
pub(super) fn answers(api: &Api, schema: &Value, answer: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    visit_alternatives(api, schema, answer, "", &mut |at, value| {
        let mut whole = answer.clone();
        let Some(place) = whole.pointer_mut(at) else { return };
        *place = value;
        let is_new = whole != *answer && found.iter().all(|(_, known)| *known != whole);
        if found.len() < MAX_ANSWERS && is_new && schema::mismatch(api, Direction::Answer, schema, &whole).is_none() {
            found.push((at.to_owned(), whole));
        }
    });
    found
}

/// Calls `found` with the alternatives of a schema and of its parts.
fn visit_alternatives(api: &Api, schema: &Value, value: &Value, at: &str, found: &mut dyn FnMut(&str, Value)) {
    let schema = api.resolve(schema);
    if at.matches('/').count() > MAX_DEPTH {
        return;
    }
    for key in ["oneOf", "anyOf"] {
        for alternative in schema[key].as_array().into_iter().flatten().take(MAX_ANSWERS) {
            let mut only = schema.clone();
            only[key] = Value::Array(vec![alternative.clone()]);
            found(at, example::value(api, Direction::Answer, &only));
            if schema::mismatch(api, Direction::Answer, alternative, value).is_none() {
                visit_alternatives(api, alternative, value, at, found);
            }
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        visit_alternatives(api, part, value, at, found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            visit_alternatives(api, member, value, &join(at, name), found);
        }
    }
    if let (Some(items), Some(first)) = (schema.get("items"), value.get(0)) {
        visit_alternatives(api, items, first, &format!("{at}/0"), found);
    }
}
