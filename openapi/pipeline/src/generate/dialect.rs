//! Schemas in the dialect of the generator: OpenAPI 3.0, well-formed, without features that Rust has no type for. This module
//! covers responses and requests; rules for requests only are in [`request_schemas`](super::request_schemas).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::schema_record::{SchemaRecord, describe};
use super::walker::for_each_schema;
use super::{enums, json_schema};
use crate::repair::Repairs;
use crate::{name, walk};

/// The keywords, by the JSON type of their values.
const TEXTS: [&str; 4] = ["description", "format", "pattern", "title"];
const FLAGS: [&str; 6] = ["deprecated", "exclusiveMaximum", "exclusiveMinimum", "nullable", "readOnly", "writeOnly"];
const COUNTS: [&str; 6] = ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"];
const NUMBERS: [&str; 3] = ["maximum", "minimum", "multipleOf"];
const LISTS: [&str; 4] = ["allOf", "anyOf", "enum", "oneOf"];
const OTHERS: [&str; 11] = [
    "$ref",
    "additionalProperties",
    "default",
    "items",
    "not",
    "properties",
    "required",
    "type",
    "uniqueItems",
    "x-keyfit",
    enums::NAMES,
];

/// The keywords that imply a type.
const OF_TYPE: [(&str, &[&str]); 4] = [
    ("string", &["maxLength", "minLength", "pattern"]),
    ("number", &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"]),
    ("array", &["items", "maxItems", "minItems", "uniqueItems"]),
    ("object", &["additionalProperties", "maxProperties", "minProperties", "properties", "required"]),
];

/// The keywords of an alternative that only requires members.
const REQUIRING: [&str; 4] = ["required", "type", "description", "title"];

/// Converts every schema of the client document to the dialect.
pub(crate) fn convert(document: &mut Value, repairs: &mut Repairs) {
    let is_31 = document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
    if is_31 {
        document["openapi"] = json!("3.0.3");
    }
    for_each_schema(document, |_, site, schema| {
        let record = SchemaRecord { at: site.pointer.clone(), repairs };
        SchemaConverter { record, is_31 }.schema(schema);
    });
}

/// Removes the titles, which the generator uses as names of types; returns `false` if there are none.
pub(crate) fn drop_titles(document: &mut Value) -> bool {
    let mut had_some = false;
    for_each_schema(document, |_, _, schema| {
        walk::schemas(schema, &mut |inner| {
            had_some |= inner.as_object_mut().and_then(|object| object.shift_remove("title")).is_some();
        });
    });
    had_some
}

/// The conversion of one outermost schema.
struct SchemaConverter<'a> {
    record: SchemaRecord<'a>,
    is_31: bool,
}

impl SchemaConverter<'_> {
    fn schema(&mut self, schema: &mut Value) {
        match schema {
            Value::Object(_) => {}
            Value::Bool(true) | Value::Null => *schema = json!({}),
            _ => return self.record.widen(schema, "it is no schema"),
        }
        if let Some(reference) = schema.get("$ref")
            && !reference.is_string()
        {
            return self.record.widen(schema, "its `$ref` is no text");
        }
        json_schema::convert(schema, &mut self.record);
        let Some(object) = schema.as_object_mut() else { return };
        if object.contains_key("$ref") {
            return self.reference(schema);
        }
        self.keywords(object);
        if !self.kind(object) {
            return self.record.widen(schema, "OpenAPI has no such type");
        }
        self.enum_without_composition(object);
        self.inner_schemas(object);
        self.unique_members(object);
    }

    /// Drops the composition beside an enum of scalars, which lists all values already. The generator would make two types of
    /// it, and compare values that cannot be compared.
    fn enum_without_composition(&mut self, object: &mut Map<String, Value>) {
        let is_composed = ["allOf", "anyOf", "oneOf"].iter().any(|key| object.contains_key(*key));
        let Some(values) = object.get("enum").and_then(Value::as_array).filter(|_| is_composed) else { return };
        let all = |fits: fn(&Value) -> bool| values.iter().all(|value| value.is_null() || fits(value));
        let kind = if all(Value::is_string) {
            "string"
        } else if all(|value| value.is_i64() || value.is_u64()) {
            "integer"
        } else if all(Value::is_number) {
            "number"
        } else if all(Value::is_boolean) {
            "boolean"
        } else {
            return;
        };
        object.entry("type").or_insert_with(|| json!(kind));
        object.retain(|key, _| !matches!(key.as_str(), "allOf" | "anyOf" | "oneOf"));
        self.record.note("enum-composed", "the enum lists all values: what it is composed of beside says no more");
    }

    /// Handles the siblings of a reference: OpenAPI 3.0 ignores them, in 3.1 they apply.
    fn reference(&mut self, schema: &mut Value) {
        let Some(object) = schema.as_object_mut() else { return };
        let is_nullable = object.get("nullable") == Some(&json!(true));
        let structural = ["properties", "required", "allOf", "anyOf", "oneOf", "additionalProperties", "items", "enum"];
        let has_siblings = object.keys().any(|key| structural.contains(&key.as_str()));
        if !is_nullable && !has_siblings {
            return;
        }
        if !is_nullable && !self.is_31 {
            object.retain(|key, _| !structural.contains(&key.as_str()));
            self.record.note("reference-siblings", "what stands beside a `$ref` is ignored, as OpenAPI 3.0 says");
            return;
        }
        let reference = object.shift_remove("$ref").unwrap_or_default();
        let mut parts = vec![json!({ "$ref": reference })];
        parts.extend(object.shift_remove("allOf").and_then(|own| own.as_array().cloned()).into_iter().flatten());
        object.insert("allOf".to_owned(), Value::Array(parts));
        self.record.note("reference-siblings", "what stands beside the `$ref` holds too");
        self.schema(schema);
    }

    /// Drops keywords that the generator does not know, and those whose value has the wrong type.
    fn keywords(&mut self, object: &mut Map<String, Value>) {
        let mut odd = Vec::new();
        object.retain(|key, value| {
            let key = key.as_str();
            let fits = match key {
                _ if TEXTS.contains(&key) => value.is_string(),
                _ if FLAGS.contains(&key) => value.is_boolean(),
                _ if COUNTS.contains(&key) => value.is_u64(),
                _ if NUMBERS.contains(&key) => value.is_number(),
                _ if LISTS.contains(&key) => value.as_array().is_some_and(|list| !list.is_empty()),
                "properties" => value.is_object(),
                "required" => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
                "uniqueItems" => value.is_boolean(),
                "discriminator" | "example" | "externalDocs" | "xml" => return false,
                _ if OTHERS.contains(&key) => true,
                // Unknown keywords are ignored.
                _ => return false,
            };
            if !fits {
                odd.push(key.to_owned());
            }
            fits
        });
        if !odd.is_empty() {
            self.record.note("odd-keyword", format!("of the wrong type, dropped: `{}`", odd.join("`, `")));
        }
        if object.shift_remove("not").is_some() {
            self.record.narrow("not", "`not` has no Rust type: nothing is refused for it before it is sent");
        }
    }

    /// Converts `type`; returns `false` if the type does not exist.
    fn kind(&mut self, object: &mut Map<String, Value>) -> bool {
        let kind = match object.get("type") {
            None => {
                let is_composed = ["allOf", "anyOf", "oneOf", "enum"].iter().any(|key| object.contains_key(*key));
                let implied = OF_TYPE.iter().find(|(_, keys)| keys.iter().any(|key| object.contains_key(*key)));
                let Some((kind, keys)) = implied.filter(|_| !is_composed) else { return true };
                if *kind == "array" || *kind == "object" {
                    // The generator reads these keywords without a type.
                    if keys[0] == "items" && !object.contains_key("items") {
                        object.insert("items".to_owned(), json!({}));
                    }
                }
                object.insert("type".to_owned(), json!(kind));
                (*kind).to_owned()
            }
            Some(Value::String(kind)) => match kind.as_str() {
                "string" | "number" | "integer" | "boolean" | "array" | "object" => kind.clone(),
                "file" => {
                    object.insert("type".to_owned(), json!("string"));
                    object.insert("format".to_owned(), json!("binary"));
                    self.record.note("odd-type", "`file` is Swagger's word for binary text");
                    "string".to_owned()
                }
                _ => return false,
            },
            Some(_) => return false,
        };
        let foreign: Vec<String> = OF_TYPE
            .iter()
            .filter(|(of, _)| *of != kind && !(*of == "number" && kind == "integer"))
            .flat_map(|(_, keys)| keys.iter())
            .filter(|key| object.shift_remove(**key).is_some())
            .map(|key| (*key).to_owned())
            .collect();
        if !foreign.is_empty() {
            self.record.note("foreign-keyword", format!("a {kind} has no `{}`", foreign.join("`, `")));
        }
        if kind == "array" && !object.get("items").is_some_and(|items| items.is_object() || items.is_boolean()) {
            if object.contains_key("items") {
                self.record.narrow("odd-keyword", "`items` is no schema: any values");
            }
            object.insert("items".to_owned(), json!({}));
        }
        if matches!(kind.as_str(), "array" | "object") && object.shift_remove("enum").is_some() {
            self.record.narrow("enum", format!("an enum of {kind}s has no Rust type: any {kind}"));
        }
        true
    }

    fn inner_schemas(&mut self, object: &mut Map<String, Value>) {
        for (key, inner) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            self.convert_below(&["properties", key], inner);
        }
        if let Some(items) = object.get_mut("items") {
            self.convert_below(&["items"], items);
        }
        match object.get_mut("additionalProperties") {
            None | Some(Value::Bool(_)) => {}
            Some(schema @ Value::Object(_)) => self.convert_below(&["additionalProperties"], schema),
            Some(_) => {
                object.insert("additionalProperties".to_owned(), json!({}));
                self.record.note("odd-keyword", "`additionalProperties` is no schema: any values");
            }
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for (index, inner) in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
                self.convert_below(&[key, &index.to_string()], inner);
            }
        }
        let asks_for_members = |parts: Option<&Value>| {
            parts.and_then(Value::as_array).is_some_and(|parts| parts.iter().all(only_requires))
        };
        for key in ["anyOf", "oneOf"] {
            let is_composed = object.contains_key("properties") || object.contains_key("allOf");
            if is_composed && asks_for_members(object.get(key)) {
                // The generator would make an enum with one member for each alternative, and lose the other members.
                object.shift_remove(key);
                self.record.narrow(
                    "unchecked",
                    format!("not checked before it is sent: which members are required (`{key}`)"),
                );
            }
        }
        if let Some(parts) = object.get_mut("allOf").and_then(Value::as_array_mut).filter(|parts| parts.len() > 1) {
            let count = parts.len();
            parts.retain(|part| {
                let keys = part.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
                let keys: Vec<&str> = keys.filter(|key| !REQUIRING.contains(key)).collect();
                !(matches!(keys.as_slice(), ["anyOf" | "oneOf"]) && asks_for_members(part.get(keys[0])))
            });
            if parts.len() < count {
                self.record.narrow("unchecked", "not checked before it is sent: which members are required (`allOf`)");
            }
        }
    }

    /// Removes members that would have the same field name, or the name of the field for unnamed members.
    fn unique_members(&mut self, object: &mut Map<String, Value>) {
        let open = object.get("additionalProperties").is_some_and(|extra| *extra != json!(false));
        let listed = object.get("required").and_then(Value::as_array).into_iter().flatten();
        let demanded: Vec<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let shadowed_by = |reserved: &[&str]| -> Vec<String> {
            let mut taken: HashSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
            // A required member without a description is a member too.
            let required = demanded.iter().filter(|name| !properties.contains_key(*name));
            properties.keys().chain(required).filter(|key| !taken.insert(name::of_argument(key))).cloned().collect()
        };
        if shadowed_by(if open { &["extra"] } else { &[] }).is_empty() {
            return;
        }
        // The removed members are read as unnamed members, which need a field of their own.
        let shadowed = shadowed_by(&["extra"]);
        for key in &shadowed {
            properties.shift_remove(key);
        }
        object.insert("additionalProperties".to_owned(), json!({}));
        if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|key| key.as_str().is_none_or(|key| !shadowed.iter().any(|gone| gone == key)));
        }
        let names = shadowed.join("`, `");
        self.record
            .narrow("colliding-members", format!("another member has the Rust name of `{names}`: found in `extra`"));
        describe(object, &format!("Found in `extra`: `{names}`."));
    }

    fn convert_below(&mut self, keys: &[&str], schema: &mut Value) {
        let outer = self.record.enter(keys);
        self.schema(schema);
        self.record.leave(outer);
    }
}

/// Returns whether a schema only requires members.
fn only_requires(schema: &Value) -> bool {
    let schema = schema.as_object();
    schema.is_some_and(|part| part.contains_key("required") && part.keys().all(|key| REQUIRING.contains(&key.as_str())))
}
