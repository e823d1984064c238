//! Idempotency keys: a call with a known key gets the same answer again.

use hyper::body::Bytes;
use keyfit_openapi::Operation;
use keyfit_openapi::idempotency::{KeyLocation, key_location};
use serde_json::Value;

use super::call::{Answer, Call, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::pages::numbered;
use crate::contract::Probe;

/// The highest number of stored keys. Beyond it, all are forgotten: a mock may run for days.
const MAX_KEYS: usize = 10_000;

/// The answer to a call with a key, and the body of the call.
#[derive(Clone)]
pub(super) struct KeyedAnswer {
    body: Bytes,
    answer: Answer,
}

impl Core {
    /// Serves a call, unless its key is known.
    pub(super) fn serve_once_per_key(
        &self,
        call: &Call,
        operation: &Operation,
        serve: impl FnOnce() -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        let key = match key_location(&self.api, operation) {
            Some(KeyLocation::Header(name)) => call.headers.get(name).map(|key| format!("{key:?}")),
            Some(KeyLocation::Query(name)) => call.query(name).map(str::to_owned),
            Some(KeyLocation::Member(name)) => {
                let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
                body.get(name).map(Value::to_string)
            }
            None => None,
        };
        let Some(key) = key.map(|key| format!("{} {key}", operation.id)) else { return serve() };
        let is_known = match self.state().keyed.get(&key) {
            Some(kept) if kept.body != call.body && !self.has(Mutant::TakesAnyBodyUnderKey) => {
                let status = self.status(&Probe::ReusedKey, operation, 422);
                return Err(Refusal::new(status, "The key was used for another body"));
            }
            Some(kept) if !self.has(Mutant::ForgetsKeys) => return Ok(kept.answer.clone()),
            known => known.is_some(),
        };
        let answer = serve()?;
        if is_known {
            return Ok(with_new_id(answer));
        }
        let mut state = self.state();
        if state.keyed.len() >= MAX_KEYS {
            state.keyed.clear();
        }
        state.keyed.insert(key, KeyedAnswer { body: call.body.clone(), answer: answer.clone() });
        Ok(answer)
    }
}

/// Returns the same answer with another id.
fn with_new_id(answer: Answer) -> Answer {
    let body = serde_json::from_slice(&answer.body).ok().and_then(|body| numbered(&body, 1));
    match body {
        Some(body) => Answer { body: Bytes::from(body.to_string()), ..answer },
        None => answer,
    }
}
