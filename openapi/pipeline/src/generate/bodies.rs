//! Request bodies in the forms that the generator supports: JSON under any media type, URL-encoded and multipart forms, text,
//! and bytes for everything else.

use serde_json::{Value, json};

use super::forms::{Form, MEDIA_TYPE};
use crate::form;
use crate::media::{self, BodyFormat};
use crate::media_type::{Framing, essence};
use crate::pointer;
use crate::repair::Repairs;
use crate::streams::streamed;

/// A body for the generator.
pub(crate) struct ClientBody {
    /// Its node for the client document.
    pub(crate) written: Value,
    /// The media type that is sent in place of the generator's own.
    pub(crate) content_type: Option<String>,
    /// True if the caller gives the media type: the document leaves it open, or a part of it is generated with the body.
    pub(crate) is_open: bool,
    /// The framing of a list of items; the document then has the schema of one item.
    pub(crate) items: Option<Framing>,
    /// True if it may be omitted, which the generator cannot express.
    pub(crate) is_optional: bool,
    /// The serialization of a form.
    pub(crate) form: Option<Form>,
}

/// Returns the body of an operation, which has one media type.
pub(crate) fn body(document: &Value, body: &Value, at: &str, repairs: &mut Repairs) -> Option<ClientBody> {
    let at = &pointer::join(at, "requestBody");
    let (media_type, media) = body["content"].as_object()?.iter().next()?;
    let schema = media["schema"].clone();
    let is_optional = body["required"] != true;
    let kind = essence(media_type);
    let description = body.get("description").filter(|text| text.is_string()).cloned().unwrap_or_else(|| json!(""));
    let written = |key: &str, schema: Value| json!({ "required": true, "description": description, "content": { key: { "schema": schema } } });
    let fixed = |key: &str, schema: Value, own: Option<&str>| {
        Some(ClientBody {
            written: written(key, schema),
            content_type: own.map(str::to_owned),
            is_open: false,
            items: None,
            is_optional,
            form: None,
        })
    };
    let bytes = json!({ "type": "string", "format": "binary" });
    let items = streamed(document, media_type, media).filter(|streamed| streamed.framing != Framing::Events);
    if let Some(items) = items {
        let body = fixed("application/json", items.schema, Some(media_type));
        return body.map(|body| ClientBody { items: Some(items.framing), ..body });
    }
    match media::body_format(document, media_type, &schema) {
        BodyFormat::Json => {
            let own = (kind != "application/json").then_some(media_type.as_str());
            fixed("application/json", schema, own)
        }
        format @ (BodyFormat::Form | BodyFormat::Multipart) => {
            let members = form::members(document, media_type, &schema, &media["encoding"]);
            note_headers(&media["encoding"], at, repairs);
            let form = Form {
                multipart: (format == BodyFormat::Multipart).then(|| kind.clone()),
                members: members.into_iter().filter(|member| !member.is_usual()).collect(),
            };
            fixed(MEDIA_TYPE, schema, None).map(|body| ClientBody { form: Some(form), ..body })
        }
        BodyFormat::Text => fixed("text/plain", json!({ "type": "string" }), None),
        BodyFormat::Bytes if kind == "application/octet-stream" => fixed("application/octet-stream", bytes, None),
        BodyFormat::Bytes if kind.starts_with("multipart/") || media::is_open(media_type) => {
            let note = format!("the body is bytes that the caller writes as {media_type}, and names in `content_type`");
            repairs.narrow("raw-body", at, note);
            Some(ClientBody {
                written: written("application/octet-stream", bytes),
                content_type: None,
                is_open: true,
                items: None,
                is_optional,
                form: None,
            })
        }
        BodyFormat::Items | BodyFormat::Bytes => {
            repairs.narrow("raw-body", at, format!("the body is bytes that the caller writes as {media_type}"));
            fixed("application/octet-stream", bytes, Some(media_type))
        }
    }
}

/// Records the headers of parts that a caller cannot give. The headers of files can be given with the file.
fn note_headers(encoding: &Value, at: &str, repairs: &mut Repairs) {
    let members = encoding.as_object().into_iter().flatten();
    for (member, _) in members.filter(|(_, said)| said["headers"].as_object().is_some_and(|all| !all.is_empty())) {
        let note =
            format!("the headers that the part `{member}` may have are given with a file, and are not sent otherwise");
        repairs.note("part-headers", at, note);
    }
}

/// Returns the argument for the media type of an open body.
pub(crate) fn content_type(is_required: bool) -> Value {
    json!({
        "name": "Content-Type", "in": "header", "required": is_required, "schema": { "type": "string" },
        "description": "The media type of the body.",
    })
}
