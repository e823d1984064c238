//! The report for a terminal.

use std::fmt::Write as _;

use keyfit_openapi::diff::Level;

use super::{DiffReport, FindingReport, MAX_NAMED, PartReport, abbreviated};

/// Renders the report as text, grouped by level.
pub fn text(report: &DiffReport) -> String {
    let mut text = format!("{} -> {}\n", report.old, report.new);
    for level in [Level::Breaking, Level::Warning, Level::Info] {
        for finding in report.at(level) {
            write(&mut text, report, finding);
        }
    }
    for ignored in &report.ignored {
        let _ = writeln!(text, "\nignored {}: {}\n  reason: {}", ignored.rule, ignored.detail, ignored.reason);
    }
    for stale in &report.stale {
        let _ = writeln!(text, "\nstale entry, fits nothing: {stale}\n  help: the change is gone: remove the entry");
    }
    let _ = writeln!(text, "\n{}", report.summary());
    text
}

fn write(text: &mut String, report: &DiffReport, finding: &FindingReport) {
    let FindingReport { rule, level, detail, parts, .. } = finding;
    let _ = writeln!(text, "\n{level} {rule} {}", report.subject(finding));
    let _ = writeln!(text, "  {detail}");
    for PartReport { place, .. } in parts.iter().take(MAX_NAMED) {
        let _ = writeln!(text, "  --> {}:{}:{}", report.name_of(place), place.line, place.column);
        let _ = writeln!(text, "  at  #{}", place.pointer);
    }
    if parts.len() > MAX_NAMED {
        let _ = writeln!(text, "  and in {} more places, which `--format json` lists", parts.len() - MAX_NAMED);
    }
    let _ = writeln!(text, "  {}", finding.reason());
    let _ = writeln!(text, "  rust: {}", abbreviated(&finding.rust(), "; "));
    if !finding.cases.is_empty() {
        let _ = writeln!(text, "  cases: {}", abbreviated(&finding.cases, ", "));
    }
}
