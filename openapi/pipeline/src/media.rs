//! How bodies are written, by their media type.

use serde_json::{Value, json};

use crate::normalize::{essence, is_json};
use crate::streams::{self, Framing, framing};
use crate::{Api, Body, ResponseShape, walk};

/// How a request body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writing {
    /// As JSON, of whatever name.
    Json,
    /// As a form of plain values.
    Form,
    /// As JSON texts, one a line or behind record separators, of a list.
    Items,
    /// As text, by the caller.
    Text,
    /// As bytes, by the caller: what has no form that a document could describe.
    Bytes,
}

impl ResponseShape {
    /// Whether the answer has a body that is JSON, of whatever name.
    pub fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_json)
    }
}

impl Body {
    /// How it is written.
    pub fn writing(&self, api: &Api) -> Writing {
        writing(&api.document, &self.media_type, &self.schema)
    }

    /// The media type that a request names where its caller has nothing else to say: a range leaves it open.
    pub fn sent_as(&self) -> &str {
        if is_open(&self.media_type) { "application/octet-stream" } else { &self.media_type }
    }
}

/// How a body of this media type and schema is written.
pub(crate) fn writing(document: &Value, media_type: &str, schema: &Value) -> Writing {
    match essence(media_type).as_str() {
        _ if matches!(framing(media_type), Some(Framing::Lines | Framing::Sequence)) => {
            if streams::is_untyped(document, schema) { Writing::Bytes } else { Writing::Items }
        }
        "application/json" => Writing::Json,
        "text/plain" => Writing::Text,
        "application/x-www-form-urlencoded" if is_flat(document, schema) => Writing::Form,
        _ if is_json(media_type) && is_header(media_type) => Writing::Json,
        _ => Writing::Bytes,
    }
}

/// Whether it is a range, or none that could stand in a header.
pub(crate) fn is_open(media_type: &str) -> bool {
    media_type.contains('*') || !is_header(media_type)
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
