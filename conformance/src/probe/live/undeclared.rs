//! How a live server is asked for a method that a path does not have: the document may be a part of what the server does, so
//! that a method of HTTP may well be there and do its work.

use super::super::Target;
use super::super::flow::Stop;
use super::super::reply::Reply;
use super::super::request::NOBODY;
use super::super::trial::{Sent, Trial};
use crate::catalogue::undeclared_method;
use crate::identity::Missing;

/// A method that is registered nowhere: nothing happens by it.
pub(super) const UNASSIGNED: &str = "KEYFIT";

impl Target {
    /// Asks with a method that does nothing. Where the server reads no such method, with one of HTTP that the path lacks, at
    /// ids that nobody has.
    pub(in super::super) async fn ask_for_undeclared(&self, trial: &mut Trial<'_>) -> Result<(), Stop> {
        let operation = trial.catalogue.operation(trial.case);
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
        nobody.ids.extend(parameters.into_iter().map(|parameter| (parameter.clone(), NOBODY.to_owned())));
        let mut draft = trial.maker(self).draft(trial.probe, operation, &nobody).map_err(Stop::Missing)?;
        method.clone_into(&mut draft.method);
        let again = self.send(&draft).await;
        let is_told = again.answer().is_some_and(Reply::is_success);
        if !is_told {
            let why = "a method that the path lacks is asked for at an id that nobody has, which the server says first";
            trial.undecided = Some(why.to_owned());
        }
        trial.sent.push(Sent { requests: sent.requests + again.requests, ..again });
        Ok(())
    }
}
