//! How a live server is asked for a method that a path does not have: the document may be a part of what the server does, so
//! that a method of HTTP may well be there and do its work.

use keyfit_openapi::Operation;

use super::super::Target;
use super::super::flow::Stop;
use super::super::reply::Reply;
use super::super::trial::{Sent, Trial};
use super::{Effect, item, subject};
use crate::catalogue::undeclared_method;
use crate::identity::Missing;

/// A method that is registered nowhere: nothing happens by it.
pub(super) const UNASSIGNED: &str = "KEYFIT";

const AT_NOBODY: &str =
    "a method that the path lacks is asked for at an id that nobody has, which the server says first";

impl Target {
    /// Asks with a method that does nothing. Where the server reads no such method, with one of HTTP that the path lacks, at
    /// ids that nobody has.
    pub(in super::super) async fn ask_for_undeclared(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
        self.spare_from_any_method(trial).await?;
        let mut draft = trial.maker(self).draft(trial.probe, operation, &trial.identity).map_err(Stop::Missing)?;
        UNASSIGNED.clone_into(&mut draft.method);
        let sent = self.send(&draft).await;
        // Parsers of HTTP know the methods that there are, and answer themselves.
        if sent.answer().is_some_and(|reply| !matches!(reply.status, 400 | 501)) || self.has_died() {
            trial.sent.push(sent);
            return Ok(());
        }
        let parameters: Vec<&String> = draft.ids.keys().collect();
        let Some(method) = undeclared_method(&trial.catalogue.api, operation).filter(|_| !parameters.is_empty()) else {
            let why = format!(
                "the server reads no method but those of HTTP, and {} has no id to ask for in vain",
                operation.path
            );
            return Err(Stop::Missing(Missing(why)));
        };
        let mut nobody = trial.identity.clone();
        if let Some(live) = &self.live {
            let nobody_at = |name: &String| (name.clone(), live.nobody_at(operation, name, &trial.identity));
            nobody.ids.extend(parameters.into_iter().map(nobody_at));
        }
        let mut draft = trial.maker(self).draft(trial.probe, operation, &nobody).map_err(Stop::Missing)?;
        method.clone_into(&mut draft.method);
        let again = self.send(&draft).await;
        let is_told = again.answer().is_some_and(Reply::is_success);
        if !is_told {
            trial.undecided = Some(AT_NOBODY.to_owned());
        }
        trial.sent.push(Sent { requests: sent.requests + again.requests, ..again });
        Ok(())
    }

    /// Aims at what the run made, or at nothing, where a server that does not look at the method would change what is there.
    async fn spare_from_any_method(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
        let Some(live) = self.live.as_ref().filter(|live| !live.allows(operation)) else { return Ok(()) };
        for effect in live.changes_at(&operation.path) {
            let parameter = match effect {
                Effect::Nothing | Effect::Creates => continue,
                Effect::ChangesShared => {
                    let Operation { id, path, .. } = operation;
                    return Err(Stop::Missing(Missing(format!(
                        "a server that executes any method would change what is there once for all at {path}: pass --allow {id}"
                    ))));
                }
                // As this operation calls it: the one with the effect may have another name for it.
                Effect::CreatesAt(parameter) | Effect::Changes(parameter) => {
                    subject(&operation.path).unwrap_or(parameter)
                }
            };
            if let Some(ids) = self.made(live, trial.catalogue, item(&operation.path), false).await {
                trial.identity.ids.extend(ids);
            } else {
                trial.identity.ids.insert(parameter.to_owned(), live.nobody_at(operation, parameter, &trial.identity));
                trial.undecided = Some(AT_NOBODY.to_owned());
            }
            break;
        }
        Ok(())
    }
}
