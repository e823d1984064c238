//! Checks whether a server ignores `readOnly` members: a create or a change sends them, and a read shows whether they were stored.
//!
//! The targets are resources that the run creates, or expendable ones. Members with identities or permissions, and switches, are sent
//! only if the user allows the operation by its id.

use std::collections::BTreeMap;

use keyfit_openapi::{Operation, Retry};
use serde_json::Value;

use super::case_run::CaseRun;
use super::chain::answered_id;
use super::flow::Stop;
use super::live::{Effect, LiveServer, ids_told, is_kept_out, item_of, last_parameter};
use super::request::{Draft, DraftBuilder};
use super::{Reply, TargetServer};
use crate::contract::Probe;
use crate::credential::identity::Identity;
use crate::document::read_only::{other, read_only};
use crate::judgement::missing::Missing;

impl TargetServer {
    /// Sends a valid call and reads its result, and then one that sets read-only members.
    pub(super) async fn send_read_only(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let api = &case_run.catalogue.api;
        let is_named = operation.path.ends_with('}') && operation.method != "POST";
        let template = if is_named { Some(operation.path.as_str()) } else { item_of(api, &operation.path) };
        let reading = template.and_then(|template| {
            api.operations
                .iter()
                .find(|other| other.method == "GET" && other.path == template && other.retry == Retry::Safe)
        });
        let reading = reading.ok_or_else(|| Stop::missing("nothing reads what it makes"))?;
        let makes = |live: &LiveServer| matches!(live.effect(operation), Effect::Creates);
        if !is_named && self.live.as_ref().is_some_and(|live| !makes(live)) {
            return Err(Stop::missing("it makes nothing that can be read"));
        }
        let draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let before =
            if is_named { case_run.identity.ids.clone() } else { self.made_by(case_run, &draft, reading).await? };
        let stored = self.stored(case_run, reading, before.clone()).await?;
        let is_allowed = self.live.as_ref().is_none_or(|live| live.allows(operation));
        let mut body: Value = serde_json::from_slice(draft.body.as_deref().unwrap_or_default()).unwrap_or_default();
        let Some(members) = body.as_object_mut() else { return Err(Stop::missing("its body is no JSON object")) };
        let mut wanted: Vec<(String, Value)> = Vec::new();
        for (name, schema) in read_only(api, operation) {
            // A member that is not shown cannot be compared.
            let Some(current) = stored.get(&name) else { continue };
            let Some(value) = other(api, schema, current) else { continue };
            if is_allowed || !(is_kept_out(&name) || value.is_boolean()) {
                wanted.push((name, value));
            }
        }
        if wanted.is_empty() {
            let what = "no member that is read-only can be set and read but for those of ids, rights and switches";
            return Err(Stop::missing(Missing::new(what).allow(&operation.id)));
        }
        members.extend(wanted.iter().cloned());
        let setting = Draft { body: Some(body.to_string().into_bytes()), ..draft };
        let sent = self.send(&setting).await;
        let answer = sent.answer().filter(|reply| reply.is_success()).cloned();
        let Some(answer) = answer else {
            case_run.sent.push(sent);
            return Ok(());
        };
        case_run.sent.insert(0, sent);
        let ids = if is_named { Some(before) } else { ids_of_created(&answer, &setting, reading) };
        let ids = ids.ok_or_else(|| Stop::missing("its answer does not tell what was made"))?;
        let now = self.stored(case_run, reading, ids).await?;
        let taken = wanted.iter().filter(|(name, value)| now.get(name) == Some(value));
        let taken: Vec<String> = taken.map(|(name, value)| format!("`{name}` is {value}")).collect();
        if !taken.is_empty() {
            case_run.found = Some(format!("{} afterwards, as it was sent, and is read-only", taken.join(", ")));
        }
        Ok(())
    }

    /// Returns the ids of the resource that a valid call creates.
    async fn made_by(
        &self,
        case_run: &mut CaseRun<'_>,
        draft: &Draft,
        reading: &Operation,
    ) -> Result<BTreeMap<String, String>, Stop> {
        let sent = self.send(draft).await;
        let answer = sent.answer().cloned();
        case_run.sent.push(sent);
        let answer = answer.filter(Reply::is_success).ok_or_else(|| Stop::missing("a valid call makes nothing"))?;
        ids_of_created(&answer, draft, reading).ok_or_else(|| Stop::missing("its answer does not tell what was made"))
    }

    /// Reads the stored resource.
    async fn stored(
        &self,
        case_run: &mut CaseRun<'_>,
        reading: &Operation,
        ids: BTreeMap<String, String>,
    ) -> Result<Value, Stop> {
        let (_, arguments) = case_run
            .catalogue
            .operation_named(&reading.id)
            .ok_or_else(|| Stop::missing("nothing reads what it makes"))?;
        let reader = Identity { ids, ..case_run.identity.clone() };
        let draft = DraftBuilder { arguments, ..case_run.maker(self) }.draft(&Probe::Valid, reading, &reader);
        let sent = self.send(&draft.map_err(Stop::Missing)?).await;
        let answer = sent.answer().filter(|reply| reply.is_success()).cloned();
        case_run.sent.push(sent);
        let answer = answer.ok_or_else(|| Stop::missing("what it makes cannot be read"))?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // Many APIs wrap the resource in one member.
        let only = body.as_object().filter(|members| members.len() == 1).and_then(|members| members.values().next());
        Ok(only.filter(|inner| inner.is_object()).cloned().unwrap_or(body))
    }
}

/// Returns the ids of the resource that a call created, from its answer.
fn ids_of_created(answer: &Reply, draft: &Draft, reading: &Operation) -> Option<BTreeMap<String, String>> {
    let parameter = last_parameter(&reading.path)?;
    let by_address = || ids_told(answer, parameter, draft.url.path()).into_iter().next();
    let id = answered_id(answer, parameter).or_else(by_address)?;
    let mut ids = draft.ids.clone();
    ids.insert(parameter.to_owned(), id);
    Some(ids)
}
