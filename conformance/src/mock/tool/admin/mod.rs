//! The mock's admin API under `/_keyfit/`, with which users and tests control it at run time. It changes the answers of the API only on
//! request. It is only available in mocks that were started with it, and only for programs: `guard` blocks web pages.

mod body;
mod faults;
mod guard;
mod journal;
mod limits;
mod ready;
mod tokens;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::http::request::Parts;
use keyfit::redact::plain_json;
use keyfit_openapi::Operation;
use serde_json::{Value, json};

pub use guard::AdminHost;
pub use journal::RecordedRequest;
pub use tokens::{IssuedToken, Scopes, TokenRequest, TokenSelector};

use self::guard::Guard;
use self::journal::{Journal, RequestSummary};
use super::error::MockError;
use super::faults::{Fault, FaultRule, Faults};
use crate::mock::call::{Answer, Call};
use crate::mock::core::Core;
use crate::mock::state::State;
use crate::mock::work::WorkPlan;

/// The root path of the admin.
pub(super) const ROOT: &str = "/_keyfit";

/// The admin's state beside the mock.
pub(in crate::mock) struct AdminState {
    core: Arc<Core>,
    guard: Guard,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
    /// The tokens that exist from the start.
    ready: Vec<IssuedToken>,
    /// The state with only those tokens.
    fresh: State,
}

/// The endpoints: method, path below the root, and purpose. A path that ends in `*` takes one more segment.
const ENDPOINTS: [(&str, &str, &str); 12] = [
    ("GET", "/", "what there is: endpoints, kinds of token, scopes, ids"),
    ("GET", "/tokens", "the tokens that were issued, without their texts"),
    ("POST", "/tokens", "mints a token: kind, state, scopes, ids, calls_per_window, expires_in_seconds"),
    ("DELETE", "/tokens", "revokes a token: name, fingerprint or token"),
    ("DELETE", "/tokens/*", "revokes the token with this fingerprint"),
    ("POST", "/limits", "sets what is left of a token's windows: remaining, window_seconds, operation"),
    ("GET", "/faults", "the faults that wait"),
    ("POST", "/faults", "programs a fault: fault, method, path, times, and what belongs to it"),
    ("DELETE", "/faults", "removes all faults"),
    ("POST", "/work", "says how accepted work goes: looks until it is over, fails"),
    ("GET", "/requests", "the last requests, the oldest first; ?after=NUMBER for those after one"),
    ("POST", "/reset", "forgets everything but the tokens of the start"),
];

impl AdminState {
    /// Creates the admin of a new mock that listens on this address and has these additional host names.
    pub(super) fn new(core: Arc<Core>, address: SocketAddr, hosts: Vec<AdminHost>) -> Self {
        let ready = ready::ready(&core);
        let fresh = core.state().clone();
        let guard = Guard::new(address, hosts);
        Self { core, guard, faults: Mutex::default(), journal: Mutex::default(), ready, fresh }
    }

    pub(super) fn ready(&self) -> &[IssuedToken] {
        &self.ready
    }

    /// Returns the pending faults.
    pub(in crate::mock) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Programs a fault.
    pub(super) fn program(&self, rule: FaultRule) -> Result<(), MockError> {
        rule.check(!self.core.contract.batches.is_empty())?;
        self.faults().program(rule)
    }

    /// Returns the journal entry of a request before it is served.
    pub(in crate::mock) fn summarize(
        &self,
        parts: &Parts,
        call: Option<&Call>,
        operation: Option<&Operation>,
    ) -> RequestSummary {
        RequestSummary::read(&self.core, parts, call, operation)
    }

    /// Writes a request into the journal. The status is `None` if there was no answer.
    pub(in crate::mock) fn record(
        &self,
        sent: RequestSummary,
        status: Option<u16>,
        fault: Option<&Fault>,
        is_executed: bool,
    ) {
        self.journal().record(sent, status, fault.map(Fault::name), is_executed);
    }

    /// Returns the last requests, the oldest first.
    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.journal().after(0)
    }

    /// Resets the state to the tokens of the start.
    pub(super) fn reset(&self) {
        self.core.state().replace(self.fresh.clone());
        self.faults().clear();
        self.journal().clear();
    }

    /// Returns whether a request is for the admin.
    pub(in crate::mock) fn is_for(parts: &Parts) -> bool {
        below_root(parts).is_some()
    }

    /// Returns the refusal of an admin request whose body is not even read; `None` if it is accepted.
    pub(in crate::mock) fn refuse(&self, parts: &Parts) -> Option<Answer> {
        self.guard.check(parts).err().map(|error| refusal(&error))
    }

    /// Returns the answer to a request with a body that is too long.
    pub(in crate::mock) fn too_long(limit: usize) -> Answer {
        let error = MockError::value(format!("the body is longer than {limit} bytes"), "say it in several requests");
        refusal(&MockError { status: 413, ..error })
    }

    /// Answers an admin request; `None` if it is for another path.
    pub(in crate::mock) fn answer(&self, parts: &Parts, body: &Bytes) -> Option<Answer> {
        let path = below_root(parts)?;
        if let Err(error) = guard::check_body(&parts.headers, body.is_empty()) {
            return Some(refusal(&error));
        }
        // An extra slash is ignored, as from a path that was appended to the admin's URL.
        let path = format!("/{}", path.trim_matches('/'));
        let path = path.as_str();
        let method = if parts.method == "HEAD" { "GET" } else { parts.method.as_str() };
        let allowed: Vec<&str> = methods(path);
        if !allowed.contains(&method) {
            return Some(unserved(method, &allowed));
        }
        let done = match (method, path) {
            ("GET", "/") => Ok((200, self.overview())),
            ("GET", "/tokens") => Ok((200, self.listed())),
            ("POST", "/tokens") => {
                body::read(body).and_then(|wanted| self.issue_token(wanted)).map(|token| (201, token.json()))
            }
            ("DELETE", "/tokens") => body::read(body).and_then(|which| self.revoke(which)).map(|done| (200, done)),
            ("POST", "/limits") => body::read(body).and_then(|wanted| self.limit(&wanted)).map(|done| (200, done)),
            ("GET", "/faults") => Ok((200, self.pending_faults())),
            ("POST", "/faults") => body::read(body).and_then(|wire| self.add_fault(wire)).map(|done| (201, done)),
            ("DELETE", "/faults") => Ok((200, json!({ "removed": self.faults().clear() }))),
            ("POST", "/work") => body::read(body).map(|plan| (200, self.plan_work(plan))),
            ("GET", "/requests") => self.recorded_requests(parts.uri.query()).map(|list| (200, list)),
            ("POST", "/reset") => {
                self.reset();
                Ok((200, json!({ "tokens": self.ready.len() })))
            }
            // The remaining pattern has a token fingerprint in the path.
            (_, path) => self.revoke_in_path(path).map(|done| (200, done)),
        };
        Some(match done {
            Ok((status, value)) => Answer::json(status, plain_json(&value.to_string())),
            Err(error) => refusal(&error),
        })
    }

    fn plan_work(&self, plan: WorkPlan) -> Value {
        self.core.state().work_items.plan = plan;
        json!(plan)
    }

    fn overview(&self) -> Value {
        let endpoint = |(method, path, what): &(&str, &str, &str)| {
            let path = path.replace('*', "{fingerprint}");
            json!({ "method": method, "path": format!("{ROOT}{path}"), "what": what })
        };
        let state = self.core.state();
        json!({
            "api": self.core.api.name,
            "endpoints": ENDPOINTS.iter().map(endpoint).collect::<Vec<_>>(),
            "kinds": self.core.contract.credentials.iter().map(|kind| &kind.kind).collect::<Vec<_>>(),
            "scopes": state.scopes(),
            "ids": state.ids(0),
        })
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the path of a request below the admin's root.
fn below_root(parts: &Parts) -> Option<&str> {
    parts.uri.path().strip_prefix(ROOT).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the methods of a path.
fn methods(path: &str) -> Vec<&'static str> {
    let fits = |pattern: &str| crate::text::glob::matches(pattern, path);
    ENDPOINTS.iter().filter(|(_, pattern, _)| fits(pattern)).map(|(method, ..)| *method).collect()
}

fn unserved(method: &str, allowed: &[&str]) -> Answer {
    if allowed.is_empty() {
        let help = format!("GET {ROOT}/ lists what there is");
        return refusal(&MockError::unknown("the admin has nothing here", help));
    }
    let allowed = allowed.join(", ");
    let error = MockError::value(format!("{method} is not for this path"), format!("the methods are: {allowed}"));
    let mut answer = refusal(&MockError { status: 405, ..error });
    answer.header("allow", &allowed);
    answer
}

fn refusal(error: &MockError) -> Answer {
    let body = json!({ "error": { "message": error.problem, "help": error.help } });
    Answer::json(error.status, plain_json(&body.to_string()))
}
