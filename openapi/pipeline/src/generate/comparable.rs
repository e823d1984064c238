//! OpenAPI 3.1 documents in the keywords of 3.0, so that documents of both versions can be compared.

use serde_json::{Map, Value, json};

use super::json_schema;
use super::schema_record::SchemaRecord;
use crate::repair::Repairs;
use crate::{pointer, walk};

/// Converts the schemas of a whole OpenAPI 3.1 document to 3.0, for comparisons: responses of every status, headers and
/// callbacks included.
pub(crate) fn convert_for_comparison(document: &mut Value) {
    let mut places = Vec::new();
    collect_schema_pointers(document, "", &mut places);
    for at in places {
        let Some(place) = document.pointer_mut(&at) else { continue };
        walk::schemas(place, &mut |schema| match schema {
            Value::Bool(true) => *schema = json!({}),
            schema => {
                // Keywords that 3.0 lacks and that constrain values.
                let mut kept = keywords_of_31(schema);
                let mut record = SchemaRecord { at: at.clone(), repairs: &mut Repairs::default() };
                json_schema::convert(schema, &mut record);
                if let Some(object) = schema.as_object_mut() {
                    object.append(&mut kept);
                }
            }
        });
    }
}

/// Returns the keywords of a schema that 3.0 lacks: constraints, and the schemas of positions in a list.
fn keywords_of_31(schema: &Value) -> Map<String, Value> {
    let words = json_schema::UNCHECKED_KEYWORDS.iter().chain(&["prefixItems", "patternProperties"]);
    let mut found: Map<String, Value> =
        words.filter_map(|word| Some(((*word).to_owned(), schema.get(word)?.clone()))).collect();
    // The schema of the items after the positional ones. Older drafts have the positional schemas in `items`.
    let behind = match (schema.get("items"), found.contains_key("prefixItems")) {
        (Some(places @ Value::Array(_)), false) => {
            found.insert("prefixItems".to_owned(), places.clone());
            schema.get("additionalItems")
        }
        (Some(items @ (Value::Object(_) | Value::Bool(false))), true) => Some(items),
        _ => None,
    };
    found.extend(behind.map(|items| ("items".to_owned(), items.clone())));
    found
}

/// Collects the pointers of the outermost schemas of an unchanged document.
fn collect_schema_pointers(node: &Value, at: &str, found: &mut Vec<String>) {
    match node {
        Value::Object(object) => {
            for (key, inner) in object {
                let below = pointer::join(at, key);
                match key.as_str() {
                    "example" | "examples" => {}
                    "schema" => found.push(below),
                    _ if at == "/components/schemas" => found.push(below),
                    key if key.starts_with("x-") => {}
                    _ => collect_schema_pointers(inner, &below, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect_schema_pointers(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}
