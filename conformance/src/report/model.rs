//! The results of a run, in the form that all formats render. All texts are masked.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use keyfit::redact::plain_lines;
use keyfit_openapi::{Operation, plain};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::changes::Changes;
use super::live::LiveReport;
use super::policy::PolicyReport;
use super::questions::{self, QuestionReport};
use super::readings::{self, Disagreement};
use crate::catalogue::{Case, Catalogue, Side};
use crate::cause::{self, Cause, CauseText};
use crate::clock;
use crate::contract::{Family, Level, Probe, Rule};
use crate::credential::identity::CredentialNeed;
use crate::credential::secret::Redactor;
use crate::judgement::missing::Missing;
use crate::judgement::verdict::{Exchange, Outcome, Verdict};
use crate::text::glob;

/// The result of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Report {
    /// The version of this format: [`Report::FORMAT`].
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// When the run began, in UTC, as RFC 3339 writes it.
    pub started: String,
    /// Each API that was checked.
    pub apis: Vec<ApiReport>,
    /// Cases by verdict.
    pub totals: Counts,
    /// The file of the failures that are known, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Entries of that file that name nothing which fails.
    #[serde(default)]
    pub stale: Vec<String>,
    /// Whether the run was broken off: the cases after that are skipped, and what was not run has not passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Requests that were sent.
    pub requests: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What is different from an earlier run, where there was one to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// The result for one API.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct ApiReport {
    /// The short name.
    pub api: String,
    /// The server that was checked: a base URL, `mock`, or `none` where another client was checked.
    pub server: String,
    /// The contract, as a path.
    pub contract: String,
    /// Cases by family and verdict.
    pub families: BTreeMap<Family, Counts>,
    /// Where the documents disagree, and which reading the answers of the server show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Disagreement>,
    /// Who may call what, where it is a live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// What the contract says of its rules as a whole.
    #[serde(default, skip_serializing_if = "PolicyReport::is_empty")]
    pub policy: PolicyReport,
    /// What is missing for more cases to be judged, that which concerns most of them first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<QuestionReport>,
    /// What the run did to the server, where it is a live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveReport>,
    /// What is broken, each cause once, the gravest first: failures, warnings, what could not be judged, and last what is known to
    /// fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Every case, in the order of the contract.
    pub cases: Vec<CaseReport>,
}

/// Cases that are broken for one cause, and would be mended by one change.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Finding {
    /// What tells it from the others of the API; the same in each run that finds it.
    pub id: String,
    /// How the gravest of its cases ended: `fail`, `warn` or `error`; `known` where all of them are known.
    pub verdict: Verdict,
    /// How binding the most binding of its rules is.
    pub level: Level,
    /// What is wrong, in one line.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What to change.
    pub change: String,
    /// The id of the case that shows it.
    pub example: String,
    /// How many cases it has, of how many rules, at how many operations.
    pub counts: FindingCounts,
}

/// How far a finding reaches.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Broken cases.
    pub cases: usize,
    /// Rules of these cases.
    pub rules: usize,
    /// Operations of these cases.
    pub operations: usize,
}

/// The result of one case.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct CaseReport {
    /// The id.
    pub id: String,
    /// The id of the rule. What many cases have in common is kept once.
    #[serde(with = "super::shared")]
    #[schemars(with = "String")]
    pub rule: Arc<str>,
    /// The line of the contract at which the rule stands.
    pub line: usize,
    /// The family of the rule.
    pub family: Family,
    /// What is called.
    #[serde(with = "super::shared")]
    #[schemars(with = "OperationReport")]
    pub operation: Arc<OperationReport>,
    /// Who calls: the kind of token with its state and what it may do, and at a live server its name in the tokens file;
    /// or `nobody`. Left out where that is for the rule to
    /// say: clients, JWTs and logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Which end was checked.
    pub side: Side,
    /// How binding the rule is at this operation.
    pub level: Level,
    /// How it ended.
    pub verdict: Verdict,
    /// The requirement, in one line.
    #[serde(with = "super::shared")]
    #[schemars(with = "String")]
    pub requirement: Arc<str>,
    /// Where it is said: page and section.
    #[serde(with = "super::shared")]
    #[schemars(with = "String")]
    pub source: Arc<str>,
    /// The address of that page.
    #[serde(with = "super::shared")]
    #[schemars(with = "String")]
    pub url: Arc<str>,
    /// How long it took, in seconds. Cases run side by side.
    pub seconds: f64,
    /// Why, where it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it is skipped for what somebody can give: what that is, and where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// The rule that is broken instead, where the case is skipped for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// Where it is known to fail, why that stays; empty where the baseline gives no reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The finding that it belongs to, by its place among those of the API, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<usize>,
    /// The exchanges, where it did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
}

/// An operation of an API.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct OperationReport {
    /// Its id.
    pub id: String,
    /// Its method.
    pub method: String,
    /// The template of its path.
    pub path: String,
}

/// Cases by verdict.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Counts {
    /// The rule is kept.
    pub pass: usize,
    /// A `must` rule is broken.
    pub fail: usize,
    /// A rule is broken, and that is known.
    #[serde(default)]
    pub known: usize,
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
    /// The version of the format. A new member does not change it; a removed one, or one with another meaning, does.
    pub const FORMAT: u32 = 2;

    /// Creates the report on these APIs. The check ends now.
    pub fn new(apis: Vec<ApiReport>, requests: usize, took: Duration) -> Self {
        let mut totals = Counts::default();
        for case in apis.iter().flat_map(|api| &api.cases) {
            totals.add(case.verdict);
        }
        Self {
            format: Self::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: clock::timestamp(clock::epoch_seconds().saturating_sub(took.as_secs())),
            apis,
            totals,
            baseline: None,
            stale: Vec::new(),
            interrupted: false,
            requests,
            seconds: in_milliseconds(took),
            changes: None,
        }
    }

    /// Keeps the cases with an id that matches one of the patterns, if there are any, and none of `left_out`. The counts remain those of the
    /// run.
    pub fn select(&mut self, patterns: &[String], left_out: &[String]) {
        for api in &mut self.apis {
            api.cases.retain(|case| glob::selects(patterns, left_out, &case.id));
        }
    }

    /// Returns all cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = &CaseReport> {
        self.apis.iter().flat_map(|api| &api.cases)
    }

    /// Returns the rules with cases that have this verdict, by name.
    pub(super) fn rules(&self, verdict: Verdict) -> Vec<RuleOutcome<'_>> {
        let mut rules: BTreeMap<&str, RuleOutcome<'_>> = BTreeMap::new();
        for api in &self.apis {
            for case in api.cases.iter().filter(|case| case.verdict == verdict) {
                let rule = RuleOutcome { api, id: &case.rule, first: case, others: Vec::new() };
                match rules.entry(&case.rule) {
                    Entry::Vacant(entry) => drop(entry.insert(rule)),
                    Entry::Occupied(mut entry) => entry.get_mut().others.push(case),
                }
            }
        }
        rules.into_values().collect()
    }
}

/// The cases of a rule with one verdict.
pub(super) struct RuleOutcome<'a> {
    pub(super) api: &'a ApiReport,
    pub(super) id: &'a str,
    pub(super) first: &'a CaseReport,
    pub(super) others: Vec<&'a CaseReport>,
}

impl<'a> RuleOutcome<'a> {
    /// Returns the number of its cases.
    pub(super) fn count(&self) -> usize {
        self.others.len() + 1
    }

    /// Returns its cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = &'a CaseReport> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl Report {
    /// Returns the numbers of cases by verdict, and whether the run was interrupted.
    pub(super) fn summary(&self) -> String {
        let totals = self.totals.summary();
        if self.interrupted { format!("{totals}, interrupted") } else { totals }
    }
}

impl ApiReport {
    /// Creates the report on the outcomes of a catalogue's cases.
    pub fn new(catalogue: &Catalogue, server: &str, mut outcomes: Vec<Outcome>, redactor: &Redactor) -> Self {
        // Masked before any text is derived from it: a part of a secret, or a changed one, would not be recognized.
        for reason in outcomes.iter_mut().filter_map(|outcome| outcome.reason.as_mut()) {
            *reason = redactor.mask(reason);
        }
        let mut families: BTreeMap<Family, Counts> = BTreeMap::new();
        let readings = readings::of(&catalogue.contract, &outcomes);
        let shared = SharedParts::of(catalogue);
        let policy = PolicyReport::of(catalogue, &outcomes);
        let found = cause::of(catalogue, &outcomes);
        let mut findings: Vec<Finding> =
            found.iter().map(|cause| Finding::new(cause, catalogue, &outcomes, redactor)).collect();
        split_known(&mut findings);
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        for (number, cause) in found.iter().enumerate() {
            numbers.extend(cause.cases.iter().map(|place| (*place, number + 1)));
        }
        let cases = catalogue.cases.iter().zip(outcomes).enumerate().map(|(place, (case, outcome))| {
            families.entry(case.family).or_default().add(outcome.verdict);
            let finding = numbers.get(&place).copied();
            CaseReport { finding, ..CaseReport::new(catalogue, &shared, case, outcome, redactor) }
        });
        let cases: Vec<CaseReport> = cases.collect();
        let questions = questions::of(&cases);
        let contract = catalogue.contract_path.clone();
        Self {
            api: plain_lines(&catalogue.contract.name),
            server: redactor.mask(server),
            contract,
            families,
            readings,
            access: None,
            policy,
            questions,
            live: None,
            findings,
            cases,
        }
    }

    /// Returns the lists besides findings and cases, with their titles, for humans.
    pub(super) fn lists(&self) -> Vec<(String, Vec<String>)> {
        let of_live = self.live.iter().flat_map(LiveReport::lists).map(|(title, lines)| (title.to_owned(), lines));
        let questions: Vec<String> = self.questions.iter().map(QuestionReport::summary).collect();
        let title = "what is missing: with this answered, so many cases more would be judged".to_owned();
        let questions = (!questions.is_empty()).then_some((title, questions));
        self.policy.lists().into_iter().chain(questions).chain(of_live).collect()
    }

    /// Returns the notes about the connection to a live server.
    pub(super) fn notes(&self) -> &[String] {
        self.live.as_ref().map_or(&[], |live| &live.notes)
    }

    /// Writes the notes and the lists as text.
    pub(super) fn write_lists(&self, text: &mut String) {
        for note in self.notes() {
            let _ = writeln!(text, "\nnote: {}", plain(note));
        }
        for (title, lines) in self.lists() {
            let _ = writeln!(text, "\n{title}");
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    }

    /// Returns its findings, each with its cases.
    pub(super) fn findings_with_cases(&self) -> Vec<FindingCases<'_>> {
        let mut of_findings: Vec<Vec<&CaseReport>> = vec![Vec::new(); self.findings.len()];
        let mut by_id: HashMap<&str, &CaseReport> = HashMap::new();
        for case in &self.cases {
            let Some(number) = case.finding else { continue };
            by_id.insert(&case.id, case);
            // A parsed report may contain any number.
            if let Some(cases) = number.checked_sub(1).and_then(|place| of_findings.get_mut(place)) {
                cases.push(case);
            }
        }
        let found = self.findings.iter().zip(of_findings);
        found
            .map(|(finding, cases)| {
                let example = by_id.get(finding.example.as_str()).copied();
                FindingCases { finding, example, cases }
            })
            .collect()
    }
}

/// Distinguishes the known part of a finding from the new part. The new part keeps the id, by which consumers recognize it.
fn split_known(findings: &mut [Finding]) {
    let (known, new): (Vec<&mut Finding>, Vec<&mut Finding>) =
        findings.iter_mut().partition(|finding| finding.verdict == Verdict::Known);
    let new: HashSet<&str> = new.iter().map(|finding| finding.id.as_str()).collect();
    for finding in known {
        if new.contains(finding.id.as_str()) {
            finding.id.push_str("/known");
        }
    }
}

/// A finding with its cases.
pub(super) struct FindingCases<'a> {
    pub(super) finding: &'a Finding,
    /// The example case; `None` if the report was reduced to other cases.
    pub(super) example: Option<&'a CaseReport>,
    pub(super) cases: Vec<&'a CaseReport>,
}

impl FindingCases<'_> {
    /// Returns the reasons why a known failure remains, each once.
    pub(super) fn reasons(&self) -> String {
        let mut reasons: Vec<&str> = self.cases.iter().filter_map(|case| case.known.as_deref()).collect();
        reasons.retain(|reason| !reason.is_empty());
        let mut seen = HashSet::new();
        reasons.retain(|reason| seen.insert(*reason));
        if reasons.is_empty() { "the baseline gives no reason".to_owned() } else { reasons.join("; ") }
    }
}

impl Finding {
    fn new(cause: &Cause, catalogue: &Catalogue, outcomes: &[Outcome], redactor: &Redactor) -> Self {
        let (level, verdict) = cause.severity(catalogue, outcomes);
        let CauseText { title, why, change } = cause.words(catalogue, outcomes);
        let example = &catalogue.cases[cause.example(catalogue, outcomes)].id;
        let cases = || cause.cases.iter().map(|place| &catalogue.cases[*place]);
        Self {
            id: redactor.mask(&plain_lines(&cause.id(catalogue))),
            verdict,
            level,
            title: redactor.mask(&plain_lines(&title)),
            why: why.to_owned(),
            change: change.to_owned(),
            example: plain_lines(example),
            counts: FindingCounts {
                cases: cause.cases.len(),
                rules: cases().map(|case| case.rule).collect::<HashSet<_>>().len(),
                operations: cases().map(|case| case.operation).collect::<HashSet<_>>().len(),
            },
        }
    }

    /// Returns `91 cases of 8 rules at 15 operations`, without redundant parts.
    pub(super) fn extent(&self) -> String {
        let FindingCounts { cases, rules, operations } = self.counts;
        let of = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        match (cases, rules, operations) {
            (1, ..) => of(1, "case"),
            (_, 1, _) => of(cases, "case"),
            (_, _, 1) => format!("{} of {}", of(cases, "case"), of(rules, "rule")),
            _ => format!("{} of {} at {}", of(cases, "case"), of(rules, "rule"), of(operations, "operation")),
        }
    }
}

/// The parts that cases share: the rules and the operations.
struct SharedParts {
    rules: Vec<SharedRule>,
    operations: Vec<Arc<OperationReport>>,
}

struct SharedRule {
    id: Arc<str>,
    requirement: Arc<str>,
    source: Arc<str>,
    url: Arc<str>,
}

impl SharedParts {
    fn of(catalogue: &Catalogue) -> Self {
        let rule = |rule: &Rule| {
            let page = catalogue.contract.sources.get(&rule.source.page);
            let section = rule.source.section.as_ref().map_or_else(String::new, |section| format!(", {section}"));
            SharedRule {
                id: plain_lines(&rule.id).into(),
                requirement: plain_lines(&rule.requirement).into(),
                source: plain_lines(&format!("{}{section}", page.map_or("", |page| &page.title))).into(),
                url: plain_lines(page.map_or("", |page| &page.url)).into(),
            }
        };
        let operation = |operation: &Operation| {
            Arc::new(OperationReport {
                id: plain_lines(&operation.id),
                method: plain_lines(&operation.method),
                path: plain_lines(&operation.path),
            })
        };
        Self {
            rules: catalogue.contract.rules.iter().map(rule).collect(),
            operations: catalogue.api.operations.iter().map(operation).collect(),
        }
    }
}

impl CaseReport {
    fn new(catalogue: &Catalogue, shared: &SharedParts, case: &Case, outcome: Outcome, redactor: &Redactor) -> Self {
        let rule = catalogue.rule(case);
        let SharedRule { id, requirement, source, url } = &shared.rules[case.rule];
        Self {
            id: plain_lines(&case.id),
            rule: Arc::clone(id),
            line: catalogue.line(case),
            family: case.family,
            operation: Arc::clone(&shared.operations[case.operation]),
            identity: rule
                .probe
                .as_ref()
                .and_then(|probe| caller(probe, catalogue, case, outcome.identity))
                .map(|identity| redactor.mask(&identity)),
            side: case.side,
            level: case.level,
            verdict: outcome.verdict,
            requirement: Arc::clone(requirement),
            source: Arc::clone(source),
            follows: outcome.follows,
            url: Arc::clone(url),
            seconds: in_milliseconds(outcome.took),
            reason: outcome.reason.map(|reason| redactor.mask(&reason)),
            missing: outcome.missing.map(|missing| missing.map(&|text| redactor.mask(text))),
            known: outcome.known.map(|reason| redactor.mask(&plain_lines(&reason))),
            finding: None,
            exchanges: outcome.exchanges.iter().map(|exchange| exchange.masked(redactor)).collect(),
        }
    }

    /// Returns the part of the id that distinguishes it from other cases of its rule: `stream-get`, or with its variant `stream-get/404`.
    pub(super) fn place(&self) -> &str {
        let after = |rule: &str| self.id.get(rule.len()..).and_then(|rest| rest.strip_prefix('/'));
        after(&self.rule).unwrap_or(&self.id)
    }

    /// Returns the reason why it did not pass.
    pub(super) fn why(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Known => &mut self.known,
            Verdict::Warn => &mut self.warn,
            Verdict::Info => &mut self.info,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        };
        *count += 1;
    }

    /// Returns the total.
    pub fn all(&self) -> usize {
        self.pass + self.fail + self.known + self.warn + self.info + self.skip + self.error
    }

    /// Returns each count that is not zero: the most severe verdict first, passed cases last.
    pub(super) fn each(&self) -> impl Iterator<Item = (Verdict, usize)> + use<> {
        let Self { pass, fail, known, warn, info, skip, error } = *self;
        let counts = [
            (Verdict::Fail, fail),
            (Verdict::Error, error),
            (Verdict::Warn, warn),
            (Verdict::Known, known),
            (Verdict::Info, info),
            (Verdict::Skip, skip),
            (Verdict::Pass, pass),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0)
    }

    /// Returns `12 passed, 3 failed`.
    pub(super) fn summary(&self) -> String {
        let Self { pass, fail, known, warn, info, skip, error } = *self;
        let others = [
            (fail, "failed"),
            (known, "known to fail"),
            (warn, "warned"),
            (info, "observed"),
            (skip, "skipped"),
            (error, "not judged"),
        ];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        others.fold(format!("{pass} passed"), |text, (count, word)| format!("{text}, {count} {word}"))
    }
}

/// Returns the caller, if the probe alone determines it.
fn caller(probe: &Probe, catalogue: &Catalogue, case: &Case, name: Option<String>) -> Option<String> {
    match probe {
        Probe::NoToken | Probe::EmptyToken | Probe::BrokenBodyWithoutToken | Probe::HeadWithoutToken => {
            Some("nobody".to_owned())
        }
        Probe::UnknownToken => Some("a token that was never issued".to_owned()),
        Probe::Any | Probe::Oauth(_) | Probe::Jwt(_) => None,
        _ => {
            let needs = CredentialNeed::of(probe, &catalogue.contract, catalogue.operation(case), false)?;
            let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
            let text = if needs.is_empty() { "nobody".to_owned() } else { needs.join(" and ") };
            Some(name.filter(|name| !name.is_empty()).map_or_else(|| text.clone(), |name| format!("{text} (`{name}`)")))
        }
    }
}

fn in_milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}
