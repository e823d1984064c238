//! Request bodies as the generator can write them: JSON of any name, forms, text, and bytes for everything else.

use serde_json::{Value, json};

use crate::normalize::{essence, is_json};
use crate::repair::Repairs;
use crate::{pointer, walk};

/// A body for the generator.
pub(crate) struct Body {
    /// As it stands in the document.
    pub(crate) written: Value,
    /// What is sent in the place of the generator's own media type.
    pub(crate) content_type: Option<String>,
    /// Whether the caller names the media type: the document leaves it open, or a part of it is made with the body.
    pub(crate) is_open: bool,
}

/// The body of an operation, which has one media type.
pub(crate) fn body(document: &Value, body: &Value, at: &str, repairs: &mut Repairs) -> Option<Body> {
    let at = &pointer::join(at, "requestBody");
    let (media_type, media) = body["content"].as_object()?.iter().next()?;
    let schema = media["schema"].clone();
    if body["required"] != true {
        repairs.narrow("optional-body", at, "the body may be left out, but the client always sends one");
    }
    let kind = essence(media_type);
    let description = body.get("description").filter(|text| text.is_string()).cloned().unwrap_or_else(|| json!(""));
    let written = |key: &str, schema: Value| json!({ "required": true, "description": description, "content": { key: { "schema": schema } } });
    let fixed = |key: &str, schema: Value, own: Option<&str>| {
        Some(Body { written: written(key, schema), content_type: own.map(str::to_owned), is_open: false })
    };
    let bytes = json!({ "type": "string", "format": "binary" });
    match kind.as_str() {
        "application/json" => fixed("application/json", schema, None),
        "application/octet-stream" => fixed("application/octet-stream", bytes, None),
        "text/plain" => fixed("text/plain", json!({ "type": "string" }), None),
        "application/x-www-form-urlencoded" if is_flat(document, &schema) => fixed(&kind, schema, None),
        _ if is_json(media_type) && is_header(media_type) => fixed("application/json", schema, Some(media_type)),
        _ if kind.starts_with("multipart/") || kind.contains('*') || !is_header(media_type) => {
            let note = format!("the body is bytes that the caller writes as {media_type}, and names in `content_type`");
            repairs.narrow("raw-body", at, note);
            Some(Body { written: written("application/octet-stream", bytes), content_type: None, is_open: true })
        }
        _ => {
            repairs.narrow("raw-body", at, format!("the body is bytes that the caller writes as {media_type}"));
            fixed("application/octet-stream", bytes, Some(media_type))
        }
    }
}

/// The argument for the media type of an open body.
pub(crate) fn content_type() -> Value {
    json!({
        "name": "Content-Type", "in": "header", "required": true, "schema": { "type": "string" },
        "description": "The media type of the body.",
    })
}

/// Whether it can stand in a header.
fn is_header(media_type: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    media_type.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && essence(media_type).split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name))
}

/// Whether a form can carry it: members that are plain values.
fn is_flat(document: &Value, schema: &Value) -> bool {
    let schema = walk::resolve(document, schema);
    let Some(members) = schema.get("properties").and_then(Value::as_object) else { return false };
    let is_plain = |schema: &Value| {
        let kind = walk::kind(walk::resolve(document, schema));
        matches!(kind, Some("string" | "integer" | "number" | "boolean"))
    };
    let extra = schema.get("additionalProperties").filter(|extra| **extra != json!(false));
    !["allOf", "anyOf", "oneOf"].iter().any(|key| schema.get(*key).is_some())
        && members.values().all(is_plain)
        && extra.is_none_or(is_plain)
}
