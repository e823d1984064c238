//! The safeguards for a live server: it may hold data of other users, has rate limits, and may stop answering because of a request.

mod body;
mod clean_up;
mod effect;
mod found;
mod ledger;
mod resource;
mod server_health;
mod undeclared;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyfit_openapi::{Api, Operation, Parameter, ParameterLocation, Retry, is_same_template};
use reqwest::Method;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(super) use self::body::{BodyExceptions, is_kept_out, safe_body};
pub use self::clean_up::CleanupReport;
pub(super) use self::effect::item_of;
pub(super) use self::effect::{Effect, effect};
use self::effect::{ending, item_template};
pub(crate) use self::effect::{ends_by_get, item_among, last_parameter, lists_rights, parent_of};
use self::ledger::Ledger;
pub(crate) use self::ledger::{id_member, listed as ids_listed};
pub(super) use self::ledger::{items as entries, reported_ids as ids_told};
pub(super) use self::server_health::{ServerHealth, ServerOutage, SuspectRequest};
use super::case_run::SentRequest;
use super::limit_windows::LimitWindows;
use super::renewal::TokenRenewals;
use super::reply::Reply;
use super::request::Draft;
use crate::catalogue::{Case, Catalogue};
use crate::contract::{Contract, Probe};
use crate::credential::identity::{Identities, Identity};
use crate::credential::secret::Redactor;
use crate::document::unknown_id::{self, UNKNOWN_ID};
use crate::judgement::missing::Missing;
use crate::run::Halt;
use crate::text::glob;

/// The calls that the user allows at a live server, besides safe ones.
#[derive(Clone, Debug, Default)]
pub struct LivePolicy {
    /// Patterns of ids of operations that may be called although they seem to end or change something that the check did not create.
    pub allow: Vec<String>,
    /// True if calls for the setup of a case may cost money.
    pub allow_spend: bool,
    /// True if tokens may be sent in URLs, which servers and proxies log.
    pub query_tokens: bool,
    /// The highest number of requests per second.
    pub rate: Option<f64>,
}

/// The phase of a run in which a request is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RunPhase {
    /// While cases run.
    Running,
    /// After all cases, to remove the resources of the run.
    AtTheEnd,
}

/// The state of a live server during a run.
pub(super) struct LiveServer {
    pub(super) limit_windows: LimitWindows,
    pub(super) server_health: ServerHealth,
    pub(super) policy: LivePolicy,
    pub(super) token_renewals: TokenRenewals,
    ledger: Ledger,
    api: Arc<Api>,
    contract: Arc<Contract>,
    halt: Halt,
    /// Ids found in lists, by the resource that they name; `None` if no list contains one.
    found: Mutex<HashMap<String, Option<String>>>,
    /// The earliest time of the next request.
    slot: Mutex<Option<Instant>>,
}

impl LiveServer {
    pub(super) fn new(catalogue: &Catalogue, halt: Halt, policy: LivePolicy) -> Self {
        Self {
            limit_windows: LimitWindows::new(catalogue.contract.rate_limit.clone(), halt.clone()),
            server_health: ServerHealth::default(),
            policy,
            token_renewals: TokenRenewals::default(),
            ledger: Ledger::default(),
            api: Arc::clone(&catalogue.api),
            contract: Arc::clone(&catalogue.contract),
            halt,
            found: Mutex::default(),
            slot: Mutex::default(),
        }
    }

    /// Returns whether the user allows an operation by its id.
    pub(super) fn allows(&self, operation: &Operation) -> bool {
        self.policy.allow.iter().any(|pattern| glob::matches(pattern, &operation.id))
    }

    /// Returns whether the check may make a call that is not the subject of a case.
    pub(super) fn may_be_asked(&self, operation: &Operation) -> bool {
        let is_free = !operation.spends || self.policy.allow_spend;
        is_free && (self.allows(operation) || ending(&self.contract, operation).is_none())
    }

    /// Returns the GET operation of a path if the check may call it for its own purposes.
    pub(super) fn read_operation<'a>(&self, catalogue: &'a Catalogue, path: &str) -> Option<&'a Operation> {
        let mut operations = catalogue.api.operations.iter();
        let reading = operations.find(|other| other.method == "GET" && other.path == path)?;
        (reading.retry == Retry::Safe && self.may_be_asked(reading)).then_some(reading)
    }

    /// Returns a new id that does not exist, for a path parameter. `like` is an id that exists.
    pub(super) fn unused_id(&self, parameter: &Parameter, like: Option<&str>) -> String {
        self.ledger.new_id(|number| unknown_id::id(&self.api, parameter, like, number))
    }

    /// Returns such an id for a path parameter of an operation, similar to the one that the identity knows.
    fn unused_id_at(&self, operation: &Operation, name: &str, identity: &Identity) -> String {
        let parameter =
            operation.parameters.iter().find(|one| one.location == ParameterLocation::Path && one.name == name);
        let like = identity.ids.get(name).map(String::as_str);
        parameter.map_or_else(|| UNKNOWN_ID.to_owned(), |parameter| self.unused_id(parameter, like))
    }

    /// Returns the effect of an operation.
    pub(super) fn effect<'o>(&self, operation: &'o Operation) -> Effect<'o> {
        effect(&self.api, &self.contract, operation)
    }

    /// Returns whether an operation creates a resource with an id that the server assigns.
    pub(super) fn creates_resource(&self, operation: &Operation) -> bool {
        self.effect(operation) == Effect::Creates
    }

    /// Returns the effects of the operations at a path, whatever the names of its parameters.
    fn changes_at<'a>(&'a self, path: &str) -> impl Iterator<Item = Effect<'a>> {
        let all = self.api.operations.iter().filter(move |other| is_same_template(&other.path, path));
        all.map(|operation| self.effect(operation)).filter(|effect| *effect != Effect::Nothing)
    }

    /// Returns the reason why a case is not run: its call seems to end something.
    pub(super) fn refusal(&self, catalogue: &Catalogue, case: &Case) -> Option<Missing> {
        let own = catalogue.operation(case);
        let is_undeclared = catalogue.rule(case).probe == Some(Probe::UndeclaredMethod);
        // A server that ignores the method does the same for any method.
        let others = self.api.operations.iter().filter(|_| is_undeclared);
        let same_path = others.filter(|other| is_same_template(&other.path, &own.path));
        let (operation, word) = [own]
            .into_iter()
            .chain(same_path)
            .find_map(|operation| Some((operation, ending(&self.contract, operation)?)))?;
        if self.allows(operation) {
            return None;
        }
        let Operation { id, method, path, .. } = operation;
        Some(Missing::new(format!("{method} {path} looks as if it ended or wiped something (`{word}`)")).allow(id))
    }

    /// Waits until the next request may be sent. Returns `false` if the run ends before that; requests of the clean-up are always sent.
    pub(super) async fn wait_for_slot(&self, phase: RunPhase) -> bool {
        let Some(at) = self.next_slot().await else { return true };
        match phase {
            RunPhase::Running => self.limit_windows.waits_until(at).await,
            RunPhase::AtTheEnd => {
                tokio::time::sleep_until(at).await;
                true
            }
        }
    }

    async fn next_slot(&self) -> Option<Instant> {
        let between = Duration::try_from_secs_f64(1.0 / self.policy.rate?).ok()?;
        let mut next = self.slot.lock().await;
        let at = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
        *next = Some(at + between);
        Some(at)
    }

    /// Checks a request just before it is sent, as a last safeguard. Returns the reason if it must not be sent.
    pub(super) fn guard(&self, draft: &Draft, identities: &dyn Identities) -> Result<(), String> {
        let Some(operation) = draft.operation.as_deref().and_then(|id| self.api.operation(id)) else { return Ok(()) };
        let is_overlaid = draft.method == operation.method && self.effect(operation) == Effect::Nothing;
        let is_made = self.ledger.owns(&operation.path, &draft.ids);
        if !matches!(draft.method.as_str(), "DELETE" | "PUT" | "PATCH") || is_overlaid || is_made {
            return Ok(());
        }
        let is_ours = |parameter: &str, id: &str| {
            identities.is_expendable(&operation.path, parameter, id) || self.ledger.has_created(parameter, id)
        };
        let foreign = draft.ids.iter().find(|(parameter, id)| {
            identities.foreign_id(&operation.path, parameter).is_ok_and(|foreign| foreign == **id)
                && !is_ours(parameter, id)
        });
        let own = last_parameter(&operation.path).and_then(|parameter| draft.ids.get_key_value(parameter));
        let may_change = draft.method != "DELETE" && draft.method == operation.method && self.allows(operation);
        let kept = own.filter(|(parameter, id)| {
            !may_change && identities.keeps(&operation.path, parameter, id) && !is_ours(parameter, id)
        });
        match foreign.or(kept) {
            Some((parameter, _)) => {
                Err(format!("nothing was sent: {} would meet a `{parameter}` that is kept", draft.method))
            }
            None => Ok(()),
        }
    }

    /// Returns whether a request may be sent twice because it changes nothing.
    pub(super) fn is_repeatable(&self, draft: &Draft) -> bool {
        let operation = draft.operation.as_deref().and_then(|id| self.api.operation(id));
        let is_declared = |operation: &Operation| operation.method == draft.method;
        match operation.filter(|operation| is_declared(operation)) {
            Some(operation) => operation.retry == Retry::Safe,
            None => Method::from_bytes(draft.method.as_bytes()).is_ok_and(|method| method.is_safe()),
        }
    }

    /// Records that a request reached the server, if it did.
    pub(super) fn record_health(&self, sent: &SentRequest) {
        if !sent.is_unconnected && sent.requests > 0 {
            self.server_health.reached(&sent.draft, sent.answer().map(|reply| reply.status));
        }
    }

    /// Ends the run because the server stopped answering or refuses connections (`is_refused`). Returns a message about it.
    pub(super) fn end_run(&self, reason: &str, is_refused: bool) -> String {
        self.halt.halt();
        self.server_health.record_outage(reason, is_refused)
    }

    /// Returns true if the run has been ended.
    pub(super) fn is_halted(&self) -> bool {
        self.halt.is_halted()
    }

    /// Returns the request that shows what a call created, if its answer does not.
    pub(super) fn evidence_for(&self, draft: &Draft, reply: &Reply) -> Option<Draft> {
        let operation = draft.operation.as_deref().and_then(|id| self.api.operation(id))?;
        let adds = operation.method == draft.method && self.effect(operation) == Effect::Creates;
        if adds { self.ledger.evidence_for(draft, reply) } else { None }
    }

    /// Adds to the number of requests that belong to no case.
    pub(super) fn add_requests(&self, count: usize) {
        self.ledger.add_requests(count);
    }

    /// Records the effect of a request. `after` is the current content of the list to which it adds.
    pub(super) fn learn(
        &self,
        draft: &Draft,
        reply: Result<&Reply, &str>,
        after: Option<&str>,
        identities: &dyn Identities,
        redactor: &Redactor,
    ) {
        let is_safe = Method::from_bytes(draft.method.as_bytes()).is_ok_and(|method| method.is_safe());
        let operation = draft.operation.as_deref().and_then(|id| self.api.operation(id));
        let declared = operation.filter(|operation| operation.method == draft.method);
        let effect = declared.map(|operation| self.effect(operation));
        // A server that ignores the method may have had the effect of another operation at that path.
        let does_nothing = draft.method == undeclared::UNASSIGNED
            && operation.is_none_or(|operation| self.changes_at(&operation.path).next().is_none());
        if is_safe || effect == Some(Effect::Nothing) || does_nothing {
            return;
        }
        self.ledger.note(draft, reply);
        // API keys are tracked separately: each is revoked at the end of its case.
        let is_key =
            |operation: &Operation| self.contract.key_management.as_ref().is_some_and(|keys| keys.mint == operation.id);
        if let (Some(operation), Some(effect), Ok(reply)) =
            (declared.filter(|operation| !is_key(operation)), effect, reply)
        {
            let is_kept = |path: &str, parameter: &str, id: &str| identities.keeps(path, parameter, id);
            self.ledger.learn(&self.api, (operation, effect), draft, (reply, after), is_kept, redactor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_keep_to_the_rate() {
        let folder = std::path::Path::new("tests/fixtures/apis/pets");
        let source = keyfit_openapi::Source::from_dir(folder).expect("the fixture is there");
        let catalogue = Catalogue::read(&source).unwrap_or_else(|failure| panic!("{failure}"));
        let halt = Halt::default();
        let began = Instant::now();
        let free = LiveServer::new(&catalogue, halt.clone(), LivePolicy::default());
        let kept = LiveServer::new(&catalogue, halt.clone(), LivePolicy { rate: Some(4.0), ..LivePolicy::default() });
        for _ in 0..9 {
            assert!(free.wait_for_slot(RunPhase::Running).await);
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..9 {
            assert!(kept.wait_for_slot(RunPhase::Running).await);
        }
        assert_eq!(began.elapsed(), Duration::from_secs(2), "eight waits of a quarter of a second");
        halt.halt();
        assert!(!kept.wait_for_slot(RunPhase::Running).await, "nothing is sent after the end of a run");
    }
}
