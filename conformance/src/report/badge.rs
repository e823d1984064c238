//! The JSON of an endpoint badge of shields.io.

use serde::Serialize;

use super::Report;
use super::json::to_json;

/// The format of shields.io.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge {
    schema_version: u32,
    label: &'static str,
    message: String,
    color: &'static str,
    is_error: bool,
}

/// Renders the report as a badge: the most severe verdict decides.
pub(super) fn badge(report: &Report) -> String {
    let totals = &report.totals;
    let (message, color) = match totals {
        totals if totals.fail > 0 => (format!("{} failed", totals.fail), "red"),
        _ if !report.stale.is_empty() => ("stale entries".to_owned(), "red"),
        _ if report.interrupted => ("interrupted".to_owned(), "orange"),
        totals if totals.error > 0 => (format!("{} not judged", totals.error), "orange"),
        totals if totals.warn > 0 => (format!("{} warned", totals.warn), "yellow"),
        totals if totals.pass > 0 && totals.skip > 0 => {
            (format!("{} passed, {} skipped", totals.pass, totals.skip), "brightgreen")
        }
        totals if totals.pass > 0 => (format!("{} passed", totals.pass), "brightgreen"),
        _ => ("nothing was run".to_owned(), "lightgrey"),
    };
    let is_error = totals.fail + totals.error > 0;
    to_json(&Badge { schema_version: 1, label: "contract", message, color, is_error })
}
