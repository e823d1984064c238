//! The report for humans: a matrix, each finding with the exchange that shows it, and a summary line.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use keyfit_openapi::plain;

use super::model::FindingCases;
use super::readings::FollowedReading;
use super::transcript::transcript;
use super::{ApiReport, CaseReport, Changes, Counts, Report, cases_of, questions};
use crate::contract::Family;
use crate::judgement::verdict::Verdict;

/// The width of the column with the names of the APIs.
const NAME_WIDTH: usize = 14;
/// The width of the other columns.
const CELL_WIDTH: usize = 12;
/// The number of findings per API with an exchange: the most important ones.
const MAX_SHOWN: usize = 10;
/// The number of rules that are named for a reason that affects many.
const MAX_NAMED: usize = 3;
/// The number of cases that are named in each list of changes.
const MAX_LISTED: usize = 20;

/// Renders the report as text.
pub(super) fn text(report: &Report) -> String {
    let mut text = found(report, &|case| case.exchanges.iter().flat_map(transcript).collect());
    let (all, summary) = (cases_of(report.totals.all()), report.summary());
    let _ = writeln!(text, "\n{all}: {summary}; {} requests in {:.2} s", report.requests, report.seconds);
    text
}

/// Renders the report without the parts that differ between runs, and with the command that runs a case alone.
pub(super) fn unvarying(report: &Report, again: &dyn Fn(&CaseReport) -> String) -> String {
    let mut text = found(report, &|case| vec![again(case)]);
    let _ = writeln!(text, "\n{}: {}", cases_of(report.totals.all()), report.summary());
    without_ports(&text)
}

/// Returns all parts except the summary line. `more` returns the details of a case besides its reason.
fn found(report: &Report, more: &dyn Fn(&CaseReport) -> Vec<String>) -> String {
    let mut text = String::new();
    matrix(&mut text, report);
    for api in &report.apis {
        let new = |found: &FindingCases<'_>| found.finding.verdict != Verdict::Known;
        for (place, found) in api.findings_with_cases().into_iter().filter(new).enumerate() {
            let is_whole = place < MAX_SHOWN;
            found_once(&mut text, &found, &|case| if is_whole { more(case) } else { Vec::new() });
        }
    }
    let of = |verdict| report.cases().filter(move |case| case.verdict == verdict);
    write_known_failures(&mut text, report);
    brief(&mut text, "only observed: it fails nothing", of(Verdict::Info));
    let is_left_out = |case: &&CaseReport| case.follows.is_none() && questions::open(case).is_none();
    brief(&mut text, "not checked", of(Verdict::Skip).filter(is_left_out));
    brief(&mut text, "not reached", of(Verdict::Skip).filter(|case| case.follows.is_some()));
    access(&mut text, report);
    readings(&mut text, report);
    for api in &report.apis {
        api.write_lists(&mut text);
    }
    if let Some(changes) = &report.changes {
        changed(&mut text, changes);
    }
    if !report.stale.is_empty() {
        text.push_str("\nSTALE\n");
        for entry in &report.stale {
            let _ = writeln!(text, "  {entry}");
        }
    }
    text
}

/// Removes the ports of the local machine from a text, since they differ between runs.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut text_so_far = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|one: char| one.is_ascii_digit());
        text_so_far.push_str(if rest.len() == part.len() { "127.0.0.1:" } else { "127.0.0.1:<port>" });
        text_so_far.push_str(rest);
    }
    text_so_far
}

fn matrix(text: &mut String, report: &Report) {
    let _ = write!(text, "{:NAME_WIDTH$}", "");
    for family in Family::ALL {
        let _ = write!(text, "{family:>CELL_WIDTH$}");
    }
    text.push('\n');
    for api in &report.apis {
        let _ = write!(text, "{:NAME_WIDTH$}", api.api);
        for family in Family::ALL {
            let _ = write!(text, "{:>CELL_WIDTH$}", cell(api, family));
        }
        text.push('\n');
    }
    let Counts { fail, known, warn, info, skip, error, .. } = report.totals;
    if fail + known + warn + info + skip + error > 0 {
        text.push_str("passed, !failed, =known to fail, ~warned, ?observed, -skipped, #not judged\n");
    }
}

fn cell(api: &ApiReport, family: Family) -> String {
    let Some(counts) = api.families.get(&family) else { return ".".to_owned() };
    let mut cell = counts.pass.to_string();
    let marked = [
        ('!', counts.fail),
        ('=', counts.known),
        ('~', counts.warn),
        ('?', counts.info),
        ('-', counts.skip),
        ('#', counts.error),
    ];
    for (mark, count) in marked.into_iter().filter(|(_, count)| *count > 0) {
        let _ = write!(cell, " {mark}{count}");
    }
    cell
}

/// Writes a finding: the flaw, the example case, its impact, the change to make, and the other places where it occurs.
fn found_once(text: &mut String, found: &FindingCases<'_>, more: &dyn Fn(&CaseReport) -> Vec<String>) {
    let FindingCases { finding, example, cases } = found;
    let verdict = finding.verdict.to_string().to_uppercase();
    let _ = writeln!(text, "\n{verdict} {} ({})", plain(&finding.title), finding.extent());
    if let Some(case) = example {
        let caller = case.identity.as_ref().map_or_else(String::new, |identity| format!(", called by {identity}"));
        if finding.verdict != Verdict::Error {
            let _ = writeln!(text, "  {} {}: {}", case.level, case.rule, case.requirement);
            let _ = writeln!(text, "  {} <{}>", case.source, case.url);
        }
        let _ = writeln!(text, "  {}{}\n    {}", case.id, plain(&caller), plain(case.why()));
        for line in more(case) {
            let _ = writeln!(text, "    {line}");
        }
    }
    let _ = writeln!(text, "  why     {}\n  change  {}", finding.why, finding.change);
    if cases.len() > 1 {
        let mut by_rule: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for case in cases {
            by_rule.entry(&case.rule).or_default().push(case.place());
        }
        for (rule, places) in by_rule {
            let _ = writeln!(text, "  {rule}: {}", places.join(", "));
        }
    }
}

/// Writes the known failures: each finding in one line.
fn write_known_failures(text: &mut String, report: &Report) {
    if report.totals.known == 0 {
        return;
    }
    let file = report.baseline.as_ref().map_or_else(String::new, |file| format!(" ({})", plain(file)));
    let _ = writeln!(text, "\nknown to fail{file}");
    for found in report.apis.iter().flat_map(ApiReport::findings_with_cases) {
        let FindingCases { finding, .. } = &found;
        if finding.verdict == Verdict::Known {
            let _ = writeln!(text, "  {} ({}): {}", plain(&finding.title), finding.extent(), plain(&found.reasons()));
        }
    }
}

/// Writes one line for each reason, with the cases and rules that it affects.
fn brief<'a>(text: &mut String, title: &str, cases: impl Iterator<Item = &'a CaseReport>) {
    let mut reasons: BTreeMap<String, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for case in cases {
        // The finding is shown with the broken rule.
        let reason = match &case.follows {
            Some(root) => format!("`{root}` is broken"),
            None => case.why().to_owned(),
        };
        let (count, rules) = reasons.entry(reason).or_default();
        *count += 1;
        rules.insert(&case.rule);
    }
    if reasons.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    // The reasons that affect the most cases come first.
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (count, _))| Reverse(*count));
    for (reason, (count, rules)) in reasons {
        let named: Vec<&str> = rules.iter().copied().take(MAX_NAMED).collect();
        let more =
            if rules.len() > MAX_NAMED { format!(" and {} more", rules.len() - MAX_NAMED) } else { String::new() };
        let _ = writeln!(text, "  {}\n    {}: {}{more}", plain(&reason), cases_of(count), named.join(", "));
    }
}

/// Writes the access counts in one line; the table is in other formats.
fn access(text: &mut String, report: &Report) {
    for access in report.apis.iter().filter_map(|api| api.access.as_ref()) {
        let (cells, seen, against) = access.counts();
        let (callers, operations) = (access.callers.len(), access.operations.len());
        let _ = writeln!(
            text,
            "\nwho may call what: {callers} callers, {operations} operations, {seen} of {cells} seen, {against} not as is due; whole in --report html, markdown and json"
        );
    }
}

/// Writes the readings that a live server follows if the documents disagree.
fn readings(text: &mut String, report: &Report) {
    let followed = report.followed();
    if !followed.is_empty() {
        text.push_str("\nwhere the documents disagree, the server follows\n");
    }
    for FollowedReading { about, says, answers } in followed {
        let _ = writeln!(text, "  {}\n    {about}: {answers}", plain(says));
    }
}

/// Writes the differences from an earlier run; passed cases are only counted.
fn changed(text: &mut String, changes: &Changes) {
    let _ = writeln!(text, "\nsince the run of {}", changes.since);
    for (name, list) in changes.lists() {
        let _ = writeln!(text, "  {} {name}", list.len());
        let notable = || list.iter().filter(|change| change.is_notable());
        for change in notable().take(MAX_LISTED) {
            let _ = writeln!(text, "    {}: {}", change.id, change.transition());
        }
        let more = notable().count().saturating_sub(MAX_LISTED);
        if more > 0 {
            let _ = writeln!(text, "    and {more} more");
        }
    }
}
