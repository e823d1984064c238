//! The report for programs. `conformance/spec-diff.schema.json` describes its format.

use schemars::{Schema, schema_for};

use super::{DiffReport, lines};

/// Renders the report as JSON, with a finding on each line.
pub fn json(report: &DiffReport) -> String {
    // A report contains strings, numbers, and lists, so serialization cannot fail.
    lines(&serde_json::to_value(report).unwrap_or_default(), 2)
}

/// Returns the JSON Schema of the report.
pub fn json_schema() -> Schema {
    schema_for!(DiffReport)
}
