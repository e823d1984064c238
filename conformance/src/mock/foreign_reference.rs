//! Ids outside the path of a request, and foreign entries in lists.

use std::collections::HashMap;

use hyper::body::Bytes;
use keyfit_openapi::{Api, Operation};
use serde_json::{Value, json};

use super::call::{Call, ParsedBody, Refusal};
use super::core::{Core, ServedRequest};
use super::mutant::Mutant;
use super::token::Token;
use crate::contract::{Contract, Probe};
use crate::document::reference::{self, ReferenceKind, ids_at, references};

/// A part of an operation that names the resource of a path and that a rule applies to.
pub(super) struct ForeignReference {
    probe: Probe,
    name: String,
    parameter: String,
}

/// Returns all such parts, by the index of the operation.
pub(super) fn checked_references(api: &Api, contract: &Contract) -> HashMap<usize, Vec<ForeignReference>> {
    let mut checked_references: HashMap<usize, Vec<ForeignReference>> = HashMap::new();
    if !contract.rules.iter().any(|rule| rule.probe.as_ref().is_some_and(|probe| probe.refers().is_some())) {
        return checked_references;
    }
    for one in references(api) {
        let parameter = one.parameter.to_owned();
        let probe = match one.kind {
            ReferenceKind::Query => Probe::ForeignQuery(parameter.clone()),
            ReferenceKind::Member => Probe::ForeignMember(parameter.clone()),
            ReferenceKind::List => Probe::ForeignListed(parameter.clone()),
        };
        if contract.ruling(&probe, &api.operations[one.operation]).is_some() {
            let known = checked_references.entry(one.operation).or_default();
            known.push(ForeignReference { probe, name: one.name, parameter });
        }
    }
    checked_references
}

impl Core {
    /// Refuses a request that names the resource of another tenant in its query or body.
    pub(super) fn check_references(
        &self,
        index: usize,
        token: &Token,
        call: &Call,
        sent: &ParsedBody,
    ) -> Result<(), Refusal> {
        for reference in self.checked_references.get(&index).into_iter().flatten() {
            let (id, defect) = match (&reference.probe, sent) {
                (Probe::ForeignQuery(_), _) => {
                    (call.query(&reference.name).map(str::to_owned), Mutant::IgnoresTenantInQuery)
                }
                (Probe::ForeignMember(_), ParsedBody::Body(body)) => {
                    let ids = ids_at(body, &reference.name).unwrap_or_default();
                    (ids.into_iter().next(), Mutant::IgnoresTenantInBody)
                }
                _ => continue,
            };
            let Some(id) = id else { continue };
            if self.is_of_another(token, reference, &id)
                && !(self.has(defect) && self.state().is_taken(&reference.parameter, &id))
            {
                let operation: &Operation = &self.api.operations[index];
                return Err(Refusal::new(self.status(&reference.probe, operation, 404), "Not found"));
            }
        }
        Ok(())
    }

    fn is_of_another(&self, token: &Token, reference: &ForeignReference, id: &str) -> bool {
        let state = self.state();
        state.is_bound(&reference.parameter) && !state.has(token.tenant, &reference.parameter, id)
    }

    /// Returns a success to which a defect adds the data of another tenant.
    pub(super) fn with_others(&self, index: usize, served: &ServedRequest<'_>, body: Bytes) -> Bytes {
        let Some(all) = self.checked_references.get(&index) else { return body };
        let ServedRequest { token, call, sent, .. } = served;
        let taken = all.iter().find_map(|reference| match (&reference.probe, sent) {
            (Probe::ForeignMember(_), ParsedBody::Body(sent)) if self.has(Mutant::IgnoresTenantInBody) => {
                let mut body: Value = serde_json::from_slice(&body).ok()?;
                reference::put(&mut body, &reference.name, json!(ids_at(sent, &reference.name)?.first()?));
                Some(Bytes::from(body.to_string()))
            }
            _ => None,
        });
        if let Some(taken) = taken {
            return taken;
        }
        let other = all.iter().find_map(|reference| match &reference.probe {
            Probe::ForeignListed(parameter) if self.has(Mutant::ListsForeign) => {
                Some((parameter.clone(), self.state().foreign_id(parameter)))
            }
            Probe::ForeignQuery(parameter) if self.has(Mutant::IgnoresTenantInQuery) => {
                let id = call.query(&reference.name)?;
                self.is_of_another(token, reference, id).then(|| (parameter.clone(), format!("of-{id}")))
            }
            _ => None,
        });
        other.and_then(|(parameter, id)| with_entry(&body, &parameter, &id)).unwrap_or(body)
    }
}

/// Returns a list with an additional entry with this id.
fn with_entry(body: &[u8], parameter: &str, id: &str) -> Option<Bytes> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    let list = match &mut body {
        Value::Array(list) => list,
        Value::Object(members) => members.values_mut().find_map(Value::as_array_mut)?,
        _ => return None,
    };
    let mut entry = list.first()?.clone();
    let name = [parameter, "id"].into_iter().find(|name| entry.get(name).is_some())?;
    entry[name] = json!(id);
    list.push(entry);
    Some(Bytes::from(body.to_string()))
}
