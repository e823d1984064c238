//! Compares a request with the document: method, path, query, headers, and body.

use std::collections::BTreeSet;

use chrono::DateTime;
use keyfit::redact::Redactor;
use keyfit_openapi::{Api, BodyFormat, Operation, Parameter, ParameterLocation};
use serde_json::{Map, Value};

use super::scripted_server::ReceivedRequest;
use super::subject::StoredCredential;
use crate::catalogue::Catalogue;
use crate::contract::Carrier;
use crate::credential::carrier::{self, RequestPlace};
use crate::document::body::{ANYTHING, asked_for, encoded, is_sent_as, read};
use crate::document::form::{self, Field};
use crate::document::parameter::{self, pairs};
use crate::document::segment;

/// The path of the base URL of clients, below that of the worker.
pub(super) const BASE_PATH: &str = "/base";

/// Returns an error if the request does not match the document.
pub(super) fn check(
    catalogue: &Catalogue,
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &ReceivedRequest,
    held: &[StoredCredential],
) -> Result<(), String> {
    if request.method != operation.method {
        return Err(format!("the method is {}, not {}", request.method, operation.method));
    }
    path(operation, arguments, request)?;
    // If the client has to send one of its credentials, it has to send all of them.
    let sent = if catalogue.contract.sent_by_clients(operation).is_empty() { &[] } else { held };
    query(&catalogue.api, operation, arguments, request, sent)?;
    headers(operation, request)?;
    credentials(request, sent, held)?;
    body(&catalogue.api, operation, arguments, request)
}

fn path(operation: &Operation, arguments: &Map<String, Value>, request: &ReceivedRequest) -> Result<(), String> {
    let expected: Vec<String> = format!("{BASE_PATH}{}", operation.path)
        .split('/')
        .map(|segment| segment::filled(segment, |name| parameter::in_path(operation, arguments, name)))
        .collect();
    let sent: Vec<String> = request
        .path
        .split('/')
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    if sent == expected { Ok(()) } else { Err(format!("the path is {}, not {}", sent.join("/"), expected.join("/"))) }
}

fn query(
    api: &Api,
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &ReceivedRequest,
    credentials: &[StoredCredential],
) -> Result<(), String> {
    let documented = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Query);
    let mut expected: BTreeSet<(String, String)> =
        documented.filter_map(|parameter| Some(pairs(parameter, arguments.get(&parameter.name)?))).flatten().collect();
    expected.extend(operation.query.iter().cloned());
    for part in credentials {
        if let Carrier::Query(name) = &part.carrier {
            expected.insert((name.clone(), part.secret.reveal().to_owned()));
        }
    }
    let mut sent: BTreeSet<(String, String)> = request.query.iter().cloned().collect();
    let numbers: Vec<&str> = numbers(api, operation).collect();
    for pairs in [&mut expected, &mut sent] {
        *pairs = std::mem::take(pairs).into_iter().map(|pair| as_number(pair, &numbers)).collect();
    }
    match sent.symmetric_difference(&expected).next() {
        None => Ok(()),
        Some((name, _)) => Err(format!("the query parameter `{name}` is not sent as given")),
    }
}

/// Returns the query parameters that are numbers.
fn numbers<'a>(api: &'a Api, operation: &'a Operation) -> impl Iterator<Item = &'a str> {
    let is_number = |parameter: &&Parameter| api.kind(api.resolve(&parameter.schema)) == Some("number");
    operation.parameters.iter().filter(is_number).map(|parameter| parameter.name.as_str())
}

/// Normalizes the notation of a pair's number: `1` equals `1.0`.
fn as_number((name, text): (String, String), numbers: &[&str]) -> (String, String) {
    let number = text.parse::<f64>().ok().filter(|_| numbers.contains(&name.as_str()));
    let text = number.map_or(text, |number| number.to_string());
    (name, text)
}

/// Checks that each credential is only at its own place, and that credentials that are not sent occur nowhere.
fn credentials(request: &ReceivedRequest, sent: &[StoredCredential], held: &[StoredCredential]) -> Result<(), String> {
    sent.iter().try_for_each(|part| check_place(request, part))?;
    for part in held {
        let place = RequestPlace::of(&part.carrier);
        let header = place.header().filter(|_| !sent.is_empty());
        let is_its_header = |name: &str| header.as_ref().is_some_and(|own| own.as_str().eq_ignore_ascii_case(name));
        let is_its_parameter = |name: &String| !sent.is_empty() && place == RequestPlace::Query(name.clone());
        let headers = request.headers.iter().filter(|(name, _)| !is_its_header(name));
        let query = request.query.iter().filter(|(name, _)| !is_its_parameter(name));
        let holds = Redactor::new(carrier::secrets(&part.carrier, part.secret.reveal()));
        let mut other_places = headers.chain(query).map(|(_, value)| value.as_str()).chain([request.path.as_str()]);
        if other_places.any(|value| holds.finds(value)) {
            return Err(if sent.is_empty() {
                "the token is sent, which the operation does not take".to_owned()
            } else {
                format!("the credential `{}` is sent in another place too", part.kind)
            });
        }
    }
    Ok(())
}

fn check_place(request: &ReceivedRequest, part: &StoredCredential) -> Result<(), String> {
    let value = carrier::credential_value(&part.carrier, part.secret.reveal());
    let times = |name: &str| request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count();
    match RequestPlace::of(&part.carrier) {
        RequestPlace::Header(name) if request.header(name.as_str()) != Some(&value) || times(name.as_str()) != 1 => {
            Err(format!("the token is not in the header `{name}`"))
        }
        RequestPlace::Cookie(name) => {
            let mut cookies = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case("cookie"));
            let sent = cookies.find_map(|(_, header)| carrier::in_cookies(header, &name));
            if sent == Some(&value) { Ok(()) } else { Err(format!("the token is not in the cookie `{name}`")) }
        }
        RequestPlace::Header(_) | RequestPlace::Query(_) | RequestPlace::Connection => Ok(()),
    }
}

fn headers(operation: &Operation, request: &ReceivedRequest) -> Result<(), String> {
    let accept = request.header("accept").unwrap_or_default();
    let wanted = asked_for(operation);
    if wanted != ANYTHING && !accept.contains(wanted) {
        return Err(format!("the header `Accept` does not ask for {wanted}"));
    }
    if request.header("api-version").is_some() {
        return Err("the header `api-version` is sent, which no document knows".to_owned());
    }
    Ok(())
}

fn body(
    api: &Api,
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &ReceivedRequest,
) -> Result<(), String> {
    let (Some(expected), Some(body)) = (arguments.get("body"), &operation.body) else {
        return if request.body.is_empty() { Ok(()) } else { Err("there is a body".to_owned()) };
    };
    if !request.header("content-type").is_some_and(|media_type| is_sent_as(body, media_type)) {
        return Err(format!("the body is not sent as {}", body.media_type));
    }
    if matches!(body.format(api), BodyFormat::Text | BodyFormat::Bytes) {
        let is_kept = request.body == encoded(api, body, expected);
        return if is_kept { Ok(()) } else { Err("the body is not the one that was given".to_owned()) };
    }
    if let (BodyFormat::Form | BodyFormat::Multipart, Value::Object(members)) = (body.format(api), expected) {
        let media_type = request.header("content-type").unwrap_or_default();
        let sent = form::read(api, body, media_type, &request.body);
        let sent = sent.ok_or_else(|| format!("the body is not written as {}", body.media_type))?;
        let problem = form::problem(&form::fields(api, body, members), &sent, is_same_field);
        return problem.map_or(Ok(()), Err);
    }
    let media_type = request.header("content-type").unwrap_or_default();
    let sent = read(api, body, media_type, &request.body).unwrap_or_default();
    if is_equivalent(api, &body.schema, &sent, expected) {
        return Ok(());
    }
    Err(format!("the body is {sent}, not {expected}"))
}

/// Returns whether two fields of a form are equivalent: a number or an instant in another notation, or the same JSON.
fn is_same_field(given: &Field, sent: &Field) -> bool {
    let text = |field: &Field| String::from_utf8(field.content.clone()).unwrap_or_default();
    let (given, sent) = (text(given), text(sent));
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    same_instant(&given, &sent)
        || read(&given).is_some_and(|given| read(&sent).is_some_and(|sent| same_json(&given, &sent)))
}

/// Returns whether two values are equal, with numbers compared by value: `1` equals `1.0`.
fn same_json(given: &Value, sent: &Value) -> bool {
    match (given, sent) {
        (Value::Object(given), Value::Object(sent)) => {
            let keeps = given.iter().all(|(name, given)| match sent.get(name) {
                Some(sent) => same_json(given, sent),
                None => given.is_null(),
            });
            keeps && sent.keys().all(|name| given.contains_key(name))
        }
        (Value::Array(given), Value::Array(sent)) => {
            given.len() == sent.len() && given.iter().zip(sent).all(|(given, sent)| same_json(given, sent))
        }
        (Value::Number(given), Value::Number(sent)) => given == sent || given.as_f64() == sent.as_f64(),
        (Value::String(given), Value::String(sent)) => given == sent || same_instant(given, sent),
        _ => given == sent,
    }
}

/// Returns whether the sent value equals the given one. A null may be omitted, and an instant may have another notation.
fn is_equivalent(api: &Api, schema: &Value, sent: &Value, given: &Value) -> bool {
    let schema = api.resolve(schema);
    match (sent, given) {
        (Value::Object(sent), Value::Object(given)) => {
            let properties = &schema["properties"];
            let keeps = given.iter().all(|(name, given)| match sent.get(name) {
                Some(sent) => is_equivalent(api, &properties[name], sent, given),
                None => given.is_null(),
            });
            // A default is an assumption of the server: the client must not send it.
            keeps && sent.keys().all(|name| given.contains_key(name))
        }
        (Value::Array(sent), Value::Array(given)) => {
            let each = &schema["items"];
            sent.len() == given.len()
                && sent.iter().zip(given).all(|(sent, given)| is_equivalent(api, each, sent, given))
        }
        (Value::String(sent), Value::String(given)) => sent == given || same_instant(sent, given),
        _ => sent == given,
    }
}

/// Returns whether two texts denote the same instant, in any time zone and with any fraction of a second.
fn same_instant(one: &str, other: &str) -> bool {
    let read = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    read(one).is_some_and(|one| read(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use serde_json::json;

    use super::*;

    const WAREHOUSE: &str = include_str!("../../tests/fixtures/bare/warehouse.yaml");

    #[test]
    fn an_instant_may_be_written_in_another_zone_and_is_the_same_one() {
        assert!(same_instant("2012-12-12T18:53:43Z", "2012-12-12T10:53:43-08:00"));
        assert!(same_instant("2012-12-12T18:53:43Z", "2012-12-12T18:53:43.000Z"));
        assert!(!same_instant("2012-12-12T18:53:43Z", "2012-12-12T18:53:43-08:00"));
        assert!(!same_instant("text", "texts"));
    }

    #[test]
    fn a_body_is_judged_by_the_media_type_of_the_document() {
        let document = Text::new("warehouse.yaml", WAREHOUSE);
        let source = Source { name: "warehouse".to_owned(), document, overlay: None, contract: None };
        let api = Api::read(&source).expect("a document");
        let judge = |id: &str, given: Value, media_type: &str, sent: &str| {
            let operation = api.operations.iter().find(|operation| operation.id == id).expect(id);
            let headers = vec![("content-type".to_owned(), media_type.to_owned())];
            let (method, path, query) = (operation.method.clone(), String::new(), Vec::new());
            let request = ReceivedRequest { method, path, query, headers, body: sent.as_bytes().to_vec() };
            let arguments = Map::from_iter([("body".to_owned(), given)]);
            body(&api, operation, &arguments, &request).err()
        };
        let (form, patch) = ("application/x-www-form-urlencoded", "application/merge-patch+json");
        let boxed = || json!({ "sku": "ABC-1234", "state": "full", "count": 12 });
        assert_eq!(judge("addBox", boxed(), form, "count=12&sku=ABC-1234&state=full"), None);
        assert!(
            judge("addBox", boxed(), form, "count=13&sku=ABC-1234&state=full").is_some_and(|why| why.contains("13"))
        );
        assert!(judge("addBox", boxed(), form, "sku=ABC-1234&state=full").is_some());
        let json = boxed().to_string();
        assert_eq!(
            judge("addBox", boxed(), "application/json", &json),
            Some(format!("the body is not sent as {form}"))
        );
        assert_eq!(judge("changeBox", boxed(), patch, &json), None);
        assert_eq!(
            judge("changeBox", boxed(), "application/json", &json),
            Some(format!("the body is not sent as {patch}"))
        );
        assert_eq!(judge("pushEvents", json!("{}\n{}"), "application/x-ndjson; charset=utf-8", "{}\n{}"), None);
        let changed = judge("pushEvents", json!("{}\n{}"), "application/x-ndjson", "{} {}");
        assert_eq!(changed.as_deref(), Some("the body is not the one that was given"));
        assert_eq!(judge("replacePhoto", json!("bytes"), "image/png", "bytes"), None);
    }
}
