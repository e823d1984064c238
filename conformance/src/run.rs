//! Runs the cases of an API, many at a time, and keeps their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::catalogue::{Case, Catalogue, Side};
use crate::drive::Stage;
use crate::probe::Target;
use crate::verdict::Outcome;

/// Cases in flight at once against the mock. More than a few do not help: client, server and judge share the machine.
const WORKERS: usize = 16;

/// What may be run, and against what.
#[derive(Clone)]
pub struct Plan {
    /// The server that is checked; server-side cases are skipped without one.
    pub target: Option<Arc<Target>>,
    /// The client that is checked, before its scripted server; client-side cases are skipped without one.
    pub stage: Option<Arc<Stage>>,
    /// Why there is no client, where there is none.
    pub no_stage: String,
    /// Cases that write are not to be sent.
    pub is_read_only: bool,
    /// Cases that cost money are not to be sent.
    pub is_thrifty: bool,
    /// Cases in flight at once. One for a live server: its tokens are few, and some cases count calls.
    pub workers: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            target: None,
            stage: None,
            no_stage: String::new(),
            is_read_only: false,
            is_thrifty: false,
            workers: WORKERS,
        }
    }
}

/// What came of the cases, in the order of the catalogue.
pub async fn run(catalogue: &Arc<Catalogue>, plan: &Plan) -> Vec<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..plan.workers {
        let (catalogue, plan, next) = (Arc::clone(catalogue), plan.clone(), Arc::clone(&next));
        workers.spawn(async move {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = catalogue.cases.get(index) else { return done };
                let started = Instant::now();
                let outcome = plan.check(&catalogue, case).await;
                done.push((index, Outcome { took: started.elapsed(), ..outcome }));
            }
        });
    }
    let mut outcomes: Vec<Outcome> = catalogue.cases.iter().map(|_| Outcome::error("the check broke off")).collect();
    while let Some(done) = workers.join_next().await {
        // A worker that panicked leaves its cases as errors of ours.
        for (index, outcome) in done.unwrap_or_default() {
            outcomes[index] = outcome;
        }
    }
    outcomes
}

impl Plan {
    async fn check(&self, catalogue: &Catalogue, case: &Case) -> Outcome {
        if self.is_read_only && case.writes {
            return Outcome::skip("it writes: pass --allow-writes");
        }
        if self.is_thrifty && case.spends {
            return Outcome::skip("it costs money: pass --allow-spend");
        }
        match (case.side, &self.target, &self.stage) {
            (Side::Server, Some(target), _) => target.check(catalogue, case).await,
            (Side::Client, _, Some(stage)) => stage.check(catalogue, case).await,
            (Side::Server, None, _) => Outcome::skip("no server was given"),
            (Side::Client, ..) => Outcome::skip(self.no_stage.clone()),
        }
    }
}
