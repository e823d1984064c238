//! Request bodies in the media types that the generator knows: JSON and forms have types, everything else is given as
//! text or bytes.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::normalize::{essence, is_json};
use crate::repair::Repairs;
use crate::{pointer, walk};

/// The header by which a caller says what a body is.
pub(crate) const CONTENT_TYPE: &str = "Content-Type";

/// The media type of a body, where it is not the one that the generator knows.
#[derive(Clone, Debug)]
pub(crate) enum ContentType {
    Fixed(String),
    /// It has a boundary, or the document leaves it open.
    ByCaller,
}

/// Settles the body of every call; returns the media types by function.
pub(crate) fn settle(document: &mut Value, repairs: &mut Repairs) -> HashMap<String, ContentType> {
    let mut found = HashMap::new();
    for at in walk::operation_pointers(document) {
        let place = pointer::join(&at, "requestBody");
        let Some((media_type, media)) = document
            .pointer(&place)
            .and_then(|body| body.get("content")?.as_object()?.iter().next())
            .map(|(media_type, media)| (media_type.clone(), media.clone()))
        else {
            continue;
        };
        let mut body = Body { document, place: &place, repairs, media_type: &media_type };
        let (key, schema, content_type) = body.settle(&media);
        let content = json!({ key: { "schema": schema } });
        if let Some(body) = document.pointer_mut(&place) {
            if body.get("required") != Some(&json!(true)) {
                body["required"] = json!(true);
                repairs.narrow("optional-body", &place, "the body is optional, but always sent");
            }
            body["content"] = content;
        }
        let Some(content_type) = content_type else { continue };
        let Some(call) = document.pointer_mut(&at).and_then(Value::as_object_mut) else { continue };
        if matches!(content_type, ContentType::ByCaller) {
            add_content_type(call, &media_type);
        }
        found.insert(call["operationId"].as_str().unwrap_or_default().to_owned(), content_type);
    }
    found
}

fn add_content_type(call: &mut Map<String, Value>, media_type: &str) {
    let parameters = call.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(json!({
            "name": CONTENT_TYPE, "in": "header", "required": true,
            "description": format!("What the body is: `{media_type}`, with its parameters."),
            "schema": { "type": "string" },
        }));
    }
}

struct Body<'a> {
    document: &'a Value,
    place: &'a str,
    repairs: &'a mut Repairs,
    media_type: &'a str,
}

impl Body<'_> {
    /// The generator's media type, the schema, and the media type on the wire.
    fn settle(&mut self, media: &Value) -> (&'static str, Value, Option<ContentType>) {
        let schema = media.get("schema").cloned().unwrap_or_else(|| json!({}));
        let own = || Some(ContentType::Fixed(self.media_type.to_owned()));
        let essence = essence(self.media_type);
        match essence.as_str() {
            "application/json" => ("application/json", schema, own().filter(|_| self.media_type != essence)),
            "application/x-www-form-urlencoded" if self.is_flat(&schema) => {
                ("application/x-www-form-urlencoded", schema, None)
            }
            "application/x-www-form-urlencoded" => {
                self.narrow("text-body", "a form with members that are no plain values is given as encoded text");
                ("text/plain", json!({ "type": "string" }), Some(ContentType::Fixed(essence)))
            }
            _ if is_json(&essence) => ("application/json", schema, own()),
            _ if essence.contains('*') || essence.starts_with("multipart/") => {
                let note = format!("the body is given as bytes, its media type ({essence}) as `{CONTENT_TYPE}`");
                self.narrow("raw-body", &note);
                ("application/octet-stream", binary(), Some(ContentType::ByCaller))
            }
            _ if essence.starts_with("text/") => {
                if walk::resolve(self.document, &schema) != &json!({ "type": "string" }) {
                    self.narrow("text-body", "the body is given as text, and not checked before it is sent");
                }
                let own = own().filter(|_| self.media_type != "text/plain");
                ("text/plain", json!({ "type": "string" }), own)
            }
            _ => {
                let kind = walk::resolve(self.document, &schema);
                if !is_media_type(&essence) {
                    self.narrow("raw-body", "its media type is none: the body is given as bytes");
                    return ("application/octet-stream", binary(), None);
                }
                if !is_text(kind) {
                    let note = format!("{essence} has no Rust type: the body is given as bytes");
                    self.narrow("raw-body", &note);
                }
                let own = own().filter(|_| self.media_type != "application/octet-stream");
                ("application/octet-stream", binary(), own)
            }
        }
    }

    fn narrow(&mut self, rule: &'static str, note: &str) {
        self.repairs.narrow(rule, self.place, note);
    }

    /// Whether each member is a plain value: a form has no other.
    fn is_flat(&self, schema: &Value) -> bool {
        let schema = walk::resolve(self.document, schema);
        if ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.get(*key).is_some()) {
            return false;
        }
        let is_plain = |schema: &Value| {
            let schema = walk::resolve(self.document, schema);
            matches!(walk::kind(schema), Some("string" | "integer" | "number" | "boolean"))
        };
        let members = schema["properties"].as_object();
        let extra = schema.get("additionalProperties").filter(|extra| **extra != json!(false));
        members.is_some_and(|members| members.values().all(is_plain)) && extra.is_none_or(is_plain)
            || members.is_none() && extra.is_some_and(is_plain)
    }
}

fn binary() -> Value {
    json!({ "type": "string", "format": "binary" })
}

/// Whether the document says no more of the body than that it is text or bytes.
fn is_text(schema: &Value) -> bool {
    schema.as_object().is_some_and(serde_json::Map::is_empty) || walk::kind(schema) == Some("string")
}

/// Whether it can stand in a header.
fn is_media_type(essence: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    essence.split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name))
}
