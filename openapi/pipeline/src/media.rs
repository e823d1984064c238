//! How bodies are written, by their media type.

use serde_json::{Value, json};

use crate::normalize::{essence, is_json};
use crate::{Api, Body, FormMember, ResponseShape, form, walk};

/// How a request body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Writing {
    /// As JSON, of whatever name.
    Json,
    /// As a form in one text.
    Form,
    /// As a form in parts, files among them.
    Multipart,
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

    /// The members of a form, in the document's order; none of what is not a form.
    pub fn form_members(&self, api: &Api) -> Vec<FormMember> {
        match self.writing(api) {
            Writing::Form | Writing::Multipart => {
                form::members(&api.document, &self.media_type, &self.schema, &self.encoding)
            }
            _ => Vec::new(),
        }
    }

    /// The media type that a request names where its caller has nothing else to say: a range leaves it open.
    pub fn sent_as(&self) -> &str {
        if is_open(&self.media_type) { "application/octet-stream" } else { &self.media_type }
    }
}

/// How a body of this media type and schema is written.
pub(crate) fn writing(document: &Value, media_type: &str, schema: &Value) -> Writing {
    match essence(media_type).as_str() {
        "application/json" => Writing::Json,
        "text/plain" => Writing::Text,
        "application/x-www-form-urlencoded" if is_form(document, schema) => Writing::Form,
        essence if essence.starts_with("multipart/") && !is_open(media_type) && has_members(document, schema) => {
            Writing::Multipart
        }
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

/// Whether a form can carry it: what is an object, whichever alternative of it.
fn is_form(document: &Value, schema: &Value) -> bool {
    let is_open = |schema: &Value| schema.get("additionalProperties").is_some_and(|extra| *extra != json!(false));
    has_members(document, schema) || is_open(walk::resolve(document, schema))
}

/// Whether it is an object whose members the document names, or says to be of one type.
fn has_members(document: &Value, schema: &Value) -> bool {
    let whole = walk::resolve(document, schema);
    let is_object = |schema: &Value| matches!(walk::kind(walk::resolve(document, schema)), None | Some("object"));
    let is_typed = whole.get("additionalProperties").is_some_and(|extra| extra.is_object() && *extra != json!({}));
    is_object(whole)
        && form::variants(whole).all(is_object)
        && (is_typed || !form::properties(document, whole).is_empty())
}
