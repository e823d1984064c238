//! The report for a pull request.

use std::fmt::Write as _;

use keyfit_openapi::diff::{Level, Revision};

use super::{DiffReport, FindingReport, abbreviated};
use crate::text::markdown::inert;

/// Renders the report as Markdown: a table for each level.
pub fn markdown(report: &DiffReport) -> String {
    let mut page = format!(
        "## Changes of {}\n\n`{}` -> `{}`: {}.\n",
        cell(&report.file),
        report.old,
        report.new,
        report.summary()
    );
    let titles = [(Level::Breaking, "Breaking"), (Level::Warning, "Warnings"), (Level::Info, "Information")];
    for (level, title) in titles {
        if report.at(level).next().is_none() {
            continue;
        }
        let _ = writeln!(page, "\n### {title}\n\n| rule | where | what | Rust | cases |\n|---|---|---|---|---|");
        for finding in report.at(level) {
            row(&mut page, report, finding);
        }
    }
    if !report.ignored.is_empty() {
        page.push_str("\n### Ignored\n\n| rule | what | reason |\n|---|---|---|\n");
        for ignored in &report.ignored {
            let _ = writeln!(page, "| `{}` | {} | {} |", ignored.rule, cell(&ignored.detail), cell(&ignored.reason));
        }
    }
    if !report.stale.is_empty() {
        page.push_str("\n### Stale entries of the policy file\n\n");
        for stale in &report.stale {
            let _ = writeln!(page, "- {}", cell(stale));
        }
    }
    page
}

fn row(page: &mut String, report: &DiffReport, finding: &FindingReport) {
    let FindingReport { rule, detail, parts, .. } = finding;
    let place = &finding.first().place;
    let document = if place.document == Revision::Old { "old" } else { "new" };
    let file = place.file.as_ref().map_or_else(String::new, |file| format!(" {}", cell(file)));
    let subject = report.subject(finding);
    let before = if subject.is_empty() { String::new() } else { format!("{}, ", cell(&subject)) };
    let more = if parts.len() > 1 { format!(" and {} more places", parts.len() - 1) } else { String::new() };
    let _ = writeln!(
        page,
        "| `{rule}` | {before}{document}{file}, line {}{more} | {} {} | {} | {} |",
        place.line,
        cell(&format!("{detail}.")),
        cell(&finding.reason()),
        cell(&abbreviated(&finding.rust(), "; ")),
        cell(&abbreviated(&finding.cases, ", "))
    );
}

/// Escapes a text so that it stays within its cell and has no effect.
fn cell(text: &str) -> String {
    inert(&text.replace('\\', "\\\\").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_text_of_a_document_stays_in_its_cell() {
        assert_eq!(cell("a|b\\c\r\n| d\u{1b}[2J"), "a\\|b\\\\c  \\| d [2J");
        assert_eq!(cell("the property `name` of 3 # and a: b"), "the property `name` of 3 # and a: b");
        assert_eq!(cell("@octocat"), "@\u{2060}octocat");
    }
}
