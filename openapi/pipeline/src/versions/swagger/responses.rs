//! Responses: their bodies in each media type, with examples, and their headers.

use serde_json::{Map, Value, json};

use super::bodies::is_of_schema;
use super::parameters::CollectionFormat;
use super::{Converter, copied, schemas};
use crate::media_type::{essence, is_json};
use crate::pointer;

impl<'a> Converter<'a> {
    /// Converts a response. `produces` are the operation's media types, which replace the document's.
    pub(super) fn response(
        &mut self,
        response: &'a Value,
        at: &str,
        origin: &str,
        produces: Option<&[String]>,
    ) -> Value {
        let Some(own) = response.as_object() else { return response.clone() };
        if own.contains_key("$ref") {
            return response.clone();
        }
        self.moves.add(at, origin);
        let mut converted = copied(own, |key| !matches!(key, "schema" | "examples" | "headers"));
        if own.contains_key("content") {
            let note = if own.contains_key("schema") {
                "a key of OpenAPI 3.0 beside `schema`, which counts in a document of 2.0"
            } else {
                "a key of OpenAPI 3.0 in a document of 2.0: read as there"
            };
            self.repairs.note("mixed-versions", &pointer::join(at, "content"), note);
        }
        if let Some(headers) = own.get("headers") {
            converted.insert("headers".to_owned(), self.headers(headers, at, origin));
        }
        let content = self.content(own, at, origin, produces);
        if !content.is_empty() {
            converted.insert("content".to_owned(), Value::Object(content));
        }
        Value::Object(converted)
    }

    fn content(
        &mut self,
        own: &Map<String, Value>,
        at: &str,
        origin: &str,
        produces: Option<&[String]>,
    ) -> Map<String, Value> {
        let produces = produces.unwrap_or(&self.produces).to_vec();
        let examples = own.get("examples").and_then(Value::as_object);
        let mut content = Map::new();
        if let Some(schema) = own.get("schema") {
            let is_file = schema.get("type").is_some_and(|kind| kind == "file");
            let usual = if is_file { "application/octet-stream" } else { "application/json" };
            let kinds = if produces.is_empty() { vec![usual.to_owned()] } else { produces };
            content.extend(kinds.into_iter().map(|kind| (kind, json!({ "schema": schemas::converted(schema) }))));
        }
        for (kind, example) in examples.into_iter().flatten() {
            let same = |known: &&String| essence(known) == essence(kind) || (is_json(known) && is_json(kind));
            let shown = match content.keys().find(same).cloned() {
                Some(known) => known,
                // A response with an example but without a schema.
                None if !own.contains_key("schema") && kind.contains('/') => kind.clone(),
                None => {
                    let place = pointer::join(&format!("{at}/examples"), kind);
                    self.repairs.note(
                        "odd-example",
                        &place,
                        format!("the answer does not come as `{kind}`: its example says nothing"),
                    );
                    continue;
                }
            };
            let place = pointer::join(&format!("{at}/content"), &shown);
            self.moves.add(format!("{place}/example"), pointer::join(&format!("{origin}/examples"), kind));
            let media = content.entry(shown).or_insert_with(|| json!({}));
            if media.get("example").is_none() {
                media["example"] = example.clone();
            }
        }
        for kind in content.keys() {
            let place = pointer::join(&format!("{at}/content"), kind);
            self.moves.add(format!("{place}/schema"), format!("{origin}/schema"));
        }
        content
    }

    fn headers(&mut self, headers: &Value, at: &str, origin: &str) -> Value {
        let Some(all) = headers.as_object() else { return headers.clone() };
        let mut converted = Map::new();
        for (name, header) in all {
            let place = pointer::join(&format!("{at}/headers"), name);
            let Some(own) = header.as_object().filter(|own| !own.contains_key("$ref")) else {
                converted.insert(name.clone(), header.clone());
                continue;
            };
            let label = format!("the header `{name}`");
            let (mut schema, joined) = self.schema_of(header, &label, &place);
            if matches!(joined, CollectionFormat::Spaces | CollectionFormat::Pipes | CollectionFormat::Tabs) {
                self.repairs.narrow(
                    "text-parameter",
                    &place,
                    format!("{label} is read as text: no commas are between its values"),
                );
                schema = json!({ "type": "string" });
            }
            self.moves.add(format!("{place}/schema"), pointer::join(&format!("{origin}/headers"), name));
            let mut header = copied(own, |key| !is_of_schema(key) && key != "collectionFormat" && key != "schema");
            header.insert("schema".to_owned(), schema);
            converted.insert(name.clone(), Value::Object(header));
        }
        Value::Object(converted)
    }
}
