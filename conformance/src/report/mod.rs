//! The results of a run, and the formats of the report. Each format is a file and a pure function of the report.

mod access;
mod badge;
mod changes;
pub mod comparison;
mod github;
mod html;
mod json;
mod junit;
mod live;
mod markdown;
mod model;
mod policy;
mod questions;
mod readings;
mod sarif;
mod shared;
mod text;
mod transcript;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use keyfit::redact::plain_lines;
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, Serializer};

pub use access::{Access, Cell, Due, OperationAccess};
pub use changes::{Change, Changes};
pub use json::{json_schema, read};
pub use live::{CallReport, LiveReport};
pub use model::{ApiReport, CaseReport, Counts, Finding, FindingCounts, OperationReport, Report};
pub use policy::{LevelReport, PolicyReport, SetReport};
pub use questions::QuestionReport;
pub use readings::{Disagreement, ReadingReport};

/// A format of the report besides the text in the terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// All data, for programs; `report.schema.json` describes it. The only format that can be parsed again.
    Json,
    /// JUnit XML, which CI systems show as tests.
    Junit,
    /// SARIF 2.1.0, which code scanning shows at the contract's rules.
    Sarif,
    /// Workflow commands, which GitHub Actions shows as annotations. They have to be printed.
    Github,
    /// A summary in Markdown, for example for `$GITHUB_STEP_SUMMARY`.
    Markdown,
    /// An endpoint badge of shields.io.
    Badge,
    /// A self-contained HTML page.
    Html,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] =
        [Self::Json, Self::Junit, Self::Sarif, Self::Github, Self::Markdown, Self::Badge, Self::Html];

    /// Renders the report in this format.
    pub fn render(self, report: &Report) -> String {
        let report = &sanitized(report);
        match self {
            Self::Json => json::json(report),
            Self::Junit => junit::junit(report),
            Self::Sarif => sarif::sarif(report),
            Self::Github => github::github(report),
            Self::Markdown => markdown::markdown(report),
            Self::Badge => badge::badge(report),
            Self::Html => html::html(report),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    /// # Errors
    /// Returns an error if there is no format with this name.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.to_string() == name).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            format!("there is no such format; the formats are {}", known.join(", "))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
            Self::Badge => "badge",
            Self::Html => "html",
        })
    }
}

/// Renders the report as text.
pub fn text(report: &Report) -> String {
    text::text(&sanitized(report))
}

/// Renders the report as text without the parts that differ between runs: times, ports, and traffic. `again` returns the command that
/// runs a case alone.
pub(crate) fn unvarying(report: &Report, again: &dyn Fn(&CaseReport) -> String) -> String {
    text::unvarying(&sanitized(report), again)
}

/// Returns the report for rendering: no text contains terminal commands, hidden characters, or right-to-left marks, whatever document or
/// server it comes from. The report of a run is safe from the start and is not copied, since it may have hundreds of thousands of cases.
fn sanitized(report: &Report) -> Cow<'_, Report> {
    if is_plain(report) { Cow::Borrowed(report) } else { Cow::Owned(made_plain(report)) }
}

/// Returns whether no text of a report would be rendered as a different one.
fn is_plain(report: &Report) -> bool {
    report.serialize(&mut Serializer::with_formatter(io::sink(), PlainOnly)).is_ok()
}

/// A formatter that fails on unsafe text.
struct PlainOnly;

impl Formatter for PlainOnly {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        let is_plain = fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) || plain_lines(fragment) == fragment;
        if is_plain { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote
            | CharEscape::ReverseSolidus
            | CharEscape::Solidus
            | CharEscape::LineFeed
            | CharEscape::Tab => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn made_plain(report: &Report) -> Report {
    let written = serde_json::to_value(report).map(plain_texts);
    written.and_then(serde_json::from_value).expect("a report is read as it was written")
}

fn plain_texts(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain_lines(&text)),
        Value::Array(items) => items.into_iter().map(plain_texts).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (plain_lines(&name), plain_texts(member))).collect()
        }
        other => other,
    }
}

/// Returns `1 case`, `2 cases`.
fn cases_of(count: usize) -> String {
    if count == 1 { "1 case".to_owned() } else { format!("{count} cases") }
}

/// Returns a title with a capital letter, for headings.
fn capitalised(title: &str) -> String {
    let (first, rest) = title.split_at_checked(1).unwrap_or((title, ""));
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_report_with_a_text_that_hides_is_copied_to_be_shown() {
        let mut report = Report::new(Vec::new(), 0, Duration::ZERO);
        report.stale = vec!["\ttwo\nlines, \"quoted\" \\ é 日本".to_owned()];
        assert!(matches!(sanitized(&report), Cow::Borrowed(_)));
        for odd in ["\u{202e}", "\r\n", "\u{7f}", "\u{1b}[2J", "\u{8}"] {
            report.stale[0] = format!("a{odd}b");
            let sanitized_report = sanitized(&report).into_owned();
            assert_eq!(sanitized_report.stale, [plain_lines(&format!("a{odd}b"))]);
            assert!(is_plain(&sanitized_report), "{odd:?}");
        }
    }
}
