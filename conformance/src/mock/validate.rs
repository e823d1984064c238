//! Checks whether a request is valid: its query, its size, its body, and its ids.

use std::collections::BTreeMap;

use keyfit_openapi::schema::{self, Direction, Mismatch};
use keyfit_openapi::{BodyFormat, Operation};
use serde_json::Value;

use super::call::{Call, ParsedBody, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use super::outcome::Item;
use super::state::keeps_ids;
use crate::catalogue::start_and_limit;
use crate::contract::{Batch, Probe};
use crate::document::body;

/// The server internals that a defect reveals.
pub(super) const TRACE: &str = "thread 'main' panicked at src/main.rs:1:1\nstack backtrace:\n";

/// Returns the media type of a body.
fn content_type(call: &Call) -> Option<&str> {
    call.headers.get("content-type").and_then(|value| value.to_str().ok())
}

/// Returns whether the media type of a body is JSON.
fn is_json(call: &Call) -> bool {
    content_type(call).is_some_and(body::is_json)
}

impl Core {
    /// Validates a request of an authorized caller.
    pub(super) fn validate(
        &self,
        call: &Call,
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<ParsedBody, Refusal> {
        self.path_parameters(operation, path)?;
        self.query(call, operation)?;
        self.query_parameters(call, operation)?;
        self.header_parameters(call, operation)?;
        let sent = self.body(call, operation)?;
        self.ids(operation, path)?;
        Ok(sent)
    }

    /// Validates the body.
    pub(super) fn body(&self, call: &Call, operation: &Operation) -> Result<ParsedBody, Refusal> {
        let Some(body) = &operation.body else { return Ok(ParsedBody::Nothing) };
        if let Some(status) = self.oversize(call.body.len(), operation) {
            return Err(Refusal::new(status, "Request Too Large"));
        }
        let writing = body.format(&self.api);
        let is_named = match content_type(call) {
            // A body without a media type is taken for the documented one.
            None => true,
            Some(_) if writing == BodyFormat::Json => is_json(call),
            Some(media_type) => body::is_sent_as(body, media_type),
        };
        if !is_named && !self.has(Mutant::AcceptsAnyMediaType) {
            let status = self.status(&Probe::OtherMediaType, operation, 415);
            let wanted = if writing == BodyFormat::Json { "JSON" } else { &body.media_type };
            return Err(Refusal::new(status, format!("The body should be {wanted}")));
        }
        // Without its media type, the boundary between parts is unknown.
        let is_unreadable = writing == BodyFormat::Multipart && !is_named;
        if is_unreadable || matches!(writing, BodyFormat::Text | BodyFormat::Bytes) {
            return Ok(ParsedBody::Nothing);
        }
        let malformed = self.status(&Probe::BrokenJson, operation, 400);
        let value: Value = match body::read(&self.api, body, content_type(call).unwrap_or_default(), &call.body) {
            Some(value) => value,
            None if self.has(Mutant::AcceptsBrokenJson) => return Ok(ParsedBody::Nothing),
            None if self.has(Mutant::FailsOnBrokenJson) => return Err(Refusal::new(500, "Internal error")),
            None if self.has(Mutant::RedirectsBrokenJson) => return Err(Refusal::new(303, "See elsewhere")),
            None if self.has(Mutant::MistakesBrokenJson) => return Err(Refusal::new(409, "Conflict")),
            None if self.has(Mutant::ShowsInternals) => return Err(Refusal::new(malformed, TRACE)),
            None => return Err(Refusal::new(malformed, "Problems parsing JSON")),
        };
        let schema = self.api.resolve(&body.schema);
        let is_batch = self.api.kind(schema) == Some("array");
        if is_batch != value.is_array() && schema::mismatch(&self.api, Direction::Request, schema, &value).is_some() {
            let wanted = if is_batch { "an array" } else { "a JSON object" };
            let defect = if is_batch { Mutant::AcceptsObjectForArray } else { Mutant::AcceptsArrayForObject };
            if self.has(defect) {
                return Ok(ParsedBody::Nothing);
            }
            let status = self.status(&Probe::WrongTopLevel, operation, 400);
            return Err(Refusal::new(status, format!("Body should be {wanted}")));
        }
        let batch = self.contract.batch_of(operation);
        let items = batch.and_then(|batch| {
            let each = batch.items(&self.api, schema)?;
            Some((batch, each, value.pointer(&batch.items_at)?.as_array()?.clone()))
        });
        match items {
            Some((batch, each, items)) => self.items(items, each, batch, operation),
            None => self.value(value, schema, operation),
        }
    }

    fn value(&self, value: Value, schema: &Value, operation: &Operation) -> Result<ParsedBody, Refusal> {
        match self.mismatch(schema, &value) {
            Some(mismatch) if !self.overlooks(&mismatch, &value) => {
                let usual = self.status_of_breach(operation).unwrap_or(400);
                let status = self.status(&Probe::MissingField, operation, usual);
                Err(Refusal::new(status, mismatch.to_string()))
            }
            _ => Ok(ParsedBody::Body(value)),
        }
    }

    fn overlooks(&self, mismatch: &Mismatch, value: &Value) -> bool {
        let scopes = self.contract.key_management.as_ref().map(|keys| &keys.members.scopes);
        match scopes.filter(|scopes| mismatch.at.starts_with(*scopes)).and_then(|scopes| value.pointer(scopes)) {
            Some(Value::Array(_)) => self.has(Mutant::AcceptsUnknownScopes),
            Some(Value::Object(_)) => self.has(Mutant::AcceptsUnknownResources),
            _ => false,
        }
    }

    fn items(
        &self,
        items: Vec<Value>,
        schema: &Value,
        batch: &Batch,
        operation: &Operation,
    ) -> Result<ParsedBody, Refusal> {
        if let Some(maximum) = batch.maximum {
            let is_full = items.len() == maximum && self.has(Mutant::RefusesFullBatch);
            let is_over = items.len() > maximum && !self.has(Mutant::AcceptsOverMaximum);
            if is_full || is_over {
                let status = self.status(&Probe::OverMaximum, operation, 400);
                return Err(Refusal::new(status, format!("At most {maximum} items")));
            }
        }
        if items.is_empty() && !self.has(Mutant::AcceptsEmptyBatch) {
            return Err(Refusal::new(self.status(&Probe::EmptyBatch, operation, 400), "At least one item"));
        }
        // The sources distinguish wrong types, which refuse the whole call, from invalid items, which do not.
        if items.iter().any(|item| !item.is_object()) {
            let status = self.status(&Probe::WrongTopLevel, operation, 400);
            return Err(Refusal::new(status, "Every item should be an object"));
        }
        let judged = items.into_iter().map(|item| {
            let mismatch = schema::mismatch(&self.api, Direction::Request, schema, &item);
            (item, mismatch)
        });
        let mut judged: Vec<Item> = judged.collect();
        let all_failed = judged.iter().all(|(_, mismatch)| mismatch.is_some());
        if self.has(if all_failed { Mutant::AcceptsRejectedBatch } else { Mutant::AcceptsBadItems }) {
            for (_, mismatch) in &mut judged {
                *mismatch = None;
            }
        }
        Ok(ParsedBody::Batch(judged))
    }

    fn query(&self, call: &Call, operation: &Operation) -> Result<(), Refusal> {
        let Some((start, limit)) = start_and_limit(operation) else { return Ok(()) };
        let is_half = call.query(start).is_some() != call.query(limit).is_some();
        let is_ruled = self.contract.ruling(&Probe::StartWithoutLimit, operation).is_some();
        if is_half && is_ruled && !self.has(Mutant::AcceptsStartAlone) {
            let status = self.status(&Probe::StartWithoutLimit, operation, 400);
            return Err(Refusal::new(status, "Invalid query filter"));
        }
        Ok(())
    }

    fn oversize(&self, size: usize, operation: &Operation) -> Option<u16> {
        if self.has(Mutant::AcceptsOversize) {
            return None;
        }
        self.contract.rules.iter().find_map(|rule| match &rule.probe {
            Some(probe @ Probe::Oversize(limit)) if size >= *limit && rule.covers(&operation.id) => {
                Some(self.status(probe, operation, 413))
            }
            _ => None,
        })
    }

    fn ids(&self, operation: &Operation, path: &BTreeMap<String, String>) -> Result<(), Refusal> {
        for (parameter, id) in path {
            let mut state = self.state();
            let is_of_keys = state.is_of_keys(parameter);
            if is_of_keys && self.has(Mutant::RevokesTwice) && state.key(id).is_some() {
                continue;
            }
            let is_kept = is_of_keys || keeps_ids(&self.contract, parameter, operation);
            let is_bound = state.is_bound(parameter) && !is_of_keys;
            let is_judged = !is_bound || self.is_resource(parameter, operation);
            let is_there = state.knows(parameter, id) || (is_bound && state.is_taken(parameter, id));
            if is_kept && is_judged && !is_there {
                let unknown = Probe::UnknownId(parameter.clone());
                let is_ruled = is_of_keys || self.contract.ruling(&unknown, operation).is_some();
                if self.has(if is_ruled { Mutant::InventsResources } else { Mutant::ServesForeignResources }) {
                    continue;
                }
                let status = self.status(&unknown, operation, 404);
                return Err(Refusal::new(status, "Not found"));
            }
        }
        Ok(())
    }
}
