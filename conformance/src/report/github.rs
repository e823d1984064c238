//! Workflow commands, which GitHub Actions shows as annotations: one per finding.

use std::fmt::Write as _;

use keyfit_openapi::plain;

use super::model::{FindingCases, RuleOutcome};
use super::{ApiReport, CaseReport, Finding, Report, cases_of};
use crate::judgement::verdict::Verdict;

/// The number of annotations per level that GitHub shows for a step; it silently drops the others.
const MAX_ANNOTATIONS: usize = 10;

/// Renders the report as workflow commands.
pub(super) fn github(report: &Report) -> String {
    let mut text = String::new();
    let mut left_out = Vec::new();
    let mut findings: Vec<(&ApiReport, &CaseReport, &Finding)> = Vec::new();
    for api in &report.apis {
        for FindingCases { finding, example, .. } in api.findings_with_cases() {
            findings.extend(example.map(|case| (api, case, finding)));
        }
    }
    for (level, verdicts) in [("error", [Verdict::Error, Verdict::Fail].as_slice()), ("warning", &[Verdict::Warn])] {
        let of_level = findings.iter().filter(|(_, _, finding)| verdicts.contains(&finding.verdict));
        let found: Vec<&(&ApiReport, &CaseReport, &Finding)> = of_level.collect();
        for (api, case, finding) in found.iter().take(MAX_ANNOTATIONS) {
            finding_annotation(&mut text, level, api, case, finding);
        }
        let others = found.iter().skip(MAX_ANNOTATIONS);
        left_out.extend(others.map(|(_, _, finding)| format!("{level} {}: {}", finding.title, finding.extent())));
    }
    write_known_failures(&mut text, report);
    let rules = report.rules(Verdict::Info);
    for rule in rules.iter().take(MAX_ANNOTATIONS) {
        annotation(&mut text, "notice", rule);
    }
    let others = rules.iter().skip(MAX_ANNOTATIONS);
    left_out.extend(others.map(|rule| format!("notice {}: {}", rule.id, cases_of(rule.count()))));
    for entry in &report.stale {
        let _ = writeln!(text, "::error title=stale entry::{}", data(entry));
    }
    for api in &report.apis {
        // One annotation per list: GitHub shows at most ten.
        for (title, lines) in api.lists() {
            let title = property(&format!("{}: {title}", api.api));
            let _ = writeln!(text, "::notice title={title}::{}", data(&lines.join("\n")));
        }
    }
    if !left_out.is_empty() {
        // Not as commands, which GitHub would count as well.
        let _ = writeln!(text, "{} more, of which GitHub would show none:", left_out.len());
        for rule in left_out {
            let _ = writeln!(text, "  {}", data(&rule));
        }
    }
    text
}

/// Writes all known failures as one annotation: GitHub shows at most ten.
fn write_known_failures(text: &mut String, report: &Report) {
    let of_api = |api: &'_ ApiReport| {
        let known = api.findings_with_cases().into_iter().filter(|found| found.finding.verdict == Verdict::Known);
        let line = |found: FindingCases<'_>| {
            let (title, reach) = (plain(&found.finding.title), found.finding.extent());
            format!("{title} ({reach}): {}", found.reasons())
        };
        known.map(line).collect::<Vec<_>>()
    };
    let lines: Vec<String> = report.apis.iter().flat_map(of_api).collect();
    if !lines.is_empty() {
        let title = property(&format!("known to fail: {}", cases_of(report.totals.known)));
        let _ = writeln!(text, "::notice title={title}::{}", data(&lines.join("\n")));
    }
}

fn finding_annotation(text: &mut String, level: &str, api: &ApiReport, case: &CaseReport, finding: &Finding) {
    let Finding { title, why, change, .. } = finding;
    let (reach, found) = (finding.extent(), plain(case.why()));
    let message = format!("{reach}\n{}: {found}\n{}\nwhy: {why}\nchange: {change}", case.id, case.requirement);
    let place = format!("file={},line={}", property(&api.contract), case.line.max(1));
    let _ = writeln!(text, "::{level} {place},title={}::{}", property(&plain(title)), data(&message));
}

fn annotation(text: &mut String, level: &str, rule: &RuleOutcome<'_>) {
    let first = rule.first;
    let mut message = format!("{}\n{}: {}", first.requirement, first.id, plain(first.why()));
    if !rule.others.is_empty() {
        let _ = write!(message, "\nand {} more of this rule", rule.others.len());
    }
    let place = format!("file={},line={}", property(&rule.api.contract), first.line.max(1));
    let _ = writeln!(text, "::{level} {place},title={}::{}", property(rule.id), data(&message));
}

/// Escapes the text after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, before the second pair of colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
