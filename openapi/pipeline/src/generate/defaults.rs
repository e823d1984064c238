//! Absent values: a request contains no member that the caller did not give, and a decoded value none that the response did
//! not have.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::response_schemas::SECRET;
use super::schema_record::describe;
use super::walker::{Side, for_each_schema};
use crate::plain::{plain, short};
use crate::walk;

/// Turns defaults into documentation: the receiver of a value assumes them, so clients do not send them. In schemas of
/// requests, an empty list or map that was given is distinguished from an absent one. `requests` are the names of the schemas
/// that requests use.
pub(crate) fn document_only(document: &mut Value, requests: &BTreeSet<String>) {
    for_each_schema(document, |_, site, schema| {
        let side = site.side(requests);
        walk::schemas(schema, &mut |schema| {
            let Some(object) = schema.as_object_mut() else { return };
            let said = doc_of_default(object);
            object.shift_remove("default");
            if let Some(said) = said {
                describe(object, &said);
            }
            if side == Side::Request {
                collections(object);
            }
        });
    });
}

/// Returns the documentation of a schema's default.
pub(crate) fn doc_of_default(schema: &Map<String, Value>) -> Option<String> {
    let default = schema.get("default").filter(|default| !default.is_null())?;
    let is_secret = schema.get("format").is_some_and(|format| format == SECRET);
    (!is_secret)
        .then(|| format!("Default where it is left out: `{}`.", short(&plain(&default.to_string())).replace('`', "'")))
}

/// Makes optional lists and maps nullable, so that they may be absent. The generator has an `Option` for nullable ones only,
/// and would otherwise omit empty ones, given or not.
fn collections(schema: &mut Map<String, Value>) {
    let listed = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: HashSet<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(member) =
            member.as_object_mut().filter(|_| !required.contains(name)).filter(|own| is_collection(own))
        {
            member.insert("nullable".to_owned(), json!(true));
        }
    }
}

fn is_collection(schema: &Map<String, Value>) -> bool {
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => true,
        Some("object") => schema.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(schema: &Value) -> (Value, Value) {
        let mut document = json!({ "paths": {}, "components": { "schemas": { "Asked": schema, "Told": schema } } });
        document_only(&mut document, &BTreeSet::from(["Asked".to_owned()]));
        let schemas = &document["components"]["schemas"];
        (schemas["Asked"].clone(), schemas["Told"].clone())
    }

    #[test]
    fn a_default_is_documented_and_goes() {
        let schema = json!({ "type": "object", "properties": {
            "plan": { "type": "string", "default": "free", "description": "What is paid." },
            "gone": { "type": "string", "nullable": true, "default": null },
            "pin": { "type": "string", "format": "password", "default": "0000" },
            // A member with the name of a keyword is not a keyword.
            "default": { "type": "boolean" },
        } });
        let said = json!({ "type": "object", "properties": {
            "plan": { "type": "string", "description": "What is paid.\n\nDefault where it is left out: `\"free\"`." },
            "gone": { "type": "string", "nullable": true },
            "pin": { "type": "string", "format": "password" },
            "default": { "type": "boolean" },
        } });
        assert_eq!(settled(&schema), (said.clone(), said));
    }

    #[test]
    fn only_requests_tell_an_empty_collection_from_none() {
        let member = |kind: &Value| json!({ "type": "object", "required": ["must"], "properties": { "may": kind, "must": kind } });
        for kind in [
            json!({ "type": "array", "items": {} }),
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            json!({ "type": "object" }),
        ] {
            let schema = member(&kind);
            let mut asked = schema.clone();
            asked["properties"]["may"]["nullable"] = json!(true);
            assert_eq!(settled(&schema), (asked, schema));
        }
        let schema = member(&json!({ "type": "object", "properties": { "a": { "type": "string" } } }));
        assert_eq!(settled(&schema), (schema.clone(), schema));
    }
}
