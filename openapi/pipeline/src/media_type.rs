//! Media types: their essence, JSON, and the framing of several items.

use serde::Serialize;

/// Returns the media type without parameters, in lower case: `application/json; charset=utf-8` gives `application/json`.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns whether the media type is JSON; `application/vnd.pets+json` is as well.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    // A streaming media type may end in `+json` too: it is several JSON texts.
    let is_whole = framing(&essence).is_none();
    essence == "application/json" || essence == "text/json" || (is_whole && essence.ends_with("+json"))
}

/// The framing of items in a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// `text/event-stream`.
    Events,
    /// A JSON text a line: `application/x-ndjson`, `application/jsonl` and their kin.
    Lines,
    /// JSON texts behind record separators: `application/json-seq` (RFC 7464).
    Sequence,
}

/// Returns the framing of items in a body of this media type; `None` if it is a single value.
pub fn framing(media_type: &str) -> Option<Framing> {
    match essence(media_type).as_str() {
        "text/event-stream" => Some(Framing::Events),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonl"
        | "application/jsonlines"
        | "application/x-jsonlines"
        | "application/json-lines"
        | "application/x-json-lines"
        | "application/stream+json"
        | "application/x-json-stream"
        | "text/jsonl"
        | "text/x-ndjson" => Some(Framing::Lines),
        "application/json-seq" => Some(Framing::Sequence),
        other if other.ends_with("+json-seq") => Some(Framing::Sequence),
        _ => None,
    }
}
