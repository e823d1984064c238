//! From a request to its answer: route, authenticate, count, authorize, validate, serve. Each defect is a condition on the way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, HeaderName, HeaderValue,
    ORIGIN,
};
use keyfit_openapi::{Api, Operation, StreamedResponse};
use serde_json::Value;

use super::active_requests::ActiveRequests;
use super::call::{Answer, Call, ParsedBody, Refusal};
use super::deliver::Deliverer;
use super::foreign_reference::{self, ForeignReference};
use super::mutant::Mutant;
use super::outcome::{Item, OutcomeDefects, OutcomeWriter};
use super::pages::{self, PageBehavior};
use super::relaxed_document::RelaxedDocument;
use super::router::{RouteMatch, Router};
use super::state::State;
use super::store::ResourceAnswer;
use super::success::{Successes, schema};
use super::token::{Grant, Token};
use super::window::Window;
use crate::clock;
use crate::contract::{Bucket, Contract, KeyManagement, Probe};
use crate::document::balance::Balance;
use crate::document::body;
use crate::document::chain::Chains;
use crate::document::item_stream;
use crate::probe::takes_any_cursor;

/// The mock without its socket.
pub(super) struct Core {
    pub(super) api: Arc<Api>,
    pub(super) contract: Arc<Contract>,
    mutant: Option<Mutant>,
    router: Router,
    successes: Successes,
    /// The operations that are about the same kind of resource.
    pub(super) chains: Chains,
    /// The operation that reads the balance.
    pub(super) balance: Option<Balance>,
    state: Mutex<State>,
    /// Ids outside the path, by operation, if rules apply to them.
    pub(super) checked_references: HashMap<usize, Vec<ForeignReference>>,
    /// The constraint that a defect ignores.
    pub(super) relaxed_document: Option<RelaxedDocument>,
    /// Sends webhooks and callbacks, if the mock does so.
    pub(super) deliverer: Option<Deliverer>,
    pub(super) active_requests: ActiveRequests,
}

/// A valid request, with the values that its answer depends on.
pub(super) struct ServedRequest<'a> {
    pub(super) operation: &'a Operation,
    pub(super) token: &'a Token,
    pub(super) path: &'a BTreeMap<String, String>,
    pub(super) call: &'a Call,
    pub(super) sent: ParsedBody,
    pub(super) window: Option<Window>,
}

impl ServedRequest<'_> {
    /// Returns whether an answer is streamed item by item: if the operation only streams, if the request accepts that media type, or if the
    /// switch in its body is on.
    fn asks_for(&self, streaming: &StreamedResponse) -> bool {
        let accepts = self.call.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let names_it = accepts.split(',').any(|one| body::essence(one) == body::essence(&streaming.body.media_type));
        let switch = streaming.switch.as_deref();
        let is_on = match (&self.sent, switch) {
            (ParsedBody::Body(sent), Some(at)) => sent.pointer(at) == Some(&Value::Bool(true)),
            _ => false,
        };
        streaming.is_only || names_it || is_on
    }
}

impl Core {
    /// Creates a mock of an API with at most one defect.
    pub(super) fn new(api: Arc<Api>, contract: Arc<Contract>, mutant: Option<Mutant>) -> Self {
        let state = Mutex::new(State::new(&api, &contract));
        let relaxed_document = mutant.and_then(|mutant| RelaxedDocument::by(mutant, &api));
        let checked_references = foreign_reference::checked_references(&api, &contract);
        Self {
            router: Router::new(&api),
            successes: Successes::new(&api),
            chains: Chains::of(&api, &contract),
            balance: Balance::of(&api, &contract),
            state,
            checked_references,
            relaxed_document,
            deliverer: None,
            active_requests: ActiveRequests::default(),
            mutant,
            api,
            contract,
        }
    }

    /// Lets the mock send webhooks and callbacks.
    pub(super) fn delivering(mut self, deliverer: Deliverer) -> Self {
        self.deliverer = Some(deliverer);
        self
    }

    /// Returns whether its defect only shows in concurrent requests.
    pub(super) fn races(&self) -> bool {
        self.mutant.is_some_and(Mutant::is_of_races)
    }

    /// Returns whether the mock has this defect.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns the mutable state of the mock.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // After a panic in another thread, counters and sets are still valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the status that a rule expects for a probe, preferably one that the operation documents; `usual` if no rule applies.
    pub(super) fn status(&self, probe: &Probe, operation: &Operation, usual: u16) -> u16 {
        let rule = self.contract.ruling(probe, operation);
        let given = rule.and_then(|rule| rule.expect.as_ref()).map_or(&[][..], |expect| &expect.status);
        let documented = given.iter().find(|status| operation.documents(**status));
        documented.or(given.first()).copied().unwrap_or(usual)
    }

    /// Answers a request.
    pub(super) fn answer(&self, call: &Call) -> Answer {
        let mut answer = self.answer_request(call);
        if let (Some(origin), true) = (call.headers.get(ORIGIN), self.has(Mutant::EchoesOrigin)) {
            answer.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
            answer.headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
        }
        answer
    }

    fn answer_request(&self, call: &Call) -> Answer {
        if call.method == "TRACE" && self.has(Mutant::EchoesTrace) {
            let line = |(name, value): (&HeaderName, &HeaderValue)| {
                format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()))
            };
            return Answer::of(200, "message/http", call.headers.iter().map(line).collect::<String>());
        }
        if let Some(answer) = self.own_status(call) {
            return answer;
        }
        match self.route(call) {
            RouteMatch::Operation(index, path) => self.serve(call, index, &path),
            RouteMatch::OtherMethods(index, _) if self.has(Mutant::AcceptsAnyMethod) => {
                self.serve(call, index, &BTreeMap::new())
            }
            RouteMatch::OtherMethods(index, allowed) => {
                let operation = &self.api.operations[index];
                let mut refusal =
                    Refusal::new(self.status(&Probe::UndeclaredMethod, operation, 405), "Method not allowed");
                if !self.has(Mutant::OmitsAllow) {
                    refusal = refusal.with_header(hyper::header::ALLOW, &allowed);
                }
                let window = self.count(None, operation, 1);
                self.refuse(refusal, operation, window)
            }
            RouteMatch::NoPath => match self.api.operations.first() {
                Some(operation) => {
                    let window = self.count(None, operation, 1);
                    self.refuse(Refusal::new(404, "Not found"), operation, window)
                }
                None => Answer::empty(404),
            },
        }
    }

    fn serve(&self, call: &Call, index: usize, path: &BTreeMap<String, String>) -> Answer {
        let operation = &self.api.operations[index];
        if call.method == "HEAD" && self.has(Mutant::RefusesHead) {
            let window = self.count(None, operation, 1);
            let refusal = Refusal::new(405, "Method not allowed");
            let refusal = refusal.with_header(hyper::header::ALLOW, &self.api.methods(&operation.path).join(", "));
            return self.refuse(refusal, operation, window);
        }
        if self.has(Mutant::ValidatesBeforeAuth)
            && let Err(refusal) = self.body(call, operation)
        {
            let window = self.count(None, operation, 1);
            return self.refuse(refusal, operation, window);
        }
        let admitted = self.admit(call, operation);
        let calls = self.cost(call, operation);
        let first = admitted.as_ref().ok().and_then(|tokens| tokens.first());
        let window = self.count(first, operation, calls);
        let tenant = first.map_or(0, |token| token.tenant);
        let served = admitted.and_then(|tokens| {
            let is_over = window.is_some_and(Window::is_exceeded) && !self.has(Mutant::NeverExhausts);
            if is_over && !(call.is_concurrent && self.has(Mutant::RacesOnLimit)) {
                return Err(Refusal::new(self.status(&Probe::Exhausted, operation, 429), "Rate limit exceeded"));
            }
            self.fail_on_defect(call, operation)?;
            self.check_revocation_race(call, operation, path)?;
            self.authorise(&tokens, operation, path)?;
            let nobody = Token::new("", Grant::All);
            let token = tokens.first().unwrap_or(&nobody);
            let mut sent = self.validate(call, operation, path)?;
            let batch = self.contract.batch_of(operation);
            let field = batch.map_or("", |batch| batch.id_field.as_ref().unwrap_or(&batch.spoil));
            sent.reject(&call.reject, field);
            self.check_references(index, token, call, &sent)?;
            self.serve_once_per_key(call, operation, || {
                let served = ServedRequest { operation, token, path, call, sent, window };
                let answer = self.succeed_under_condition(index, &served)?;
                self.charge(token.tenant, operation);
                Ok(answer)
            })
        });
        match served {
            Ok(mut answer) => {
                self.add_success_headers(&mut answer, operation);
                if call.method == "HEAD" && self.has(Mutant::StripsHead) {
                    answer.headers.clear();
                }
                if let (Some(token), true) = (call.headers.get(AUTHORIZATION), self.has(Mutant::RepeatsToken)) {
                    answer.headers.push((HeaderName::from_static("x-presented"), token.clone()));
                }
                self.rate_headers(&mut answer, window);
                self.deliver(call, operation, &answer);
                answer
            }
            Err(refusal) => {
                if self.has(Mutant::ChargesRefusals) {
                    self.charge(tenant, operation);
                }
                self.refuse(refusal, operation, window)
            }
        }
    }

    /// Returns the answer to a valid request.
    pub(super) fn succeed(&self, index: usize, served: &ServedRequest<'_>) -> Result<Answer, Refusal> {
        if served.operation.polls {
            return Ok(self.accept_work(index, served));
        }
        Ok(self.as_status(served, self.serve_at_once(index, served)?))
    }

    fn serve_at_once(&self, index: usize, served: &ServedRequest<'_>) -> Result<Answer, Refusal> {
        let status = self.successes.status(index);
        if let (ParsedBody::Batch(items), Some(batch)) = (&served.sent, self.contract.batch_of(served.operation)) {
            let (status, body) = self.batch_outcome(items, batch, served.operation, status)?;
            return Ok(Answer::json(status, body.to_string()));
        }
        if let Some(streaming) = served.operation.streaming.as_ref().filter(|streaming| served.asks_for(streaming)) {
            let misfits = self.has(Mutant::DropsRequiredMembers);
            let body = if misfits { item_stream::misfit(streaming) } else { item_stream::body(&self.api, streaming) };
            return Ok(Answer::of(status, &streaming.body.media_type, Bytes::from(body)));
        }
        let mut body = self.successes.body(&self.api, index);
        let mut leads_on = None;
        if let (Some(pagination), Some(success)) = (&served.operation.pagination, &body) {
            let tells_apart = takes_any_cursor(served.operation)
                && self.contract.ruling(&Probe::ForeignCursor, served.operation).is_some();
            let behavior = PageBehavior {
                is_strict: takes_any_cursor(served.operation)
                    && self.contract.ruling(&Probe::BrokenCursor, served.operation).is_some()
                    && !self.has(Mutant::TakesAnyCursor),
                tenant: tells_apart.then_some(served.token.tenant as u64),
                takes_any_tenant: self.has(Mutant::TakesForeignCursors),
                leads_elsewhere: self.has(Mutant::LeadsElsewhere),
                repeats: self.has(Mutant::RepeatsItems),
                skips: self.has(Mutant::SkipsItems),
            };
            let described = schema(served.operation, status);
            let page = pages::page(&self.api, pagination, described, served.call, success, behavior);
            let page = page.map_err(|_| {
                let status = self.status(&Probe::BrokenCursor, served.operation, 400);
                Refusal::new(status, "The cursor is not known")
            })?;
            if let Some(page) = page {
                (body, leads_on) = (Some(page.body), page.header);
            }
        }
        if let Some(keys) = &self.contract.key_management {
            body = self.manage(keys, served, body)?;
        }
        let ResourceAnswer { body, location } = self.apply_to_store(index, served, status, body)?;
        let Some(body) = body else { return Ok(Answer::empty(status)) };
        let body = self.with_others(index, served, body);
        let body = self.with_balance(index, served.token.tenant, body);
        let body = self.with_one_way(served.operation, status, &served.sent, body);
        let body = self.misformatted(served.operation, status, body);
        let managing = self.contract.key_management.iter().flat_map(KeyManagement::operations);
        let is_managing = managing.into_iter().any(|(_, id)| id == served.operation.id);
        if !is_managing && self.has(Mutant::DropsRequiredMembers) {
            return Ok(Answer::json(status, "[[]]"));
        }
        let mut answer = Answer::of(status, &self.successes.media_type(served.operation, index), body);
        if let Some((name, value)) = leads_on {
            answer.header(&name, value);
        }
        if let Some(location) = location.filter(|_| status == 201 && !self.has(Mutant::OmitsDocumentedHeaders)) {
            answer.header("location", location);
        }
        Ok(answer)
    }

    fn batch_outcome(
        &self,
        items: &[Item],
        batch: &crate::contract::Batch,
        operation: &Operation,
        status: u16,
    ) -> Result<(u16, Value), Refusal> {
        let failed = items.iter().filter(|(_, mismatch)| mismatch.is_some()).count();
        let is_mixed = failed > 0 && failed < items.len();
        let defects = OutcomeDefects {
            reorders: self.has(Mutant::ReordersOutcome),
            miscounts: self.has(Mutant::MiscountsOutcome),
            loses_item: self.has(Mutant::LosesItem),
        };
        let all_failed = failed == items.len() && !items.is_empty();
        let Some(described) = operation.partial.first() else { return Ok((status, Value::Null)) };
        let body = OutcomeWriter { api: &self.api, operation, described, batch }.body(items, defects);
        if is_mixed && self.has(Mutant::RefusesMixedBatch) {
            return Err(refusal_with_outcome(self.status(&Probe::RejectedBatch, operation, 422), body));
        }
        let status = match (all_failed, is_mixed) {
            (true, _) => self.status(&Probe::RejectedBatch, operation, status),
            (_, true) => self.status(&Probe::MixedBatch, operation, status),
            _ => status,
        };
        if status < 400 { Ok((status, body)) } else { Err(refusal_with_outcome(status, body)) }
    }

    /// Counts a call in the window of its caller. Calls without a token have an unlimited window.
    pub(super) fn count(&self, token: Option<&Token>, operation: &Operation, calls: u64) -> Option<Window> {
        let rules = self.contract.rate_limit.as_ref()?;
        let limit = token.map_or(u64::MAX, |token| token.limit.unwrap_or(rules.limit));
        let bucket = bucket(rules.bucket, token, operation);
        let own = token.and_then(|token| token.window);
        let seconds = match own {
            Some(_) if self.has(Mutant::NeverRecovers) => u64::from(u32::MAX),
            own => own.unwrap_or(rules.window_seconds),
        };
        let mut window = self.state().count(bucket, limit, seconds, calls);
        if let (Some(own), true) = (own, self.has(Mutant::NeverRecovers)) {
            window.reset = clock::epoch_seconds() + own;
        }
        if self.has(Mutant::NeverCounts) && self.contract.batch_of(operation).is_none() && !window.is_exceeded() {
            window.used = 0;
        }
        if token.is_none() {
            // A caller without a token sees a full window.
            window = Window { limit: rules.limit, used: window.used.min(1), reset: window.reset };
        }
        Some(window)
    }

    /// With the defect, fails if a key is revoked twice concurrently.
    fn check_revocation_race(
        &self,
        call: &Call,
        operation: &Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        if !call.is_concurrent || !self.has(Mutant::CollidesOnRevocation) {
            return Ok(());
        }
        let keys = self.contract.key_management.as_ref().filter(|keys| keys.revoke == operation.id);
        let id = keys.and_then(|keys| path.get(&keys.id_parameter));
        let collides = id.is_some_and(|id| self.state().key(id).is_some());
        if collides { Err(Refusal::new(500, "Internal error")) } else { Ok(()) }
    }

    /// Routes a request.
    fn route(&self, call: &Call) -> RouteMatch {
        self.router.route(call, |index, path| {
            let operation = &self.api.operations[index];
            let has_no_body = operation.body.is_none() && call.body.is_empty();
            (operation.body.is_some() || has_no_body) && self.validate(call, operation, path).is_ok()
        })
    }

    /// Returns the operation of a request.
    pub(super) fn operation(&self, call: &Call) -> Option<&Operation> {
        match self.route(call) {
            RouteMatch::Operation(index, _) => self.api.operations.get(index),
            _ => None,
        }
    }

    fn cost(&self, call: &Call, operation: &Operation) -> u64 {
        if !self.has(Mutant::CountsItems) {
            return 1;
        }
        let at = self.contract.batch_of(operation).map_or("", |batch| &batch.items_at);
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        body.pointer(at).and_then(Value::as_array).map_or(1, |items| items.len() as u64)
    }
}

/// Returns the refusal of a batch, with the outcome of its items.
fn refusal_with_outcome(status: u16, outcome: Value) -> Refusal {
    let mut refusal = Refusal::new(status, "Every item failed");
    refusal.outcome = Some(outcome);
    refusal
}

/// Returns the bucket in which a call is counted.
pub(super) fn bucket(by: Bucket, token: Option<&Token>, operation: &Operation) -> String {
    let caller = token.map_or_else(|| "nobody".to_owned(), |token| token.tenant.to_string());
    match by {
        Bucket::Operation => format!("{caller} {}", operation.id),
        Bucket::Class => format!("{caller} {}", operation.rate_limit),
        Bucket::Credential => format!("{caller} {}", token.map_or("", |token| token.id.as_str())),
    }
}
