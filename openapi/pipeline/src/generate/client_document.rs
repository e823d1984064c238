//! The client document: the input of the generator. Error responses are removed, because the runtime carries every non-2xx
//! response whole. All successes become one `2XX`, because a 201 where 200 is documented is not a reason to send a request
//! again.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::errors::{ERRORS, Errors};
use super::forms::Form;
use super::names::Alias;
use super::{bodies, sharing, streams};
use crate::media_type::{Framing, essence, is_json};
use crate::path_key::PathKey;
use crate::repair::Repairs;
use crate::streams::streamed;
use crate::{Api, Operation, ParameterLocation, pointer, walk};

/// The keys of an operation that the generator reads, besides id, request and responses.
const OPERATION_KEYS: [&str; 2] = ["summary", "description"];

/// The keys of a parameter that the generator reads.
const PARAMETER_KEYS: [&str; 5] = ["name", "in", "required", "description", "schema"];

/// A document for the generator.
pub(crate) struct ClientDocument {
    pub(crate) document: Value,
    /// The behavior of calls that the generator cannot express, by function.
    pub(crate) calls: HashMap<String, CallSettings>,
}

/// The behavior of a call that the generator cannot express.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSettings {
    /// True if a success may have no body.
    pub(crate) is_optional: bool,
    /// True if the body may be omitted.
    pub(crate) may_lack_body: bool,
    /// The media type of the body.
    pub(crate) content_type: Option<String>,
    /// The form of the body, if it is a form.
    pub(crate) form: Option<Form>,
    /// The requested media types, if they are not just JSON.
    pub(crate) accept: Option<String>,
    /// The arguments with another name on the wire.
    pub(crate) aliases: Vec<Alias>,
    /// The framing of the body, if it is a sequence of items.
    pub(crate) items: Option<Framing>,
}

/// Derives the client document from an API as read. It contains only what the generator reads, because the generator would
/// refuse the whole document for a malformed license.
pub(crate) fn client_document(api: &Api, repairs: &mut Repairs) -> ClientDocument {
    let mut paths = Map::new();
    let mut calls = HashMap::new();
    let mut errors = Errors::new(api);
    for operation in &api.operations {
        let at = operation.pointer();
        let Some(call) = api.document.pointer(&at).and_then(Value::as_object) else { continue };
        let mut success = success(&api.document, call.get("responses").unwrap_or(&Value::Null), operation);
        if let Some(streaming) = &operation.streaming {
            streams::note(&at, streaming, repairs);
            if streaming.is_only {
                success.response = streams::response(streaming);
                success.is_optional = false;
            }
        }
        record_changes(&at, operation, &success, repairs);
        let mut kept = call.clone();
        kept.retain(|key, text| OPERATION_KEYS.contains(&key.as_str()) && text.is_string());
        let mut parameters = parameters(call.get("parameters"), operation);
        if operation.parameters.iter().any(|one| one.required && operation.is_generated_key(&one.name, one.location)) {
            let at = pointer::join(&at, "parameters");
            repairs.note("made-key", &at, "the client makes the idempotency key, so that nobody has to give one");
        }
        let body = call.get("requestBody").and_then(|body| bodies::body(&api.document, body, &at, repairs));
        let mut settings =
            CallSettings { is_optional: success.is_optional, accept: success.accept, ..CallSettings::default() };
        if let Some(body) = body {
            if body.is_open {
                parameters.push(bodies::content_type(!body.is_optional));
            }
            settings.content_type = body.content_type;
            settings.may_lack_body = body.is_optional && body.items.is_none();
            settings.form = body.form;
            settings.items = body.items;
            kept.insert("requestBody".to_owned(), body.written);
        }
        kept.insert("parameters".to_owned(), Value::Array(parameters));
        kept.insert("operationId".to_owned(), json!(operation.function));
        let mut responses = json!({ "2XX": success.response });
        // The generator has one type for successes and one for errors; our runtime reads both.
        if let Some(streaming) = operation.streaming.as_ref().filter(|streaming| !streaming.is_only) {
            responses[streams::ITEM_STATUS] = streams::response(streaming);
        }
        kept.insert("responses".to_owned(), responses);
        kept.insert(ERRORS.to_owned(), errors.of(operation, call.get("responses").unwrap_or(&Value::Null)));
        calls.insert(operation.function.clone(), settings);
        let path = PathKey::for_generator(&operation.key, &operation.function);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[operation.method.to_lowercase()] = Value::Object(kept);
    }
    let schemas = api.document.pointer("/components/schemas").filter(|schemas| schemas.is_object());
    let mut document = json!({
        "openapi": api.document["openapi"],
        "info": { "title": api.title, "version": api.version },
        "paths": paths,
        "components": { "schemas": schemas.cloned().unwrap_or_else(|| json!({})) },
    });
    sharing::add(&mut document, errors.added);
    ClientDocument { document, calls }
}

fn parameters(list: Option<&Value>, operation: &Operation) -> Vec<Value> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let clean = list.map(|parameter| {
        let mut object = parameter.as_object().cloned().unwrap_or_default();
        object
            .retain(|key, value| PARAMETER_KEYS.contains(&key.as_str()) && (key != "description" || value.is_string()));
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        if object.get("in").is_some_and(|place| place == "header")
            && operation.is_generated_key(name, ParameterLocation::Header)
        {
            // The client makes it if the caller gives none.
            object.insert("required".to_owned(), json!(false));
        }
        Value::Object(object)
    });
    clean.collect()
}

struct SuccessResponse {
    response: Value,
    /// The documented statuses of the success.
    statuses: Vec<String>,
    is_optional: bool,
    is_raw: bool,
    /// The media type of responses that are not JSON, which are returned unchanged.
    bytes: Option<String>,
    /// The requested media types, if they are not just JSON.
    accept: Option<String>,
}

fn record_changes(at: &str, operation: &Operation, success: &SuccessResponse, repairs: &mut Repairs) {
    let at = pointer::join(at, "responses");
    let (successes, failures): (Vec<&str>, Vec<&str>) = operation
        .responses
        .keys()
        .map(String::as_str)
        .partition(|status| success.statuses.iter().any(|own| own == status));
    if !failures.is_empty() {
        repairs.note(
            "error-answers",
            &at,
            format!("left to the runtime, which keeps them whole: {}", failures.join(", ")),
        );
    }
    if successes.is_empty() {
        repairs.note("any-success", &at, "the document names no success");
    } else if successes != ["2XX"] {
        repairs.note("any-success", &at, format!("every 2xx is read like the documented {}", successes.join(", ")));
    }
    if let Some(media_type) = &success.bytes {
        repairs.narrow("raw-answer", &at, format!("successes come as bytes: {media_type}"));
    }
    if success.is_raw {
        repairs.narrow("raw-answer", &at, "the successes have different schemas: raw JSON, which loses nothing");
    }
}

fn success(document: &Value, responses: &Value, operation: &Operation) -> SuccessResponse {
    let mut schemas: Vec<Value> = Vec::new();
    let mut without_body = false;
    let mut streams = false;
    let mut other = None;
    let mut accept: Vec<String> = Vec::new();
    let mut as_bytes: Vec<String> = Vec::new();
    let all = responses.as_object();
    let mut statuses: Vec<String> =
        all.into_iter().flatten().map(|(status, _)| status.clone()).filter(|status| status.starts_with('2')).collect();
    // If no success is documented, `default` describes a success too.
    if statuses.is_empty() && all.is_some_and(|all| all.contains_key("default")) {
        statuses.push("default".to_owned());
    }
    for response in statuses.iter().filter_map(|status| responses.get(status)) {
        let response = walk::resolve(document, response);
        let content = response.get("content").and_then(Value::as_object);
        // A response to HEAD has no body, whatever is documented.
        let content = content.filter(|content| !content.is_empty() && operation.method != "HEAD");
        let is_whole = |media: &(&String, &Value)| streamed(document, media.0, media.1).is_none();
        // Streamed items are requested by a separate method.
        if content.is_some_and(|content| !content.iter().any(|media| is_whole(&media))) {
            streams = true;
            continue;
        }
        let Some(content) = content else {
            without_body = true;
            continue;
        };
        let Some((media_type, media)) = content.iter().find(|(media_type, _)| is_json(media_type)) else {
            let whole = content.iter().filter(is_whole).map(|(media_type, _)| media_type);
            other = whole.clone().next().cloned();
            as_bytes.extend(whole.cloned());
            continue;
        };
        if !accept.contains(media_type) {
            accept.push(media_type.clone());
        }
        let schema = media.get("schema").cloned().unwrap_or_else(|| json!({}));
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    let is_optional = without_body && !schemas.is_empty();
    let is_raw = other.is_none() && schemas.len() > 1;
    let can_be_sent = |media_type: &String| media_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    accept.retain(can_be_sent);
    as_bytes.retain(can_be_sent);
    let is_plain = accept.iter().any(|media_type| essence(media_type) == "application/json");
    let bytes = match (&other, schemas.len()) {
        (Some(media_type), _) => Some(media_type.clone()),
        (None, 0) if !without_body && !streams => Some("the document does not say what they hold".to_owned()),
        _ => None,
    };
    let content = match (schemas.len(), other) {
        // Several media types or none that is supported: the raw bytes, so that nothing is lost.
        (0, None) if without_body => None,
        // Or no documented success.
        (_, Some(_)) | (0, None) => Some(json!({ "application/octet-stream": {} })),
        (1, None) => schemas.pop().map(|schema| json!({ "application/json": { "schema": schema } })),
        // A union would be decoded as the first alternative that fits, and an alternative with optional members only fits
        // everything.
        (_, None) => Some(json!({ "application/json": { "schema": {} } })),
    };
    let mut response = Map::from_iter([("description".to_owned(), json!("success"))]);
    response.extend(content.map(|content| ("content".to_owned(), content)));
    let accept = match &bytes {
        // Without documented media types, any is accepted.
        Some(_) if as_bytes.is_empty() => Some("*/*".to_owned()),
        Some(_) => Some([accept, as_bytes].concat().join(", ")),
        None => (!is_plain && !accept.is_empty()).then(|| accept.join(", ")),
    };
    SuccessResponse { response: Value::Object(response), statuses, is_optional, is_raw, bytes, accept }
}
