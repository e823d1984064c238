//! Answers are decoded leniently, requests stay strict: a server that adds an enum value, lengthens a field or writes
//! an odd date must not turn a success into an error.

use std::collections::{BTreeSet, HashMap};

use heck::ToPascalCase as _;
use serde_json::{Map, Value, json};

use crate::walk;

/// The format of an instant in an answer; requests keep `date-time`.
pub(crate) const ANSWER_INSTANT: &str = "answer-instant";

/// The format of a credential, which must not be printed with the answer that holds it.
pub(crate) const SECRET: &str = "password";

/// Limits that an answer is not held to.
const LIMITS: [&str; 13] = [
    "default",
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
];

/// A string with known values, in answers: any other value is kept as it came.
#[derive(Clone, Debug)]
pub(crate) struct OpenEnum {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) values: Vec<String>,
}

/// Relaxes everything that only answers use. A schema that requests and answers share is split in two: the answer's
/// half is called `<Name>Answer`.
pub(crate) fn relax(document: &mut Value) -> Vec<OpenEnum> {
    let requests = reachable(document, &request_schemas(document));
    split_shared(document, &requests);
    let requests = reachable(document, &request_schemas(document));
    let mut open_enums = Vec::new();
    let mut hoisted = Map::new();
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        if requests.contains(name) {
            walk::schemas(schema, &mut keep_extra_members);
            walk::schemas(schema, &mut drop_broken_default);
        } else {
            relax_schema(schema, name, true, &mut open_enums, &mut hoisted);
        }
    }
    for at in walk::operation_pointers(document) {
        let Some(call) = document.pointer_mut(&at) else { continue };
        let id = call["operationId"].as_str().unwrap_or_default().to_pascal_case();
        if let Some(schema) = call.pointer_mut("/responses/2XX/content/application~1json/schema") {
            relax_schema(schema, &format!("{id}Answer"), false, &mut open_enums, &mut hoisted);
        }
        for parameter in call.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            drop_broken_default(&mut parameter["schema"]);
        }
        for (_, media) in call.pointer_mut("/requestBody/content").and_then(Value::as_object_mut).into_iter().flatten()
        {
            walk::schemas(&mut media["schema"], &mut keep_extra_members);
        }
    }
    if !hoisted.is_empty() {
        if !document["components"]["schemas"].is_object() {
            document["components"] = json!({ "schemas": {} });
        }
        document["components"]["schemas"].as_object_mut().expect("an object was just put there").extend(hoisted);
    }
    open_enums
}

fn relax_schema(
    schema: &mut Value,
    name: &str,
    is_component: bool,
    open: &mut Vec<OpenEnum>,
    hoisted: &mut Map<String, Value>,
) {
    let Some(object) = schema.as_object_mut() else { return };
    for limit in LIMITS {
        object.shift_remove(limit);
    }
    object.shift_remove("uniqueItems");
    match object.get("additionalProperties") {
        Some(Value::Bool(false)) => drop(object.shift_remove("additionalProperties")),
        Some(Value::Bool(true)) => drop(object.insert("additionalProperties".to_owned(), json!({}))),
        _ => {}
    }
    match object.get("format").and_then(Value::as_str) {
        Some("date-time") => drop(object.insert("format".to_owned(), json!(ANSWER_INSTANT))),
        Some(SECRET) | None => {}
        Some(_) => drop(object.shift_remove("format")),
    }
    if let Some(values) = string_enum(object) {
        object.shift_remove("enum");
        let description = object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        open.push(OpenEnum { name: name.to_owned(), description, values });
        if !is_component {
            let nullable = object.shift_remove("nullable");
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            hoisted.insert(name.to_owned(), std::mem::take(schema));
            // A reference cannot carry `nullable` itself.
            *schema = if nullable == Some(json!(true)) {
                json!({ "nullable": true, "allOf": [reference] })
            } else {
                reference
            };
        }
        return;
    }
    object.shift_remove("enum");
    for (key, inner) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        relax_schema(inner, &format!("{name}{}", key.to_pascal_case()), false, open, hoisted);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
            relax_schema(inner, &format!("{name}Item"), false, open, hoisted);
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, inner) in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            relax_schema(inner, &format!("{name}Variant{index}"), false, open, hoisted);
        }
    }
}

/// The values of an enum of strings; a null among them says nothing that `nullable` does not.
fn string_enum(object: &Map<String, Value>) -> Option<Vec<String>> {
    let values = object.get("enum")?.as_array()?;
    let texts: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let only_texts = values.iter().all(|value| value.is_string() || value.is_null());
    (only_texts && !texts.is_empty()).then_some(texts)
}

/// `additionalProperties: true` would drop the members that the document allows; `{}` keeps them in `extra`.
fn keep_extra_members(schema: &mut Value) {
    if schema.get("additionalProperties") == Some(&json!(true)) {
        schema["additionalProperties"] = json!({});
    }
}

/// A default of the wrong type stops the generator, and one that fails its format panics in the client.
fn drop_broken_default(schema: &mut Value) {
    let Some(default) = schema.get("default") else { return };
    let fits = match schema.get("type").and_then(Value::as_str) {
        Some("string") => default.is_string() && schema.get("format").is_none() && schema.get("pattern").is_none(),
        Some("integer") => default.is_i64(),
        Some("number") => default.is_number(),
        Some("boolean") => default.is_boolean(),
        Some("array") => default.is_array(),
        Some("object") => default.is_object(),
        _ => true,
    };
    if !fits {
        schema.as_object_mut().map(|object| object.shift_remove("default"));
    }
}

/// Gives answers their own copy of each schema that requests use too.
fn split_shared(document: &mut Value, requests: &BTreeSet<String>) {
    let answers = reachable(document, &answer_schemas(document));
    let shared: BTreeSet<String> = requests.intersection(&answers).cloned().collect();
    if shared.is_empty() {
        return;
    }
    let renamed: HashMap<String, String> = shared.iter().map(|name| (name.clone(), format!("{name}Answer"))).collect();
    let mut copies = Map::new();
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        if shared.contains(name) {
            let mut copy = schema.clone();
            rename(&mut copy, &renamed);
            copies.insert(renamed[name].clone(), copy);
        } else if !requests.contains(name) {
            rename(schema, &renamed);
        }
    }
    document["components"]["schemas"].as_object_mut().expect("it holds the shared schemas").extend(copies);
    for at in walk::operation_pointers(document) {
        if let Some(responses) = document.pointer_mut(&format!("{at}/responses")) {
            rename(responses, &renamed);
        }
    }
}

fn rename(node: &mut Value, renamed: &HashMap<String, String>) {
    match node {
        Value::Object(object) => {
            if let Some(name) = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.strip_prefix("#/components/schemas/"))
            {
                if let Some(new) = renamed.get(name) {
                    object.insert("$ref".to_owned(), json!(format!("#/components/schemas/{new}")));
                }
                return;
            }
            object.values_mut().for_each(|inner| rename(inner, renamed));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, renamed)),
        _ => {}
    }
}

fn request_schemas(document: &Value) -> Vec<&Value> {
    let calls = walk::operations(document);
    calls.into_iter().flat_map(|(_, call)| [&call["parameters"], &call["requestBody"]]).collect()
}

fn answer_schemas(document: &Value) -> Vec<&Value> {
    walk::operations(document).into_iter().map(|(_, call)| &call["responses"]).collect()
}

/// The names of the component schemas that the nodes lead to.
fn reachable(document: &Value, nodes: &[&Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for node in nodes {
        walk::references(node, &mut |_, target| {
            open.extend(target.strip_prefix("#/components/schemas/").map(str::to_owned));
        });
    }
    while let Some(name) = open.pop() {
        if let Some(schema) = document["components"]["schemas"].get(&name)
            && found.insert(name)
        {
            walk::references(schema, &mut |_, target| {
                open.extend(target.strip_prefix("#/components/schemas/").map(str::to_owned));
            });
        }
    }
    found
}
