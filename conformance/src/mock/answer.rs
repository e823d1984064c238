//! The parts that all answers have, and refusals in the form of the contract and the document.

use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation, example};
use serde_json::{Value, json};

use super::call::{Answer, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::window::Window;
use crate::clock;
use crate::contract::ErrorShape;
use crate::document::body::{is_json, plain};
use crate::document::responses::{DocumentedResponse, covers};
use crate::text::pointer::{join, put};

/// A text in the form of a bcrypt hash, which belongs to no password.
const PASSWORD_HASH: &str = "$2b$12$fixturefixturefixturefixturefixturefixturefixturefixt"; // not-a-secret

impl Core {
    /// Returns a refusal in the form of the contract's error profile.
    pub(super) fn refuse(&self, refusal: Refusal, operation: &Operation, window: Option<Window>) -> Answer {
        let wait = window.map_or(0, |window| window.reset.saturating_sub(clock::epoch_seconds()));
        let shape = self.contract.error_shape(&operation.errors, refusal.status);
        let mut answer = self.refusal_body(&refusal, shape, operation, wait);
        answer.headers.extend(refusal.headers);
        self.documented_headers(&mut answer, operation);
        if refusal.status == 429 && self.contract.rate_limit.as_ref().is_some_and(|rules| rules.retry_after) {
            let wait = if self.has(Mutant::ContradictsReset) { wait + 100 } else { wait };
            answer.header("retry-after", wait.to_string());
        }
        if refusal.status == 429 && self.has(Mutant::GarblesRetryAfter) {
            answer.headers.retain(|(name, _)| name != "retry-after");
            answer.header("retry-after", "soon");
        }
        if !self.has(Mutant::OmitsRateHeadersOnRefusal) {
            self.rate_headers(&mut answer, window);
        }
        answer
    }

    /// Adds the three rate limit headers.
    pub(super) fn rate_headers(&self, answer: &mut Answer, window: Option<Window>) {
        self.add_defective_limits(answer);
        let (Some(rules), Some(window)) = (&self.contract.rate_limit, window) else { return };
        if self.has(Mutant::OmitsRateHeaders) {
            return;
        }
        let remaining = window.remaining() + u64::from(window.is_exceeded() && self.has(Mutant::PromisesMore));
        let reset = window.reset_in(rules.reset);
        let reset = if self.has(Mutant::ResetsInMilliseconds) { reset * 1000 } else { reset };
        for (name, value) in rules.headers(window.limit, remaining, reset) {
            answer.header(name, value);
        }
    }

    /// Adds the rate limit headers of a defect if the contract does not describe a limit.
    fn add_defective_limits(&self, answer: &mut Answer) {
        let remaining = if self.has(Mutant::TellsImpossibleLimits) {
            self.state().undocumented_remaining()
        } else if self.has(Mutant::TellsStandingLimits) {
            9
        } else {
            return;
        };
        if !self.contract.describes_limits() {
            let said = [("x-ratelimit-limit", 10), ("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", 3600)];
            for (name, number) in said {
                answer.header(name, number.to_string());
            }
        }
    }

    /// Adds the headers of a success, and applies defects to it.
    pub(super) fn add_success_headers(&self, answer: &mut Answer, operation: &Operation) {
        self.documented_headers(answer, operation);
        if (300..400).contains(&answer.status) && answer.status != 304 {
            answer.header("location", &self.api.base_url);
        }
        if answer.headers.iter().any(|(name, value)| name == CONTENT_TYPE && value == "application/json") {
            let documented = DocumentedResponse::find(&self.api, operation, answer.status);
            let name = documented.and_then(|documented| json_of(&documented, "application/json").0);
            answer.headers.retain(|(name, _)| name != CONTENT_TYPE);
            let is_mislabelled = self.has(Mutant::MislabelsSuccesses);
            let name = if is_mislabelled { "text/html" } else { name.unwrap_or("application/json") };
            answer.header("content-type", name);
        }
        if self.has(Mutant::OmitsContentType) {
            answer.headers.retain(|(name, _)| name != CONTENT_TYPE);
        }
        if self.has(Mutant::LetsSuccessesBeCached) {
            answer.header("cache-control", "public, max-age=60");
        }
        if self.has(Mutant::ShowsPasswordHash) {
            answer.header("x-user", PASSWORD_HASH);
        }
    }

    /// Adds the headers that the document requires for a status, if they are missing.
    fn documented_headers(&self, answer: &mut Answer, operation: &Operation) {
        if self.has(Mutant::OmitsDocumentedHeaders) {
            return;
        }
        let Some(documented) = DocumentedResponse::find(&self.api, operation, answer.status) else { return };
        for (name, header) in documented.headers().filter(|(_, header)| header["required"] == true) {
            if !answer.headers.iter().any(|(known, _)| known.as_str().eq_ignore_ascii_case(name)) {
                let value = example::value(&self.api, Direction::Answer, &header["schema"]);
                answer.header(name, plain(&value));
            }
        }
    }

    /// With the defect, replaces the first text with a documented format by an invalid one.
    pub(super) fn misformatted(&self, operation: &Operation, status: u16, body: Bytes) -> Bytes {
        let schema = DocumentedResponse::find(&self.api, operation, status)
            .filter(|_| self.has(Mutant::MisformatsTexts))
            .and_then(|documented| json_of(&documented, "application/json").1);
        let (Some(schema), Ok(value)) = (schema, serde_json::from_slice::<Value>(&body)) else { return body };
        let with_text = |(at, leaf): (String, &Value)| {
            let mut changed = value.clone();
            *changed.pointer_mut(&at).filter(|_| leaf.is_string())? = json!("of no format");
            let is_of_none = schema::misformat(&self.api, Direction::Answer, schema, &changed).is_some();
            is_of_none.then(|| Bytes::from(changed.to_string()))
        };
        leaves(&value).into_iter().find_map(with_text).unwrap_or(body)
    }

    fn refusal_body(&self, refusal: &Refusal, shape: Option<&ErrorShape>, operation: &Operation, wait: u64) -> Answer {
        if self.has(Mutant::RefusesInHtml) && refusal.outcome.is_none() {
            let mut answer = Answer::json(refusal.status, "<html><body>Refused</body></html>");
            answer.headers.clear();
            answer.header("content-type", "text/html");
            return answer;
        }
        let Some(shape) = shape else { return Answer::empty(refusal.status) };
        if shape.empty && !self.has(Mutant::ExplainsLimit) {
            return Answer::empty(refusal.status);
        }
        if shape.empty {
            return Answer::json(refusal.status, "\"You exceeded the rate limit\"");
        }
        if let (true, Some(outcome)) = (shape.outcome, &refusal.outcome) {
            return Answer::json(refusal.status, outcome.to_string());
        }
        let wait = if self.has(Mutant::ContradictsReset) { wait + 100 } else { wait };
        let status = refusal.status + u16::from(self.has(Mutant::ContradictsStatus));
        let error_body = shape.body(status, &refusal.message, wait);
        let documented = DocumentedResponse::find(&self.api, operation, refusal.status);
        let documented = documented.as_ref().map(|documented| json_of(documented, &shape.media_type));
        let (media_type, schema) = documented.unwrap_or_default();
        let body = match (error_body, schema) {
            (Some(error_body), _) if self.has(Mutant::RenamesErrorMembers) => Some(json!({ "fault": error_body })),
            (error_body, Some(schema)) => Some(self.fitted(error_body, schema, shape)),
            (error_body, None) => error_body,
        };
        let Some(body) = body else { return Answer::empty(refusal.status) };
        Answer::of(refusal.status, media_type.unwrap_or(&shape.media_type), body.to_string())
    }

    /// Returns the contract's error body with the members that the document also requires. Values that the document fixes, such as those of
    /// an enumeration, are kept.
    fn fitted(&self, error_body: Option<Value>, schema: &Value, shape: &ErrorShape) -> Value {
        let fits = |value: &Value| schema::mismatch(&self.api, Direction::Answer, schema, value).is_none();
        let mut body = match error_body {
            Some(error_body) if fits(&error_body) => error_body,
            error_body => {
                let mut whole = example::value(&self.api, Direction::Answer, schema);
                let is_fitting = fits(&whole);
                for (at, leaf) in error_body.iter().flat_map(leaves) {
                    let mut with = whole.clone();
                    put(&mut with, &at, leaf.clone());
                    if fits(&with) || !is_fitting {
                        whole = with;
                    }
                }
                whole
            }
        };
        if self.has(Mutant::MisshapesRefusals) {
            misshape(&self.api, schema, shape, &mut body);
        }
        body
    }
}

/// Returns the media type and the schema of a documented JSON body: this media type if the document has it, or else the first one.
fn json_of<'a>(documented: &DocumentedResponse<'a>, named: &str) -> (Option<&'a str>, Option<&'a Value>) {
    let all = || documented.content().into_iter().flatten().filter(|(range, _)| is_json(range) && !range.contains('*'));
    let known = || all().find(|(range, _)| covers(range, named)).or_else(|| all().next());
    known().map_or((None, None), |(range, media)| (Some(range.as_str()), media.get("schema")))
}

/// Returns the leaves of a value's objects, each with its pointer.
fn leaves(value: &Value) -> Vec<(String, &Value)> {
    let Some(members) = value.as_object() else { return vec![(String::new(), value)] };
    let of_member = |(name, member): (&String, _)| {
        let at = join("", name);
        leaves(member).into_iter().map(move |(rest, leaf)| (format!("{at}{rest}"), leaf))
    };
    members.iter().flat_map(of_member).collect()
}

/// Gives members that the contract does not describe a wrong type.
fn misshape(api: &Api, schema: &Value, shape: &ErrorShape, body: &mut Value) {
    let Some(members) = body.as_object_mut() else { return };
    let is_known = |name: &str| shape.fields.iter().any(|field| field.at.split('/').nth(1) == Some(name));
    for (name, member) in api.resolve(schema)["properties"].as_object().into_iter().flatten() {
        let other = match api.kind(member) {
            Some("object") => json!([]),
            Some(_) => json!({}),
            None => continue,
        };
        if !is_known(name) {
            members.insert(name.clone(), other);
        }
    }
}
