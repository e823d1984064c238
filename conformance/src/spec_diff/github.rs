//! The report as annotations of GitHub: workflow commands, one per line.

use std::fmt::Write as _;

use keyfit_openapi::diff::Level;

use super::{DiffReport, FindingReport, abbreviated};

/// Renders the report as workflow commands. A removed part is shown at its former place in the new document.
pub fn github(report: &DiffReport) -> String {
    let mut lines = String::new();
    for finding in &report.findings {
        let FindingReport { rule, detail, parts, .. } = finding;
        let nearest = finding.first().in_new();
        let command = match finding.level {
            Level::Breaking => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        };
        let more = if parts.len() > 1 { format!(" And in {} more places.", parts.len() - 1) } else { String::new() };
        let rust = abbreviated(&finding.rust(), "; ");
        let message = format!("{}: {detail}. {} Rust: {rust}.{more}", report.subject(finding), finding.reason());
        let _ = writeln!(
            lines,
            "::{command} file={},line={},col={},title={}::{}",
            property(report.file_of(nearest)),
            nearest.line.max(1),
            nearest.column.max(1),
            property(rule),
            data(message.trim_start_matches(": "))
        );
    }
    for stale in &report.stale {
        let _ = writeln!(lines, "::error title=stale entry::{}", data(stale));
    }
    lines
}

/// Escapes a text for a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a text for a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
