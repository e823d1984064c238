//! The client-side checks: the scripted answer of the server, and the expected behavior of the client.

mod alternatives;
mod repetition;
mod token;

use std::time::Duration;

use keyfit_openapi::schema::{Direction, Mismatch};
use keyfit_openapi::{Operation, Partial, ResponseShape, StreamedResponse, example};
use serde_json::{Map, Value, json};

use super::future_answer::as_future_version;
use super::naive::kind_of;
use super::recording_client::RecordingClient;
use super::request;
use super::scripted_server::{ReceivedRequest, ScriptedAnswer, ScriptedServer};
use super::subject::{CallFailure, CallOutcome};
use super::token_generator::TokenGenerator;
use crate::catalogue::{Case, Catalogue};
use crate::clock;
use crate::contract::{Drive, RateLimit};
use crate::credential::secret::MASK;
use crate::document::body::plain;
use crate::document::item_stream;
use crate::mock::outcome::{Item, OutcomeDefects, OutcomeWriter};

/// The message of the server in a refusal.
const MESSAGE: &str = "keyfit says no";
/// The places of messages for humans in refusals; a text with another name may be a code.
pub(super) const MESSAGES: [&str; 5] = ["/message", "/error/message", "/detail", "/title", "/error_description"];
/// The wait that a 429 asks for, in seconds.
const WAIT: u64 = 30;
/// The tolerance for jitter in a wait, and for the difference between clocks.
const TOLERANCE: Duration = Duration::from_secs(4);

/// Returns whether a wait is the requested one, for a call that began at `started`. If the end is an absolute time, the wait decreases
/// during the call, which may be slow on a busy machine.
fn is_requested_wait(wait: Duration, started: u64) -> bool {
    let passed = Duration::from_secs(clock::epoch_seconds().saturating_sub(started));
    let asked = Duration::from_secs(WAIT);
    (asked.saturating_sub(TOLERANCE + passed)..=asked + TOLERANCE).contains(&wait)
}

/// A running case.
pub(super) struct CallCase<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) case: &'a Case,
    pub(super) client: &'a RecordingClient<'a>,
    pub(super) scripted_server: &'a ScriptedServer,
    pub(super) other_origin: &'a ScriptedServer,
    pub(super) token_generator: &'a TokenGenerator,
    pub(super) worker: usize,
}

impl CallCase<'_> {
    /// Runs the case. Returns an error if the client violates the rule.
    pub(super) async fn run(&self, drive: Drive) -> Result<(), String> {
        match drive {
            Drive::RequestAsSent => self.request_as_sent().await,
            Drive::Success => self.success().await,
            Drive::ErrorSurvives => self.error_survives().await,
            Drive::HostileBody => self.hostile_body().await,
            Drive::RateLimited => self.rate_limited().await,
            Drive::UndocumentedSuccess => self.undocumented_success().await,
            Drive::TolerantAnswer => self.tolerant_answer().await,
            Drive::DotSegment => self.dot_segment().await,
            Drive::Redirect => self.redirect().await,
            Drive::SingleRequest => self.single_request().await,
            Drive::SecretHidden => self.secret_hidden().await,
            Drive::PartialFailure => self.partial_failure().await,
            Drive::RotatedToken => self.rotated_token().await,
            Drive::RefusedForGood => self.refused_for_good().await,
            Drive::RepeatedCall => self.repeated_call().await,
            Drive::StandingRefusal => self.standing_refusal().await,
            Drive::LimitWaited => self.limit_waited().await,
            Drive::LimitWithoutEnd => self.limit_without_end().await,
            Drive::ResetInThePast => self.reset_in_the_past().await,
            Drive::Authorization(_) => Err("no operation is called".to_owned()),
        }
    }

    async fn request_as_sent(&self) -> Result<(), String> {
        let arguments = self.arguments();
        self.call(&arguments, self.documented_success()).await;
        let sent = self.client.without_left_out(&arguments);
        let held = self.token_generator.credential_store.credentials();
        request::check(self.catalogue, self.operation(), &sent, &self.only_request()?, &held)?;
        // A batch without items is not a valid batch.
        let is_batch = self.catalogue.contract.batch_of(self.operation()).is_some();
        let least = example::minimal_arguments(&self.catalogue.api, self.operation())
            .filter(|least| *least != arguments && !is_batch);
        let Some(least) = least else { return Ok(()) };
        self.call(&least, self.documented_success()).await;
        let request = self.scripted_server.received(self.worker).pop().ok_or("no request was sent")?;
        let sent = self.client.without_left_out(&least);
        request::check(self.catalogue, self.operation(), &sent, &request, &held)
            .map_err(|why| format!("where only what is required is given: {why}"))
    }

    async fn success(&self) -> Result<(), String> {
        self.check_success(self.documented_success()).await?;
        for (at, answer) in self.other_successes() {
            let whole = self.check_success(answer).await;
            whole.map_err(|why| format!("with another alternative at `{at}`: {why}"))?;
        }
        let beside = self.operation().streaming.as_ref().filter(|streaming| !streaming.is_only);
        let Some(streaming) = beside.filter(|_| self.client.chooses_streams()) else { return Ok(()) };
        let answer = self.items(self.documented_success().status, streaming);
        let body = answer.body.clone();
        let mut arguments = self.arguments();
        arguments.insert("Accept".to_owned(), streaming.body.media_type.as_str().into());
        match self.call(&arguments, answer).await {
            CallOutcome::Success { value, .. } => {
                let lost = missing_value(&value, &item_stream::client_value(streaming, &body), "");
                lost.map_or(Ok(()), |why| Err(format!("item by item: {why}")))
            }
            CallOutcome::Failure(failure) => Err(format!("item by item: {}", failure_text(&failure))),
        }
    }

    async fn check_success(&self, answer: ScriptedAnswer) -> Result<(), String> {
        let body = answer.body.clone();
        let status = answer.status;
        match self.call(&self.arguments(), answer).await {
            CallOutcome::Success { status: Some(reported), .. } if reported != status => {
                Err(format!("the status arrived as {reported}, not {status}"))
            }
            // A text, or a body that may be a text, is returned unchanged.
            CallOutcome::Success { value: Value::String(text), .. } if text.as_bytes() == body => Ok(()),
            CallOutcome::Success { value, .. }
                if self.operation().streaming.as_ref().is_some_and(|known| known.is_only) =>
            {
                let streaming = self.operation().streaming.as_ref();
                let expected = streaming.map(|streaming| item_stream::client_value(streaming, &body));
                missing_value(&value, &expected.unwrap_or_default(), "").map_or(Ok(()), Err)
            }
            CallOutcome::Success { value, .. } => {
                let as_text = |_| if body.is_empty() { Value::Null } else { String::from_utf8_lossy(&body).into() };
                let expected: Value = serde_json::from_slice(&body).unwrap_or_else(as_text);
                missing_value(&value, &expected, "").map_or(Ok(()), Err)
            }
            CallOutcome::Failure(failure) => Err(failure_text(&failure)),
        }
    }

    async fn error_survives(&self) -> Result<(), String> {
        let status = match self.case.variant.as_deref() {
            Some("4xx") => 418,
            Some("5xx") => 503,
            Some(status) => status.parse().map_err(|_| format!("`{status}` is no status"))?,
            None => return Err("the case names no status".to_owned()),
        };
        let answer = self.refusal(status);
        let expected = answer.clone();
        let failure = self.expect_failure(&self.arguments(), answer).await?;
        check_status(&failure, status)?;
        check_body(&failure, &expected)?;
        for (name, value) in &expected.headers {
            let reported = failure.headers.get(name).and_then(|reported| reported.to_str().ok());
            if reported != Some(value) {
                return Err(format!("the header `{name}` is lost"));
            }
        }
        let body: Value = serde_json::from_slice(&expected.body).unwrap_or_default();
        if let Some(code) = body.pointer("/error/code").and_then(Value::as_str)
            && failure.code.as_deref() != Some(code)
        {
            return Err(format!("the code is {:?}, not {code}", failure.code));
        }
        let reported = failure.message.as_deref();
        let is_said = MESSAGES.iter().any(|at| body.pointer(at).is_some_and(|said| said == MESSAGE));
        if is_said && reported != Some(MESSAGE) {
            return Err(format!("the message is {reported:?}, not {MESSAGE:?}"));
        }
        if failure.kind == kind_of(status) {
            Ok(())
        } else {
            Err(format!("a {status} is of the kind `{}`", failure.kind))
        }
    }

    async fn hostile_body(&self) -> Result<(), String> {
        let answer = match self.case.variant.as_deref() {
            Some("html") => ScriptedAnswer::text(502, "text/html", "<html><body>Bad Gateway</body></html>"),
            Some("cut-off") => ScriptedAnswer::text(502, "application/json", "{\"message\": \"cut o"),
            _ => ScriptedAnswer::empty(502),
        }
        .with_header("x-request-id", "keyfit-7");
        let expected = answer.clone();
        let failure = self.expect_failure(&self.arguments(), answer).await?;
        check_status(&failure, 502)?;
        check_body(&failure, &expected)?;
        let is_kept = failure.headers.get("x-request-id").is_some_and(|id| id == "keyfit-7");
        if is_kept { Ok(()) } else { Err("the headers are lost".to_owned()) }
    }

    async fn rate_limited(&self) -> Result<(), String> {
        let Some(rules) = &self.catalogue.contract.rate_limit else {
            return Err("the contract has no rate limits".to_owned());
        };
        let started = clock::epoch_seconds();
        let failure = self.expect_failure(&self.arguments(), self.refusal(429)).await?;
        let ended = clock::epoch_seconds();
        match failure.rate_limit {
            _ if !rules.names_its_headers() => {}
            // The answer was generated during the call.
            Some((limit, 0, reported))
                if limit == rules.limit && (started + WAIT..=ended + WAIT + 1).contains(&reported) => {}
            other => return Err(format!("the limits arrived as {other:?}")),
        }
        match failure.retry_after {
            Some(wait) if is_requested_wait(wait, started) => Ok(()),
            other => Err(format!("the wait is {:?} s, not {WAIT} s", other.map(|wait| wait.as_secs()))),
        }
    }

    async fn undocumented_success(&self) -> Result<(), String> {
        let documented = self.operation().success_statuses();
        let status = [203, 201, 200].into_iter().find(|status| !documented.contains(status)).unwrap_or(203);
        let answer = ScriptedAnswer { status, ..self.documented_success() };
        match self.call(&self.arguments(), answer).await {
            CallOutcome::Success { status: Some(reported), .. } if reported != status => {
                Err(format!("the status arrived as {reported}, not {status}"))
            }
            CallOutcome::Success { .. } => Ok(()),
            CallOutcome::Failure(failure) => Err(failure_text(&failure)),
        }
    }

    async fn tolerant_answer(&self) -> Result<(), String> {
        let operation = self.operation();
        let schema = |status: &u16| self.shape(*status).filter(|shape| shape.is_json())?.schema.as_ref();
        let success = operation.success_statuses().into_iter().find_map(|status| Some((status, schema(&status)?)));
        let Some((status, schema)) = success else { return Err("no success has a body".to_owned()) };
        let value = example::value(&self.catalogue.api, Direction::Answer, schema);
        let answer = ScriptedAnswer::json(status, &as_future_version(&self.catalogue.api, schema, &value));
        match self.call(&self.arguments(), answer).await {
            CallOutcome::Success { .. } => Ok(()),
            // An unknown status of an item is not a success, so the item counts as failed.
            CallOutcome::Failure(failure) if failure.kind == "partial-failure" => Ok(()),
            CallOutcome::Failure(failure) => Err(failure_text(&failure)),
        }
    }

    async fn dot_segment(&self) -> Result<(), String> {
        let Some(parameter) = &self.case.variant else { return Err("the case names no parameter".to_owned()) };
        let mut arguments = self.arguments();
        arguments.insert(parameter.clone(), json!(".."));
        let observed = self.call(&arguments, self.documented_success()).await;
        let sent = self.scripted_server.received(self.worker).len();
        match observed {
            _ if sent > 0 => Err("the request was sent".to_owned()),
            CallOutcome::Success { .. } => Err("the call is a success".to_owned()),
            CallOutcome::Failure(_) => Ok(()),
        }
    }

    async fn redirect(&self) -> Result<(), String> {
        self.other_origin.set(self.worker, self.documented_success());
        let target = self.other_origin.base_url(self.worker, "/elsewhere");
        let answer = ScriptedAnswer::empty(307).with_header("location", &target);
        self.call(&self.arguments(), answer).await;
        self.only_request()?;
        let followed = self.other_origin.received(self.worker);
        let held = self.token_generator.credential_store.credentials();
        let leaks = followed.iter().any(|request| held.iter().any(|part| request.carries(&part.secret)));
        if leaks { Err("the other origin got the token".to_owned()) } else { Ok(()) }
    }

    async fn partial_failure(&self) -> Result<(), String> {
        let arguments = self.arguments();
        let named = |described: &&Partial| self.case.variant.as_ref() == Some(&described.name());
        let described = self.operation().partial.iter().find(named);
        let Some((outcomes, item)) = described.and_then(|described| self.outcomes(described, &arguments)) else {
            return Err("the operation takes no items".to_owned());
        };
        let mismatch = Mismatch { at: format!("/{}", outcomes.batch.spoil), problem: "is missing".to_owned() };
        let item = item.into_iter().next().unwrap_or_default();
        let items: [Item; 2] = [(item.clone(), None), (item, Some(mismatch))];
        let status = self.documented_success().status;
        let answer = ScriptedAnswer::json(status, &outcomes.body(&items, OutcomeDefects::default()));
        let expected = answer.clone();
        let failure = self.expect_failure(&arguments, answer).await?;
        check_status(&failure, status)?;
        check_body(&failure, &expected)?;
        if failure.kind == "partial-failure" {
            return Ok(());
        }
        Err(format!("the failure is of the kind `{}`", failure.kind))
    }

    async fn call(&self, arguments: &Map<String, Value>, answer: ScriptedAnswer) -> CallOutcome {
        self.scripted_server.set(self.worker, answer);
        self.client.call(self.operation(), arguments).await
    }

    /// Makes a call that has to fail, and returns the failure.
    async fn expect_failure(
        &self,
        arguments: &Map<String, Value>,
        answer: ScriptedAnswer,
    ) -> Result<CallFailure, String> {
        match self.call(arguments, answer).await {
            CallOutcome::Success { status: Some(status), .. } => Err(format!("the call is a success with {status}")),
            CallOutcome::Success { status: None, .. } => Err("the call is a success".to_owned()),
            CallOutcome::Failure(failure) => Ok(*failure),
        }
    }

    fn only_request(&self) -> Result<ReceivedRequest, String> {
        let mut received = self.scripted_server.received(self.worker);
        match (received.len(), received.pop()) {
            (1, Some(request)) => Ok(request),
            (count, _) => Err(format!("{count} requests were sent, not one")),
        }
    }

    /// Returns the first documented success; for a batch, one without failed items.
    fn documented_success(&self) -> ScriptedAnswer {
        let operation = self.operation();
        let status = operation.success_statuses().first().copied().unwrap_or(200);
        let arguments = self.catalogue.arguments(self.case);
        let described = operation.partial.first();
        if let Some((outcomes, sent)) = described.and_then(|described| self.outcomes(described, arguments)) {
            let items: Vec<Item> = sent.into_iter().map(|item| (item, None)).collect();
            return ScriptedAnswer::json(status, &outcomes.body(&items, OutcomeDefects::default()));
        }
        if let Some(streaming) = operation.streaming.as_ref().filter(|streaming| streaming.is_only) {
            return self.items(status, streaming);
        }
        let Some((shape, schema)) = self.shape(status).and_then(|shape| Some((shape, shape.schema.as_ref()?))) else {
            return ScriptedAnswer::empty(status);
        };
        let value = example::value(&self.catalogue.api, Direction::Answer, schema);
        match &shape.media_type {
            Some(media_type) if !shape.is_json() => {
                ScriptedAnswer::text(status, &concrete_media_type(media_type), plain(&value))
            }
            _ => ScriptedAnswer::json(status, &value),
        }
    }

    /// Returns the success with each other alternative of its unions, with the pointer to it. Returns an empty list if an alternative may
    /// report failed items.
    fn other_successes(&self) -> Vec<(String, ScriptedAnswer)> {
        if !self.operation().partial.is_empty() {
            return Vec::new();
        }
        let answer = self.documented_success();
        let shape = self.shape(answer.status).filter(|shape| shape.is_json());
        let value = serde_json::from_slice::<Value>(&answer.body).ok();
        let Some((schema, value)) = shape.and_then(|shape| shape.schema.as_ref()).zip(value) else { return Vec::new() };
        let others = alternatives::answers(&self.catalogue.api, schema, &value);
        others.into_iter().map(|(at, value)| (at, ScriptedAnswer::json(answer.status, &value))).collect()
    }

    /// Returns an answer that is streamed item by item.
    fn items(&self, status: u16, streaming: &StreamedResponse) -> ScriptedAnswer {
        let body = item_stream::body(&self.catalogue.api, streaming);
        ScriptedAnswer::text(status, &streaming.body.media_type, String::from_utf8_lossy(&body).into_owned())
    }

    /// Returns the writer of batch outcomes and the items of the body; `None` if the operation takes no batch.
    fn outcomes<'a>(
        &'a self,
        described: &'a Partial,
        arguments: &Map<String, Value>,
    ) -> Option<(OutcomeWriter<'a>, Vec<Value>)> {
        let (operation, catalogue) = (self.operation(), self.catalogue);
        let batch = catalogue.contract.batch_of(operation)?;
        let items = arguments.get("body").and_then(|body| body.pointer(&batch.items_at)?.as_array().cloned());
        Some((OutcomeWriter { api: &catalogue.api, operation, described, batch }, items.unwrap_or_default()))
    }

    fn shape(&self, status: u16) -> Option<&ResponseShape> {
        let responses = &self.operation().responses;
        responses.get(&status.to_string()).or_else(|| responses.get("2XX"))
    }

    /// Returns whether answers never have a body.
    fn has_no_body(&self) -> bool {
        self.operation().method == "HEAD"
    }

    /// Returns a refusal in the form of the contract.
    fn refusal_without_limits(&self, status: u16) -> ScriptedAnswer {
        let shape = self.catalogue.contract.error_shape(&self.operation().errors, status);
        let answer = shape.filter(|_| !self.has_no_body()).and_then(|shape| {
            let body = shape.body(status, MESSAGE, WAIT)?;
            Some(ScriptedAnswer::text(status, &shape.media_type, body.to_string()))
        });
        answer.unwrap_or_else(|| ScriptedAnswer::empty(status))
    }

    /// Returns the refusal with the rate limit headers of an exhausted window.
    fn refusal(&self, status: u16) -> ScriptedAnswer {
        let answer = self.refusal_without_limits(status);
        match &self.catalogue.contract.rate_limit {
            // With an exhausted window, a 403 would be a rate limit refusal like 429.
            Some(_) if status == 403 => answer,
            Some(rules) => with_rate_limit(answer, rules),
            None => answer,
        }
    }

    fn arguments(&self) -> Map<String, Value> {
        self.catalogue.arguments(self.case).clone()
    }

    fn operation(&self) -> &Operation {
        self.catalogue.operation(self.case)
    }
}

fn with_rate_limit(answer: ScriptedAnswer, rules: &RateLimit) -> ScriptedAnswer {
    if !rules.names_its_headers() {
        return if rules.retry_after { answer.with_header("retry-after", &WAIT) } else { answer };
    }
    let headers = rules.headers(rules.limit, 0, rules.reset.value(clock::epoch_seconds(), WAIT));
    headers.into_iter().fold(answer, |answer, (name, value)| answer.with_header(name, &value))
}

/// Returns a concrete media type for a documented range.
fn concrete_media_type(media_type: &str) -> String {
    if media_type.contains('*') { "application/octet-stream".to_owned() } else { media_type.to_owned() }
}

fn check_status(failure: &CallFailure, status: u16) -> Result<(), String> {
    if failure.status == Some(status) {
        Ok(())
    } else {
        Err(format!("the status is {:?}, not {status}; {}", failure.status, failure_text(failure)))
    }
}

fn check_body(failure: &CallFailure, answer: &ScriptedAnswer) -> Result<(), String> {
    if failure.body == answer.body { Ok(()) } else { Err("the body is lost".to_owned()) }
}

/// Returns an error if a call failed.
fn check_succeeded(observed: &CallOutcome) -> Result<(), String> {
    match observed {
        CallOutcome::Success { .. } => Ok(()),
        CallOutcome::Failure(failure) => Err(failure_text(failure)),
    }
}

fn failure_text(failure: &CallFailure) -> String {
    let text = failure.texts.first().map_or("", String::as_str);
    format!("the call failed as `{}`: {text}", failure.kind)
}

/// Returns the first value that is missing in `value`. Members that are null or empty lists may be omitted, and secrets may be withheld.
fn missing_value(value: &Value, expected: &Value, at: &str) -> Option<String> {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => expected.iter().find_map(|(name, expected)| {
            let at = format!("{at}/{name}");
            match value.get(name) {
                Some(value) => missing_value(value, expected, &at),
                None => (!expected.is_null() && *expected != json!([])).then(|| format!("`{at}` is lost")),
            }
        }),
        (Value::Array(value), Value::Array(expected)) if value.len() == expected.len() => {
            let items = value.iter().zip(expected).enumerate();
            items
                .into_iter()
                .find_map(|(index, (value, expected))| missing_value(value, expected, &format!("{at}/{index}")))
        }
        (Value::Number(value), Value::Number(expected)) if value.as_f64() == expected.as_f64() => None,
        (Value::String(value), Value::String(_)) if value == MASK => None,
        _ => (value != expected).then(|| format!("`{at}` arrived as {value}, not {expected}")),
    }
}
