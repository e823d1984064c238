//! Request bodies: written out at each operation, with one media type that a client can send.

use serde_json::{Value, json};

use super::Unsupported;
use super::parameters::remove_operation;
use crate::pointer;
use crate::repair::Repairs;
use crate::walk;

/// What the generator can send, best first.
const SENDABLE: [&str; 4] =
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"];

/// Keeps one media type a body; sets operations aside whose body no client method can carry.
pub(crate) fn single_media_type(document: &mut Value, repairs: &mut Repairs) -> Vec<Unsupported> {
    let mut unsupported = Vec::new();
    for at in walk::operation_pointers(document) {
        let place = pointer::join(&at, "requestBody");
        let Some(body) = document.pointer(&place) else { continue };
        let mut body = walk::resolve(document, body).clone();
        match narrow(&mut body, &place, repairs) {
            Ok(()) => {
                if let Some(node) = document.pointer_mut(&place) {
                    *node = body;
                }
            }
            Err(reason) => unsupported.push(remove_operation(document, &at, reason, repairs)),
        }
    }
    unsupported
}

fn narrow(body: &mut Value, place: &str, repairs: &mut Repairs) -> Result<(), String> {
    let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) else {
        return Err("the request body has no content".to_owned());
    };
    let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let chosen = SENDABLE.iter().find_map(|wanted| content.keys().find(|key| essence(key) == *wanted)).cloned();
    let Some(chosen) = chosen else {
        let offered: Vec<&str> = content.keys().map(String::as_str).collect();
        return Err(format!("the request body is sent as {}", offered.join(", ")));
    };
    if content.len() > 1 {
        content.retain(|media_type, _| *media_type == chosen);
        repairs.note("one-media-type", place, format!("the client sends {chosen} only"));
    }
    let Some(media) = content.get_mut(&chosen).and_then(Value::as_object_mut) else {
        return Err(format!("what it says about {chosen} is no object"));
    };
    if !media.contains_key("schema") {
        media.insert("schema".to_owned(), json!({}));
        repairs.note("missing-schema", place, "a body without a schema takes any value");
    }
    Ok(())
}
