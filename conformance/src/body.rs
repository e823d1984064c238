//! Requests as they go out: bodies by the media type that the document gives them, what is asked for.

use keyfit_openapi::{Api, Body, Operation, Writing};
use serde_json::Value;

use crate::form;

use crate::items;

/// What is asked for where the document says of no answer what it is.
pub(crate) const ANYTHING: &str = "*/*";

/// What is asked for: the documented form of a success, and JSON, as refusals are, where none has a body.
pub(crate) fn asked_for(operation: &Operation) -> &str {
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2')).peekable();
    if successes.peek().is_none() {
        return ANYTHING;
    }
    successes.find_map(|(_, shape)| shape.media_type.as_deref()).unwrap_or("application/json")
}

/// The bytes of a body with this value. One that its caller writes is a text as it is, and JSON where it is none.
pub(crate) fn written(api: &Api, body: &Body, value: &Value) -> Vec<u8> {
    match (body.writing(api), value) {
        (Writing::Form | Writing::Multipart, Value::Object(members)) => {
            form::bytes(api, body, &form::fields(api, body, members))
        }
        (Writing::Text | Writing::Bytes, Value::String(text)) => text.clone().into_bytes(),
        (Writing::Items, Value::Array(items)) => items::written(&body.media_type, items),
        _ => value.to_string().into_bytes(),
    }
}

/// What a body that [`written`] made is said to be.
pub(crate) fn named(api: &Api, body: &Body, bytes: &[u8]) -> String {
    if body.writing(api) == Writing::Multipart {
        return form::media_type(&body.media_type, bytes);
    }
    body.sent_as().to_owned()
}

/// The value of a body that is said to be of this media type: `None` where it is not written as it should be. What its caller writes
/// has no value to be read.
pub(crate) fn read(api: &Api, body: &Body, media_type: &str, bytes: &[u8]) -> Option<Value> {
    match body.writing(api) {
        Writing::Json => serde_json::from_slice(bytes).ok(),
        Writing::Items => items::values(&body.media_type, bytes),
        Writing::Form | Writing::Multipart => {
            form::read(api, body, media_type, bytes).map(|fields| form::value(api, body, fields))
        }
        Writing::Text | Writing::Bytes => None,
    }
}

/// Whether the media type of a request is the documented one; a range leaves it open.
pub(crate) fn is_sent_as(body: &Body, media_type: &str) -> bool {
    body.media_type.contains('*') || essence(media_type) == essence(&body.media_type)
}

/// A media type without its parameters.
pub(crate) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is JSON, of whatever name.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    let name = essence.split_once('/').map_or("", |(_, name)| name);
    name == "json" || name.ends_with("+json")
}

/// A text that is not empty, or a number, as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A plain value as text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
