//! The report for people: a matrix, what did not pass with its exchange, and a line that sums up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{ApiReport, CaseReport, Counts, Report};
use crate::contract::Family;
use crate::verdict::{Exchange, Verdict};

/// Width of the column with the names of the APIs.
const NAME: usize = 14;
/// Width of the other columns.
const CELL: usize = 12;
/// Cases of one rule that are shown whole; the others are named.
const SHOWN: usize = 2;
/// Rules that are named where a reason concerns many.
const NAMED: usize = 3;

/// The report as text.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    matrix(&mut text, report);
    for verdict in [Verdict::Fail, Verdict::Error, Verdict::Warn] {
        let cases: Vec<&CaseReport> = of(report, verdict).collect();
        broken(&mut text, &cases);
    }
    brief(&mut text, "known to fail", of(report, Verdict::Known));
    brief(&mut text, "observed, and followed by nothing", of(report, Verdict::Info));
    brief(&mut text, "skipped", of(report, Verdict::Skip));
    if !report.stale.is_empty() {
        text.push_str("\nSTALE\n");
        for entry in &report.stale {
            let _ = writeln!(text, "  {entry}");
        }
    }
    summary(&mut text, report);
    text
}

fn of(report: &Report, verdict: Verdict) -> impl Iterator<Item = &CaseReport> {
    report.apis.iter().flat_map(|api| &api.cases).filter(move |case| case.verdict == verdict)
}

fn matrix(text: &mut String, report: &Report) {
    let _ = write!(text, "{:NAME$}", "");
    for family in Family::ALL {
        let _ = write!(text, "{family:>CELL$}");
    }
    text.push('\n');
    for api in &report.apis {
        let _ = write!(text, "{:NAME$}", api.api);
        for family in Family::ALL {
            let _ = write!(text, "{:>CELL$}", cell(api, family));
        }
        text.push('\n');
    }
    let Counts { fail, known, warn, info, skip, error, .. } = report.totals;
    if fail + known + warn + info + skip + error > 0 {
        text.push_str("passed, !failed, =known to fail, ~warned, ?observed, -skipped, #our own errors\n");
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

/// What is broken, rule by rule.
fn broken(text: &mut String, cases: &[&CaseReport]) {
    let mut rules: BTreeMap<&str, Vec<&CaseReport>> = BTreeMap::new();
    for case in cases {
        rules.entry(&case.rule).or_default().push(case);
    }
    for (rule, cases) in rules {
        let Some(first) = cases.first() else { continue };
        let verdict = match first.verdict {
            Verdict::Warn => "WARN",
            Verdict::Error => "ERROR",
            _ => "FAIL",
        };
        let _ = write!(text, "\n{verdict} {rule}, {}\n", cases_of(cases.len()));
        let _ = writeln!(text, "  {} {}", first.level, first.requirement);
        let _ = writeln!(text, "  {} <{}>", first.source, first.url);
        for case in cases.iter().take(SHOWN) {
            let _ = writeln!(text, "  {}", case.id);
            let _ = writeln!(text, "    {}", case.reason.as_deref().unwrap_or_default());
            for exchange in &case.exchanges {
                shown(text, exchange);
            }
        }
        for case in cases.iter().skip(SHOWN) {
            let _ = writeln!(text, "  {}: {}", case.id, case.reason.as_deref().unwrap_or_default());
        }
    }
}

fn shown(text: &mut String, exchange: &Exchange) {
    let _ = writeln!(text, "    > {} {}", exchange.method, exchange.url);
    for (name, value) in &exchange.headers {
        let _ = writeln!(text, "    > {name}: {value}");
    }
    if !exchange.body.is_empty() {
        let _ = writeln!(text, "    > {}", exchange.body);
    }
    if let Some(status) = exchange.status {
        let _ = writeln!(text, "    < {status}");
    }
    for (name, value) in &exchange.answer_headers {
        let _ = writeln!(text, "    < {name}: {value}");
    }
    if !exchange.answer_body.is_empty() {
        let _ = writeln!(text, "    < {}", exchange.answer_body);
    }
    // Requests of a client went to a script, which is gone.
    if exchange.url.starts_with("http") {
        let _ = writeln!(text, "    $ {}", exchange.curl());
    }
}

/// One line for each reason, with the cases and rules that it concerns.
fn brief<'a>(text: &mut String, title: &str, cases: impl Iterator<Item = &'a CaseReport>) {
    let mut reasons: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for case in cases {
        let (count, rules) = reasons.entry(case.reason.as_deref().unwrap_or_default()).or_default();
        *count += 1;
        rules.insert(&case.rule);
    }
    if reasons.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for (reason, (count, rules)) in reasons {
        let named: Vec<&str> = rules.iter().copied().take(NAMED).collect();
        let more = if rules.len() > NAMED { format!(" and {} more", rules.len() - NAMED) } else { String::new() };
        let _ = writeln!(text, "  {reason}\n    {}: {}{more}", cases_of(count), named.join(", "));
    }
}

fn cases_of(count: usize) -> String {
    if count == 1 { "1 case".to_owned() } else { format!("{count} cases") }
}

fn summary(text: &mut String, report: &Report) {
    let Counts { pass, fail, known, warn, info, skip, error } = report.totals;
    let mut parts = vec![format!("{pass} passed")];
    for (count, word) in [
        (fail, "failed"),
        (known, "known to fail"),
        (warn, "warned"),
        (info, "observed"),
        (skip, "skipped"),
        (error, "errors of ours"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let _ = writeln!(
        text,
        "\n{}: {}; {} requests in {:.2} s",
        cases_of(report.totals.all()),
        parts.join(", "),
        report.requests,
        report.seconds
    );
}
