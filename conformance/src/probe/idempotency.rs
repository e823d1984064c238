//! Calls that are sent twice with the same idempotency key: the server has to recognize the second one.

use keyfit_openapi::idempotency::{KeyLocation, key_location};
use reqwest::header::{HeaderName, LOCATION};
use serde_json::{Value, json};

use super::case_run::CaseRun;
use super::chain::altered;
use super::flow::Stop;
use super::invalid::set_query;
use super::live::Effect;
use super::reply::Reply;
use super::request::Draft;
use super::{TargetServer, pages};
use crate::contract::Probe;

impl TargetServer {
    /// Sends a call twice with one key, the second time with another body if the probe is about that.
    pub(super) async fn repeat_under_a_key(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let adds = case_run.live.is_none_or(|live| matches!(live.effect(operation), Effect::Creates));
        if !adds {
            return Err(Stop::missing("a call is repeated only where it adds something that the run can remove"));
        }
        let first = self.keyed(case_run)?;
        let second = match case_run.probe {
            Probe::ReusedKey => {
                let api = &case_run.catalogue.api;
                let key = key_location(api, operation);
                let is_no_key = |name: &str| key != Some(KeyLocation::Member(name));
                let other = altered(api, operation, &first, is_no_key);
                other.ok_or_else(|| Stop::missing("no member of its body is plain text"))?
            }
            _ => first.clone(),
        };
        let before = self.step(&first, &mut case_run.sent).await?;
        if !before.is_success() {
            return Err(Stop::missing(format!("a valid call is answered with {}", before.status)));
        }
        let after = self.step(&second, &mut case_run.sent).await?;
        let made_two = case_run.probe == &Probe::RepeatedKey && after.is_success();
        match created_id(&before).zip(created_id(&after)).filter(|(one, other)| made_two && one != other) {
            Some((one, other)) => Err(Stop::Broken(format!("one key made two objects: {one} and {other}"))),
            None if made_two && created_id(&before).is_none() => Err(no_answered_id(case_run)),
            None => Ok(()),
        }
    }

    /// Returns a valid request with a new key.
    fn keyed(&self, case_run: &CaseRun<'_>) -> Result<Draft, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut draft =
            case_run.maker(self).draft(&Probe::Valid, operation, &case_run.identity).map_err(Stop::Missing)?;
        let missing = || Stop::missing("the operation takes no key");
        match key_location(&case_run.catalogue.api, operation).ok_or_else(missing)? {
            KeyLocation::Header(name) => {
                let name = name.parse::<HeaderName>().map_err(|_| missing())?;
                draft.headers.retain(|(known, _)| *known != name);
                draft.headers.push((name, new_key()));
            }
            KeyLocation::Query(name) => set_query(&mut draft, name, vec![(name.to_owned(), new_key())]),
            KeyLocation::Member(name) => {
                let body = draft.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
                let mut body: Value = body.filter(Value::is_object).ok_or_else(missing)?;
                body[name] = json!(new_key());
                draft.body = Some(body.to_string().into_bytes());
            }
        }
        Ok(draft)
    }
}

/// Returns a new key. Without a source of randomness, it is all zeros.
pub(super) fn new_key() -> String {
    keyfit::new_idempotency_key().unwrap_or_else(|_| "00000000-0000-4000-8000-000000000000".to_owned())
}

/// Returns the reason why the created resource is unknown: the answer does not identify it. It is a finding if the document promises an id.
fn no_answered_id(case_run: &CaseRun<'_>) -> Stop {
    let operation = case_run.catalogue.operation(case_run.case);
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let is_promised = successes.any(|(_, shape)| {
        let has = |id: &&str| {
            let member = |schema| case_run.catalogue.api.member(schema, &format!("/{id}"));
            shape.schema.as_ref().and_then(member).is_some()
        };
        shape.is_json() && pages::IDS.iter().any(has)
    });
    let why = "its answer does not say what it made";
    if is_promised { Stop::Broken(why.to_owned()) } else { Stop::missing(why) }
}

/// Returns the id or the address of the resource that a call created, from its answer.
fn created_id(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let address = || Some(reply.headers.get(LOCATION)?.to_str().ok()?.to_owned());
    pages::id(&body).or_else(address)
}
