//! The serialization of bodies, by their media type.

use serde_json::{Value, json};

use crate::media_type::{Framing, essence, framing, is_json};
use crate::{Api, Body, FormMember, ResponseShape, form, streams, walk};

/// The serialization of a request body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFormat {
    /// As JSON, under any media type.
    Json,
    /// As a URL-encoded form.
    Form,
    /// As a multipart form, possibly with files.
    Multipart,
    /// As a sequence of JSON texts from a list: one for each line, or with record separators.
    Items,
    /// As text, by the caller.
    Text,
    /// As bytes, by the caller: any format that a document cannot describe.
    Bytes,
}

impl ResponseShape {
    /// Returns whether the response has a JSON body, under any media type.
    pub fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_json)
    }
}

impl Body {
    /// Returns the serialization of the body.
    pub fn format(&self, api: &Api) -> BodyFormat {
        body_format(&api.document, &self.media_type, &self.schema)
    }

    /// Returns the members of a form, in the document's order; an empty list if the body is not a form.
    pub fn form_members(&self, api: &Api) -> Vec<FormMember> {
        match self.format(api) {
            BodyFormat::Form | BodyFormat::Multipart => {
                form::members(&api.document, &self.media_type, &self.schema, &self.encoding)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the media type that a request names if its caller gives no other. A media type range leaves the type open.
    pub fn default_media_type(&self) -> &str {
        if is_open(&self.media_type) { "application/octet-stream" } else { &self.media_type }
    }
}

/// Returns the serialization of a body with this media type and schema.
pub(crate) fn body_format(document: &Value, media_type: &str, schema: &Value) -> BodyFormat {
    match essence(media_type).as_str() {
        _ if matches!(framing(media_type), Some(Framing::Lines | Framing::Sequence)) => {
            if streams::is_untyped(document, schema) { BodyFormat::Bytes } else { BodyFormat::Items }
        }
        "application/json" => BodyFormat::Json,
        "text/plain" => BodyFormat::Text,
        "application/x-www-form-urlencoded" if is_form(document, schema) => BodyFormat::Form,
        essence if essence.starts_with("multipart/") && !is_open(media_type) && has_members(document, schema) => {
            BodyFormat::Multipart
        }
        _ if is_json(media_type) && is_header(media_type) => BodyFormat::Json,
        _ => BodyFormat::Bytes,
    }
}

/// Returns whether the media type is a range, or cannot be the value of a header.
pub(crate) fn is_open(media_type: &str) -> bool {
    media_type.contains('*') || !is_header(media_type)
}

/// Returns whether the media type can be the value of a header.
fn is_header(media_type: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    media_type.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && essence(media_type).split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name))
}

/// Returns whether a form can carry the schema: an object, in every alternative.
fn is_form(document: &Value, schema: &Value) -> bool {
    let is_open = |schema: &Value| schema.get("additionalProperties").is_some_and(|extra| *extra != json!(false));
    has_members(document, schema) || is_open(walk::resolve(document, schema))
}

/// Returns whether the schema is an object whose members are named by the document or all have one type.
fn has_members(document: &Value, schema: &Value) -> bool {
    let whole = walk::resolve(document, schema);
    let is_object = |schema: &Value| matches!(walk::kind(walk::resolve(document, schema)), None | Some("object"));
    let is_typed = whole.get("additionalProperties").is_some_and(|extra| extra.is_object() && *extra != json!({}));
    is_object(whole)
        && form::variants(whole).all(is_object)
        && (is_typed || !form::properties(document, whole).is_empty())
}
