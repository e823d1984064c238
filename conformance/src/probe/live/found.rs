//! Ids that the user did not name: reading cases take them from the answers of lists.

use std::collections::BTreeMap;

use keyfit_openapi::{Operation, ParameterLocation, is_same_template};

use super::super::TargetServer;
use super::super::case_run::CaseRun;
use super::super::pages::PageSearch;
use super::super::reply::Reply;
use super::effect::{item_of, may_list};
use super::ledger::first_listed;
use super::{Effect, LiveServer};
use crate::catalogue::Catalogue;
use crate::contract::Probe;
use crate::credential::identity::Identity;
use crate::document::reference::named_by;
use crate::document::segment;

/// The highest number of pages of a list that are read for an id.
const MOST_PAGES: usize = 5;

impl TargetServer {
    /// Sets the ids of a case that only reads, for the path parameters whose ids the user does not name.
    pub(in super::super) async fn find_ids(&self, case_run: &mut CaseRun<'_>) {
        let Some(live) = &self.live else { return };
        let operation = case_run.catalogue.operation(case_run.case);
        if live.effect(operation) != Effect::Nothing {
            return;
        }
        for (template, parameter) in named_by(&operation.path) {
            let schema = operation
                .parameters
                .iter()
                .find(|one| one.location == ParameterLocation::Path && one.name == parameter);
            let is_listed = schema.is_some_and(|one| case_run.catalogue.api.resolve(&one.schema).get("enum").is_some());
            if is_listed || case_run.identity.ids.contains_key(parameter) {
                continue;
            }
            let Some(id) = self.found(live, case_run.catalogue, (template, parameter), &case_run.identity.ids).await
            else {
                return;
            };
            case_run.identity.ids.insert(parameter.to_owned(), id);
        }
    }

    /// Returns an id of a list, which is read once in a run. A list below a resource is the one of that resource.
    async fn found(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        (template, parameter): (&str, &str),
        ids: &BTreeMap<String, String>,
    ) -> Option<String> {
        let above: BTreeMap<String, String> =
            ids.iter().filter(|(name, _)| template.contains(&format!("{{{name}}}"))).map(own).collect();
        let key = format!("{template} {above:?}");
        let mut known = live.found.lock().await;
        if let Some(id) = known.get(&key) {
            return id.clone();
        }
        let id = self.ask_list(live, catalogue, (template, parameter), above).await;
        known.insert(key, id.clone());
        id
    }

    async fn ask_list(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        (template, parameter): (&str, &str),
        above: BTreeMap<String, String>,
    ) -> Option<String> {
        let lists = catalogue.api.operations.iter().filter(|other| {
            let item = || item_of(&catalogue.api, &other.path);
            other.method == "GET"
                && may_list(&other.path, template)
                && item().is_some_and(|item| is_same_template(item, template))
        });
        // Its own list goes before another one that has the same things.
        let mut lists: Vec<&Operation> = lists.collect();
        lists.sort_by_key(|list| !template.starts_with(&list.path));
        let reading = lists.into_iter().find_map(|list| live.read_operation(catalogue, &list.path))?;
        let caller = self.caller(&live.contract, reading)?;
        let caller = Identity { ids: caller.ids.into_iter().chain(above).collect(), ..caller };
        let mut draft = self.maker(live, catalogue, reading)?.draft(&Probe::Valid, reading, &caller).ok()?;
        let may_be_taken = |id: &str| {
            let is_foreign = self.identities.foreign_id(template, parameter).is_ok_and(|foreign| foreign == id);
            let is_passing =
                live.ledger.has_created(parameter, id) || self.identities.is_expendable(template, parameter, id);
            // A server says what is sent next: neither to another path, nor a token in a URL.
            let is_safe = segment::is_one(id) && self.redactor.mask(id) == id;
            !is_foreign && !is_passing && is_safe
        };
        let mut pages = PageSearch::of(reading);
        for _ in 0..MOST_PAGES {
            let sent = self.send(&draft).await;
            live.ledger.add_requests(sent.requests);
            let reply = sent.answer().filter(|reply| Reply::is_success(reply))?;
            let id = first_listed(&String::from_utf8_lossy(&reply.body), parameter, may_be_taken);
            if id.is_some() {
                return id;
            }
            draft = pages.as_mut()?.after(&draft, reply)?;
        }
        None
    }
}

fn own((name, id): (&String, &String)) -> (String, String) {
    (name.clone(), id.clone())
}
