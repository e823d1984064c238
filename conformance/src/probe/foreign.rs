//! Requests with ids of other users, in each place that names an id: the path, the query, a body, and a list.
//!
//! A refusal is evidence if the same call with the caller's own id is served. A success is evidence if its answer contains data that the
//! caller's own call does not return.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::case_run::{CaseRun, SentRequest};
use super::flow::Stop;
use super::invalid::set_query;
use super::live::{entries, ids_listed};
use super::request::Draft;
use super::{Reply, TargetServer};
use crate::contract::{Level, Probe};
use crate::credential::identity::Identity;
use crate::document::reference::{
    self, Reference, ReferenceKind, ids_at, of_type, reference, references, references_at, schema_of,
};
use crate::document::segment;
use crate::document::unknown_id;
use crate::judgement::missing::Missing;

/// The highest number of identities that are compared with each other.
const MOST_OWNERS: usize = 3;
/// The highest number of members of one body in which ids are tried.
const MOST_MEMBERS: usize = 4;

/// The answer to one identity's request for another's resource.
struct ForeignAnswer {
    sent: SentRequest,
    /// The evidence that the data belongs to the other identity; `None` if the request was refused or shows nothing.
    shown: Option<String>,
    reader: Identity,
}

impl TargetServer {
    /// Sends the foreign id of the tokens file, and then each identity's own ids with the credential of another one.
    pub(super) async fn send_foreign(&self, case_run: &mut CaseRun<'_>, name: &str) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let missing = match case_run.maker(self).draft(case_run.probe, operation, &case_run.identity) {
            Ok(draft) => {
                let secrets = draft.secrets.clone();
                case_run.sent.push(self.send(&draft).await);
                case_run.presented = if secrets.is_empty() { case_run.presented.clone() } else { secrets };
                None
            }
            Err(missing) => Some(missing),
        };
        if case_run.sent.iter().filter_map(SentRequest::answer).any(Reply::is_success) {
            return Ok(());
        }
        self.send_between(case_run, name, &operation.path, missing).await
    }

    /// Reads the list as an identity that must not see some of its entries.
    pub(super) async fn send_listed(&self, case_run: &mut CaseRun<'_>, name: &str) -> Result<(), Stop> {
        let named = Self::reference_of(case_run, ReferenceKind::List, name)?;
        let operation = case_run.catalogue.operation(case_run.case);
        let foreign = self.identities.foreign_id(named.template, name);
        let missing = match foreign {
            Ok(foreign) => {
                let draft =
                    case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
                let list = self.control(case_run, &draft, "the list").await?;
                let ids = ids_listed(&text(&list), name).filter(|ids| !ids.is_empty());
                let ids = ids.ok_or_else(|| Stop::missing("it shows no list of what has an id"))?;
                case_run.found = listed(name, &foreign, Some(&ids));
                None
            }
            Err(missing) => Some(missing),
        };
        if case_run.found.is_some() {
            return Ok(());
        }
        self.send_between(case_run, name, named.template, missing).await
    }

    /// Requests each identity's resources with the credential of another one, in both directions. Access in one direction only may be
    /// intended.
    async fn send_between(
        &self,
        case_run: &mut CaseRun<'_>,
        name: &str,
        template: &str,
        missing: Option<Missing>,
    ) -> Result<(), Stop> {
        let kinds = case_run.identity.credentials.iter().map(|held| held.kind.clone()).collect::<Vec<_>>();
        let ([kind], Some(_)) = (kinds.as_slice(), &self.live) else {
            return missing.map_or(Ok(()), |missing| Err(Stop::Missing(missing)));
        };
        let mut owners = self.identities.owners(kind, template, name);
        owners.truncate(MOST_OWNERS);
        let (mut refused, mut question) = (None, None);
        for (place, one) in owners.iter().enumerate() {
            for other in &owners[place + 1..] {
                let Some(there) = self.read_as(case_run, name, one, other).await? else { continue };
                let back = self.read_as(case_run, name, other, one).await?;
                match (there.shown.clone(), back.as_ref().map(|back| back.shown.is_some())) {
                    (Some(found), Some(true)) => {
                        let bound = case_run.catalogue.contract.credential(kind).map(|kind| &kind.binds);
                        let is_bound = bound.is_some_and(|bound| bound.iter().any(|bound| bound == name));
                        case_run.at_most = if is_bound { Level::Must } else { Level::Should };
                        case_run.identity = there.reader;
                        case_run.presented.clone_from(&there.sent.draft.secrets);
                        case_run.found = Some(format!("{found}, and the other way round"));
                        case_run.sent.push(there.sent);
                        return Ok(());
                    }
                    (None, Some(false)) => refused = refused.or(Some(there.sent)),
                    (Some(found), _) => question = question.or(Some(found)),
                    (None, Some(true)) => question = question.or(back.and_then(|back| back.shown)),
                    (None, None) => {}
                }
            }
        }
        match (missing, question, refused) {
            (None, ..) => Ok(()),
            (Some(_), Some(found), _) => Err(Stop::missing(format!(
                "{found}, and not the other way round: if that is wrong, name the id under [foreign]"
            ))),
            (Some(_), None, Some(sent)) => {
                case_run.sent.push(sent);
                Ok(())
            }
            (Some(missing), None, None) => Err(Stop::Missing(missing)),
        }
    }

    /// Returns the answer to `reader` for a resource of `owner`; `None` if one of them cannot read its own.
    async fn read_as(
        &self,
        case_run: &mut CaseRun<'_>,
        name: &str,
        reader: &Identity,
        owner: &Identity,
    ) -> Result<Option<ForeignAnswer>, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let as_at = |identity: &Identity| identity.clone().at(&operation.path);
        let (reader, owner) = (as_at(reader), as_at(owner));
        let Some(id) = owner.ids.get(name).cloned() else { return Ok(None) };
        let mut own = Vec::new();
        for identity in [&reader, &owner] {
            let draft = case_run.maker(self).draft(&Probe::Valid, operation, identity).map_err(Stop::Missing)?;
            let sent = self.send(&draft).await;
            let is_served = sent.answer().is_some_and(Reply::is_success);
            own.push(sent);
            if !is_served {
                case_run.sent.splice(0..0, own);
                return Ok(None);
            }
        }
        let bodies: Vec<String> = own.iter().filter_map(SentRequest::answer).map(text).collect();
        if let Probe::ForeignListed(_) = case_run.probe {
            let lists: Vec<HashSet<String>> =
                bodies.iter().map(|body| ids_listed(body, name).unwrap_or_default()).collect();
            let is_owned = lists[1].contains(&id);
            let sent = own.swap_remove(0);
            case_run.sent.splice(0..0, own);
            let found = listed(name, &id, Some(&lists[0])).filter(|_| is_owned);
            let shown = found.map(|found| format!("{found}: `{}` gets what is `{}`'s", reader.name, owner.name));
            return Ok(is_owned.then_some(ForeignAnswer { sent, shown, reader }));
        }
        case_run.sent.splice(0..0, own);
        // The path parameters before the id are the reader's, and the others the owner's.
        let before = operation.path.split(&format!("{{{name}}}")).next().unwrap_or_default();
        let is_before = |parameter: &String| before.contains(&format!("{{{parameter}}}"));
        let ahead = reader
            .ids
            .iter()
            .filter(|(parameter, _)| is_before(parameter))
            .map(|(name, id)| (name.clone(), id.clone()));
        let ids = owner.ids.clone().into_iter().chain(ahead).collect();
        let identity = Identity { ids, ..reader };
        let draft = case_run.maker(self).draft(&Probe::Valid, operation, &identity).map_err(Stop::Missing)?;
        let sent = self.send(&draft).await;
        let served = sent.answer().filter(|reply| reply.is_success() && text(reply) != bodies[0]);
        let shown = served.map(|reply| {
            format!("`{}` is answered {} for a `{name}` that is `{}`'s", identity.name, reply.status, owner.name)
        });
        Ok(Some(ForeignAnswer { sent, shown, reader: identity }))
    }

    /// Sends the caller's own id in the query, and then that of another user.
    pub(super) async fn send_foreign_query(&self, case_run: &mut CaseRun<'_>, name: &str) -> Result<(), Stop> {
        let named = Self::reference_of(case_run, ReferenceKind::Query, name)?;
        let (own, foreign) = self.own_and_foreign(case_run, &named)?;
        let with = |mut draft: Draft, id: &str| {
            set_query(&mut draft, &named.name, vec![(named.name.clone(), id.to_owned())]);
            draft
        };
        let operation = case_run.catalogue.operation(case_run.case);
        let draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let control = self.control(case_run, &with(draft.clone(), &own), &named.name).await?;
        let served = self.send(&with(draft.clone(), &foreign)).await;
        let answer = served.answer().filter(|reply| reply.is_success()).cloned();
        let new = answer.as_ref().map(|reply| without(&entry_texts(reply), &entry_texts(&control))).unwrap_or_default();
        if new.is_empty() {
            case_run.sent.push(served);
            return Ok(());
        }
        // Data that is returned for a nonexistent id does not belong to another user.
        let schema = operation.parameters.iter().find(|one| one.name == named.name);
        let unknown = schema.map(|one| match &self.live {
            Some(live) => live.unused_id(one, Some(&own)),
            None => unknown_id::id(&case_run.catalogue.api, one, Some(&own), 0),
        });
        let unknown_sent = self.send(&with(draft.clone(), &unknown.unwrap_or_default())).await;
        let for_unknown_id = unknown_sent.answer().filter(|reply| reply.is_success()).map(entry_texts);
        case_run.sent.push(unknown_sent);
        let is_list = answer.is_some_and(|reply| entries(&text(&reply)).is_some());
        case_run.sent.push(served);
        if !is_list {
            // An answer that is not a list may differ from call to call.
            case_run.at_most = Level::Should;
        }
        if for_unknown_id.is_some() && !is_list {
            return Err(Stop::missing("what is no list is answered for ids that nobody has, too"));
        }
        let left = without(&new, &for_unknown_id.unwrap_or_default());
        if left.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.shown_anyway(case_run, &draft, &left).await {
            return Err(Stop::missing(why));
        }
        case_run.found = Some(match left.len() {
            1 => format!("one entry is shown for `{}` of somebody else that the own one does not show", named.name),
            count => format!(
                "{count} entries are shown for `{}` of somebody else that the own one does not show",
                named.name
            ),
        });
        Ok(())
    }

    /// Returns the reason why entries of a list may be visible independent of the id in the query: the list contains them without it,
    /// which has a rule of its own, or the caller may read them by their own path.
    async fn shown_anyway(
        &self,
        case_run: &mut CaseRun<'_>,
        bare: &Draft,
        entries: &BTreeSet<String>,
    ) -> Option<String> {
        let (live, catalogue) = (self.live.as_ref()?, case_run.catalogue);
        let operation = catalogue.operation(case_run.case);
        let list = references(&catalogue.api).into_iter().find(|known| {
            known.kind == ReferenceKind::List && catalogue.api.operations[known.operation].path == operation.path
        })?;
        let template = list.template;
        let before_last = case_run.sent.len().saturating_sub(1);
        if let Ok(foreign) = self.identities.foreign_id(template, list.parameter)
            && entries.contains(&foreign)
        {
            let sent = self.send(bare).await;
            let is_shown = sent.answer().is_some_and(|reply| entry_texts(reply).contains(&foreign));
            case_run.sent.insert(before_last, sent);
            if is_shown {
                return Some(format!("the list shows the `{}` of somebody else without it as well", list.parameter));
            }
        }
        let is_id = |id: &&String| !id.starts_with(['{', '[']) && segment::is_one(id) && self.redactor.mask(id) == **id;
        let id = entries.iter().next().filter(is_id)?.clone();
        let reading = live.read_operation(catalogue, template)?;
        let mut reader = case_run.identity.clone().at(template);
        reader.ids.insert(list.parameter.to_owned(), id);
        let draft = self.maker(live, catalogue, reading)?.draft(&Probe::Valid, reading, &reader).ok()?;
        let sent = self.send(&draft).await;
        let is_served = sent.answer().is_some_and(Reply::is_success);
        case_run.sent.insert(before_last, sent);
        is_served.then(|| format!("what is shown for it is served by {template} as well"))
    }

    /// Sends a body with the caller's own id, and then with that of another user, in each member that names one.
    pub(super) async fn send_foreign_member(&self, case_run: &mut CaseRun<'_>, name: &str) -> Result<(), Stop> {
        let (catalogue, operation) = (case_run.catalogue, case_run.catalogue.operation(case_run.case));
        let mut all = references_at(&catalogue.api, operation, ReferenceKind::Member, name);
        all.truncate(MOST_MEMBERS);
        let mut done = Err(Stop::missing(format!("nothing of the call names a `{name}`")));
        for named in all {
            let sent = self.send_member(case_run, &named).await;
            if case_run.found.is_some() {
                return Ok(());
            }
            done = if sent.is_ok() || !matches!(done, Ok(())) { sent } else { done };
        }
        done
    }

    async fn send_member(&self, case_run: &mut CaseRun<'_>, named: &Reference<'_>) -> Result<(), Stop> {
        let (own, foreign) = self.own_and_foreign(case_run, named)?;
        let operation = case_run.catalogue.operation(case_run.case);
        let is_other_call =
            operation.method == "POST" && self.live.as_ref().is_some_and(|live| !live.creates_resource(operation));
        if is_other_call {
            return Err(Stop::missing(format!(
                "{} {} is no call that adds something",
                operation.method, operation.path
            )));
        }
        let api = &case_run.catalogue.api;
        let schema = schema_of(api, operation, &named.name).cloned().unwrap_or_default();
        let draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let with = |id: &str| {
            let mut body: Value = serde_json::from_slice(draft.body.as_deref()?).ok().filter(Value::is_object)?;
            reference::put(&mut body, &named.name, of_type(api, &schema, id));
            Some(Draft { body: Some(body.to_string().into_bytes()), ..draft.clone() })
        };
        let (Some(of_own), Some(of_other)) = (with(&own), with(&foreign)) else {
            return Err(Stop::missing("its body is no JSON object"));
        };
        self.control(case_run, &of_own, &named.name).await?;
        let sent = self.send(&of_other).await;
        let answer = sent.answer().filter(|reply| reply.is_success()).cloned();
        case_run.sent.push(sent);
        let Some(answer) = answer else { return Ok(()) };
        let mut taken = named_in(&answer, &named.name);
        if taken.is_none() && operation.method != "POST" {
            taken = self.ids_after_change(case_run, &named.name).await;
        }
        // A server may replace the id by the caller's own.
        match taken {
            Some(taken) if taken.contains(&foreign) => {
                case_run.found =
                    Some(format!("it is taken with {}, for `{}` of somebody else", answer.status, named.name));
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(Stop::missing(format!("it is taken, and no answer has `{}`, which says for whom", named.name))),
        }
    }

    /// Reads a resource after a call changed it. Returns the ids at this pointer, if it names a resource.
    async fn ids_after_change(&self, case_run: &mut CaseRun<'_>, at: &str) -> Option<Vec<String>> {
        let (live, catalogue) = (self.live.as_ref()?, case_run.catalogue);
        let reading = live.read_operation(catalogue, &catalogue.operation(case_run.case).path)?;
        let draft = self.maker(live, catalogue, reading)?.draft(&Probe::Valid, reading, &case_run.identity).ok()?;
        let sent = self.send(&draft).await;
        let named_ids = sent.answer().filter(|reply| reply.is_success()).and_then(|reply| named_in(reply, at));
        let before_last = case_run.sent.len().saturating_sub(1);
        case_run.sent.insert(before_last, sent);
        named_ids
    }

    /// Sends the control call that has to be served: with the caller's own id, or for the caller's own resource.
    async fn control(&self, case_run: &mut CaseRun<'_>, draft: &Draft, about: &str) -> Result<Reply, Stop> {
        let sent = self.send(draft).await;
        let answer = sent.answer().cloned();
        case_run.sent.push(sent);
        match answer {
            Some(reply) if reply.is_success() => Ok(reply),
            Some(reply) => {
                Err(Stop::missing(format!("what is the caller's own is answered {} as well ({about})", reply.status)))
            }
            None => Err(Stop::missing(format!("what is the caller's own is not answered ({about})"))),
        }
    }

    fn reference_of<'t>(case_run: &CaseRun<'t>, kind: ReferenceKind, name: &str) -> Result<Reference<'t>, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let found = reference(&case_run.catalogue.api, operation, kind, name);
        found.ok_or_else(|| Stop::missing(format!("nothing of the call names a `{name}`")))
    }

    fn own_and_foreign(&self, case_run: &CaseRun<'_>, named: &Reference<'_>) -> Result<(String, String), Stop> {
        let Reference { template, parameter, .. } = named;
        let own = case_run.identity.clone().at(template).ids.remove(*parameter);
        let own = own.ok_or_else(|| match self.live {
            Some(_) => Stop::missing(Missing::id(parameter)),
            None => Stop::missing("the mock tells apart whose the tenants of the contract are, and no other ids"),
        })?;
        Ok((own, self.identities.foreign_id(template, parameter).map_err(Stop::Missing)?))
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

fn listed(name: &str, id: &str, ids: Option<&HashSet<String>>) -> Option<String> {
    ids?.contains(id).then(|| format!("the list shows a `{name}` of somebody else"))
}

/// Returns the ids at a pointer in an answer, or at the same pointer in a wrapping member.
fn named_in(reply: &Reply, at: &str) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let wrapped = || body.as_object()?.values().find_map(|inner| ids_at(inner, at));
    ids_at(&body, at).or_else(wrapped)
}

/// Returns the entries of the list in an answer, by their ids if all have one; the whole body if it has no list.
fn entry_texts(reply: &Reply) -> BTreeSet<String> {
    let text = text(reply);
    if let Some(ids) = ids_listed(&text, "id") {
        return ids.into_iter().collect();
    }
    match entries(&text) {
        Some(entries) => entries.iter().map(Value::to_string).collect(),
        None => BTreeSet::from([text]).into_iter().filter(|text| !text.is_empty()).collect(),
    }
}

fn without(all: &BTreeSet<String>, others: &BTreeSet<String>) -> BTreeSet<String> {
    all.difference(others).cloned().collect()
}
