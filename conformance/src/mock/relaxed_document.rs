//! The constraints of a document that a defect ignores, and the inputs that make it fail.

use keyfit_openapi::schema::{self, Direction, Mismatch};
use keyfit_openapi::violation::Constraint;
use keyfit_openapi::{Api, Operation};
use serde_json::Value;

use super::call::{Call, Refusal};
use super::core::Core;
use super::mutant::Mutant;
use crate::contract::{Carrier, Flaw, Probe};

/// A document without the keywords that a defect ignores.
pub(super) struct RelaxedDocument {
    api: Api,
    constraint: Constraint,
}

impl RelaxedDocument {
    pub(super) fn by(mutant: Mutant, api: &Api) -> Option<Self> {
        let constraint = match mutant {
            Mutant::AcceptsMissingFields => Constraint::Required,
            Mutant::IgnoresTypes => Constraint::Type,
            Mutant::IgnoresBounds => Constraint::Bounds,
            Mutant::IgnoresLengths => Constraint::Length,
            Mutant::IgnoresEnums => Constraint::Enum,
            Mutant::IgnoresPatterns => Constraint::Pattern,
            Mutant::IgnoresLists => Constraint::Items,
            Mutant::AcceptsAnyMember => Constraint::Additional,
            _ => return None,
        };
        Some(Self { api: api.without(constraint), constraint })
    }
}

/// The length of a text that makes a defect fail.
const LONG_TEXT: usize = 1_000;

impl Core {
    /// Returns the flaw of a value in a request.
    pub(super) fn mismatch(&self, schema: &Value, value: &Value) -> Option<Mismatch> {
        let found = schema::mismatch(&self.api, Direction::Request, schema, value)?;
        // The scopes of a key have defects of their own.
        let scopes = self.contract.key_management.as_ref().map(|keys| &keys.members.scopes);
        let is_of_keys = scopes.is_some_and(|scopes| found.at.starts_with(scopes));
        let is_overlooked = self.relaxed_document.as_ref().filter(|_| !is_of_keys).is_some_and(|relaxed_document| {
            let bare = relaxed_document.constraint.removed_from(schema);
            schema::mismatch(&relaxed_document.api, Direction::Request, &bare, value).is_none()
        });
        (!is_overlooked).then_some(found)
    }

    /// Returns the status with which rules expect requests to be refused that violate the document.
    pub(super) fn status_of_breach(&self, operation: &Operation) -> Option<u16> {
        let excluded = Flaw::ALL.into_iter().filter(|flaw| flaw.constraint().is_some());
        let ruled = excluded.map(Probe::Invalid).find(|probe| self.contract.ruling(probe, operation).is_some())?;
        Some(self.status(&ruled, operation, 400))
    }

    /// Fails if the request has an input that makes the defect fail.
    pub(super) fn fail_on_defect(&self, call: &Call, operation: &Operation) -> Result<(), Refusal> {
        let fails = (self.has(Mutant::FailsOnOddities) && self.has_unknown_input(call, operation))
            || (self.has(Mutant::FailsOnExtremes) && is_extreme(call));
        if fails { Err(Refusal::new(500, "Internal error")) } else { Ok(()) }
    }

    fn has_unknown_input(&self, call: &Call, operation: &Operation) -> bool {
        let is_known = |name: &str| {
            let carriers = self.contract.credentials.iter().flat_map(|kind| &kind.carriers);
            let is_parameter = |known: &str| name == known || name.split('[').next() == known.split('[').next();
            operation.parameters.iter().any(|known| is_parameter(&known.name))
                || operation.query.iter().any(|(known, _)| known == name)
                || carriers.into_iter().any(|carrier| matches!(carrier, Carrier::Query(known) if known == name))
        };
        call.query.iter().any(|(name, _)| !is_known(name)) || holds(&call.body, b"[[[[")
    }
}

fn is_extreme(call: &Call) -> bool {
    call.segments.iter().any(|segment| segment.len() >= LONG_TEXT)
        || call.query.iter().any(|(_, value)| value.contains('\0') || value.parse() == Ok(u64::MAX))
        || holds(&call.body, b"\\u0000")
        || holds(&call.body, u64::MAX.to_string().as_bytes())
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}
