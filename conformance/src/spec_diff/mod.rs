//! What has changed between two versions of a document, ready to be read by people or by programs, with the cases of the
//! contract check that it touches. Finding the changes is [`keyfit_openapi::diff`]'s part.

mod cases;
mod github;
pub mod ignore;
mod json;
mod markdown;
mod sarif;
mod text;

use keyfit_openapi::diff::{Breaks, Finding, Group, Level, OperationRef, Revision, Rule};
use keyfit_openapi::{SourcePlace, plain};
use schemars::JsonSchema;
use serde::Serialize;

pub use github::github;
pub use json::{json, json_schema};
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::text;

use self::ignore::Ignored;
use crate::catalogue::Catalogue;

/// What has changed between two versions of a document.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DiffReport {
    /// The version of this format.
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// The document before, as it was named.
    pub old: String,
    /// The document after, as it was named.
    pub new: String,
    /// The file of the document after, without a revision.
    pub file: String,
    /// The API whose cases are listed, `null` where it is not known.
    pub api: Option<String>,
    /// Findings by level.
    pub totals: Totals,
    /// What has changed, the gravest first.
    pub findings: Vec<FindingReport>,
    /// What was found and is ignored, with the reason.
    pub ignored: Vec<IgnoredReport>,
    /// Entries of the ignore file that fit nothing any more.
    pub stale: Vec<String>,
}

/// Findings by level.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Totals {
    /// A client that is deployed can fail, or nobody can tell.
    pub breaking: usize,
    /// Code has to be changed, or the server behaves in another way.
    pub warning: usize,
    /// Nothing that worked stops working.
    pub info: usize,
    /// What is ignored, whatever its level.
    pub ignored: usize,
}

/// One change.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FindingReport {
    /// The id of the rule.
    pub rule: &'static str,
    /// How grave it is.
    #[schemars(with = "LevelName")]
    pub level: Level,
    /// Whom it breaks, or whose part it is to follow.
    #[schemars(with = "BreaksName")]
    pub breaks: Breaks,
    /// What it is about.
    #[schemars(with = "GroupName")]
    pub group: Group,
    /// What has changed, in a few words that hold for every change under this rule.
    pub title: &'static str,
    /// What has changed here.
    pub detail: String,
    /// Why that breaks whom it breaks.
    pub why: &'static str,
    /// What changes in the Rust client.
    pub rust: String,
    /// Where the part stands: in the old document where it went.
    pub place: PlaceReport,
    /// Where the part, or what is left around it, stands in the new document.
    pub nearest: PlaceReport,
    /// The operations that it concerns.
    pub operations: Vec<OperationReport>,
    /// The statuses of the answers that it concerns.
    pub statuses: Vec<String>,
    /// The cases of the contract check that it touches.
    pub cases: Vec<String>,
}

/// A place in one of the documents.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PlaceReport {
    /// Which document.
    #[schemars(with = "RevisionName")]
    pub document: Revision,
    /// The line, from 1; 0 where it is not known.
    pub line: usize,
    /// The column, from 1; 0 where it is not known.
    pub column: usize,
    /// The JSON pointer (RFC 6901).
    pub pointer: String,
}

/// An operation by all of its names.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct OperationReport {
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The operationId, published or synthesised.
    pub id: String,
    /// The Rust method's name.
    pub function: String,
}

/// A change that is ignored.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct IgnoredReport {
    /// The id of the rule.
    pub rule: &'static str,
    /// What has changed here.
    pub detail: String,
    /// The JSON pointer of the part.
    pub pointer: String,
    /// The operations for which it is ignored, as method and path.
    pub operations: Vec<String>,
    /// Why it is ignored.
    pub reason: String,
}

/// The two documents, as they were named.
#[derive(Clone, Debug)]
pub struct Names {
    /// The document before.
    pub old: String,
    /// The document after.
    pub new: String,
    /// The file of the document after, without a revision.
    pub file: String,
}

impl DiffReport {
    /// A report on findings, of which some are ignored; with the cases of a catalogue.
    pub fn new(names: Names, catalogue: Option<&Catalogue>, findings: Vec<Finding>, ignored: Ignored) -> Self {
        let mut totals = Totals { ignored: ignored.findings.len(), ..Totals::default() };
        for finding in &findings {
            *match finding.rule.level {
                Level::Breaking => &mut totals.breaking,
                Level::Warning => &mut totals.warning,
                Level::Info => &mut totals.info,
            } += 1;
        }
        let report = |finding: Finding| {
            let cases = catalogue.map(|catalogue| cases::touched(catalogue, &finding)).unwrap_or_default();
            FindingReport::new(finding, cases)
        };
        let Names { old, new, file } = names;
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            old: plain(&old),
            new: plain(&new),
            file: plain(&file),
            api: catalogue.map(|catalogue| catalogue.api.name.clone()),
            totals,
            findings: findings.into_iter().map(report).collect(),
            ignored: ignored
                .findings
                .into_iter()
                .map(|(finding, reason)| IgnoredReport::new(&finding, &reason))
                .collect(),
            stale: plain_all(ignored.stale),
        }
    }

    /// Whether the gate is shut: something is at this level or above it, or an entry of the ignore file is stale.
    pub fn fails(&self, threshold: Level) -> bool {
        !self.stale.is_empty() || self.findings.iter().any(|finding| finding.level >= threshold)
    }

    /// The findings of a level.
    fn at(&self, level: Level) -> impl Iterator<Item = &FindingReport> {
        self.findings.iter().filter(move |finding| finding.level == level)
    }

    /// `1 breaking, 2 warnings, 3 info, 1 ignored`.
    fn summary(&self) -> String {
        let Totals { breaking, warning, info, ignored } = self.totals;
        let plural = if warning == 1 { "" } else { "s" };
        format!("{breaking} breaking, {warning} warning{plural}, {info} info, {ignored} ignored")
    }
}

impl FindingReport {
    fn new(finding: Finding, cases: Vec<String>) -> Self {
        let Rule { id, level, breaks, group, title, why, .. } = *finding.rule;
        Self {
            rule: id,
            level,
            breaks,
            group,
            title,
            detail: plain(&finding.detail),
            why,
            rust: plain(&finding.rust),
            place: PlaceReport::new(finding.revision, &finding.place),
            nearest: PlaceReport::new(Revision::New, &finding.nearest),
            operations: finding.operations.into_iter().map(OperationReport::from).collect(),
            statuses: plain_all(finding.statuses),
            cases: plain_all(cases),
        }
    }

    /// `GET /pets`, `GET /pets and 3 more`, or nothing.
    fn subject(&self) -> String {
        match &self.operations[..] {
            [] => String::new(),
            [one] => one.name(),
            [first, others @ ..] => format!("{} and {} more", first.name(), others.len()),
        }
    }

    /// Whom it breaks and why.
    fn reason(&self) -> String {
        match self.breaks {
            Breaks::Nobody => format!("Breaks nobody: {}", self.why),
            Breaks::Client => format!("For clients: {}", self.why),
            Breaks::Server => format!("For servers: {}", self.why),
        }
    }
}

impl PlaceReport {
    fn new(document: Revision, place: &SourcePlace) -> Self {
        Self { document, line: place.line, column: place.column, pointer: plain(&place.pointer) }
    }
}

impl OperationReport {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl From<OperationRef> for OperationReport {
    fn from(OperationRef { method, path, id, function }: OperationRef) -> Self {
        Self { method: plain(&method), path: plain(&path), id: plain(&id), function }
    }
}

impl IgnoredReport {
    fn new(finding: &Finding, reason: &str) -> Self {
        let operations = finding.operations.iter().map(|operation| format!("{} {}", operation.method, operation.path));
        Self {
            rule: finding.rule.id,
            detail: plain(&finding.detail),
            pointer: plain(&finding.place.pointer),
            operations: plain_all(operations),
            reason: plain(reason),
        }
    }
}

/// What documents name, in one line each; every form of the report begins with it.
fn plain_all(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts.into_iter().map(|text| plain(&text)).collect()
}

/// Writes the enums of the library down for the schema, whose crate does not know schemas.
macro_rules! names {
    ($($name:ident: $($variant:ident)*;)*) => {
        $(
            #[derive(JsonSchema)]
            #[schemars(rename_all = "kebab-case", inline)]
            #[expect(dead_code, reason = "only its schema is used")]
            enum $name { $($variant),* }
        )*
    };
}

names! {
    LevelName: Info Warning Breaking;
    BreaksName: Client Server Nobody;
    GroupName: Security Oauth Errors RateLimit Request Response Retry Surface;
    RevisionName: Old New;
}
