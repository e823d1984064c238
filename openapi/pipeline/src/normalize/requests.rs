//! Request bodies: copied to each operation, with one media type.

use serde_json::{Map, Value, json};

use crate::media_type::{essence, framing, is_json};
use crate::repair::Repairs;
use crate::{form, pointer, walk};

/// The media types whose bodies have a type of their own, best first.
const TYPED_MEDIA_TYPES: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "text/plain"];

/// Keeps one media type for each body: the one with the best type.
pub(crate) fn single_media_type(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let place = pointer::join(&at, "requestBody");
        let Some(body) = document.pointer(&place) else { continue };
        let body = walk::resolve(document, body).clone();
        let settled = with_one_media_type(document, body, &place, repairs);
        let Some(operation) = document.pointer_mut(&at).and_then(Value::as_object_mut) else { continue };
        match settled {
            Some(body) => {
                operation.insert("requestBody".to_owned(), body);
            }
            None => {
                operation.shift_remove("requestBody");
            }
        }
    }
}

/// Returns the media type with the best type. Prefers a multipart form if another media type could not carry its files.
fn chosen<'a>(document: &Value, content: &'a Map<String, Value>) -> Option<&'a String> {
    let in_parts = || content.keys().find(|key| form::is_multipart(key));
    let loses_files = |key: &&String| {
        let members = form::properties(document, &content[*key]["schema"]);
        in_parts().is_some() && members.iter().any(|(_, member)| form::is_binary(document, member))
    };
    let typed = TYPED_MEDIA_TYPES.iter().find_map(|wanted| content.keys().find(|key| essence(key) == *wanted));
    let typed = typed.or_else(|| content.keys().find(|key| is_json(key))).filter(|key| !loses_files(key));
    typed.or_else(in_parts).or_else(|| content.keys().next())
}

/// Returns the body with one media type; `None` if it has no media type.
fn with_one_media_type(document: &Value, mut body: Value, place: &str, repairs: &mut Repairs) -> Option<Value> {
    let content = body.get_mut("content").and_then(Value::as_object_mut).filter(|content| !content.is_empty());
    let Some(content) = content else {
        repairs.narrow("empty-body", place, "the request body has no content: none is sent");
        return None;
    };
    let chosen = chosen(document, content)?.clone();
    if content.len() > 1 {
        content.retain(|media_type, _| *media_type == chosen);
        repairs.note("one-media-type", place, format!("the client sends {chosen} only"));
    }
    let media = content.get_mut(&chosen)?;
    if !media.is_object() {
        *media = json!({});
        repairs.note("odd-keyword", place, format!("what it says about {chosen} is no object and was dropped"));
    }
    if media.get("schema").is_none() {
        media["schema"] = json!({});
        // In a stream, `itemSchema` describes each item.
        if framing(&chosen).is_none() || media.get("itemSchema").is_none() {
            repairs.note("missing-schema", place, "a body without a schema takes any value");
        }
    }
    Some(body)
}
