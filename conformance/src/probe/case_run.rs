//! One case while it runs: its requests, and their results.

use std::cell::OnceCell;

use reqwest::header::{HeaderMap, HeaderName};

use super::answers::AnswerContext;
use super::flow::Stop;
use super::invalid::SentFlaw;
use super::judge::{Judge, LimitSnapshot};
use super::keys::CreatedKey;
use super::live::LiveServer;
use super::reply::Reply;
use super::request::{Draft, DraftBuilder};
use super::{HeaderValue, TargetServer};
use crate::catalogue::{Case, Catalogue};
use crate::contract::{Expect, GeneralRule, Hidden, Level, Probe, Reading};
use crate::credential::identity::Identity;
use crate::credential::secret::{MASK, Redactor, Secret};
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{BrokenAspect, Exchange, Observation, Outcome, cut};

/// The highest number of exchanges besides the first that a report shows if a step before the last one has the finding.
const LAST_SHOWN: usize = 7;

/// A case with its requests.
pub(super) struct CaseRun<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) case: &'a Case,
    pub(super) probe: &'a Probe,
    pub(super) expect: &'a Expect,
    /// The identity of the caller.
    pub(super) identity: Identity,
    /// The live server; `None` for a mock.
    pub(super) live: Option<&'a LiveServer>,
    /// The headers that the user adds to every request.
    pub(super) extra: &'a HeaderMap,
    /// The reason why a status such as 404 decides nothing.
    pub(super) undecided: Option<Missing>,
    /// Masks secrets in reports.
    pub(super) redactor: &'a Redactor,
    /// The path of the base URL.
    pub(super) base_path: &'a str,
    /// The requests that were sent. The last one is judged.
    pub(super) sent: Vec<SentRequest>,
    /// The flaw of the last answer that other answers show.
    pub(super) found: Option<String>,
    /// The highest level of the rule that the requests permit.
    pub(super) at_most: Level,
    /// The secrets that the answer must not contain.
    pub(super) presented: Vec<Secret>,
    /// The flaws of the requests, if several are judged separately.
    pub(super) sent_flaws: Vec<SentFlaw>,
}

/// A request and its answer.
pub(super) struct SentRequest {
    pub(super) draft: Draft,
    /// The number of times that it was sent: two if a live server refused it because of its rate limit.
    pub(super) requests: usize,
    /// The answer, or the reason why there is none.
    pub(super) reply: Result<Reply, String>,
    /// True if nothing was sent because there was no connection.
    pub(super) is_unconnected: bool,
    /// True if the answer did not arrive in time.
    pub(super) is_late: bool,
}

impl<'a> CaseRun<'a> {
    /// Returns the maker of its requests.
    pub(super) fn maker(&self, target: &'a TargetServer) -> DraftBuilder<'a> {
        DraftBuilder {
            api: &self.catalogue.api,
            contract: &self.catalogue.contract,
            servers: &target.servers,
            identities: &*target.identities,
            arguments: self.catalogue.arguments(self.case),
            live: self.live,
        }
    }

    /// Judges the last answer, or reports why there was none. `created_key` is the key that was created for the case.
    pub(super) fn end(self, stop: Option<Stop>, created_key: Option<&CreatedKey>) -> Outcome {
        let requests = requests(&self.sent);
        let readings = self.readings();
        let observations = self.observations();
        let mut outcome = match stop {
            Some(Stop::Missing(missing)) => Outcome::skip(missing),
            Some(Stop::Broken(finding)) => self.broken(finding, BrokenAspect::Step),
            Some(Stop::Found(finding)) => self.broken(finding, BrokenAspect::Content),
            None if !self.sent_flaws.is_empty() => self.judged_each(),
            None => {
                let mut outcome = self.judge_last_answer(created_key);
                if outcome.reason.is_some() {
                    let last = self.sent.last().filter(|_| self.sent.len() > 1);
                    outcome.exchanges = self.exchanges(self.sent.iter().take(1).chain(last));
                }
                outcome
            }
        };
        outcome.requests = requests;
        outcome.readings = readings;
        outcome.observations = observations;
        // At a mock, the report derives the caller from the probe.
        outcome.identity = Some(self.identity.name).filter(|_| self.live.is_some());
        outcome
    }

    /// Returns a finding that several answers show, with the exchanges.
    fn broken(&self, finding: String, fault: BrokenAspect) -> Outcome {
        let mut outcome = Outcome::broken(self.case.level.min(self.at_most), finding).by(fault);
        // For a burst or a series of pages, the ends are sufficient.
        let end = self.sent.len().saturating_sub(LAST_SHOWN).max(1);
        let shown = self.sent.iter().enumerate().filter(|(place, _)| *place == 0 || *place >= end);
        outcome.exchanges = self.exchanges(shown.map(|(_, sent)| sent));
        outcome
    }

    /// Returns the violations of standing rules by the answers: for each rule and each operation that answered, the finding with the highest
    /// level.
    pub(super) fn observations(&self) -> Vec<Observation> {
        let mut observations: Vec<Observation> = Vec::new();
        // Other cases make the same calls and judge their answers.
        if *self.probe == Probe::RefusedSpending {
            return observations;
        }
        for sent in &self.sent {
            let Some(reply) = sent.answer() else { continue };
            let operation = self.answered_by(&sent.draft);
            let secrets: Vec<Secret> = sent.draft.secrets.iter().chain(self.identity.secrets()).cloned().collect();
            let seen = self.answer_context(operation, &sent.draft, reply, &secrets);
            // TRACE asks for an echo; whether it is answered has a rule of its own.
            let is_echo =
                |about: &GeneralRule| sent.draft.method == "TRACE" && *about == GeneralRule::Hides(Hidden::Token);
            for about in self.catalogue.contract.standing().iter().filter(|about| !is_echo(about)) {
                let Some(found) = seen.finding(*about) else { continue };
                let is_of_it = |known: &Observation| known.about == *about && known.operation == operation;
                if observations.iter().any(|known| is_of_it(known) && known.at_most >= found.at_most) {
                    continue;
                }
                observations.retain(|known| !is_of_it(known));
                observations.push(Observation {
                    about: *about,
                    finding: found.finding,
                    at_most: found.at_most,
                    operation,
                    exchange: sent.exchange(self.redactor, self.extra),
                });
            }
        }
        observations
    }

    /// Returns an answer of this operation with its context.
    fn answer_context<'s>(
        &'s self,
        operation: usize,
        draft: &'s Draft,
        reply: &'s Reply,
        secrets: &'s [Secret],
    ) -> AnswerContext<'s> {
        AnswerContext {
            api: &self.catalogue.api,
            is_transcribed: self.catalogue.contract.transcribed,
            operation: &self.catalogue.api.operations[operation],
            draft,
            reply,
            secrets,
            redactor: self.redactor,
            value: OnceCell::new(),
        }
    }

    /// Returns the index of the operation that a request calls, or that of the case if the request does not call the API.
    fn answered_by(&self, draft: &Draft) -> usize {
        let Some(id) = draft.operation.as_ref().filter(|id| **id != self.catalogue.operation(self.case).id) else {
            return self.case.operation;
        };
        let known = self.catalogue.api.operations.iter().position(|operation| operation.id == *id);
        known.unwrap_or(self.case.operation)
    }

    pub(super) fn exchanges<'s>(&self, sent: impl Iterator<Item = &'s SentRequest>) -> Vec<Exchange> {
        sent.map(|sent| sent.exchange(self.redactor, self.extra)).collect()
    }

    /// Returns whether an answer only asks to wait: a limit that the contract does not describe, or a server that is unavailable.
    fn only_asks_to_wait(&self, reply: &Reply) -> bool {
        let is_expected = *self.probe == Probe::Recovered || self.expect.status.contains(&reply.status);
        self.live.is_some() && reply.asks_to_wait() && self.expect.asks_for_status() && !is_expected
    }

    /// Returns whether an answer confirms the removal of a nonexistent resource. The result is as requested, so this is no warning.
    fn confirms_removal(&self, reply: &Reply) -> bool {
        let operation = self.catalogue.operation(self.case);
        if self.case.level != Level::Should {
            return false;
        }
        let Probe::UnknownId(parameter) = self.probe else { return false };
        operation.method == "DELETE" && operation.path.ends_with(&format!("/{{{parameter}}}")) && reply.is_success()
    }

    /// Returns the reason why a violation does not count: the request has another flaw, and the server reports that first.
    fn undecided(&self, fault: BrokenAspect, draft: &Draft, status: u16) -> Option<Missing> {
        let why = self.undecided.clone().filter(|_| matches!(status, 400 | 404 | 410 | 422 | 501));
        let condition = (status == 428).then(|| {
            "the server asks for a condition, such as `If-Match`: declare the header as a parameter of the operation, and give its value under [headers]"
                .to_owned()
        });
        let lacks = draft.lacks.as_ref().filter(|_| matches!(status, 400 | 422)).map(|member| {
            let id = draft.operation.as_deref().unwrap_or_default();
            Missing::new(format!("its body needs `{member}`, which the check does not set")).allow(id)
        });
        let gap = self.catalogue.gap(self.case).filter(|_| matches!(status, 400 | 422));
        let gap = gap.map(|gap| format!("there is no example of a request, {gap}: an overlay can give one"));
        let is_made_up = self.expect.success && matches!(status, 400 | 404 | 409 | 422) && draft.body.is_some();
        let made_up = (is_made_up && self.catalogue.is_made_up(self.case)).then(|| {
            "values of its body are made up, and may name what is not there: an overlay can give an example".to_owned()
        });
        let as_missing = |what: Option<String>| what.map(Missing::new);
        let is_unpaid = status == 402 && self.live.is_some() && self.expect.success;
        let unpaid = (is_unpaid && self.catalogue.operation(self.case).documents(402)).then(|| {
            format!("the account of `{}` has no funds for it, as the documented 402 says", self.identity.name)
        });
        why.or(as_missing(condition))
            .or(as_missing(unpaid))
            .or(lacks)
            .or(as_missing(gap))
            .or(as_missing(made_up))
            .filter(|_| fault == BrokenAspect::Status)
    }

    /// Returns whether the last call belongs to a later window than the one before it.
    pub(super) fn is_in_a_new_window(&self) -> bool {
        let Some(rules) = &self.catalogue.contract.rate_limit else { return false };
        let mut snapshots =
            self.sent.iter().filter_map(SentRequest::answer).map(|reply| LimitSnapshot::read(rules, reply));
        match (snapshots.next(), snapshots.next_back()) {
            (Some(Ok(before)), Some(Ok(now))) => now.remaining > before.remaining && now.reset_in > before.reset_in,
            _ => false,
        }
    }

    /// Returns the readings of contradictions that the last answer shows.
    fn readings(&self) -> Vec<(usize, usize)> {
        let Some(reply) = self.sent.last().and_then(SentRequest::answer) else { return Vec::new() };
        let rule = &self.catalogue.rule(self.case).id;
        let shows = |reading: &Reading| {
            let sign = reading.shown_by.as_ref();
            sign.is_some_and(|sign| sign.fits(rule, self.base_path, reply.status, &reply.body))
        };
        let contradictions = self.catalogue.contract.contradictions.iter().enumerate();
        contradictions
            .flat_map(|(place, contradiction)| {
                let readings = contradiction.readings.iter().enumerate();
                readings.filter(|(_, reading)| shows(reading)).map(move |(reading, _)| (place, reading))
            })
            .collect()
    }

    /// Returns whether a connection was refused by a server that still answers. A timeout is not a refusal.
    fn is_refused(&self, sent: &SentRequest) -> bool {
        sent.requests > 0 && !sent.is_late && self.live.is_some_and(|live| live.server_health.outage().is_none())
    }

    /// Returns the difference between the last answer and the first, except for the requested ids.
    fn differs(&self, judge: &Judge) -> Option<String> {
        let mut replies = [self.sent.first()?, self.sent.last()?].map(SentRequest::without_ids).into_iter();
        let (first, last) = (replies.next()?, replies.next()?);
        judge.differs(Some(&first?).filter(|_| self.sent.len() > 1), &last?)
    }

    fn judge_last_answer(&self, created_key: Option<&CreatedKey>) -> Outcome {
        let judge = Judge {
            contract: &self.catalogue.contract,
            operation: self.catalogue.operation(self.case),
            expect: self.expect,
            created_key,
        };
        match self.sent.as_slice() {
            [before @ .., SentRequest { draft, reply: Ok(reply), .. }] => {
                let before = before.first().and_then(SentRequest::answer);
                let level = self.case.level.min(self.at_most);
                let status = || judge.status(reply).or_else(|| judge.other_status(before, reply));
                let seen = self.answer_context(self.case.operation, draft, reply, &self.presented);
                let content = || judge.finding(&seen, before).or_else(|| self.differs(&judge));
                // A leak is a finding whatever other flaws there are.
                let found = judge.leak(&seen).or_else(|| self.found.clone()).map(|leak| (leak, BrokenAspect::Leak));
                if found.is_none() && judge.is_refused_whole(reply) {
                    let why = "the server refuses the whole call for one bad item: it tells no outcome of the others";
                    return Outcome { status: Some(reply.status), ..Outcome::skip(why) };
                }
                if found.is_none() && self.only_asks_to_wait(reply) {
                    return Outcome::error(match reply.status {
                        429 => "the server answers 429 and was waited for in vain: the rule was not reached",
                        _ => "the server answers 503 and asks to come again: the rule was not reached",
                    });
                }
                if found.is_none() && self.confirms_removal(reply) {
                    return Outcome { status: Some(reply.status), ..Outcome::pass() };
                }
                let found = found.or_else(|| Some((status()?, BrokenAspect::Status)));
                if let Some(why) = found.as_ref().and_then(|(_, fault)| self.undecided(*fault, draft, reply.status)) {
                    return Outcome { status: Some(reply.status), ..Outcome::skip(why) };
                }
                let found = found.or_else(|| Some((content()?, BrokenAspect::Content)));
                let broken = |(finding, fault): (String, BrokenAspect)| {
                    let is_inferred = fault == BrokenAspect::Content && seen.is_inferred(&finding);
                    Outcome::broken(if is_inferred { Level::Observe } else { level }, finding).by(fault)
                };
                let mut outcome = found.map_or_else(Outcome::pass, broken);
                outcome.status = Some(reply.status);
                outcome
            }
            // The server still answers callers with a certificate.
            [.., sent @ SentRequest { reply: Err(_), .. }]
                if self.expect.refused_connection && self.is_refused(sent) =>
            {
                Outcome::pass()
            }
            [.., SentRequest { reply: Err(reason), .. }] => Outcome::error(format!("no answer came: {reason}")),
            [] => Outcome::error("nothing was sent"),
        }
    }
}

/// Returns a header's name in its usual notation: `Authorization`, `X-Api-Key`.
fn header_text(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

/// Returns a text with a mark in place of each whole-word occurrence of `word`.
fn without_word(text: &str, word: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word).filter(|_| !word.is_empty()) {
        let (before, behind) = (&rest[..at], &rest[at + word.len()..]);
        let last = before.chars().next_back().or_else(|| marked.chars().next_back());
        let is_part = [last, behind.chars().next()].into_iter().flatten().any(char::is_alphanumeric);
        marked.push_str(before);
        marked.push_str(if is_part { word } else { "{id}" });
        rest = behind;
    }
    marked + rest
}

/// Returns the total number of requests.
pub(super) fn requests(sent: &[SentRequest]) -> usize {
    sent.iter().map(|sent| sent.requests).sum()
}

impl SentRequest {
    /// Creates a request that was not sent.
    pub(super) fn unsent(draft: &Draft, reason: &str) -> Self {
        Self { draft: draft.clone(), requests: 0, reply: Err(reason.to_owned()), is_unconnected: false, is_late: false }
    }

    /// Returns the answer with a mark in place of each id of its path.
    fn without_ids(&self) -> Option<Reply> {
        let mut reply = self.answer()?.clone();
        let mut text = String::from_utf8_lossy(&reply.body).into_owned();
        for id in self.draft.ids.values() {
            text = without_word(&text, id);
        }
        reply.body = text.into_bytes();
        Some(reply)
    }

    pub(super) fn answer(&self) -> Option<&Reply> {
        self.reply.as_ref().ok()
    }

    /// Returns the exchange for a report. Bodies are masked before they are cut: a part of a secret would not be recognized.
    pub(super) fn exchange(&self, redactor: &Redactor, extra: &HeaderMap) -> Exchange {
        let Draft { method, url, headers: demanded, credentials, body, media_type, accept, .. } = &self.draft;
        let text = |body: &[u8]| cut(&redactor.mask(&String::from_utf8_lossy(body)));
        let mut headers = vec![("Accept".to_owned(), accept.to_string())];
        let demanded = demanded.iter().filter(|(name, _)| !extra.contains_key(name));
        headers.extend(demanded.chain(credentials).map(|(name, value)| (header_text(name), value.clone())));
        // Some are secrets, and it is unknown which.
        headers.extend(extra.keys().map(|name| (header_text(name), MASK.to_owned())));
        headers.extend(body.as_ref().map(|_| ("Content-Type".to_owned(), media_type.to_string())));
        let body = text(body.as_deref().unwrap_or_default());
        let mut exchange =
            Exchange { method: method.clone(), url: url.to_string(), headers, body, ..Exchange::default() };
        match &self.reply {
            Ok(reply) => {
                exchange.status = Some(reply.status);
                exchange.answer_body = text(&reply.body);
                let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                exchange.answer_headers =
                    reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            }
            Err(reason) => exchange.answer_body.clone_from(reason),
        }
        exchange
    }
}

#[cfg(test)]
mod tests {
    use super::without_word;

    #[test]
    fn an_id_is_marked_where_it_stands_by_itself() {
        for (text, id, marked) in [
            ("no user `7`, 17 of 71", "7", "no user `{id}`, 17 of 71"),
            ("mia and mias: mia", "mia", "{id} and mias: {id}"),
            ("/@mia/tool is not there", "@mia/tool", "/{id} is not there"),
            ("nothing", "", "nothing"),
            ("aa", "a", "aa"),
        ] {
            assert_eq!(without_word(text, id), marked);
        }
    }
}
