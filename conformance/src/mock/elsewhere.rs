//! Ids outside the path of a request, and foreign entries in lists.

use std::collections::HashMap;

use hyper::body::Bytes;
use keyfit_openapi::{Api, Operation};
use serde_json::{Value, json};

use super::call::{Call, Refusal, Sent};
use super::core::{Core, Served};
use super::mutant::Mutant;
use super::token::Token;
use crate::contract::{Contract, Probe};
use crate::document::reference::{self, ReferenceKind, ids_at, references};

/// A part of an operation that names the resource of a path and that a rule applies to.
pub(super) struct Named {
    probe: Probe,
    name: String,
    parameter: String,
}

/// Returns all such parts, by the index of the operation.
pub(super) fn named(api: &Api, contract: &Contract) -> HashMap<usize, Vec<Named>> {
    let mut named: HashMap<usize, Vec<Named>> = HashMap::new();
    if !contract.rules.iter().any(|rule| rule.probe.as_ref().is_some_and(|probe| probe.refers().is_some())) {
        return named;
    }
    for one in references(api) {
        let parameter = one.parameter.to_owned();
        let probe = match one.kind {
            ReferenceKind::Query => Probe::ForeignQuery(parameter.clone()),
            ReferenceKind::Member => Probe::ForeignMember(parameter.clone()),
            ReferenceKind::List => Probe::ForeignListed(parameter.clone()),
        };
        if contract.ruling(&probe, &api.operations[one.operation]).is_some() {
            let known = named.entry(one.operation).or_default();
            known.push(Named { probe, name: one.name, parameter });
        }
    }
    named
}

impl Core {
    /// Refuses a request that names the resource of another tenant in its query or body.
    pub(super) fn judge_named(&self, index: usize, token: &Token, call: &Call, sent: &Sent) -> Result<(), Refusal> {
        for named in self.named.get(&index).into_iter().flatten() {
            let (id, defect) = match (&named.probe, sent) {
                (Probe::ForeignQuery(_), _) => {
                    (call.query(&named.name).map(str::to_owned), Mutant::IgnoresTenantInQuery)
                }
                (Probe::ForeignMember(_), Sent::Body(body)) => {
                    let ids = ids_at(body, &named.name).unwrap_or_default();
                    (ids.into_iter().next(), Mutant::IgnoresTenantInBody)
                }
                _ => continue,
            };
            let Some(id) = id else { continue };
            if self.is_of_another(token, named, &id)
                && !(self.has(defect) && self.state().is_taken(&named.parameter, &id))
            {
                let operation: &Operation = &self.api.operations[index];
                return Err(Refusal::new(self.status(&named.probe, operation, 404), "Not found"));
            }
        }
        Ok(())
    }

    fn is_of_another(&self, token: &Token, named: &Named, id: &str) -> bool {
        let state = self.state();
        state.is_bound(&named.parameter) && !state.has(token.tenant, &named.parameter, id)
    }

    /// Returns a success to which a defect adds the data of another tenant.
    pub(super) fn with_others(&self, index: usize, served: &Served<'_>, body: Bytes) -> Bytes {
        let Some(all) = self.named.get(&index) else { return body };
        let Served { token, call, sent, .. } = served;
        let taken = all.iter().find_map(|named| match (&named.probe, sent) {
            (Probe::ForeignMember(_), Sent::Body(sent)) if self.has(Mutant::IgnoresTenantInBody) => {
                let mut body: Value = serde_json::from_slice(&body).ok()?;
                reference::put(&mut body, &named.name, json!(ids_at(sent, &named.name)?.first()?));
                Some(Bytes::from(body.to_string()))
            }
            _ => None,
        });
        if let Some(taken) = taken {
            return taken;
        }
        let other = all.iter().find_map(|named| match &named.probe {
            Probe::ForeignListed(parameter) if self.has(Mutant::ListsForeign) => {
                Some((parameter.clone(), self.state().foreign_id(parameter)))
            }
            Probe::ForeignQuery(parameter) if self.has(Mutant::IgnoresTenantInQuery) => {
                let id = call.query(&named.name)?;
                self.is_of_another(token, named, id).then(|| (parameter.clone(), format!("of-{id}")))
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
