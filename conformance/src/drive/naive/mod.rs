//! A small client on top of reqwest. It follows all client-side rules, except for the one that its defect violates: this tests the checks
//! of those rules.

mod attempts;
mod directions;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Framing, Operation, ParameterLocation, Partial, framing};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap};
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::authorization::{NaiveHolder, Registration, TokenHolder};
use super::call_case::MESSAGES;
use super::defect::Defect;
use super::subject::{CallFailure, CallOutcome, CallResult, Connect, CredentialStore, DriveError, Subject};
use crate::clock;
use crate::contract::Contract;
use crate::credential::carrier::{self, RequestPlace};
use crate::credential::secret::Secret;
use crate::document::body::{asked_for, encoded, media_type_of};
use crate::document::item_stream;
use crate::document::parameter;
use crate::document::segment;

/// Connects naive clients.
pub struct Naive {
    /// The API.
    pub api: Arc<Api>,
    /// Its contract.
    pub contract: Arc<Contract>,
    /// The defect of the client.
    pub defect: Option<Defect>,
}

struct Client {
    api: Arc<Api>,
    contract: Arc<Contract>,
    defect: Option<Defect>,
    base_url: Url,
    credential_store: CredentialStore,
    /// The token that it last read from the credential store.
    held: Mutex<Secret>,
    /// The total simulated wait: no real time passes.
    waited: Mutex<Duration>,
    http: reqwest::Client,
}

/// An answer that was read completely.
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Connect for Naive {
    fn connect<'a>(
        &'a self,
        base_url: &'a str,
        credential_store: &'a CredentialStore,
    ) -> BoxFuture<'a, Result<Box<dyn Subject>, String>> {
        Box::pin(async move {
            let http = crate::probe::http_client(false);
            Ok(Box::new(Client {
                api: Arc::clone(&self.api),
                contract: Arc::clone(&self.contract),
                defect: self.defect,
                base_url: Url::parse(base_url).map_err(|error| error.to_string())?,
                credential_store: credential_store.clone(),
                held: Mutex::new(credential_store.current()),
                waited: Mutex::default(),
                http: http.map_err(|error| error.to_string())?,
            }) as Box<dyn Subject>)
        })
    }

    fn register(&self, registration: &Registration) -> Result<Box<dyn TokenHolder>, String> {
        let http = crate::probe::http_client(false).map_err(|error| error.to_string())?;
        Ok(Box::new(NaiveHolder::new(registration, self.defect, http)))
    }
}

impl Subject for Client {
    fn call<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<CallResult, DriveError>> {
        Box::pin(async move {
            let observed = match self.attempts(operation, arguments).await {
                Ok(observed) => observed,
                Err(kind) => failed(CallFailure { kind: kind.to_owned(), ..CallFailure::default() }),
            };
            Ok(observed.into())
        })
    }

    fn begin(&self) -> BoxFuture<'_, Result<(), DriveError>> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = self.credential_store.current();
        Box::pin(std::future::ready(Ok(())))
    }

    fn chooses_streams(&self) -> bool {
        true
    }

    fn waited(&self) -> Option<Duration> {
        Some(*self.waited.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Client {
    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn token(&self) -> Secret {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn url(&self, operation: &Operation, arguments: &Map<String, Value>) -> Result<Url, &'static str> {
        let in_path = operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path);
        let mut given =
            in_path.filter_map(|parameter| Some(parameter::text(parameter, arguments.get(&parameter.name)?)));
        let is_refused = |value: String| value.is_empty() || value == "." || value == ".." || value.contains('\\');
        if given.any(is_refused) && !self.has(Defect::JoinsPathsAsText) {
            return Err("invalid-request");
        }
        let mut url = self.base_url.clone();
        let mut joined = url.path().trim_end_matches('/').to_owned();
        for segment in operation.path.split('/').filter(|segment| !segment.is_empty()) {
            let value = segment::filled(segment, |name| parameter::in_path(operation, arguments, name));
            joined.push('/');
            joined.extend(percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).map(
                |part| {
                    // Unreserved characters are not encoded.
                    match part {
                        "%2D" => "-",
                        "%2E" => ".",
                        "%5F" => "_",
                        "%7E" => "~",
                        other => other,
                    }
                },
            ));
        }
        if operation.path.ends_with('/') {
            joined.push('/');
        }
        url.set_path(&joined);
        if !operation.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&operation.query);
        }
        for parameter in operation.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Query)
        {
            if let Some(value) = arguments.get(&parameter.name) {
                url.query_pairs_mut().extend_pairs(parameter::pairs(parameter, value));
            }
        }
        Ok(url)
    }

    async fn send(
        &self,
        operation: &Operation,
        url: Url,
        arguments: &Map<String, Value>,
        key: Option<&str>,
    ) -> Result<Reply, &'static str> {
        let method = Method::from_bytes(operation.method.as_bytes()).map_err(|_| "invalid-request")?;
        let mut request = self.http.request(method, url).header(ACCEPT, requested_media_type(operation, arguments));
        let sent = !self.contract.sent_by_clients(operation).is_empty() || self.has(Defect::SendsAllItHolds);
        let parts = self.credential_store.credentials_with(&self.token());
        let count = if self.has(Defect::SendsOneOfSeveral) { 1 } else { parts.len() };
        for part in parts.iter().take(count).filter(|_| sent) {
            let Some(credential) = self.contract.credential(&part.kind) else { continue };
            let value = carrier::credential_value(credential.carrier(), part.secret.reveal());
            request = match RequestPlace::of(credential.carrier()) {
                RequestPlace::Header(name) => request.header(name, value),
                RequestPlace::Cookie(name) => request.header(COOKIE, format!("{name}={value}")),
                RequestPlace::Query(name) => request.query(&[(name, value)]),
                RequestPlace::Connection => request,
            };
        }
        if let (Some(header), Some(key)) = (&operation.idempotency_key, key) {
            request = request.header(header, key);
        }
        if self.has(Defect::SendsApiVersion) {
            request = request.header("api-version", "1.0.0");
        }
        if let (Some(value), Some(body)) = (arguments.get("body"), &operation.body) {
            let filled = match self.defect {
                Some(Defect::SendsDefaults) => Some(with_defaults(&self.api, &body.schema, value)),
                Some(Defect::SendsReadOnly) => Some(directions::with_read_only(&self.api, &body.schema, value)),
                _ => None,
            };
            let value = filled.as_ref().unwrap_or(value);
            let bytes = encoded(&self.api, body, value);
            request = request.header(CONTENT_TYPE, media_type_of(&self.api, body, &bytes)).body(bytes);
        }
        let response = request.send().await.map_err(|_| "transport")?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(|_| "transport")?.to_vec();
        Ok(Reply { status, headers, body })
    }

    fn read(&self, operation: &Operation, reply: Reply) -> CallOutcome {
        let is_documented = operation.success_statuses().contains(&reply.status);
        let is_success = (200..300).contains(&reply.status);
        if !is_success || (!is_documented && self.has(Defect::RefusesUndocumentedSuccess)) {
            return failed(self.failure(reply));
        }
        let received_framing = reply.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(framing);
        let streaming =
            operation.streaming.as_ref().filter(|streaming| received_framing == Some(streaming.body.framing));
        let value =
            streaming.map_or_else(|| value_of(&reply.body), |known| item_stream::client_value(known, &reply.body));
        let is_partial = operation.partial.iter().any(|described| reports_partial_failure(described, &value));
        if is_partial && !self.has(Defect::HidesPartialFailure) {
            return failed(CallFailure { kind: "partial-failure".to_owned(), ..self.failure(reply) });
        }
        if streaming.is_none()
            && self.has(Defect::DecodesStrictly)
            && !self.matches_document_exactly(operation, reply.status, &value)
        {
            return failed(CallFailure { kind: "decode".to_owned(), ..self.failure(reply) });
        }
        let shape = operation.responses.get(&reply.status.to_string());
        let schema = shape.and_then(|shape| shape.schema.as_ref());
        if let (Some(Defect::DemandsWriteOnly), Some(schema)) = (self.defect, schema)
            && directions::lacks_write_only(&self.api, schema, &value)
        {
            return failed(CallFailure { kind: "decode".to_owned(), ..self.failure(reply) });
        }
        let value = match (self.defect, schema) {
            (Some(Defect::ReadsFirstAlternative), Some(schema)) => {
                directions::as_first_alternative(&self.api, schema, &value)
            }
            _ => value,
        };
        let value = match self.defect {
            Some(Defect::LosesValue) => Value::Null,
            Some(Defect::LosesFalsyValues) => without_falsy(value),
            Some(Defect::LosesEventIds) if streaming.is_some_and(|known| known.body.framing == Framing::Events) => {
                without_ids(value)
            }
            _ => value,
        };
        CallOutcome::Success { status: Some(reply.status), value }
    }

    fn failure(&self, reply: Reply) -> CallFailure {
        let kind = kind_of(reply.status).to_owned();
        let status = Some(reply.status);
        if self.has(Defect::FlattensErrors) {
            return CallFailure { kind, status, ..CallFailure::default() };
        }
        let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
        if body.is_none() && !reply.body.is_empty() && self.has(Defect::ChokesOnHostileBodies) {
            return CallFailure { kind: "decode".to_owned(), ..CallFailure::default() };
        }
        let text = |pointers: &[&str]| {
            let found = pointers.iter().find_map(|pointer| body.as_ref()?.pointer(pointer)?.as_str());
            found.map(str::to_owned)
        };
        let code = text(&["/error/code", "/code"]);
        let message = text(&MESSAGES);
        let (rate_limit, retry_after) = self.rate_limit_and_wait(&reply, body.as_ref());
        let mut texts = vec![kind.clone()];
        if self.has(Defect::PrintsBodies) {
            texts.push(String::from_utf8_lossy(&reply.body).into_owned());
        }
        CallFailure {
            kind,
            status,
            code,
            message,
            retry_after,
            rate_limit,
            texts,
            headers: reply.headers,
            body: reply.body,
        }
    }

    fn rate_limit_and_wait(&self, reply: &Reply, body: Option<&Value>) -> (Option<(u64, u64, u64)>, Option<Duration>) {
        let Some(rules) = self.contract.rate_limit.as_ref().filter(|_| !self.has(Defect::IgnoresRateHeaders)) else {
            return (None, None);
        };
        let number = |name: &str| reply.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let now = clock::epoch_seconds();
        let headers = rules.limit_values(&reply.headers).ok();
        let reset = || Some(rules.reset.instant(now, headers?.reset?));
        let limits = || Some((headers?.limit?, headers?.remaining, reset()?));
        let in_body = rules.retry_after_body.as_ref().and_then(|pointer| body?.pointer(pointer)?.as_u64());
        let until = reset().map(|reset| reset.saturating_sub(now));
        let header = number("retry-after").filter(|_| rules.retry_after);
        (limits(), in_body.or(header).or(until).map(Duration::from_secs))
    }

    fn matches_document_exactly(&self, operation: &Operation, status: u16, value: &Value) -> bool {
        let Some(schema) = operation.responses.get(&status.to_string()).and_then(|shape| shape.schema.as_ref()) else {
            return true;
        };
        let knows_all = self.api.resolve(schema)["properties"].as_object().is_none_or(|known| {
            value.as_object().is_none_or(|members| members.keys().all(|name| known.contains_key(name)))
        });
        knows_all && schema::mismatch(&self.api, Direction::Answer, schema, value).is_none()
    }
}

/// Returns the kind of a refusal, by its status.
pub(super) fn kind_of(status: u16) -> &'static str {
    match status {
        304 => "not-modified",
        400 => "bad-request",
        401 => "unauthorized",
        402 => "payment-required",
        403 => "forbidden",
        404 => "not-found",
        409 => "conflict",
        412 => "precondition-failed",
        413 => "payload-too-large",
        422 => "unprocessable",
        429 => "rate-limited",
        _ => match status / 100 {
            3 => "redirect",
            4 => "client",
            5 => "server",
            _ => "unexpected",
        },
    }
}

fn reports_partial_failure(described: &Partial, body: &Value) -> bool {
    let at = |place: &Option<String>| place.as_ref().and_then(|place| body.pointer(place));
    let list = |place| at(place).and_then(Value::as_array).into_iter().flatten();
    let number = |place| at(place).and_then(Value::as_u64);
    let is_less = || number(&described.received).zip(number(&described.accepted)).is_some_and(|(all, good)| good < all);
    number(&described.rejected).map_or_else(is_less, |rejected| rejected > 0)
        || list(&described.rejected_items).next().is_some()
        || list(&described.outcomes).any(|outcome| !described.accepts(outcome))
}

fn failed(failure: CallFailure) -> CallOutcome {
    CallOutcome::Failure(Box::new(failure))
}

/// Returns an answer's value: its text if it is not JSON.
fn value_of(body: &[u8]) -> Value {
    let as_text = |_| if body.is_empty() { Value::Null } else { String::from_utf8_lossy(body).into() };
    serde_json::from_slice(body).unwrap_or_else(as_text)
}

/// Returns a body with the defaults of missing members.
fn with_defaults(api: &Api, schema: &Value, value: &Value) -> Value {
    let schema = api.resolve(schema);
    match value {
        Value::Object(given) => {
            let mut filled = given.clone();
            for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                let member = api.resolve(member);
                match (given.get(name), member.get("default")) {
                    (Some(value), _) => drop(filled.insert(name.clone(), with_defaults(api, member, value))),
                    (None, Some(default)) => drop(filled.insert(name.clone(), default.clone())),
                    (None, None) => {}
                }
            }
            Value::Object(filled)
        }
        Value::Array(items) => items.iter().map(|item| with_defaults(api, &schema["items"], item)).collect(),
        _ => value.clone(),
    }
}

/// Returns the media type to request. The argument `Accept` selects it if there is more than one.
fn requested_media_type<'a>(operation: &'a Operation, arguments: &'a Map<String, Value>) -> &'a str {
    arguments.get("Accept").and_then(Value::as_str).unwrap_or_else(|| asked_for(operation))
}

fn without_ids(mut events: Value) -> Value {
    for event in events.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        event.remove("id");
    }
    events
}

fn without_falsy(value: Value) -> Value {
    let is_falsy = |value: &Value| *value == false || *value == "" || value.as_f64() == Some(0.0);
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !is_falsy(member));
            Value::Object(kept.map(|(name, member)| (name, without_falsy(member))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_falsy).collect(),
        other => other,
    }
}
