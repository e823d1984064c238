//! The life cycle of a resource that the run creates: it is created, read, changed, removed, and read again.
//!
//! No other resource is touched, and the run removes its own at its end. No other case runs meanwhile, since its changes to the same list
//! would look like a defect. At a live server, each read with an unexpected result is repeated: changes may become visible later.

mod change;
mod compare;
mod removal;
mod stale;

use std::collections::BTreeMap;
use std::time::Duration;

use keyfit_openapi::{Api, Operation, ParameterLocation};
use reqwest::Url;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;
use tokio::time::Instant;

pub(super) use self::change::altered;
use self::compare::{Representation, is_blank, is_same};
use super::case_run::{CaseRun, SentRequest};
use super::flow::Stop;
use super::live::{LiveServer, ends_by_get, entries, ids_told, last_parameter};
use super::pages::PageSearch;
use super::request::{Draft, DraftBuilder};
use super::{Reply, TargetServer};
use crate::contract::{ChainProbe, Level, Probe};
use crate::credential::identity::Identity;
use crate::document::body::scalar;
use crate::document::chain::Chain;
use crate::document::segment;
use crate::judgement::missing::Missing;
use crate::text::words::words;

/// The wait before each further read: a change may become visible a moment later.
const WAITS: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1)];
/// Members that may hold the identifier of a resource in its path, if no member has the name of the path parameter.
const ID_MEMBERS: [&str; 9] = ["id", "uuid", "guid", "key", "slug", "name", "number", "code", "sha"];
/// The highest number of pages of a list that are searched for a new entry.
const MOST_PAGES: usize = 5;
/// The highest number of identifiers that are tried for one resource.
const MOST_NAMES: usize = 4;

/// A resource that a case created.
struct ChainResource {
    /// The request that created it.
    draft: Draft,
    reply: Reply,
    /// Candidates for its path parameters, the likeliest first.
    named: Vec<BTreeMap<String, String>>,
}

impl TargetServer {
    /// Sends the requests of a chain and compares the answers.
    pub(super) async fn follow_chain(&self, case_run: &mut CaseRun<'_>, probe: ChainProbe) -> Result<(), Stop> {
        let chain = case_run.catalogue.chains().with(case_run.case.operation);
        let chain = chain.ok_or_else(|| Stop::missing("nothing reads what it makes"))?;
        match probe {
            ChainProbe::ReadBack => self.read_back(case_run, chain).await,
            ChainProbe::Location => self.follow_location(case_run, chain).await,
            ChainProbe::Listed => self.look_into_list(case_run, chain).await,
            ChainProbe::Changed | ChainProbe::Kept => self.change_and_read(case_run, chain, probe).await,
            ChainProbe::StaleChange => self.change_under_an_old_tag(case_run, chain).await,
            ChainProbe::Gone => self.remove_and_read(case_run, chain).await,
        }
    }

    async fn read_back(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
        let made = self.create(case_run, chain).await?;
        let mut first = None;
        for ids in &made.named {
            let reading = self.reading(case_run, chain, ids)?;
            let reply = self.step(&reading, &mut case_run.sent).await?;
            if reply.status != 404 {
                return self.judge_reading(case_run, chain, (&made, &reading), reply).await;
            }
            first = first.or(Some(reading));
        }
        let reading = first.ok_or_else(|| Stop::missing("its answer does not tell what was made"))?;
        let reply = self.read_until(case_run, &reading, Reply::is_success).await?;
        if reply.status != 404 {
            return self.judge_reading(case_run, chain, (&made, &reading), reply).await;
        }
        // A mock stores only resources that it can identify, and its document may have no member for an id.
        if case_run.live.is_none() {
            return Err(Stop::missing("its answer does not tell what was made"));
        }
        // That this operation reads the resource is inferred from the document, unless `Location` says so.
        let is_located = location(&made).is_some_and(|location| is_same_place(&location, &reading.url));
        case_run.at_most = if is_located { Level::Must } else { Level::Should };
        Err(Stop::Found(format!("what was made is not there: {} answers 404", reading.url.path())))
    }

    /// Compares a new resource as read with the request and the answer that created it.
    async fn judge_reading(
        &self,
        case_run: &mut CaseRun<'_>,
        chain: &Chain,
        (made, reading): (&ChainResource, &Draft),
        reply: Reply,
    ) -> Result<(), Stop> {
        if !reply.is_success() {
            return Err(Stop::missing(format!("what was made cannot be read by who made it: {}", reply.status)));
        }
        let catalogue = case_run.catalogue;
        let found = |reply: &Reply| {
            let reader = &catalogue.api.operations[chain.reads];
            other_resource(reader, &made.reply, reply).or_else(|| {
                let operation = catalogue.operation(case_run.case);
                let sides = WriteAndRead { api: &catalogue.api, operation, reader };
                sides.difference(
                    &made.draft,
                    &Representation::read(&made.reply.body),
                    &Representation::read(&reply.body),
                )
            })
        };
        let mut found_now = found(&reply);
        if found_now.is_some() {
            let is_right = |reply: &Reply| reply.is_success() && found(reply).is_none();
            let later = self.read_again(case_run.live, reading, is_right).await;
            if let Some(last) = later.last().and_then(SentRequest::answer).filter(|reply| reply.is_success()) {
                found_now = found(last);
            }
            case_run.sent.extend(later);
        }
        end(case_run, found_now)
    }

    async fn follow_location(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
        let made = self.create(case_run, chain).await?;
        let reader = &case_run.catalogue.api.operations[chain.reads];
        if made.reply.status != 201 {
            return Err(Stop::missing(format!("it is answered {}, not 201", made.reply.status)));
        }
        let there = location(&made).ok_or_else(|| Stop::missing("its answer has no `Location`"))?;
        let own = made.draft.url.origin();
        let is_elsewhere = there.origin() != own;
        let is_ending =
            there.path_segments().into_iter().flatten().any(|part| words(part).iter().any(|word| is_verb(word)));
        let reading = self.reading(case_run, chain, made.named.first().unwrap_or(&made.draft.ids))?;
        let mut url = reading.url.clone();
        url.set_path(there.path());
        if is_ending || self.redactor.mask(there.as_str()) != there.as_str() {
            return Err(Stop::missing("its `Location` is not a URL that is asked for unseen"));
        }
        let own_place = reading.clone();
        let asked = Draft { url, ..reading };
        let reply = self.read_until(case_run, &asked, |reply| !matches!(reply.status, 404 | 410)).await?;
        // A mock does not serve ids of uncertain ownership, whatever `Location` says.
        if case_run.live.is_none()
            && reply.status == 404
            && self.step(&own_place, &mut case_run.sent).await?.status == 404
        {
            return Err(Stop::missing("its answer does not tell what was made"));
        }
        // Behind a proxy, a server may not know its own host name; whether the path is the same is then unknown.
        case_run.at_most = if is_elsewhere { Level::Should } else { Level::Must };
        match reply.status {
            404 | 410 => Err(Stop::Found(format!(
                "its `Location` leads to {}, which is answered {}",
                there.path(),
                reply.status
            ))),
            200..300 => match other_resource(reader, &made.reply, &reply) {
                Some((_, finding)) => Err(Stop::Found(format!("its `Location` leads elsewhere: {finding}"))),
                None => Ok(()),
            },
            status => Err(Stop::missing(format!("where its `Location` leads is answered {status}"))),
        }
    }

    async fn look_into_list(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
        let made = self.create(case_run, chain).await?;
        let catalogue = case_run.catalogue;
        let list = chain.lists.map(|list| &catalogue.api.operations[list]);
        let list = list.ok_or_else(|| Stop::missing("nothing lists what it makes"))?;
        let parameter = last_parameter(&catalogue.api.operations[chain.reads].path).unwrap_or_default();
        let id = answered_id(&made.reply, parameter)
            .ok_or_else(|| Stop::missing("its answer does not tell what was made"))?;
        let reading = self.draft_of(case_run, list, &made.draft.ids)?;
        let holds = |reply: &Reply| {
            let entries = entries(&String::from_utf8_lossy(&reply.body))?;
            let ids: Option<Vec<String>> = entries.iter().map(|entry| id_of(entry, parameter)).collect();
            Some(ids?.contains(&id))
        };
        let reply = self.step(&reading, &mut case_run.sent).await?;
        match holds(&reply).filter(|_| reply.is_success()) {
            None => return Err(Stop::missing("the list cannot be read, or its items have no id")),
            Some(true) => return Ok(()),
            Some(false) if is_paged(list) => {
                return self.look_into_pages(case_run, list, (reading, reply), holds).await;
            }
            Some(false) => {}
        }
        let reply = self.read_until(case_run, &reading, |reply| holds(reply) != Some(false)).await?;
        match holds(&reply).filter(|_| reply.is_success()) {
            Some(false) => Err(Stop::Found(format!("the list does not hold `{id}`, which was added to it"))),
            _ => Ok(()),
        }
    }

    /// Looks for the new resource on the pages after the first one. If none of the pages read contains it, it may be on a later one.
    async fn look_into_pages(
        &self,
        case_run: &mut CaseRun<'_>,
        list: &Operation,
        (mut reading, mut reply): (Draft, Reply),
        holds: impl Fn(&Reply) -> Option<bool> + Sync,
    ) -> Result<(), Stop> {
        let mut pages = PageSearch::of(list);
        for _ in 1..MOST_PAGES {
            let Some(next) = pages.as_mut().and_then(|pages| pages.after(&reading, &reply)) else { break };
            reply = self.step(&next, &mut case_run.sent).await?;
            if holds(&reply).filter(|_| reply.is_success()) == Some(true) {
                return Ok(());
            }
            reading = next;
        }
        Err(Stop::missing("the list has pages, and what was made is on none of the first ones"))
    }

    /// Calls the operation of the case, which creates a resource.
    async fn create(&self, case_run: &mut CaseRun<'_>, chain: &Chain) -> Result<ChainResource, Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let mut identity = case_run.identity.clone();
        if let Some(live) = case_run.live {
            is_removable(live, case_run, chain)?;
            let named = last_parameter(&operation.path).filter(|_| operation.method == "PUT");
            let known = |name: &str| {
                operation.parameters.iter().find(|one| one.location == ParameterLocation::Path && one.name == name)
            };
            if let Some((name, parameter)) = named.and_then(|name| Some((name, known(name)?))) {
                let like = identity.ids.get(name).cloned();
                identity.ids.insert(name.to_owned(), live.unused_id(parameter, like.as_deref()));
            }
        }
        self.call_create(case_run, chain, operation, &identity).await
    }

    /// Calls an operation that creates the resource for a case that changes or removes it.
    async fn call_create(
        &self,
        case_run: &mut CaseRun<'_>,
        chain: &Chain,
        operation: &Operation,
        identity: &Identity,
    ) -> Result<ChainResource, Stop> {
        let mut draft = self.draft_of(case_run, operation, &identity.ids)?;
        let mut reply = self.step(&draft, &mut case_run.sent).await?;
        // The name may be taken already.
        if let Some(other) =
            altered(&case_run.catalogue.api, operation, &draft, |_| true).filter(|_| reply.status == 409)
        {
            draft = other;
            reply = self.step(&draft, &mut case_run.sent).await?;
        }
        check_complete(&reply)?;
        if operation.method == "PUT" && reply.status != 201 {
            return Err(Stop::missing(format!(
                "it is answered {}, which does not say that something was made",
                reply.status
            )));
        }
        let parameter = last_parameter(&case_run.catalogue.api.operations[chain.reads].path).unwrap_or_default();
        let named = if operation.method == "PUT" {
            vec![draft.ids.clone()]
        } else {
            let names = id_candidates(&reply, chain, parameter, draft.url.path()).into_iter();
            let fitting = names.filter(|id| segment::is_one(id) && self.redactor.mask(id) == *id);
            let with = |id: String| draft.ids.clone().into_iter().chain([(parameter.to_owned(), id)]).collect();
            fitting.take(MOST_NAMES).map(with).collect()
        };
        Ok(ChainResource { draft, reply, named })
    }

    /// Creates a resource that no other case uses. Returns its path parameters and the answer that reads it.
    async fn create_own_resource(
        &self,
        case_run: &mut CaseRun<'_>,
        chain: &Chain,
    ) -> Result<(BTreeMap<String, String>, Reply), Stop> {
        let catalogue = case_run.catalogue;
        let reader = &catalogue.api.operations[chain.reads];
        let creates = chain.creates.map(|creates| &catalogue.api.operations[creates]);
        let creates = creates.ok_or_else(|| Stop::missing("nothing makes what it is about"))?;
        let ids = if let Some(live) = case_run.live {
            is_removable(live, case_run, chain)?;
            let made = self.created_ids(live, catalogue, &reader.path, true).await;
            made.ok_or_else(|| {
                let Operation { method, path, .. } = creates;
                Stop::missing(format!("nothing was made for it by {method} {path}, as far as can be told"))
            })?
        } else {
            let identity = case_run.identity.clone();
            let made = self.call_create(case_run, chain, creates, &identity).await?;
            made.named.into_iter().next().ok_or_else(|| Stop::missing("an answer does not tell what was made"))?
        };
        let ids: BTreeMap<String, String> = case_run.identity.ids.clone().into_iter().chain(ids).collect();
        let reading = self.reading(case_run, chain, &ids)?;
        let reply = self.step(&reading, &mut case_run.sent).await?;
        if !reply.is_success() {
            return Err(Stop::missing(format!("what was made cannot be read by who made it: {}", reply.status)));
        }
        let parameter = last_parameter(&reader.path).unwrap_or_default();
        if answered_id(&reply, parameter).is_some_and(|id| ids.get(parameter) != Some(&id)) {
            return Err(Stop::missing("what is read is not what was made"));
        }
        Ok((ids, reply))
    }

    /// Returns the request that reads a resource.
    fn reading(&self, case_run: &CaseRun<'_>, chain: &Chain, ids: &BTreeMap<String, String>) -> Result<Draft, Stop> {
        self.draft_of(case_run, &case_run.catalogue.api.operations[chain.reads], ids)
    }

    /// Returns a valid request of an operation with the identity of the case.
    fn draft_of(
        &self,
        case_run: &CaseRun<'_>,
        operation: &Operation,
        ids: &BTreeMap<String, String>,
    ) -> Result<Draft, Stop> {
        let (_, arguments) = case_run
            .catalogue
            .operation_named(&operation.id)
            .ok_or_else(|| Stop::missing(format!("there is no request of {}", operation.id)))?;
        let caller = Identity { ids: ids.clone(), ..case_run.identity.clone() };
        let maker = DraftBuilder { arguments, ..case_run.maker(self) };
        maker.draft(&Probe::Valid, operation, &caller).map_err(Stop::Missing)
    }

    /// Reads, and repeats the read for a while until the answer is right. Returns the last answer.
    async fn read_until(
        &self,
        case_run: &mut CaseRun<'_>,
        draft: &Draft,
        is_right: impl Fn(&Reply) -> bool + Sync,
    ) -> Result<Reply, Stop> {
        let first = self.step(draft, &mut case_run.sent).await?;
        if is_right(&first) {
            return Ok(first);
        }
        let later = self.read_again(case_run.live, draft, is_right).await;
        let last = later.last().and_then(SentRequest::answer).cloned();
        case_run.sent.extend(later);
        Ok(last.unwrap_or(first))
    }

    /// Repeats the read until the answer is right, a few times with a wait before each. Does nothing at a mock, which has no delay.
    async fn read_again(
        &self,
        live: Option<&LiveServer>,
        draft: &Draft,
        is_right: impl Fn(&Reply) -> bool + Sync,
    ) -> Vec<SentRequest> {
        let mut later: Vec<SentRequest> = Vec::new();
        let Some(live) = live else { return later };
        for wait in WAITS {
            let is_over = later.last().and_then(SentRequest::answer).is_some_and(&is_right);
            if is_over || !live.limit_windows.waits_until(Instant::now() + wait).await {
                break;
            }
            later.push(self.send(draft).await);
        }
        later
    }
}

/// Checks whether the document has an operation that removes the resource and the policy allows it, so that nothing is left behind.
fn is_removable(live: &LiveServer, case_run: &CaseRun<'_>, chain: &Chain) -> Result<(), Stop> {
    let removal = chain.removes.map(|removes| &case_run.catalogue.api.operations[removes]);
    match removal {
        Some(removal) if live.may_be_asked(removal) => Ok(()),
        Some(removal) => Err(Stop::missing(Missing::new("what it makes could not be removed").allow(&removal.id))),
        None => Err(Stop::missing("what it makes could not be removed: the document has no DELETE for it")),
    }
}

/// Returns an error if the effect of a call is not complete when it is answered.
fn check_complete(reply: &Reply) -> Result<(), Stop> {
    match reply.status {
        202 => Err(Stop::missing("it is answered 202: what it does may be done later, and is not waited for")),
        200..300 => Ok(()),
        status => Err(Stop::missing(format!("a valid call is answered with {status}"))),
    }
}

/// Ends a case with the finding, if there is one.
fn end(case_run: &mut CaseRun<'_>, found: Option<(Level, String)>) -> Result<(), Stop> {
    let Some((level, finding)) = found else { return Ok(()) };
    case_run.at_most = level;
    Err(Stop::Found(finding))
}

/// Returns the URL in the `Location` of the answer that created a resource.
fn location(made: &ChainResource) -> Option<Url> {
    made.draft.url.join(made.reply.headers.get(LOCATION)?.to_str().ok()?).ok()
}

fn is_same_place(one: &Url, other: &Url) -> bool {
    one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}

/// Returns whether a word of a path suggests that a GET does more than read.
fn is_verb(word: &str) -> bool {
    ends_by_get(word) || word == "stop"
}

/// Returns the id in the body of an answer, by the name of a path parameter.
pub(super) fn answered_id(reply: &Reply, parameter: &str) -> Option<String> {
    let body = Reply { headers: HeaderMap::new(), ..reply.clone() };
    ids_told(&body, parameter, "").into_iter().next()
}

fn id_of(entry: &Value, parameter: &str) -> Option<String> {
    let body = Reply { status: 200, headers: HeaderMap::new(), body: entry.to_string().into_bytes() };
    answered_id(&body, parameter).or_else(|| scalar(entry))
}

/// Returns the candidates for the identifier of a new resource in its path: the value that an OpenAPI link names, the id in the answer, the
/// end of `Location`, and other members that usually hold an identifier.
fn id_candidates(reply: &Reply, chain: &Chain, parameter: &str, list: &str) -> Vec<String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let linked = chain.id_at.as_ref().and_then(|at| scalar(body.pointer(at)?));
    let own = words(parameter);
    let is_likely =
        |name: &str| words(name).iter().any(|word| own.contains(word) || ID_MEMBERS.contains(&word.as_str()));
    let shown = Representation::read(&reply.body).value;
    let others = shown.as_object().into_iter().flatten().filter(|(name, _)| is_likely(name));
    let others = others.filter_map(|(_, value)| scalar(value));
    let by_answer = answered_id(reply, parameter).into_iter().chain(ids_told(reply, parameter, list));
    let mut names: Vec<String> = Vec::new();
    for name in linked.into_iter().chain(by_answer).chain(others) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns a finding if the ids in both answers show that another resource was read than the one that was created.
fn other_resource(reader: &Operation, made: &Reply, read: &Reply) -> Option<(Level, String)> {
    let parameter = last_parameter(&reader.path)?;
    let (made, read) = (answered_id(made, parameter)?, answered_id(read, parameter)?);
    (made != read).then(|| (Level::Must, format!("what is read is `{read}`, and `{made}` was made")))
}

fn is_paged(list: &Operation) -> bool {
    const PAGE_PARAMETERS: [&str; 10] =
        ["page", "limit", "offset", "cursor", "after", "skip", "start", "size", "count", "top"];
    let is_of_pages = |name: &str| words(name).iter().any(|word| PAGE_PARAMETERS.contains(&word.as_str()));
    let in_query = list.parameters.iter().filter(|one| one.location == ParameterLocation::Query);
    list.pagination.is_some() || in_query.into_iter().any(|one| is_of_pages(&one.name))
}

/// The operation that received a body, and the operation that reads.
struct WriteAndRead<'a> {
    api: &'a Api,
    operation: &'a Operation,
    reader: &'a Operation,
}

impl WriteAndRead<'_> {
    /// Returns the schema of the answer that is read.
    fn answer(&self) -> Option<&Value> {
        let mut successes = self.reader.responses.iter().filter(|(status, _)| status.starts_with('2'));
        successes.find_map(|(_, shape)| shape.schema.as_ref().filter(|_| shape.is_json()))
    }

    /// Returns whether a member that was sent can be compared with the answer that is read.
    fn is_compared(&self, read: &Representation, name: &str) -> bool {
        read.tells(self.api, self.answer(), name)
    }

    /// Returns the members that were sent and that the document also has in the answer that is read.
    fn sent<'s>(&self, sent: &'s Representation, read: &Representation) -> Vec<(&'s String, &'s Value)> {
        let members = sent.value.as_object().into_iter().flatten();
        members.filter(|(name, value)| !is_blank(Some(value)) && self.is_compared(read, name)).collect()
    }

    /// Returns the first member that is read with another value than it was answered or, if the answer lacks it, than it was sent. The
    /// latter has a lower level.
    fn difference(&self, draft: &Draft, answered: &Representation, read: &Representation) -> Option<(Level, String)> {
        let sent = sent_by(draft, read);
        let found = self.sent(&sent, read).into_iter().filter_map(|(name, value)| {
            let now = read.get(name);
            let is_read = |value: &Value| now.is_some_and(|now| is_same(value, now));
            let as_read =
                now.map_or("is not there when it is read".to_owned(), |now| format!("is read as {}", short(now)));
            match answered.get(name) {
                Some(answer) if is_read(answer) || (now.is_none() && is_blank(Some(answer))) => None,
                Some(answer) => {
                    Some((Level::Must, format!("`{name}` was answered as {}, and {as_read}", short(answer))))
                }
                None if is_read(value) => None,
                None => Some((Level::Should, format!("`{name}` was sent as {}, and {as_read}", short(value)))),
            }
        });
        let found: Vec<(Level, String)> = found.collect();
        found.iter().find(|(level, _)| *level == Level::Must).or(found.first()).cloned()
    }
}

/// Returns the body of a request, without a wrapping member that the answer that is read does not have.
fn sent_by(draft: &Draft, read: &Representation) -> Representation {
    let body = draft.body.as_deref().unwrap_or_default();
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_member = whole.as_object().is_some_and(|members| members.keys().any(|name| read.value.get(name).is_some()));
    if is_member { Representation::whole(whole) } else { Representation::read(body) }
}

/// Returns a value as findings show it: at most 60 characters.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
