//! What every answer carries, and refusals as the contract shapes them.

use keyfit_openapi::Operation;
use serde_json::json;

use super::call::{Answer, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::window::Window;
use crate::clock;
use crate::contract::ErrorShape;

impl Core {
    /// A refusal as the contract's error profile shapes it.
    pub(super) fn refuse(&self, refusal: Refusal, operation: &Operation, window: Option<Window>) -> Answer {
        let wait = window.map_or(0, |window| window.reset.saturating_sub(clock::epoch_seconds()));
        let shape = self.contract.error_shape(&operation.errors, refusal.status);
        let mut answer = self.refusal_body(&refusal, shape, wait);
        answer.headers.extend(refusal.headers);
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

    /// The three rate-limit headers.
    pub(super) fn rate_headers(&self, answer: &mut Answer, window: Option<Window>) {
        let (Some(rules), Some(window)) = (&self.contract.rate_limit, window) else { return };
        if self.has(Mutant::OmitsRateHeaders) {
            return;
        }
        let remaining = window.remaining() + u64::from(window.is_exceeded() && self.has(Mutant::PromisesMore));
        let reset = window.reset_in(rules.reset);
        let reset = if self.has(Mutant::ResetsInMilliseconds) { reset * 1000 } else { reset };
        answer.header(&rules.limit_header, window.limit.to_string());
        answer.header(&rules.remaining_header, remaining.to_string());
        answer.header(&rules.reset_header, reset.to_string());
    }

    fn refusal_body(&self, refusal: &Refusal, shape: Option<&ErrorShape>, wait: u64) -> Answer {
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
        let Some(body) = shape.body(status, &refusal.message, wait) else { return Answer::empty(refusal.status) };
        let body = if self.has(Mutant::RenamesErrorMembers) { json!({ "fault": body }) } else { body };
        let mut answer = Answer::json(refusal.status, body.to_string());
        if shape.media_type != "application/json" {
            answer.headers.clear();
            answer.header("content-type", &shape.media_type);
        }
        answer
    }
}
