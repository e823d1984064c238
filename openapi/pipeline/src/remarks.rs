//! Remarks for the owner of a document: oddities that the pipeline can read. Remarks change nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::pagination::PaginationGuess;
use crate::path_key::PathKey;
use crate::repair::Repairs;
use crate::template::without_parameter_names;
use crate::{Operation, Text, pointer, walk};

/// Records every oddity of a document.
pub(crate) fn note_document(document: &Value, repairs: &mut Repairs) {
    paths(document, repairs);
    statuses(document, repairs);
}

/// Records a file with the extension `.json` that is not valid JSON: YAML allows trailing commas in lists, comments and plain
/// text as well.
pub(crate) fn note_text(text: &Text, repairs: &mut Repairs) {
    if !text.path.to_ascii_lowercase().ends_with(".json") {
        return;
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text.text.trim_start_matches('\u{FEFF}')) {
        repairs.note("no-json", "", format!("read as YAML, which takes it; JSON does not: {error}"));
    }
}

/// Records an operation that looks paged and has no hint.
pub(crate) fn note_pages(operation: &Operation, guess: &PaginationGuess, repairs: &mut Repairs) {
    if !guess.is_certain {
        let note = format!(
            "it looks as if it comes in pages ({}): say so in overlay.yaml, `x-keyfit: {{ {} }}`, or `by: none`",
            guess.why,
            guess.pagination.hint()
        );
        repairs.note("looks-paged", &operation.pointer(), note);
    }
}

/// Records paths that differ only in the names of their parameters: no request distinguishes them.
fn paths(document: &Value, repairs: &mut Repairs) {
    let mut known: HashMap<String, String> = HashMap::new();
    for (at, _) in walk::path_items(document) {
        let path = pointer::name(&at);
        let key = PathKey::of(&path);
        match known.entry(format!("{}?{}", without_parameter_names(key.path), key.query)) {
            Entry::Occupied(other) => {
                repairs.note("same-path", &at, format!("no request tells it from `{}`", other.get()));
            }
            Entry::Vacant(place) => drop(place.insert(path)),
        }
    }
}

/// Records responses whose key is not a valid status.
fn statuses(document: &Value, repairs: &mut Repairs) {
    for (at, operation) in walk::operations(document) {
        let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
        for (status, _) in answers.filter(|(status, _)| !is_status(status)) {
            let at = pointer::join(&format!("{at}/responses"), status);
            repairs.note("odd-status", &at, format!("`{status}` is no status: what is answered under it is not known"));
        }
    }
}

/// Returns true for `200`, `2XX` and `default`, in any case, and for extensions (`x-`).
fn is_status(status: &str) -> bool {
    let status = status.to_uppercase();
    let is_code = matches!(status.as_bytes(), [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] | [b'1'..=b'5', b'X', b'X']);
    is_code || status == "DEFAULT" || status.starts_with("X-")
}
