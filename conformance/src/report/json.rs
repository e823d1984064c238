//! The report for programs. `conformance/report.schema.json` describes its format.

use keyfit_openapi::{Error, SourceLocation, Text};
use schemars::{Schema, schema_for};
use serde::Deserialize;

use super::Report;

/// Renders the report as JSON.
pub(super) fn json(report: &Report) -> String {
    written(report)
}

/// Returns the JSON Schema of the report.
pub fn json_schema() -> Schema {
    schema_for!(Report)
}

/// Parses a report that an earlier run wrote as JSON.
///
/// # Errors
/// Returns an error if the text is not a valid report, or has another version of the format.
pub fn read(text: &Text) -> Result<Report, Error> {
    let Head { format } = parsed(text)?;
    if format == Report::FORMAT {
        return parsed(text);
    }
    Err(Error::of_file(
        &text.path,
        format!("the report has format {format}, and this program reads format {}", Report::FORMAT),
        "write it anew with this version of the program",
    ))
}

/// The part that all versions of the format have in common.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a Text) -> Result<T, Error> {
    serde_json::from_str(&text.text).map_err(|error| Error {
        location: SourceLocation {
            path: text.path.clone(),
            line: error.line(),
            column: error.column(),
            ..SourceLocation::default()
        },
        problem: format!("this is no report of a run: {error}"),
        help: "name a file that `--report json=FILE` wrote".to_owned(),
    })
}

/// Renders a value as JSON for files. A report has only strings, numbers, lists, and maps with string keys, so serialization cannot fail.
pub(super) fn written(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
