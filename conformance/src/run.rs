//! Runs the cases of an API concurrently, and returns their outcomes in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::baseline::Baseline;
use crate::catalogue::{Case, Catalogue, Side};
use crate::credential::identity::ConfiguredIdentity;
use crate::credential::secret::Redactor;
use crate::drive::ClientHarness;
use crate::judgement::consequence;
use crate::judgement::control;
use crate::judgement::general_rules;
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{Outcome, Verdict};
use crate::probe::{CleanupReport, DIED_BEFORE, TargetServer};
use crate::report::{Access, ApiReport, LiveReport};

/// The number of concurrent cases against the mock. More would not help: client, server, and judge share the machine.
const WORKERS: usize = 16;

/// Ends a run early. Clones share it, so that one ends the runs of several APIs.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<watch::Sender<bool>>);

/// A callback for each case that ends.
pub type CaseCallback = Arc<dyn Fn(&Case, &Outcome) + Send + Sync>;

/// The permitted cases, and the server and client for them.
#[derive(Clone)]
pub struct Plan {
    /// The server under test; server-side cases are skipped without one.
    pub target: Option<Arc<TargetServer>>,
    /// The clients under test with their scripted servers; client-side cases are skipped without them.
    pub stage: Option<Arc<ClientHarness>>,
    /// The reason why there is no client, if so.
    pub no_stage: String,
    /// True if cases that change something are skipped.
    pub is_read_only: bool,
    /// True if cases that cost money are run.
    pub allow_spend: bool,
    /// The number of concurrent cases. One for a live server: it has few tokens, and some cases count calls.
    pub workers: usize,
    /// The seed for a shuffled order of the cases; the contract's order if `None`.
    pub seed: Option<u64>,
    /// True if the first broken `must` rule ends the run.
    pub is_fail_fast: bool,
    /// Ends the run from outside: running cases are finished, the others are skipped.
    pub halt: Halt,
    /// A callback for each case that ends.
    pub watch: Option<CaseCallback>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            target: None,
            stage: None,
            no_stage: String::new(),
            is_read_only: false,
            allow_spend: true,
            workers: WORKERS,
            seed: None,
            is_fail_fast: false,
            halt: Halt::default(),
            watch: None,
        }
    }
}

impl Halt {
    /// Prevents further cases from starting.
    pub fn halt(&self) {
        self.0.send_replace(true);
    }

    /// Returns whether the run was ended.
    pub fn is_halted(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the run is ended.
    pub async fn halted(&self) {
        // The sender is a part of this value, so the channel is open.
        let _ = self.0.subscribe().wait_for(|is_halted| *is_halted).await;
    }
}

/// The outcomes of the cases of an API, and the effects of the run on its server.
pub struct ApiOutcomes {
    /// The API with its cases.
    pub catalogue: Arc<Catalogue>,
    /// The server in reports: a base URL, `mock`, or `none`.
    pub server: String,
    /// The outcome of each case.
    pub outcomes: Vec<Outcome>,
    /// The effects on a live server.
    pub cleanup: CleanupReport,
    /// The identities of the tokens file.
    known: Vec<ConfiguredIdentity>,
}

/// Runs the cases of an API and cleans up after them.
pub async fn check(catalogue: Arc<Catalogue>, plan: &Plan, server: String) -> ApiOutcomes {
    let outcomes = run(&catalogue, plan).await;
    let cleanup = match &plan.target {
        Some(target) => target.finish(&catalogue).await,
        None => CleanupReport::default(),
    };
    let known = plan.target.as_ref().map(|target| target.known()).unwrap_or_default();
    ApiOutcomes { catalogue, server, outcomes, cleanup, known }
}

impl ApiOutcomes {
    /// Determines which failures are known. With `adopts`, all are: those that are not in the baseline are added to it.
    pub fn mark_known(&mut self, baseline: &mut Baseline, adopts: bool, redactor: &Redactor) {
        baseline.mark_known(&self.catalogue, &mut self.outcomes);
        if adopts {
            baseline.adopt(&self.catalogue, &mut self.outcomes, redactor);
        }
    }

    /// Returns the report and the number of requests; `notes` are those about a live server, if it was one.
    pub fn report(mut self, notes: Option<Vec<String>>, redactor: &Redactor) -> (ApiReport, usize) {
        let of_cases: usize = self.outcomes.iter().map(|outcome| outcome.requests).sum();
        let requests = self.cleanup.requests + of_cases;
        let calls: Vec<_> = self.outcomes.iter_mut().map(|outcome| std::mem::take(&mut outcome.calls)).collect();
        let mut report = ApiReport::new(&self.catalogue, &self.server, self.outcomes, redactor);
        if !self.known.is_empty() {
            report.access = Some(Access::new(&self.catalogue, &calls, &self.known, &report.cases, redactor));
        }
        report.live = notes.map(|notes| LiveReport::new(self.cleanup, notes, redactor));
        (report, requests)
    }
}

/// Returns the outcomes of the cases, in the order of the catalogue.
pub async fn run(catalogue: &Arc<Catalogue>, plan: &Plan) -> Vec<Outcome> {
    let order: Arc<[usize]> = order(catalogue.cases.len(), plan.seed).into();
    let next = Arc::new(AtomicUsize::new(0));
    // One slot for each outcome instead of a list for each worker: there may be hundreds of thousands.
    let outcomes: Arc<Vec<OnceLock<Outcome>>> = Arc::new(catalogue.cases.iter().map(|_| OnceLock::new()).collect());
    let mut workers = JoinSet::new();
    for _ in 0..plan.workers {
        let (catalogue, plan, order, next, outcomes) =
            (Arc::clone(catalogue), plan.clone(), Arc::clone(&order), Arc::clone(&next), Arc::clone(&outcomes));
        workers.spawn(async move {
            while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let case = &catalogue.cases[index];
                let started = Instant::now();
                let outcome = if plan.halt.is_halted() {
                    let has_died = plan.target.as_ref().is_some_and(|target| target.has_stopped());
                    Outcome::skip(if has_died { DIED_BEFORE } else { "the run was ended before it" })
                } else {
                    plan.check(&catalogue, case).await
                };
                let has_died = plan.target.as_ref().is_some_and(|target| target.has_stopped());
                let is_cut = plan.halt.is_halted() && outcome.verdict == Verdict::Error && !has_died;
                let outcome = if is_cut { Outcome::skip("the run was ended during it") } else { outcome };
                if plan.is_fail_fast && outcome.verdict == Verdict::Fail {
                    plan.halt.halt();
                }
                if let Some(watch) = &plan.watch {
                    watch(case, &outcome);
                }
                // Each slot is filled once.
                let _ = outcomes[index].set(Outcome { took: started.elapsed(), ..outcome });
            }
        });
    }
    // The cases of a worker that panicked become errors of the check.
    while workers.join_next().await.is_some() {}
    let broken_off = || Outcome::error("the check broke off");
    let outcomes = Arc::into_inner(outcomes).unwrap_or_default().into_iter();
    let mut outcomes: Vec<Outcome> = outcomes.map(|outcome| outcome.into_inner().unwrap_or_else(broken_off)).collect();
    control::withdraw_unproven(catalogue, &mut outcomes);
    general_rules::judge(catalogue, &mut outcomes);
    consequence::withdraw_consequences(catalogue, &mut outcomes);
    if let Some(target) = &plan.target {
        target.attribute_outage(catalogue, &mut outcomes);
    }
    outcomes
}

/// Returns the numbers below `count`, shuffled by a seed.
fn order(count: usize, seed: Option<u64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if let Some(seed) = seed {
        // Sorted by a hash of seed and number: the order is the same in each run, and for any number of workers.
        let mark =
            |index: &usize| Sha256::new().chain_update(seed.to_be_bytes()).chain_update(index.to_be_bytes()).finalize();
        order.sort_by_cached_key(mark);
    }
    order
}

impl Plan {
    async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        if self.is_read_only && case.writes {
            return Outcome::skip(Missing::new("it writes").pass("--allow-writes"));
        }
        if !self.allow_spend && case.spends {
            return Outcome::skip(Missing::new("it costs money").pass("--allow-spend"));
        }
        match (case.side, &self.target, &self.stage) {
            (Side::Server, Some(target), _) => match catalogue.earlier_duplicate(case) {
                Some(twin) => {
                    Outcome::skip(format!("no request tells it from `{}`, which is checked in its place", twin.id))
                }
                None => target.check(catalogue, case).await,
            },
            (Side::Client, _, Some(stage)) => stage.check(catalogue, case).await,
            (Side::Server, None, _) => Outcome::skip("no server was given"),
            (Side::Client, ..) => Outcome::skip(self.no_stage.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn a_seed_makes_one_order_of_all_cases() {
        assert_eq!(order(4, None), [0, 1, 2, 3]);
        let mut shuffled = order(100, Some(7));
        assert_eq!(shuffled, order(100, Some(7)));
        assert_ne!(shuffled, order(100, Some(8)));
        shuffled.sort_unstable();
        assert_eq!(shuffled, order(100, None));
    }
}
