//! Bodies in the documented media type, and the `Accept` header.

pub(crate) use keyfit_openapi::essence;
use keyfit_openapi::{Api, Body, BodyFormat, Operation};
use serde_json::Value;

use crate::form;

use crate::items;

/// The `Accept` header if the document describes no success.
pub(crate) const ANYTHING: &str = "*/*";

/// Returns the media type to request: the documented one of a success, or JSON, as of refusals, if no success has a body.
pub(crate) fn asked_for(operation: &Operation) -> &str {
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2')).peekable();
    if successes.peek().is_none() {
        return ANYTHING;
    }
    successes.find_map(|(_, shape)| shape.media_type.as_deref()).unwrap_or("application/json")
}

/// Returns the bytes of a body with this value. In a media type that the caller writes, a text is used unchanged, and other values as JSON.
pub(crate) fn written(api: &Api, body: &Body, value: &Value) -> Vec<u8> {
    match (body.format(api), value) {
        (BodyFormat::Form | BodyFormat::Multipart, Value::Object(members)) => {
            form::bytes(api, body, &form::fields(api, body, members))
        }
        (BodyFormat::Text | BodyFormat::Bytes, Value::String(text)) => text.clone().into_bytes(),
        (BodyFormat::Items, Value::Array(items)) => items::written(&body.media_type, items),
        _ => value.to_string().into_bytes(),
    }
}

/// Returns the media type of a body that [`written`] returned.
pub(crate) fn named(api: &Api, body: &Body, bytes: &[u8]) -> String {
    if body.format(api) == BodyFormat::Multipart {
        return form::media_type(&body.media_type, bytes);
    }
    body.default_media_type().to_owned()
}

/// Parses a body with this media type; `None` if it is malformed. A body that its caller writes is not parsed.
pub(crate) fn read(api: &Api, body: &Body, media_type: &str, bytes: &[u8]) -> Option<Value> {
    match body.format(api) {
        BodyFormat::Json => serde_json::from_slice(bytes).ok(),
        BodyFormat::Items => items::values(&body.media_type, bytes),
        BodyFormat::Form | BodyFormat::Multipart => {
            form::read(api, body, media_type, bytes).map(|fields| form::value(api, body, fields))
        }
        BodyFormat::Text | BodyFormat::Bytes => None,
    }
}

/// Returns whether the media type of a request is the documented one; a range allows any.
pub(crate) fn is_sent_as(body: &Body, media_type: &str) -> bool {
    body.media_type.contains('*') || essence(media_type) == essence(&body.media_type)
}

/// Returns whether a media type is JSON or has the suffix `+json`.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    let name = essence.split_once('/').map_or("", |(_, name)| name);
    name == "json" || name.ends_with("+json")
}

/// Returns a non-empty text or a number as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns a scalar value as text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
