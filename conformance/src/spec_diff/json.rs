//! The report for programs. Its format is described by `conformance/spec-diff.schema.json`.

use schemars::{Schema, schema_for};

use super::{DiffReport, lines};

/// The report as JSON, a finding on each line.
pub fn json(report: &DiffReport) -> String {
    // A report holds strings, numbers and lists: all of that is JSON.
    lines(&serde_json::to_value(report).unwrap_or_default(), 2)
}

/// The JSON Schema of the report.
pub fn json_schema() -> Schema {
    schema_for!(DiffReport)
}
