//! The report for a pull request.

use std::fmt::Write as _;

use keyfit_openapi::diff::{Level, Revision};

use super::text::cases;
use super::{DiffReport, FindingReport};

/// The report as Markdown: a table for each level.
pub fn markdown(report: &DiffReport) -> String {
    let mut page =
        format!("## Changes of {}\n\n`{}` -> `{}`: {}.\n", report.file, report.old, report.new, report.summary());
    let titles = [(Level::Breaking, "Breaking"), (Level::Warning, "Warnings"), (Level::Info, "Information")];
    for (level, title) in titles {
        if report.at(level).next().is_none() {
            continue;
        }
        let _ = writeln!(page, "\n### {title}\n\n| rule | where | what | Rust | cases |\n|---|---|---|---|---|");
        for finding in report.at(level) {
            row(&mut page, finding);
        }
    }
    if !report.ignored.is_empty() {
        page.push_str("\n### Ignored\n\n| rule | what | reason |\n|---|---|---|\n");
        for ignored in &report.ignored {
            let _ = writeln!(page, "| `{}` | {} | {} |", ignored.rule, cell(&ignored.detail), cell(&ignored.reason));
        }
    }
    if !report.stale.is_empty() {
        page.push_str("\n### Stale entries of the ignore file\n\n");
        for stale in &report.stale {
            let _ = writeln!(page, "- {}", cell(stale));
        }
    }
    page
}

fn row(page: &mut String, finding: &FindingReport) {
    let FindingReport { rule, detail, place, rust, .. } = finding;
    let document = if place.document == Revision::Old { "old" } else { "new" };
    let subject = finding.subject();
    let before = if subject.is_empty() { String::new() } else { format!("{}, ", cell(&subject)) };
    let _ = writeln!(
        page,
        "| `{rule}` | {before}{document}, line {} | {} {} | {} | {} |",
        place.line,
        cell(&format!("{detail}.")),
        cell(&finding.reason()),
        cell(rust),
        cell(&cases(&finding.cases))
    );
}

/// A text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}
