//! Whether a request is the documented one: method, path, query, headers and body.

use std::collections::BTreeSet;

use chrono::DateTime;
use keyfit::redact::Redactor;
use keyfit_openapi::{Api, Operation, Place, Writing};
use serde_json::{Map, Value};

use super::script::Received;
use crate::body::{ANYTHING, asked_for, is_sent_as, read, written};
use crate::carrier::{self, Spot};
use crate::catalogue::Catalogue;
use crate::contract::{Carrier, Credential};
use crate::parameter::{self, pairs};
use crate::secret::Secret;
use crate::segment;

/// The path of the base URL that clients are connected to, below the lane.
pub(super) const BASE_PATH: &str = "/base";

/// What is wrong with the request is the error.
pub(super) fn check(
    catalogue: &Catalogue,
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &Received,
    secret: &Secret,
) -> Result<(), String> {
    if request.method != operation.method {
        return Err(format!("the method is {}, not {}", request.method, operation.method));
    }
    path(operation, arguments, request)?;
    let carrier = catalogue.contract.sent_by_clients(operation).map(Credential::carrier);
    query(operation, arguments, request, carrier, secret)?;
    headers(operation, request)?;
    credential(request, carrier, secret)?;
    body(&catalogue.api, operation, arguments, request)
}

fn path(operation: &Operation, arguments: &Map<String, Value>, request: &Received) -> Result<(), String> {
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
    operation: &Operation,
    arguments: &Map<String, Value>,
    request: &Received,
    carrier: Option<&Carrier>,
    secret: &Secret,
) -> Result<(), String> {
    let documented = operation.parameters.iter().filter(|parameter| parameter.place == Place::Query);
    let mut expected: BTreeSet<(String, String)> =
        documented.filter_map(|parameter| Some(pairs(parameter, arguments.get(&parameter.name)?))).flatten().collect();
    if let Some(Carrier::Query(name)) = carrier {
        expected.insert((name.clone(), secret.reveal().to_owned()));
    }
    let sent: BTreeSet<(String, String)> = request.query.iter().cloned().collect();
    match sent.symmetric_difference(&expected).next() {
        None => Ok(()),
        Some((name, _)) => Err(format!("the query parameter `{name}` is not sent as given")),
    }
}

/// The credential stands in its place, and nowhere where the operation takes none of the client's.
fn credential(request: &Received, carrier: Option<&Carrier>, secret: &Secret) -> Result<(), String> {
    let Some(carrier) = carrier else {
        let values = request.headers.iter().chain(&request.query).map(|(_, value)| value.as_str());
        let holds = Redactor::new([secret.reveal()]);
        let is_sent = values.chain([request.path.as_str()]).any(|value| holds.finds(value));
        return if is_sent { Err("the token is sent, which the operation does not take".to_owned()) } else { Ok(()) };
    };
    let value = carrier::written(carrier, secret.reveal());
    match Spot::of(carrier) {
        Spot::Header(name) if request.header(name.as_str()) != Some(&value) => {
            Err(format!("the token is not in the header `{name}`"))
        }
        Spot::Cookie(name) => {
            let sent = request.header("cookie").and_then(|header| carrier::in_cookies(header, &name));
            if sent == Some(&value) { Ok(()) } else { Err(format!("the token is not in the cookie `{name}`")) }
        }
        Spot::Header(_) | Spot::Query(_) => Ok(()),
    }
}

fn headers(operation: &Operation, request: &Received) -> Result<(), String> {
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

fn body(api: &Api, operation: &Operation, arguments: &Map<String, Value>, request: &Received) -> Result<(), String> {
    let (Some(expected), Some(body)) = (arguments.get("body"), &operation.body) else {
        return if request.body.is_empty() { Ok(()) } else { Err("there is a body".to_owned()) };
    };
    if !request.header("content-type").is_some_and(|media_type| is_sent_as(body, media_type)) {
        return Err(format!("the body is not sent as {}", body.media_type));
    }
    if matches!(body.writing(api), Writing::Text | Writing::Bytes) {
        let is_kept = request.body == written(api, body, expected);
        return if is_kept { Ok(()) } else { Err("the body is not the one that was given".to_owned()) };
    }
    let sent = read(api, body, &request.body).unwrap_or_default();
    if agrees(api, &body.schema, &sent, expected) {
        return Ok(());
    }
    Err(format!("the body is {sent}, not {expected}"))
}

/// Whether what was sent says what was given and nothing more: a null may be left out, and an instant be written in another way.
fn agrees(api: &Api, schema: &Value, sent: &Value, given: &Value) -> bool {
    let schema = api.resolve(schema);
    match (sent, given) {
        (Value::Object(sent), Value::Object(given)) => {
            let properties = &schema["properties"];
            let keeps = given.iter().all(|(name, given)| match sent.get(name) {
                Some(sent) => agrees(api, &properties[name], sent, given),
                None => given.is_null(),
            });
            // A default is what the server assumes, and no reason to send it.
            keeps && sent.keys().all(|name| given.contains_key(name))
        }
        (Value::Array(sent), Value::Array(given)) => {
            let each = &schema["items"];
            sent.len() == given.len() && sent.iter().zip(given).all(|(sent, given)| agrees(api, each, sent, given))
        }
        (Value::String(sent), Value::String(given)) => sent == given || same_instant(sent, given),
        _ => sent == given,
    }
}

/// Whether two texts are one instant, in whatever zone and to whatever fraction of a second it is written.
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
            let request = Received { method, path, query, headers, body: sent.as_bytes().to_vec() };
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
