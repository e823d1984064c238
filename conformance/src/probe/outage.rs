//! A call after which the server stops answering: the finding about it, independent of the rule of its case.

use keyfit_openapi::Api;

use super::TargetServer;
use super::case_run::SentRequest;
use super::live::{ServerOutage, SuspectRequest};
use crate::catalogue::Catalogue;
use crate::contract::Level;
use crate::judgement::verdict::{BrokenAspect, Outcome, Verdict};

/// The reason why a case was not run.
pub(crate) const DIED_BEFORE: &str = "the server died before it";

impl TargetServer {
    /// Makes the end of the server the outcome of the case whose call ended it. Cases without an answer because of it count as not run.
    pub(crate) fn attribute_outage(&self, catalogue: &Catalogue, outcomes: &mut [Outcome]) {
        let Some((message, case, ended)) = self.outage_outcome(&catalogue.api) else { return };
        for (known, outcome) in catalogue.cases.iter().zip(outcomes) {
            let met_nobody = outcome
                .reason
                .as_ref()
                .is_some_and(|reason| [&message, DIED_BEFORE].iter().any(|why| reason.contains(*why)));
            if known.id == case {
                let Outcome { identity, requests, took, .. } = outcome.clone();
                *outcome = Outcome { identity, requests, took, ..ended.clone() };
            } else if met_nobody && outcome.verdict == Verdict::Error {
                let Outcome { requests, took, .. } = *outcome;
                *outcome = Outcome { requests, took, ..Outcome::skip(DIED_BEFORE) };
            }
        }
    }

    /// Returns the message about the end of the server, the id of the case that caused it, and the outcome of that case.
    fn outage_outcome(&self, api: &Api) -> Option<(String, String, Outcome)> {
        let ServerOutage { message, by } = self.live.as_ref()?.server_health.outage()?;
        let SuspectRequest { draft, status, case } = by?;
        let of_call = |id: &str| api.operation(id).filter(|operation| operation.method == draft.method);
        let path = draft.operation.as_deref().and_then(of_call).map(|operation| operation.path.as_str());
        let answer = match status {
            Some(status) => format!("it is answered {status}"),
            None => "it gets no answer".to_owned(),
        };
        let method = &draft.method;
        let path = path.unwrap_or_else(|| draft.url.path());
        let finding = format!("{method} {path} ends the server: {answer}, and every connection after it is refused");
        let reply = Err("every connection after this one is refused".to_owned());
        let sent = SentRequest { draft, requests: 1, reply, is_unconnected: false, is_late: false };
        let mut exchange = sent.exchange(&self.redactor, &self.http.extra);
        exchange.status = status;
        let outcome = Outcome {
            exchanges: vec![exchange],
            status,
            ..Outcome::broken(Level::Must, finding).by(BrokenAspect::Ended)
        };
        Some((message, case?, outcome))
    }
}
