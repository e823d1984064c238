//! Changes one member of a resource that the run created.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation};
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::{Map, Value, json};

use super::super::case_run::CaseRun;
use super::super::flow::Stop;
use super::super::request::Draft;
use super::super::{Reply, TargetServer};
use super::compare::{Representation, is_blank, is_same};
use super::{WriteAndRead, check_complete, end, sent_by, short};
use crate::contract::{ChainProbe, Level};
use crate::document::body::scalar;
use crate::document::chain::Chain;
use crate::text::pointer::{join, put};

/// The highest number of members that are tried for a change.
const MOST_TRIES: usize = 3;

/// The request and the answer of one change, with the state before it.
pub(super) struct Change {
    name: String,
    draft: Draft,
    before: Representation,
    answered: Representation,
}

impl Change {
    /// Returns the name of the changed member.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl TargetServer {
    pub(super) async fn change_and_read(
        &self,
        case_run: &mut CaseRun<'_>,
        chain: &Chain,
        probe: ChainProbe,
    ) -> Result<(), Stop> {
        let (ids, reply) = self.create_own_resource(case_run, chain).await?;
        let catalogue = case_run.catalogue;
        let operation = catalogue.operation(case_run.case);
        let sides = WriteAndRead { api: &catalogue.api, operation, reader: &catalogue.api.operations[chain.reads] };
        let whole = self.draft_of(case_run, operation, &ids)?;
        let change = self.change(case_run, &sides, &whole, &reply).await?;
        let reading = self.reading(case_run, chain, &ids)?;
        let judge = |reply: &Reply| {
            let now = Representation::read(&reply.body);
            match probe {
                ChainProbe::Kept => sides.lost(&change, &now),
                _ => sides.unchanged(&change, &now),
            }
        };
        let is_right = |reply: &Reply| reply.is_success() && judge(reply).is_none();
        let now = self.read_until(case_run, &reading, is_right).await?;
        if !now.is_success() {
            return Err(Stop::missing(format!("what was changed cannot be read: {}", now.status)));
        }
        end(case_run, judge(&now))
    }

    /// Changes the first member that can be changed and read.
    pub(super) async fn change(
        &self,
        case_run: &mut CaseRun<'_>,
        sides: &WriteAndRead<'_>,
        whole: &Draft,
        before: &Reply,
    ) -> Result<Change, Stop> {
        let shown = Representation::read(&before.body);
        let mut refused = None;
        for name in sides.changeable(whole, &shown).into_iter().take(MOST_TRIES) {
            let Some(mut draft) = sides.changed(whole, &shown, &name) else { continue };
            let mut reply = self.step(&draft, &mut case_run.sent).await?;
            // The change applies to the version that was read.
            if let (428, Some(tag)) = (reply.status, before.headers.get(ETAG).and_then(|tag| tag.to_str().ok())) {
                draft.headers.push((IF_MATCH, tag.to_owned()));
                reply = self.step(&draft, &mut case_run.sent).await?;
            }
            if matches!(reply.status, 400 | 409 | 422) {
                refused = Some(reply);
                continue;
            }
            check_complete(&reply)?;
            return Ok(Change { name, draft, before: shown, answered: Representation::read(&reply.body) });
        }
        refused.as_ref().map_or(Ok(()), check_complete)?;
        Err(Stop::missing("no member of its body is plain text or a number that is read as well"))
    }
}

impl WriteAndRead<'_> {
    /// Returns the members of a body whose change is visible, texts first. Members that identify the resource in its path are excluded: the
    /// change would move the resource.
    fn changeable(&self, whole: &Draft, before: &Representation) -> Vec<String> {
        let sent = sent_by(whole, before);
        let mut known: Vec<(&String, &Value)> = self.sent(&sent, before);
        let names_it = |name: &str| {
            let now = before.get(name).and_then(scalar);
            now.is_some_and(|now| whole.ids.values().any(|id| *id == now))
        };
        known.retain(|(name, _)| !names_it(name));
        known.sort_by_key(|(_, value)| !value.is_string());
        known.into_iter().map(|(name, _)| name.clone()).collect()
    }

    /// Returns the request that changes one member to another value. A PATCH has no other members than the required ones.
    pub(super) fn changed(&self, whole: &Draft, before: &Representation, name: &str) -> Option<Draft> {
        let only = altered(self.api, self.operation, whole, |known| known == name)?;
        let mut draft = only;
        let is_new = |draft: &Draft| {
            let sent = sent_by(draft, before);
            sent.get(name).zip(before.get(name)).is_none_or(|(sent, now)| !is_same(sent, now))
        };
        if !is_new(&draft) {
            draft = altered(self.api, self.operation, &draft, |known| known == name).filter(is_new)?;
        }
        if self.operation.method == "PATCH" {
            let schema = &self.operation.body.as_ref()?.schema;
            let mut body: Value = serde_json::from_slice(draft.body.as_ref()?).ok()?;
            let at = sent_by(&draft, before).at().to_owned();
            let fits = |body: &Value| schema::mismatch(self.api, Direction::Request, schema, body).is_none();
            let members = body.pointer(&at)?.as_object()?.clone();
            for other in members.keys().filter(|other| *other != name) {
                let mut without = body.clone();
                without.pointer_mut(&at)?.as_object_mut()?.remove(other);
                if fits(&without) {
                    body = without;
                }
            }
            draft.body = Some(body.to_string().into_bytes());
        }
        Some(draft)
    }

    /// Returns a finding if a change is not visible in a later read.
    fn unchanged(&self, change: &Change, now: &Representation) -> Option<(Level, String)> {
        let Change { name, draft, answered, .. } = change;
        let sent = sent_by(draft, now);
        let new = sent.get(name)?;
        if now.get(name).is_some_and(|now| is_same(new, now)) {
            return self.difference(draft, answered, now);
        }
        let read = if now.get(name).is_some() { "is read as something else" } else { "is not there when it is read" };
        let is_said = answered.get(name).is_some_and(|answer| is_same(answer, new));
        let (level, said) = if is_said {
            (Level::Must, "and answered as that")
        } else {
            (Level::Should, "which was answered with success")
        };
        Some((level, format!("`{name}` was changed to {}, {said}, and {read}", short(new))))
    }

    /// Returns a finding if a change removed members that it did not contain and that a client may set.
    fn lost(&self, change: &Change, now: &Representation) -> Option<(Level, String)> {
        let sent = sent_by(&change.draft, now);
        let schema = &self.operation.body.as_ref()?.schema;
        let may_be_set = |name: &str| {
            let at = join(sent.at(), name);
            let whole = if sent.at().is_empty() { Some(schema) } else { self.api.member(schema, sent.at()) };
            self.api.member(schema, &at).is_some()
                && whole.is_some_and(|whole| schema::is_sent(self.api, Direction::Request, whole, name))
        };
        let members = change.before.value.as_object().into_iter().flatten();
        let mut unsent = members.filter(|(name, value)| {
            sent.value.get(name.as_str()).is_none()
                && !is_blank(Some(value))
                && may_be_set(name)
                && self.is_compared(now, name)
        });
        let (name, was) = unsent.find(|(name, _)| is_blank(now.get(name)))?;
        let now = now.get(name).map_or("not there".to_owned(), short);
        Some((
            Level::Must,
            format!("`{name}` was {} and not sent, and is {now} after a change of `{}`", short(was), change.name),
        ))
    }
}

/// Returns the same request with another text or number in the first of these members of its body that can have one. The new body still
/// matches the document.
pub(in super::super) fn altered(
    api: &Api,
    operation: &Operation,
    draft: &Draft,
    may_be: impl Fn(&str) -> bool,
) -> Option<Draft> {
    let body: Value = serde_json::from_slice(draft.body.as_ref()?).ok()?;
    let schema = &operation.body.as_ref()?.schema;
    let fits = |altered: &Value| schema::mismatch(api, Direction::Request, schema, altered).is_none();
    let of = |at: &str, members: &Map<String, Value>| {
        members.iter().filter(|(name, _)| may_be(name)).find_map(|(name, value)| {
            let at = join(at, name);
            // A `format` restricts a text further than the schema checks.
            let is_formed = api.member(schema, &at).is_some_and(|member| api.resolve(member).get("format").is_some());
            let others = if is_formed && value.is_string() { Vec::new() } else { others(value) };
            others.into_iter().find_map(|other| {
                let mut altered = body.clone();
                put(&mut altered, &at, other);
                fits(&altered).then_some(altered)
            })
        })
    };
    let members = body.as_object()?;
    let wrapped = || {
        members.iter().filter(|_| members.len() == 1).find_map(|(name, inner)| of(&join("", name), inner.as_object()?))
    };
    let altered = of("", members).or_else(wrapped)?;
    Some(Draft { body: Some(altered.to_string().into_bytes()), ..draft.clone() })
}

/// Returns similar values that differ from this one.
fn others(value: &Value) -> Vec<Value> {
    match value {
        // Email addresses and URIs have a syntax even without a documented `format`.
        Value::String(text) if !text.contains('@') && !text.contains("://") => {
            let shorter = text.chars().next_back().map(|last| &text[..text.len() - last.len_utf8()]);
            let replaced = shorter.map(|text| json!(format!("{text}2")));
            [json!(format!("{text} 2"))].into_iter().chain(replaced).filter(|other| other != value).collect()
        }
        Value::Number(number) => {
            let number = number.as_i64();
            [number.and_then(|number| number.checked_add(1)), number.and_then(|number| number.checked_sub(1))]
                .into_iter()
                .flatten()
                .map(|other| json!(other))
                .collect()
        }
        _ => Vec::new(),
    }
}
