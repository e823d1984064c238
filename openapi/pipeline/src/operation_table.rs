//! Builds the operation table from a repaired document and the overlay's `x-keyfit` keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::hint_error::HintError;
use crate::load::LocatedDocument;
use crate::media_type::Framing;
use crate::normalize::{STYLE, servers};
use crate::operation::{Body, ListStyle, Operation, Parameter, ParameterLocation, ResponseShape, Retry};
use crate::pagination::{self, PaginationGuess};
use crate::partial;
use crate::path_key::PathKey;
use crate::pointer;
use crate::security::Security;
use crate::streams::{StreamedBody, StreamedResponse};
use crate::{Error, SecurityRequirement, idempotency, media, name, streams, walk, webhook};

/// The headers of a 202 that name its status monitor (RFC 9110, section 15.3.3, and the headers of cloud vendors).
const MONITORS: [&str; 3] = ["Operation-Location", "Azure-AsyncOperation", "Location"];

/// The hints of an overlay under `x-keyfit`, at the root for all operations and at each operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct OverlayHints {
    credentials: Option<Vec<String>>,
    scopes: Vec<String>,
    scopes_unverified: Option<String>,
    resource: Option<String>,
    retry: Option<Retry>,
    retry_key: Option<String>,
    idempotency_key: Option<idempotency::KeyHint>,
    rate_limit: Option<String>,
    rate_limit_by: Option<Vec<String>>,
    pages: Option<pagination::PaginationHint>,
    partial: Option<partial::PartialHint>,
    stream: streams::StreamHint,
    spends: bool,
    errors: Option<String>,
}

/// Returns the operations, in the document's order, each with a guess if it looks paged without a hint in the overlay.
pub(crate) fn operations(
    located: &LocatedDocument,
    document: &Value,
    base_url: &str,
) -> Result<Vec<(Operation, Option<PaginationGuess>)>, Error> {
    let defaults = hints(located, document, "")?;
    let security = Security::new(document, defaults.credentials.as_ref());
    walk::operations(document)
        .into_iter()
        .map(|(at, operation)| {
            let hints = hints(located, operation, &at)?;
            if hints.retry == Some(Retry::Keyed) && hints.retry_key.is_none() {
                return Err(located.error_at(
                    &at,
                    "`retry: keyed` without `retry-key`",
                    "name the body field that makes a repeat harmless",
                ));
            }
            let needed = security.of(operation, hints.credentials.as_ref());
            let (mut operation, guess) = build(located, document, &at, operation, hints, needed, &defaults)?;
            // Operations without a usable server were set aside.
            operation.server = servers::of_operation(document, &at, base_url).ok().flatten();
            Ok((operation, guess))
        })
        .collect()
}

fn hints(located: &LocatedDocument, node: &Value, at: &str) -> Result<OverlayHints, Error> {
    let Some(keys) = node.get("x-keyfit") else { return Ok(OverlayHints::default()) };
    OverlayHints::deserialize(keys).map_err(|error| {
        located.error_at(
            &pointer::join(at, "x-keyfit"),
            format!("x-keyfit: {error}"),
            "see the table of keys in openapi/README.md",
        )
    })
}

fn build(
    located: &LocatedDocument,
    document: &Value,
    at: &str,
    operation: &Value,
    hints: OverlayHints,
    needed: Arc<SecurityRequirement>,
    defaults: &OverlayHints,
) -> Result<(Operation, Option<PaginationGuess>), Error> {
    let (method, key) = walk::method_and_path(at);
    let parts = PathKey::of(&key);
    let parameters: Vec<Parameter> =
        operation["parameters"].as_array().into_iter().flatten().filter_map(parameter).collect();
    let body = body(document, &operation["requestBody"]);
    let responses = responses(document, operation, &method);
    let success = success(&responses);
    let call = pagination::CallParts {
        document,
        parameters: &parameters,
        body: body.as_ref(),
        answer: success.and_then(|(_, shape)| shape.schema.as_ref()),
        example: success.and_then(|(status, _)| example(document, operation, status)),
        headers: success.map_or(&[], |(_, shape)| &shape.headers),
        node: operation,
    };
    let refuse = |hint: &str, below: &str, misfit: HintError| {
        let mut place = format!("{at}/x-keyfit/{hint}{below}");
        if !misfit.key.is_empty() {
            place = pointer::join(&place, misfit.key);
        }
        located.error_at(&place, format!("x-keyfit: {hint}: {}", misfit.problem), misfit.help)
    };
    let mut guess = None;
    // A multipart form is created anew for each attempt, and has no place for the argument of a page.
    let is_in_parts = body.as_ref().is_some_and(|body| {
        media::body_format(document, &body.media_type, &body.schema) == media::BodyFormat::Multipart
    });
    if is_in_parts && hints.pages.is_some() {
        let place = format!("{at}/x-keyfit/pages");
        return Err(located.error_at(&place, "x-keyfit: pages: a form in parts has no pages", "take the key out"));
    }
    let pagination = if is_in_parts {
        None
    } else if let Some(hint) = hints.pages {
        hint.resolve(call).map_err(|error| refuse("pages", "", error))?
    } else {
        guess = Some(method.as_str()).filter(|method| ["get", "post"].contains(method)).and_then(|_| call.guess());
        guess.as_ref().filter(|guess| guess.is_certain).map(|guess| guess.pagination.clone())
    };
    let partial = hints.partial.unwrap_or_default().resolve(document, success.map(|(_, shape)| shape));
    let partial = partial.map_err(|(below, error)| refuse("partial", &below, error))?;
    // The hint for all operations applies to methods that no standard allows to retry.
    let shared = || defaults.idempotency_key.clone().filter(|_| ["post", "patch"].contains(&method.as_str()));
    let idempotency_key = match hints.idempotency_key.or_else(shared) {
        // The overlay decides.
        _ if hints.retry == Some(Retry::Never) => None,
        Some(idempotency::KeyHint(said)) => said,
        None => idempotency::header_of(document, &method, &parameters),
    };
    let stream = streaming(document, body.as_ref(), &responses, hints.stream, &defaults.stream);
    let streaming = stream.map_err(|error| refuse("stream", "", error))?;
    let accepted = responses.get("202").map_or(&[][..], |shape| &shape.headers);
    let polls = accepted.iter().any(|header| MONITORS.iter().any(|known| header.eq_ignore_ascii_case(known)));
    let id = text(operation, "operationId").unwrap_or_default();
    let operation = Operation {
        function: name::of_argument(&id),
        server: None,
        summary: text(operation, "summary").or_else(|| text(operation, "description")).unwrap_or_default(),
        parameters,
        body,
        responses,
        credentials: hints.credentials.or_else(|| defaults.credentials.clone()).unwrap_or_default(),
        security: needed,
        scopes: hints.scopes,
        scopes_unverified: hints.scopes_unverified,
        resource: hints.resource,
        // Without a hint in the overlay, only methods that RFC 9110 calls safe are retried.
        retry: hints.retry.unwrap_or(if walk::is_safe(&method) { Retry::Safe } else { Retry::Never }),
        retry_key: hints.retry_key,
        idempotency_key,
        rate_limit: hints.rate_limit.unwrap_or_else(|| id.clone()),
        rate_limit_by: hints.rate_limit_by.or_else(|| defaults.rate_limit_by.clone()).unwrap_or_default(),
        pagination,
        partial,
        batching: None,
        streaming,
        callbacks: webhook::callbacks(document, operation),
        polls,
        spends: hints.spends,
        errors: hints.errors.or_else(|| defaults.errors.clone()).unwrap_or_default(),
        unverified: text(operation, "x-unverified"),
        method: method.to_uppercase(),
        path: parts.path.to_owned(),
        query: parts.pairs(),
        key,
        id,
    };
    Ok((operation, guess))
}

/// Returns the first success that is JSON.
fn success(responses: &BTreeMap<String, ResponseShape>) -> Option<(&String, &ResponseShape)> {
    responses.iter().filter(|(status, _)| status.starts_with('2')).find(|(_, shape)| shape.is_json())
}

/// Returns the streamed response of the operation, if a success is a stream. Items of several successes with different
/// schemas are any JSON value.
fn streaming(
    document: &Value,
    body: Option<&Body>,
    responses: &BTreeMap<String, ResponseShape>,
    hint: streams::StreamHint,
    root: &streams::StreamHint,
) -> Result<Option<StreamedResponse>, HintError> {
    let (body, mut found) = (body.map(|body| &body.schema), None::<StreamedBody>);
    let has_success = responses.keys().any(|status| status.starts_with('2'));
    let counts = |status: &str| status.starts_with('2') || (!has_success && status == "default");
    let successes: Vec<&ResponseShape> =
        responses.iter().filter(|(status, _)| counts(status)).map(|(_, shape)| shape).collect();
    for streamed in successes.iter().filter_map(|shape| shape.streamed.as_ref()) {
        match &mut found {
            Some(known) if known.schema != streamed.schema || known.is_text != streamed.is_text => {
                (known.schema, known.event) = (json!({}), None);
            }
            Some(_) => {}
            None => found = Some(streamed.clone()),
        }
    }
    hint.check(document, body, found.is_some())?;
    let is_other = |shape: &&ResponseShape| {
        let streamed = shape.streamed.as_ref().map(|streamed| &streamed.media_type);
        shape.media_type.is_some() && shape.media_type.as_ref() != streamed
    };
    let is_only = !successes.iter().any(is_other);
    Ok(found.map(|found| hint.with_defaults(root, document, body).into_response(found, is_only)))
}

/// Returns the document's example of a response.
fn example<'a>(document: &'a Value, operation: &'a Value, status: &str) -> Option<&'a Value> {
    let responses = operation["responses"].as_object()?;
    let (_, response) = responses.iter().find(|(known, _)| known.eq_ignore_ascii_case(status))?;
    let content = walk::resolve(document, response).get("content")?.as_object()?;
    let (_, media) = content.iter().find(|(media_type, _)| media_type.contains("json"))?;
    let shown = || walk::resolve(document, media.get("examples")?.as_object()?.values().next()?).get("value");
    media.get("example").or_else(shown)
}

fn parameter(parameter: &Value) -> Option<Parameter> {
    let place = match parameter["in"].as_str()? {
        "path" => ParameterLocation::Path,
        "query" => ParameterLocation::Query,
        "header" => ParameterLocation::Header,
        _ => return None,
    };
    Some(Parameter {
        name: text(parameter, "name")?,
        location: place,
        required: parameter["required"] == true,
        schema: parameter["schema"].clone(),
        style: ListStyle::deserialize(&parameter[STYLE]).ok(),
    })
}

fn body(document: &Value, body: &Value) -> Option<Body> {
    let (media_type, media) = body.get("content")?.as_object()?.iter().next()?;
    let schema = match streams::streamed(document, media_type, media) {
        Some(streamed) if streamed.framing != Framing::Events => json!({ "type": "array", "items": streamed.schema }),
        _ => media["schema"].clone(),
    };
    Some(Body {
        media_type: media_type.clone(),
        required: body["required"] == true,
        schema,
        encoding: media["encoding"].clone(),
    })
}

fn responses(document: &Value, operation: &Value, method: &str) -> BTreeMap<String, ResponseShape> {
    let documented = operation["responses"].as_object();
    documented
        .into_iter()
        .flatten()
        .filter(|(status, _)| !status.starts_with("x-"))
        .map(|(status, response)| {
            let response = walk::resolve(document, response);
            // A response to HEAD has no body, whatever is documented.
            let content = response.get("content").and_then(Value::as_object).filter(|_| method != "head");
            // JSON has precedence, so that a table with several media types shows the one that clients ask for.
            let is_whole = |media: &(&String, &Value)| streams::streamed(document, media.0, media.1).is_none();
            let media = content.and_then(|content| {
                let whole = || content.iter().filter(is_whole);
                let json = whole().find(|(media_type, _)| media_type.contains("json"));
                json.or_else(|| whole().next()).or_else(|| content.iter().next())
            });
            let mut streamed = content.into_iter().flatten();
            let streamed = streamed.find_map(|(media_type, media)| streams::streamed(document, media_type, media));
            let headers = response.get("headers").and_then(Value::as_object);
            let shape = ResponseShape {
                description: text(response, "description").unwrap_or_default(),
                media_type: media.map(|(media_type, _)| media_type.clone()),
                schema: media.and_then(|(_, media)| media.get("schema").cloned()),
                streamed,
                headers: headers.into_iter().flat_map(serde_json::Map::keys).cloned().collect(),
                unverified: text(response, "x-unverified"),
            };
            (status.to_uppercase().replace("DEFAULT", "default"), shape)
        })
        .collect()
}

fn text(node: &Value, key: &str) -> Option<String> {
    node.get(key)?.as_str().map(str::to_owned)
}
