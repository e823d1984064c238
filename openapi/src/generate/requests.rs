//! What requests are made of: kept strict, and freed of what the generator's code cannot carry.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::repair::Repairs;
use crate::{pointer, walk};

/// Mends the schemas that requests use: component schemas, parameters and bodies.
pub(crate) fn mend(document: &mut Value, requests: &BTreeSet<String>, repairs: &mut Repairs) {
    for name in requests {
        mend_schema(document, &pointer::join("/components/schemas", name), repairs);
    }
    for at in walk::operation_pointers(document) {
        let parameters = pointer::join(&at, "parameters");
        let count = document.pointer(&parameters).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..count {
            mend_schema(document, &format!("{parameters}/{index}/schema"), repairs);
        }
        let content = format!("{at}/requestBody/content");
        let bodies: Vec<String> = walk::members(document, &content).into_iter().map(|(at, _)| at).collect();
        for body in bodies {
            mend_schema(document, &pointer::join(&body, "schema"), repairs);
        }
    }
}

fn mend_schema(document: &mut Value, at: &str, repairs: &mut Repairs) {
    let Some(schema) = document.pointer_mut(at) else { return };
    let mut done = BTreeSet::new();
    walk::schemas(schema, &mut |schema| {
        let Some(object) = schema.as_object_mut() else { return };
        // `true` would drop the members that the document allows; `{}` keeps them in `extra`.
        if object.get("additionalProperties") == Some(&json!(true)) {
            object.insert("additionalProperties".to_owned(), json!({}));
            done.insert(("extra-members", "members beyond the named ones are kept"));
        }
        // The generator would name a type of a crate that the client does not depend on.
        if object.get("format") == Some(&json!("uuid")) {
            object.shift_remove("format");
            done.insert(("uuid", "a uuid is a string"));
        }
        if object.get("default").is_some_and(|default| !fits(default, object)) {
            object.shift_remove("default");
            done.insert(("broken-default", "a default that does not fit its own type was dropped"));
        }
    });
    for (rule, note) in done {
        repairs.note(rule, at, note);
    }
}

/// A default of the wrong type stops the generator, and one that fails its format panics in the client.
fn fits(default: &Value, schema: &serde_json::Map<String, Value>) -> bool {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => default.is_string() && !schema.contains_key("format") && !schema.contains_key("pattern"),
        Some("integer") => default.is_i64(),
        Some("number") => default.is_number(),
        Some("boolean") => default.is_boolean(),
        Some("array") => default.is_array(),
        Some("object") => default.is_object(),
        _ => true,
    }
}
