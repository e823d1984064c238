//! The client document: what the generator reads. Errors are taken out, because the runtime carries every non-2xx
//! answer whole, and all successes become one `2XX`, because a 201 where 200 is documented is no reason to send again.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::repair::Repairs;
use crate::{Api, Operation, pointer, walk};

/// What the generator reads of an operation, its id and answers aside.
const CALL: [&str; 4] = ["summary", "description", "parameters", "requestBody"];

/// A document for the generator.
pub(crate) struct ClientDocument {
    pub(crate) document: Value,
    /// Functions whose success may come without a body.
    pub(crate) optional_answers: HashSet<String>,
}

/// Derives the client document from a read API: nothing but what the generator reads, because it would refuse the
/// whole document for a malformed licence.
pub(crate) fn client_document(api: &Api, repairs: &mut Repairs) -> ClientDocument {
    let mut paths = Map::new();
    let mut optional_answers = HashSet::new();
    for operation in &api.operations {
        let at = operation.pointer();
        let Some(call) = api.document.pointer(&at).and_then(Value::as_object) else { continue };
        let success = success(&api.document, call.get("responses").unwrap_or(&Value::Null));
        note_changes(&at, operation, &success, repairs);
        if success.is_optional {
            optional_answers.insert(operation.function.clone());
        }
        let mut kept = call.clone();
        kept.retain(|key, _| CALL.contains(&key.as_str()));
        kept.insert("operationId".to_owned(), json!(operation.function));
        kept.insert("responses".to_owned(), json!({ "2XX": success.response }));
        let item = paths.entry(operation.path.as_str()).or_insert_with(|| json!({}));
        item[operation.method.to_lowercase()] = Value::Object(kept);
    }
    let schemas = api.document.pointer("/components/schemas").filter(|schemas| schemas.is_object());
    let document = json!({
        "openapi": api.document["openapi"],
        "info": { "title": api.title, "version": api.version },
        "paths": paths,
        "components": { "schemas": schemas.cloned().unwrap_or_else(|| json!({})) },
    });
    ClientDocument { document, optional_answers }
}

struct Success {
    response: Value,
    is_optional: bool,
    is_raw: bool,
}

fn note_changes(at: &str, operation: &Operation, success: &Success, repairs: &mut Repairs) {
    let at = pointer::join(at, "responses");
    let (successes, failures): (Vec<&str>, Vec<&str>) =
        operation.responses.keys().map(String::as_str).partition(|status| status.starts_with('2'));
    if !failures.is_empty() {
        repairs.note(
            "error-answers",
            &at,
            format!("left to the runtime, which keeps them whole: {}", failures.join(", ")),
        );
    }
    if successes != ["2XX"] {
        repairs.note("any-success", &at, format!("every 2xx is read like the documented {}", successes.join(", ")));
    }
    if success.is_raw {
        repairs.note("raw-answer", &at, "the successes have different schemas: raw JSON, which loses nothing");
    }
}

fn success(document: &Value, responses: &Value) -> Success {
    let mut schemas: Vec<Value> = Vec::new();
    let mut without_body = false;
    let mut other = None;
    for (status, response) in responses.as_object().into_iter().flatten() {
        if !status.starts_with('2') {
            continue;
        }
        let response = walk::resolve(document, response);
        let content = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
        let Some(content) = content else {
            without_body = true;
            continue;
        };
        match content.iter().find(|(media_type, _)| is_json(media_type)) {
            Some((_, media)) => {
                let schema = media.get("schema").cloned().unwrap_or_else(|| json!({}));
                if !schemas.contains(&schema) {
                    schemas.push(schema);
                }
            }
            None => other = content.keys().next().cloned(),
        }
    }
    let is_optional = without_body && !schemas.is_empty();
    let is_raw = other.is_none() && schemas.len() > 1;
    let content = match (schemas.len(), other) {
        // Several media types or none of ours: the raw bytes, so that nothing is lost.
        (_, Some(media_type)) => Some(json!({ media_type: {} })),
        (0, None) if without_body => None,
        // No success documented at all.
        (0, None) => Some(json!({ "application/octet-stream": {} })),
        (1, None) => schemas.pop().map(|schema| json!({ "application/json": { "schema": schema } })),
        // A union would be read as the first that fits, and one whose members are all optional fits everything.
        (_, None) => Some(json!({ "application/json": { "schema": {} } })),
    };
    let mut response = Map::from_iter([("description".to_owned(), json!("success"))]);
    response.extend(content.map(|content| ("content".to_owned(), content)));
    Success { response: Value::Object(response), is_optional, is_raw }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json"
}
