//! The report for programs. Its format is described by `conformance/spec-diff.schema.json`.

use schemars::{Schema, schema_for};

use super::DiffReport;

/// The report as JSON.
pub fn json(report: &DiffReport) -> String {
    // A report holds strings, numbers and lists: all of that is JSON.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of the report.
pub fn json_schema() -> Schema {
    schema_for!(DiffReport)
}
