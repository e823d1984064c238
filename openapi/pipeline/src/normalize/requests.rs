//! Request bodies: written out at each operation, in one media type.

use serde_json::{Map, Value, json};

use crate::repair::Repairs;
use crate::{form, pointer, walk};

/// What has a type of its own, best first.
const TYPED: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "text/plain"];

/// Keeps one media type a body, the one with the best type.
pub(crate) fn single_media_type(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let place = pointer::join(&at, "requestBody");
        let Some(body) = document.pointer(&place) else { continue };
        let body = walk::resolve(document, body).clone();
        let settled = settle(document, body, &place, repairs);
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

/// The media type with the best type: a form in parts where another one could not carry its files.
fn chosen<'a>(document: &Value, content: &'a Map<String, Value>) -> Option<&'a String> {
    let in_parts = || content.keys().find(|key| form::is_multipart(key));
    let loses_files = |key: &&String| {
        let members = form::properties(document, &content[*key]["schema"]);
        in_parts().is_some() && members.iter().any(|(_, member)| form::is_binary(document, member))
    };
    let typed = TYPED.iter().find_map(|wanted| content.keys().find(|key| essence(key) == *wanted));
    let typed = typed.or_else(|| content.keys().find(|key| is_json(key))).filter(|key| !loses_files(key));
    typed.or_else(in_parts).or_else(|| content.keys().next())
}

/// `application/json; charset=utf-8` gives `application/json`.
pub(crate) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the media type is written as JSON: `application/vnd.pets+json`, too.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// The body with one media type; `None` where it has none.
fn settle(document: &Value, mut body: Value, place: &str, repairs: &mut Repairs) -> Option<Value> {
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
        repairs.note("missing-schema", place, "a body without a schema takes any value");
    }
    Some(body)
}
