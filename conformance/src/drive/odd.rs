//! Answers as they could come one day: with members that the document does not know, values that it does not list, and
//! times that are written in another way.

use keyfit_openapi::Api;
use serde_json::{Value, json};

/// The value with everything changed that a client must bear.
pub(super) fn odd(api: &Api, schema: &Value, value: &Value) -> Value {
    let schema = api.resolve(schema);
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(variant) = schema.get(key).and_then(Value::as_array).and_then(|variants| variants.first()) {
            return odd(api, variant, value);
        }
    }
    match value {
        Value::Object(members) => {
            let properties = &schema["properties"];
            let mut changed: serde_json::Map<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), odd(api, &properties[name], member))).collect();
            // A map of strings to one type takes no other members.
            if !schema["additionalProperties"].is_object() {
                changed.insert("keyfit_new".to_owned(), json!({ "since": [1, 2] }));
            }
            Value::Object(changed)
        }
        Value::Array(items) => items.iter().map(|item| odd(api, &schema["items"], item)).collect(),
        Value::String(_) if schema.get("enum").is_some() => json!("keyfit-new"),
        Value::String(_) if schema["format"] == "date-time" => json!("2026-01-22 10:00:00"),
        other => other.clone(),
    }
}
