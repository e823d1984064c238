//! Bodies and headers of answers: successes from the document, refusals from the contract.

use std::sync::OnceLock;

use hyper::body::Bytes;
use keyfit_openapi::{Api, Operation, example};
use serde_json::json;

use super::call::{Answer, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::state::Window;
use crate::clock;
use crate::contract::{ErrorShape, ResetUnit};

/// The documented success of each operation, written when it is first asked for.
pub(super) struct Successes {
    statuses: Vec<u16>,
    bodies: Vec<OnceLock<Option<Bytes>>>,
}

impl Successes {
    pub(super) fn new(api: &Api) -> Self {
        let statuses = |operation: &Operation| operation.success_statuses().first().copied().unwrap_or(200);
        Self {
            statuses: api.operations.iter().map(statuses).collect(),
            bodies: api.operations.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The first documented 2xx.
    pub(super) fn status(&self, index: usize) -> u16 {
        self.statuses[index]
    }

    /// A body that fits the schema of that status, `None` where it has none.
    pub(super) fn body(&self, api: &Api, index: usize) -> Option<Bytes> {
        let body = self.bodies[index].get_or_init(|| {
            let operation = &api.operations[index];
            let status = self.statuses[index].to_string();
            let shape = operation.responses.get(&status).or_else(|| operation.responses.get("2XX"))?;
            let schema = shape.schema.as_ref()?;
            Some(Bytes::from(example::value(api, schema).to_string()))
        });
        body.clone()
    }
}

impl Core {
    /// A refusal as the contract's error profile shapes it.
    pub(super) fn refuse(&self, refusal: Refusal, operation: &Operation, window: Option<Window>) -> Answer {
        let wait = window.map_or(0, |window| window.reset.saturating_sub(clock::epoch_seconds()));
        let shape = self.contract.error_shape(&operation.errors, refusal.status);
        let mut answer = self.refusal_body(&refusal, shape, wait);
        answer.headers.extend(refusal.headers);
        if !self.has(Mutant::OmitsRateHeadersOnRefusal) {
            self.rate_headers(&mut answer, window);
        }
        answer
    }

    /// The three rate-limit headers.
    pub(super) fn rate_headers(&self, answer: &mut Answer, window: Option<Window>) {
        let (Some(rules), Some(window)) = (&self.contract.rate_limit, window) else { return };
        if self.has(Mutant::OmitsRateHeaders) {
            return;
        }
        let remaining = window.remaining() + u64::from(window.is_exceeded() && self.has(Mutant::PromisesMore));
        let reset = match rules.reset {
            ResetUnit::EpochSeconds => window.reset,
            ResetUnit::DeltaSeconds => window.reset.saturating_sub(clock::epoch_seconds()),
        };
        let reset = if self.has(Mutant::ResetsInMilliseconds) { reset * 1000 } else { reset };
        answer.header(&rules.limit_header, window.limit.to_string());
        answer.header(&rules.remaining_header, remaining.to_string());
        answer.header(&rules.reset_header, reset.to_string());
    }

    fn refusal_body(&self, refusal: &Refusal, shape: Option<&ErrorShape>, wait: u64) -> Answer {
        if self.has(Mutant::RefusesInHtml) {
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
        let Some(body) = shape.body(&refusal.message, wait) else { return Answer::empty(refusal.status) };
        let body = if self.has(Mutant::RenamesErrorMembers) { json!({ "fault": body }) } else { body };
        let mut answer = Answer::json(refusal.status, body.to_string());
        if shape.media_type != "application/json" {
            answer.headers.clear();
            answer.header("content-type", &shape.media_type);
        }
        answer
    }
}
