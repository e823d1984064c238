//! Parameters of path, query and headers, and their lists.

use serde_json::{Map, Value, json};

use super::bodies::{BodyParameter, is_of_schema};
use super::{Converter, copied, schemas};
use crate::{ListStyle, pointer};

/// The keys of a parameter, header or form member that are part of its schema in 3.0.
pub(super) const OF_SCHEMA: [&str; 19] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
    "x-isnullable",
    "title",
];

/// The serialization of a list's values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CollectionFormat {
    /// Not a list.
    Not,
    Commas,
    Spaces,
    Pipes,
    Tabs,
    /// Each value by itself.
    Spread,
}

impl CollectionFormat {
    /// Returns the style of such a list in one field; `None` if it is not written in one field.
    pub(super) fn style(self) -> Option<ListStyle> {
        match self {
            Self::Not | Self::Spread => None,
            Self::Commas => Some(ListStyle::Commas),
            Self::Spaces => Some(ListStyle::Spaces),
            Self::Pipes => Some(ListStyle::Pipes),
            Self::Tabs => Some(ListStyle::Tabs),
        }
    }
}

/// A parameter in its list.
pub(super) struct ListedParameter<'a> {
    node: &'a Value,
    /// Its original index.
    index: usize,
}

impl<'a> Converter<'a> {
    /// Splits the parameters of the list at `at` into those with a place of their own and those of the body.
    pub(super) fn split_parameters(
        &self,
        list: Option<&'a Value>,
        at: &str,
    ) -> (Vec<ListedParameter<'a>>, Vec<BodyParameter<'a>>) {
        let (mut plain, mut bodies) = (Vec::new(), Vec::new());
        for (index, node) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let (whole, origin) = self.resolved(node, &format!("{at}/{index}"));
            match whole.get("in").and_then(Value::as_str) {
                Some("body" | "formData") => bodies.push(BodyParameter { node: whole, origin }),
                _ => plain.push(ListedParameter { node, index }),
            }
        }
        (plain, bodies)
    }

    /// Converts a list of parameters without those of the body.
    pub(super) fn parameters(&mut self, listed: &[ListedParameter<'a>], at: &str) -> Value {
        let mut converted = Vec::new();
        for (index, ListedParameter { node, index: before }) in listed.iter().enumerate() {
            let (now, then) = (format!("{at}/{index}"), format!("{at}/{before}"));
            let is_shared =
                node.get("$ref").and_then(Value::as_str).is_some_and(|target| target.starts_with("#/parameters/"));
            if is_shared {
                self.moves.add(now, then);
                converted.push((*node).clone());
                continue;
            }
            let (whole, origin) = self.resolved(node, &then);
            converted.push(self.parameter(whole, &now, &origin));
        }
        Value::Array(converted)
    }

    /// Converts a named parameter; `None` if it is part of the body, because the operation determines the form of the body.
    pub(super) fn shared_parameter(&mut self, parameter: &'a Value, at: &str, origin: &str) -> Option<Value> {
        let (whole, origin) = self.resolved(parameter, origin);
        let is_of_body = matches!(whole["in"].as_str(), Some("body" | "formData"));
        (!is_of_body).then(|| self.parameter(whole, at, &origin))
    }

    fn parameter(&mut self, parameter: &Value, at: &str, origin: &str) -> Value {
        let Some(own) = parameter.as_object() else { return parameter.clone() };
        self.moves.add(at, origin);
        let label = format!("the parameter `{}`", own.get("name").and_then(Value::as_str).unwrap_or("?"));
        let (schema, joined) = self.schema_of(parameter, &label, at);
        let mut converted =
            copied(own, |key| !is_of_schema(key) && !matches!(key, "collectionFormat" | "schema" | "x-example"));
        if let Some(example) = own.get("x-example") {
            converted.entry("example").or_insert_with(|| example.clone());
        }
        self.moves.add(
            pointer::join(at, "schema"),
            if own.contains_key("schema") { pointer::join(origin, "schema") } else { origin.to_owned() },
        );
        converted.insert("schema".to_owned(), schema);
        let is_in_query = own.get("in").is_some_and(|place| place == "query");
        match joined {
            // Commas are the default for a list in a path or header.
            CollectionFormat::Not | CollectionFormat::Commas if !is_in_query => {}
            CollectionFormat::Not => {}
            CollectionFormat::Commas => style(&mut converted, "form", false),
            CollectionFormat::Spread => style(&mut converted, "form", true),
            // 3.0 has no such styles for a path or header, and no style for tabs at all.
            CollectionFormat::Spaces => style(&mut converted, "spaceDelimited", false),
            CollectionFormat::Pipes => style(&mut converted, "pipeDelimited", false),
            CollectionFormat::Tabs => style(&mut converted, "tabDelimited", false),
        }
        Value::Object(converted)
    }

    /// Returns the schema of a parameter, header or form member, and its list style. A list without a style in 3.0 is a text.
    pub(super) fn schema_of(&mut self, parameter: &Value, label: &str, at: &str) -> (Value, CollectionFormat) {
        let own = parameter.as_object().cloned().unwrap_or_default();
        if let Some(schema) = own.get("schema") {
            self.repairs.note("mixed-versions", at, format!("{label} has a schema, as in OpenAPI 3.0: read as there"));
            return (schemas::converted(schema), CollectionFormat::Not);
        }
        let mut schema = schemas::converted(&Value::Object(copied(&own, is_of_schema)));
        let format = own.get("collectionFormat");
        if own.get("type").is_none_or(|kind| kind != "array") {
            if format.is_some() {
                self.repairs.note(
                    "odd-keyword",
                    at,
                    format!("{label} is no list: its `collectionFormat` says nothing"),
                );
            }
            return (schema, CollectionFormat::Not);
        }
        let is_spread = matches!(own.get("in").and_then(Value::as_str), Some("query" | "formData"));
        let written = match format.map(|format| format.as_str().unwrap_or_default()) {
            None | Some("csv") => return (schema, CollectionFormat::Commas),
            Some("ssv") => return (schema, CollectionFormat::Spaces),
            Some("pipes") => return (schema, CollectionFormat::Pipes),
            Some("multi") if is_spread => return (schema, CollectionFormat::Spread),
            Some("multi") => {
                let note = format!("{label} cannot be given more than once there: with commas between values");
                self.repairs.note("odd-keyword", at, note);
                return (schema, CollectionFormat::Commas);
            }
            Some("tsv") => return (schema, CollectionFormat::Tabs),
            Some(other) => {
                format!("as the server reads the format `{other}`, which is not one of csv, ssv, tsv, pipes and multi")
            }
        };
        let mut text = Map::new();
        self.as_text(&mut text, label, &written, at);
        schema = text.shift_remove("schema").unwrap_or_default();
        let description = own.get("description").and_then(Value::as_str).unwrap_or_default();
        schema["description"] = json!(format!("{description}\n\nWritten {written}.").trim());
        (schema, CollectionFormat::Not)
    }

    /// Converts a list to a text that the caller writes.
    fn as_text(&mut self, parameter: &mut Map<String, Value>, label: &str, written: &str, at: &str) {
        self.repairs.narrow("text-parameter", at, format!("{label} is given as text, {written}"));
        let own = parameter.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{own}\n\nWritten {written}.").trim().to_owned();
        parameter.insert("description".to_owned(), json!(description));
        parameter.insert("schema".to_owned(), json!({ "type": "string" }));
    }
}

fn style(parameter: &mut Map<String, Value>, style: &str, explode: bool) {
    parameter.insert("style".to_owned(), json!(style));
    parameter.insert("explode".to_owned(), json!(explode));
}
