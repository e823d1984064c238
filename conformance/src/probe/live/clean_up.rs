//! The clean-up after a run at a live server: it removes the resources that the run created, and reports those that remain.

use reqwest::StatusCode;

use super::super::TargetServer;
use super::super::request::Draft;
use super::LiveServer;
use super::ledger::CreatedResource;
use crate::catalogue::Catalogue;
use crate::contract::Probe;
use crate::credential::fetched_tokens::FetchedToken;
use crate::credential::identity::Identity;

/// The effects of a run on a live server.
#[derive(Clone, Debug, Default)]
pub struct CleanupReport {
    /// Each call that changed something or may have: the call, its result, and the number of such calls.
    pub calls: Vec<(String, String, usize)>,
    /// The resources that the run created and could not remove.
    pub left: Vec<String>,
    /// The message about the end of the server, if it stopped answering.
    pub outage: Option<String>,
    /// The number of requests that belong to no case.
    pub requests: usize,
}

impl TargetServer {
    /// Removes the resources that the run created, and returns its effects: none for a server that is not live.
    pub async fn finish(&self, catalogue: &Catalogue) -> CleanupReport {
        let Some(live) = &self.live else { return CleanupReport::default() };
        let mut left = live.ledger.unidentified();
        for made in live.ledger.remaining() {
            let problem = match live.server_health.outage() {
                Some(_) => Some("the server died before that".to_owned()),
                None => self.remove(live, catalogue, &made).await.err(),
            };
            if let Some(problem) = problem {
                let id = made.ids.get(&made.parameter).map_or("", String::as_str);
                left.push(format!("`{id}`, made by {}: {problem}", made.by));
            }
        }
        let mut requests = live.ledger.requests();
        let mut calls = live.ledger.calls();
        for (request, count, sent) in self.identities.fetched().iter().map(FetchedToken::requests) {
            requests += sent;
            if count > 0 {
                calls.push((request.to_owned(), "to fetch a token".to_owned(), count));
            }
        }
        CleanupReport { calls, left, outage: live.server_health.outage().map(|outage| outage.message), requests }
    }

    /// Removes one resource, with an identity that may do so or with the credentials that created it.
    async fn remove(&self, live: &LiveServer, catalogue: &Catalogue, made: &CreatedResource) -> Result<(), String> {
        let mut operations = catalogue.api.operations.iter();
        let removal = operations.find(|other| other.method == "DELETE" && other.path == made.item);
        let removal = removal.ok_or_else(|| "the document has no DELETE for it".to_owned())?;
        if !live.may_be_asked(removal) {
            return Err("its DELETE is not allowed".to_owned());
        }
        let known = self.caller(&live.contract, removal);
        let nobody = || Identity::without_credential(self.identities.ids(&removal.path));
        let mut identity = known.clone().unwrap_or_else(nobody);
        identity.ids.extend(made.ids.clone());
        let maker =
            self.maker(live, catalogue, removal).ok_or_else(|| "the document has no DELETE for it".to_owned())?;
        let draft = maker.draft(&Probe::Valid, removal, &identity).map_err(|missing| missing.to_string())?;
        let by_maker = Draft { credentials: made.credentials.clone(), ..draft.clone() };
        let is_known = known.is_some();
        let mut problem = "no identity may remove it".to_owned();
        for draft in is_known.then_some(draft).into_iter().chain([by_maker]) {
            let sent = self.send_at_the_end(&draft).await;
            live.ledger.add_requests(sent.requests);
            match sent.reply {
                Ok(reply) if reply.is_success() => return Ok(()),
                Ok(reply) => {
                    let status = StatusCode::from_u16(reply.status)
                        .map_or_else(|_| reply.status.to_string(), |status| status.to_string());
                    problem = format!("DELETE is answered {status}");
                }
                // The request may have been executed.
                Err(reason) => return Err(reason),
            }
        }
        Err(problem)
    }
}
