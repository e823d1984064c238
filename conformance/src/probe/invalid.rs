//! Requests that are valid except for one flaw each: all flaws of one kind are one case, and each answer is judged by itself.

use keyfit_openapi::{Operation, ParameterLocation, Retry};
use reqwest::header::HeaderName;
use serde_json::{Value, json};

use super::case_run::{CaseRun, SentRequest};
use super::flow::Stop;
use super::request::Draft;
use super::{Reply, TargetServer};
use crate::contract::{Flaw, Level};
use crate::document::invalid_request::{ByteChange, DEEP_NESTING, InvalidRequest, RequestChange, UNKNOWN_PARAMETER};
use crate::document::parameter;
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{BrokenAspect, Outcome};

/// One of several requests of a case.
pub(super) struct SentFlaw {
    /// The flaw of the request, as in ``the query's `limit` is -5, below 1``.
    flaw: String,
    /// The statuses with which the server may refuse it, besides those of the rule.
    other_statuses: &'static [u16],
    /// True if its body lacks a required member, so that a refusal may be for that.
    lacks_required_member: bool,
}

/// Refusals of a request that is too long, or in another charset.
const OF_FORM: &[u16] = &[413, 414, 415, 431];
/// Refusals of a flaw in the path: the resource is not accessible or does not exist.
const OF_PATH: &[u16] = &[403, 404, 413, 414, 415, 431];

/// The result of one request.
enum RefusalVerdict {
    Kept,
    Broken(String),
    /// The result is unknown, for this reason.
    Undecided(String),
}

impl TargetServer {
    /// Sends each request of a case about a flaw.
    pub(super) async fn send_bent(&self, case_run: &mut CaseRun<'_>, flaw: Flaw) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut unsent = None;
        for bent in case_run.catalogue.bent(case_run.case, flaw) {
            if self.has_stopped() {
                break;
            }
            match self.bent_draft(case_run, &bent) {
                Ok(draft) => {
                    let other_statuses = if bent.is_in_path(operation) { OF_PATH } else { OF_FORM };
                    let lacks_required_member = draft.lacks.is_some();
                    case_run.sent.push(self.send(&draft).await);
                    case_run.sent_flaws.push(SentFlaw {
                        flaw: bent.description,
                        other_statuses,
                        lacks_required_member,
                    });
                }
                Err(missing) => drop(unsent.get_or_insert(missing)),
            }
        }
        match unsent.filter(|_| case_run.sent.is_empty()) {
            Some(missing) => Err(Stop::Missing(missing)),
            None => Ok(()),
        }
    }

    /// Returns a valid request with one change, or the reason why it is not sent.
    fn bent_draft(&self, case_run: &CaseRun<'_>, bent: &InvalidRequest) -> Result<Draft, Missing> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut identity = case_run.identity.clone();
        if let RequestChange::Parameter(place, Some(value)) = &bent.change
            && operation.parameters[*place].location == ParameterLocation::Path
        {
            let parameter = &operation.parameters[*place];
            identity.ids.insert(parameter.name.clone(), parameter::text(parameter, value));
        }
        let draft = case_run.maker(self).draft(case_run.probe, operation, &identity)?;
        let is_spared = self.live.as_ref().is_some_and(|live| !live.allows(operation));
        changed(draft, bent, operation, is_spared).ok_or_else(|| {
            Missing::new("the check does not set that at a live server").within(&bent.description).allow(&operation.id)
        })
    }
}

/// Applies one change to a request. Returns `None` if it would set a member that must not be sent to a live server.
fn changed(mut draft: Draft, bent: &InvalidRequest, operation: &Operation, is_spared: bool) -> Option<Draft> {
    match &bent.change {
        RequestChange::Parameter(place, value) => {
            let parameter = &operation.parameters[*place];
            match parameter.location {
                ParameterLocation::Path => {}
                ParameterLocation::Query => {
                    let pairs = value.as_ref().map(|value| parameter::pairs(parameter, value)).unwrap_or_default();
                    let name = parameter::name(parameter);
                    set_query(&mut draft, &name, pairs);
                }
                ParameterLocation::Header => {
                    let name: HeaderName = parameter.name.parse().ok()?;
                    draft.headers.retain(|(known, _)| *known != name);
                    draft.headers.extend(value.as_ref().map(|value| (name, parameter::text(parameter, value))));
                }
            }
        }
        RequestChange::Twice(place) => {
            let parameter = &operation.parameters[*place];
            let own: Vec<(String, String)> = draft.url.query_pairs().into_owned().collect();
            let name = parameter::name(parameter);
            let value = own.iter().find(|(known, _)| *known == name).map_or("1", |(_, value)| value.as_str());
            let pair = (name.clone(), value.to_owned());
            set_query(&mut draft, &name, vec![pair.clone(), pair]);
        }
        RequestChange::Unknown => {
            set_query(&mut draft, UNKNOWN_PARAMETER, vec![(UNKNOWN_PARAMETER.to_owned(), "1".to_owned())]);
        }
        RequestChange::Body(at, value) => {
            let mut body: Value = serde_json::from_slice(draft.body.as_ref()?).ok()?;
            // A switch stays off, in any notation.
            let is_sent = body.pointer(at).is_some_and(|known| !(is_spared && known.is_boolean()));
            is_sent.then(|| set(&mut body, at, value.clone()))?;
            draft.body = Some(body.to_string().into_bytes());
        }
        RequestChange::Added(at, value) => {
            let mut body: Value = serde_json::from_slice(draft.body.as_ref()?).ok()?;
            let (above, _) = at.rsplit_once('/')?;
            body.pointer(above).filter(|above| above.is_object())?;
            set(&mut body, at, Some(value.clone()));
            draft.body = Some(body.to_string().into_bytes());
        }
        RequestChange::Bytes(bytes) => {
            let (body, charset) = rewritten(*bytes, draft.body.as_ref()?)?;
            draft.body = Some(body);
            if let Some(charset) = charset {
                draft.media_type = format!("{}; charset={charset}", draft.media_type).into();
            }
        }
    }
    Some(draft)
}

/// Sets a parameter of the query, or removes it if it has no pairs.
pub(super) fn set_query(draft: &mut Draft, name: &str, pairs: Vec<(String, String)>) {
    let other_statuses: Vec<(String, String)> =
        draft.url.query_pairs().into_owned().filter(|(known, _)| known != name).collect();
    draft.url.set_query(None);
    if !other_statuses.is_empty() || !pairs.is_empty() {
        draft.url.query_pairs_mut().extend_pairs(other_statuses).extend_pairs(pairs);
    }
}

/// Sets a member or an item, or removes it.
fn set(body: &mut Value, at: &str, value: Option<Value>) {
    match (value, body.pointer_mut(at)) {
        (Some(value), Some(known)) => *known = value,
        (Some(value), None) => crate::text::pointer::put(body, at, value),
        (None, _) => crate::text::pointer::take(body, at),
    }
}

/// Returns the body in another encoding, with its charset if that is not UTF-8.
fn rewritten(bytes: ByteChange, body: &[u8]) -> Option<(Vec<u8>, Option<&'static str>)> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let first = || value.as_object()?.iter().next();
    let text = value.to_string();
    let inside = text.strip_prefix('{').unwrap_or_default();
    Some(match bytes {
        ByteChange::Twice => {
            let (name, member) = first()?;
            (format!("{{{}:{member},{inside}", json!(name)).into_bytes(), None)
        }
        ByteChange::Deep => {
            first()?;
            let (open, close) = ("[".repeat(DEEP_NESTING), "]".repeat(DEEP_NESTING));
            (format!("{{\"{UNKNOWN_PARAMETER}\":{open}{close},{inside}").into_bytes(), None)
        }
        // The byte order mark gives the byte order.
        ByteChange::Utf16 => {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            (units.flat_map(u16::to_be_bytes).collect(), Some("utf-16"))
        }
        ByteChange::NotUtf8 => {
            // The invalid bytes go into a value: in the name of a member they would make it another member.
            let at = text.find(":\"").map(|at| at + 2).or_else(|| text.starts_with('"').then_some(1))?;
            let mut bytes = text.into_bytes();
            bytes.splice(at..at, [0xff, 0xfe]);
            (bytes, None)
        }
    })
}

impl CaseRun<'_> {
    /// Judges each answer of a case with several requests by itself. One finding names all flaws.
    pub(super) fn judged_each(&self) -> Outcome {
        let mut broken: Vec<(&SentRequest, String)> = Vec::new();
        let mut open = None;
        let mut last = None;
        for (sent, tried) in self.sent.iter().zip(&self.sent_flaws) {
            match self.fate(sent, tried) {
                RefusalVerdict::Kept => last = sent.answer(),
                RefusalVerdict::Broken(finding) => broken.push((sent, format!("{}: {finding}", tried.flaw))),
                RefusalVerdict::Undecided(why) => drop(open.get_or_insert_with(|| format!("{}: {why}", tried.flaw))),
            }
        }
        if let Some(outage) = self.live.and_then(|live| live.server_health.outage()) {
            return Outcome::error(format!("no answer came: {}", outage.message));
        }
        let Some((first, _)) = broken.first() else {
            let mut outcome = match (last, open) {
                (Some(_), _) => Outcome::pass(),
                (None, Some(why)) => Outcome::skip(why),
                (None, None) => Outcome::error("nothing was sent"),
            };
            outcome.status = last.map(|reply| reply.status);
            return outcome;
        };
        let findings: Vec<&str> = broken.iter().map(|(_, finding)| finding.as_str()).collect();
        let level = self.level_of(broken.iter().map(|(sent, _)| *sent));
        let mut outcome = Outcome::broken(level, findings.join("; ")).by(BrokenAspect::Status);
        outcome.status = first.answer().map(|reply| reply.status);
        let shown = broken.iter().map(|(sent, _)| *sent);
        outcome.exchanges = self.exchanges(shown.clone().take(1).chain(shown.skip(1).last()));
        outcome
    }

    /// Returns the level for requests that were not refused. Servers often limit a read that asks for more than the document allows to the
    /// available items, so the level is `Should` at most, unless the contract changes the rule.
    fn level_of<'s>(&self, mut sent: impl Iterator<Item = &'s SentRequest>) -> Level {
        let is_served = sent.all(|sent| sent.answer().is_some_and(Reply::is_success));
        let reads = self.catalogue.operation(self.case).retry == Retry::Safe;
        if is_served && reads && self.catalogue.contract.change(self.case.rule).is_none() {
            return self.case.level.min(Level::Should);
        }
        self.case.level
    }

    fn fate(&self, sent: &SentRequest, tried: &SentFlaw) -> RefusalVerdict {
        let reply = match &sent.reply {
            Ok(reply) => reply,
            Err(reason) => return RefusalVerdict::Undecided(format!("no answer came: {reason}")),
        };
        let Reply { status, .. } = *reply;
        let expected = &self.expect.status;
        match status {
            _ if expected.contains(&status) && tried.lacks_required_member => RefusalVerdict::Undecided(
                "the body lacks what the document demands, which the check does not set".to_owned(),
            ),
            _ if expected.contains(&status) => RefusalVerdict::Kept,
            _ if reply.asks_to_wait() => {
                RefusalVerdict::Undecided(format!("the status is {status}: the server serves nobody for now"))
            }
            500.. => RefusalVerdict::Broken(format!("the status is {status}: the server failed")),
            _ if self.expect.no_failure => RefusalVerdict::Kept,
            _ if tried.other_statuses.contains(&status) => RefusalVerdict::Kept,
            200..300 => RefusalVerdict::Broken(format!("it is taken with {status}")),
            _ => RefusalVerdict::Undecided(format!("the status is {status}, which may be for another reason")),
        }
    }
}
