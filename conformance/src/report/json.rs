//! The report for programs. Its format is described by `conformance/report.schema.json`.

use keyfit_openapi::{Failure, SourcePlace, Text};
use schemars::{Schema, schema_for};
use serde::Deserialize;

use super::Report;

/// The report as JSON.
pub(super) fn json(report: &Report) -> String {
    written(report)
}

/// The JSON Schema of the report.
pub fn json_schema() -> Schema {
    schema_for!(Report)
}

/// Reads a report that an earlier run wrote as JSON.
///
/// # Errors
/// Text that is no such report, or one of another version of the format.
pub fn read(text: &Text) -> Result<Report, Failure> {
    let Head { format } = parsed(text)?;
    if format == Report::FORMAT {
        return parsed(text);
    }
    Err(Failure::of_file(
        &text.path,
        format!("the report has format {format}, and this program reads format {}", Report::FORMAT),
        "write it anew with this version of the program",
    ))
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a Text) -> Result<T, Failure> {
    serde_json::from_str(&text.text).map_err(|error| Failure {
        place: SourcePlace {
            path: text.path.clone(),
            line: error.line(),
            column: error.column(),
            ..SourcePlace::default()
        },
        problem: format!("this is no report of a run: {error}"),
        help: "name a file that `--report json=FILE` wrote".to_owned(),
    })
}

/// A value as JSON for files. Everything in a report is a string, a number, a list or a map with string keys: none of
/// that can fail.
pub(super) fn written(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
