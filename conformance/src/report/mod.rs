//! What a run found, ready to be read by people or by programs. Every text in it is masked.

mod json;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

pub use json::{json, json_schema};
pub use text::text;

use crate::catalogue::{Catalogue, Side};
use crate::contract::{Family, Level};
use crate::secret::Redactor;
use crate::verdict::{Exchange, Outcome, Verdict};

/// The result of a run.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format.
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// Each API that was checked.
    pub apis: Vec<ApiReport>,
    /// Cases by verdict.
    pub totals: Counts,
    /// Requests that were sent.
    pub requests: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// The result for one API.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ApiReport {
    /// The short name.
    pub api: String,
    /// The server that was checked: a base URL, `mock`, or `none` where another client was checked.
    pub server: String,
    /// Cases by family and verdict.
    pub families: BTreeMap<Family, Counts>,
    /// Every case, in the order of the contract.
    pub cases: Vec<CaseReport>,
}

/// The result of one case.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CaseReport {
    /// The id.
    pub id: String,
    /// The id of the rule.
    pub rule: String,
    /// Which end was checked.
    pub side: Side,
    /// How binding the rule is at this operation.
    pub level: Level,
    /// How it ended.
    pub verdict: Verdict,
    /// The requirement, in one line.
    pub requirement: String,
    /// Where it is said: page and section.
    pub source: String,
    /// The address of that page.
    pub url: String,
    /// Why, where it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The exchanges, where it did not pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
}

/// Cases by verdict.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Counts {
    /// The rule is kept.
    pub pass: usize,
    /// A `must` rule is broken.
    pub fail: usize,
    /// A `should` rule is broken.
    pub warn: usize,
    /// An `observe` rule is not met.
    pub info: usize,
    /// Not run.
    pub skip: usize,
    /// The check itself failed.
    pub error: usize,
}

impl Report {
    /// A report on these APIs.
    pub fn new(apis: Vec<ApiReport>, requests: usize, took: Duration) -> Self {
        let mut totals = Counts::default();
        for case in apis.iter().flat_map(|api| &api.cases) {
            totals.add(case.verdict);
        }
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            apis,
            totals,
            requests,
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
        }
    }
}

impl ApiReport {
    /// A report on the outcomes of a catalogue's cases.
    pub fn new(catalogue: &Catalogue, server: String, outcomes: Vec<Outcome>, redactor: &Redactor) -> Self {
        let mut families: BTreeMap<Family, Counts> = BTreeMap::new();
        let cases: Vec<CaseReport> = catalogue
            .cases
            .iter()
            .zip(outcomes)
            .map(|(case, outcome)| {
                families.entry(case.family).or_default().add(outcome.verdict);
                let rule = catalogue.rule(case);
                let page = catalogue.contract.sources.get(&rule.source.page);
                let section = rule.source.section.as_ref().map_or_else(String::new, |section| format!(", {section}"));
                CaseReport {
                    id: case.id.clone(),
                    rule: rule.id.clone(),
                    side: case.side,
                    level: case.level,
                    verdict: outcome.verdict,
                    requirement: rule.requirement.clone(),
                    source: format!("{}{section}", page.map_or("", |page| &page.title)),
                    url: page.map(|page| page.url.clone()).unwrap_or_default(),
                    reason: outcome.reason.map(|reason| redactor.mask(&reason)),
                    exchanges: outcome.exchanges.iter().map(|exchange| exchange.masked(redactor)).collect(),
                }
            })
            .collect();
        Self { api: catalogue.contract.name.clone(), server, families, cases }
    }
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Info => &mut self.info,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        };
        *count += 1;
    }

    /// All of them.
    pub fn all(&self) -> usize {
        self.pass + self.fail + self.warn + self.info + self.skip + self.error
    }
}
