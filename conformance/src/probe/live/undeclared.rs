//! Requests to a live server with methods that the document does not declare for a path. The document may be incomplete, so that the
//! server may support such a method and execute it.

use std::collections::BTreeMap;

use keyfit_openapi::Operation;

use super::super::TargetServer;
use super::super::case_run::{CaseRun, SentRequest};
use super::super::flow::Stop;
use super::super::reply::Reply;
use super::super::request::Draft;
use super::{Effect, item_template, last_parameter};
use crate::catalogue::undeclared_methods;
use crate::credential::identity::Identity;
use crate::document::unknown_id::UNKNOWN_ID;
use crate::judgement::missing::Missing;

/// An unregistered method, which has no effect.
pub(super) const UNASSIGNED: &str = "KEYFIT";

const NO_UNUSED_ID: &str =
    "a method that the path lacks is asked for at an id that nobody has, which the server says first";

impl TargetServer {
    /// Requests each changing method of HTTP that the path does not declare. A live server first gets a method without effect, and then the
    /// others only for an expendable resource or for ids that do not exist.
    pub(in super::super) async fn ask_for_undeclared(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        if self.live.is_none() {
            for method in undeclared_methods(&case_run.catalogue.api, operation) {
                let mut draft =
                    case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
                method.clone_into(&mut draft.method);
                let sent = self.send(&draft).await;
                let is_refused = sent.answer().is_some_and(|reply| reply.status == 405);
                case_run.sent.push(sent);
                if !is_refused {
                    break;
                }
            }
            return Ok(());
        }
        let own_ids = case_run.identity.ids.clone();
        self.protect_from_any_method(case_run).await?;
        let mut draft =
            case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        UNASSIGNED.clone_into(&mut draft.method);
        let mut first = self.send(&draft).await;
        if first.answer().is_none_or(Reply::is_success) || self.has_stopped() {
            case_run.sent.push(first);
            return Ok(());
        }
        // Some HTTP parsers refuse unknown methods before the server sees them.
        let is_read = first.answer().is_some_and(|reply| !matches!(reply.status, 400 | 501));
        let mut nobody = case_run.identity.clone();
        nobody.ids = self.unused_ids(operation, &case_run.identity, own_ids, &draft);
        let mut asked = None;
        for method in undeclared_methods(&case_run.catalogue.api, operation).filter(|_| !draft.ids.is_empty()) {
            let mut draft = case_run.maker(self).draft(case_run.probe, operation, &nobody).map_err(Stop::Missing)?;
            method.clone_into(&mut draft.method);
            let again = self.send(&draft).await;
            first.requests += again.requests;
            if again.answer().is_some_and(Reply::is_success) {
                if let Some((parameter, id)) =
                    last_parameter(&operation.path).and_then(|name| draft.ids.get_key_value(name))
                {
                    self.identities.expended(&operation.path, parameter, id);
                }
                // A resource that the call may have created has the new id.
                if method != "DELETE" {
                    "DELETE".clone_into(&mut draft.method);
                    first.requests += self.send(&draft).await.requests;
                }
                case_run.undecided = None;
                case_run.sent.push(SentRequest { requests: first.requests, ..again });
                return Ok(());
            }
            asked.get_or_insert(again);
        }
        match asked {
            _ if is_read => case_run.sent.push(first),
            Some(again) => {
                case_run.undecided = Some(NO_UNUSED_ID.into());
                case_run.sent.push(SentRequest { requests: first.requests, ..again });
            }
            None => {
                return Err(Stop::missing(format!(
                    "the server reads no method but those of HTTP, and {} has no id to ask for in vain",
                    operation.path
                )));
            }
        }
        Ok(())
    }

    /// Returns ids at which a method may have an effect: an expendable resource if the path ends in one, or ids that do not exist.
    fn unused_ids(
        &self,
        operation: &Operation,
        identity: &Identity,
        own: BTreeMap<String, String>,
        draft: &Draft,
    ) -> BTreeMap<String, String> {
        let path = &operation.path;
        let expendable = last_parameter(path).filter(|_| path.ends_with('}'));
        let expendable = expendable.and_then(|name| Some((name, self.identities.expendable(path, name, false).ok()?)));
        let unused_id = |name: &String| match &self.live {
            Some(live) => live.unused_id_at(operation, name, identity),
            None => UNKNOWN_ID.to_owned(),
        };
        match expendable {
            Some((name, id)) => own.into_iter().chain([(name.to_owned(), id)]).collect(),
            None => draft.ids.keys().map(|name| (name.clone(), unused_id(name))).collect(),
        }
    }

    /// Targets a resource of the run, or ids that do not exist, if a server that ignores the method would change something.
    async fn protect_from_any_method(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(live) = self.live.as_ref().filter(|live| !live.allows(operation)) else { return Ok(()) };
        for effect in live.changes_at(&operation.path) {
            let parameter = match effect {
                Effect::Nothing | Effect::Creates => continue,
                Effect::ChangesShared => {
                    let Operation { id, path, .. } = operation;
                    let what =
                        format!("a server that executes any method would change what is there once for all at {path}");
                    return Err(Stop::missing(Missing::new(what).allow(id)));
                }
                // The operation with the effect may have another name for the parameter.
                Effect::CreatesAt(parameter) | Effect::Changes(parameter) => {
                    last_parameter(&operation.path).unwrap_or(parameter)
                }
            };
            if let Some(ids) = self.created_ids(live, case_run.catalogue, item_template(&operation.path), false).await {
                case_run.identity.ids.extend(ids);
            } else {
                case_run
                    .identity
                    .ids
                    .insert(parameter.to_owned(), live.unused_id_at(operation, parameter, &case_run.identity));
                case_run.undecided = Some(NO_UNUSED_ID.into());
            }
            break;
        }
        Ok(())
    }
}
