//! The changes between two versions of a document, in reports for humans and programs, with the affected cases of the contract check.
//! [`keyfit_openapi::diff`] finds the changes.

mod cases;
mod github;
mod json;
mod markdown;
pub mod policy;
mod sarif;
mod text;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use keyfit_openapi::diff::{Finding, Group, Level, OperationRef, Party, Revision, Rule};
use keyfit_openapi::{SourceLocation, plain};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

pub use github::github;
pub use json::{json, json_schema};
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::text;

use self::policy::Policy;
use crate::catalogue::Catalogue;

/// The highest number of cases, places, and changes of the client that are named.
const NAMED: usize = 4;

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
    /// The operations that findings name by their places in this list, from 0.
    pub operations: Vec<OperationReport>,
    /// What has changed, the gravest first.
    pub findings: Vec<FindingReport>,
    /// What was found and is ignored, with the reason.
    pub ignored: Vec<IgnoredReport>,
    /// Entries of the policy file that fit nothing any more.
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

/// One change, wherever it is the same: under one rule and in the same words.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FindingReport {
    /// The id of the rule.
    pub rule: &'static str,
    /// How grave it is, as the rule or the policy file says.
    #[schemars(with = "LevelName")]
    pub level: Level,
    /// Whom it breaks, or whose part it is to follow.
    #[schemars(with = "BreaksName")]
    pub breaks: Party,
    /// What it is about.
    #[schemars(with = "GroupName")]
    pub group: Group,
    /// What has changed, in a few words that hold for every change under this rule.
    pub title: &'static str,
    /// What has changed here.
    pub detail: String,
    /// Why that breaks whom it breaks.
    pub why: &'static str,
    /// Each part that has changed so, at least one.
    pub parts: Vec<PartReport>,
    /// The operations that it concerns: places in the list of the report.
    pub operations: Vec<usize>,
    /// The statuses of the answers that it concerns.
    pub statuses: Vec<String>,
    /// The cases of the contract check that it touches.
    pub cases: Vec<String>,
}

/// A part of a document that has changed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PartReport {
    /// Where it stands: in the old document where it went.
    pub place: PlaceReport,
    /// Where it, or what is left around it, stands in the new document, if that is another place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<PlaceReport>,
    /// What changes in the Rust client.
    pub rust: String,
}

/// A place in one of the documents.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct PlaceReport {
    /// Which document.
    #[schemars(with = "RevisionName")]
    pub document: Revision,
    /// The file, where the document is in several and it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
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
    /// The paths of the documents in findings, before and after.
    pub paths: [String; 2],
}

impl DiffReport {
    /// Creates the report on findings with the levels of a policy and the cases of a catalogue.
    pub fn new(names: Names, catalogue: Option<&Catalogue>, policy: &Policy, mut findings: Vec<Finding>) -> Self {
        let ignored = policy.apply(&mut findings);
        let (operations, findings) = grouped(catalogue, policy, &names.paths, findings);
        let mut totals = Totals { ignored: ignored.findings.len(), ..Totals::default() };
        for finding in &findings {
            *match finding.level {
                Level::Breaking => &mut totals.breaking,
                Level::Warning => &mut totals.warning,
                Level::Info => &mut totals.info,
            } += 1;
        }
        let Names { old, new, file, .. } = names;
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            old: plain(&old),
            new: plain(&new),
            file: plain(&file),
            api: catalogue.map(|catalogue| catalogue.api.name.clone()),
            totals,
            operations,
            findings,
            ignored: ignored
                .findings
                .into_iter()
                .map(|(finding, reason)| IgnoredReport::new(&finding, &reason))
                .collect(),
            stale: plain_all(ignored.stale),
        }
    }

    /// Returns whether the check fails: a finding has at least this level, or an entry of the ignore file is stale.
    pub fn fails(&self, threshold: Level) -> bool {
        !self.stale.is_empty() || self.findings.iter().any(|finding| finding.level >= threshold)
    }

    /// Returns the file of a place, as it was named.
    fn name_of<'r>(&'r self, place: &'r PlaceReport) -> &'r str {
        let document = if place.document == Revision::Old { &self.old } else { &self.new };
        place.file.as_deref().unwrap_or(document)
    }

    /// Returns the file of the new document with a place, without a revision.
    fn file_of<'r>(&'r self, place: &'r PlaceReport) -> &'r str {
        let Some(file) = &place.file else { return &self.file };
        let revision = self.new.strip_suffix(&self.file).unwrap_or_default();
        file.strip_prefix(revision).unwrap_or(file)
    }

    /// Returns the findings of a level.
    fn at(&self, level: Level) -> impl Iterator<Item = &FindingReport> {
        self.findings.iter().filter(move |finding| finding.level == level)
    }

    /// Returns the operations of a finding: `GET /pets`, `GET /pets and 3 more`, or an empty text.
    fn subject(&self, finding: &FindingReport) -> String {
        match &finding.operations[..] {
            [] => String::new(),
            [one] => self.operations[*one].name(),
            [first, others @ ..] => format!("{} and {} more", self.operations[*first].name(), others.len()),
        }
    }

    /// Returns `1 breaking, 2 warnings, 3 info, 1 ignored`, and the number of places if that is greater.
    fn summary(&self) -> String {
        let Totals { breaking, warning, info, ignored } = self.totals;
        let plural = if warning == 1 { "" } else { "s" };
        let summary = format!("{breaking} breaking, {warning} warning{plural}, {info} info, {ignored} ignored");
        let places: usize = self.findings.iter().map(|finding| finding.parts.len()).sum();
        if places > self.findings.len() { format!("{summary}, in {places} places") } else { summary }
    }
}

/// Returns the findings, with equal ones of a rule combined, the most severe first, and the operations that they name.
fn grouped(
    catalogue: Option<&Catalogue>,
    policy: &Policy,
    paths: &[String; 2],
    findings: Vec<Finding>,
) -> (Vec<OperationReport>, Vec<FindingReport>) {
    let mut places: HashMap<OperationRef, usize> = HashMap::new();
    let mut operations: Vec<OperationReport> = Vec::new();
    let mut listed = |operation: &OperationRef| {
        *places.entry(operation.clone()).or_insert_with(|| {
            operations.push(OperationReport::from(operation.clone()));
            operations.len() - 1
        })
    };
    let mut known: HashMap<(&str, String), usize> = HashMap::new();
    let mut reports: Vec<FindingReport> = Vec::new();
    for finding in findings {
        let cases = catalogue.map(|catalogue| cases::touched(catalogue, &finding)).unwrap_or_default();
        let level = policy.level(finding.rule);
        let place = *known.entry((finding.rule.id, finding.detail.clone())).or_insert(reports.len());
        let concerned = finding.operations.iter().map(&mut listed).collect();
        let report = FindingReport::new(finding, paths, level, concerned, cases);
        match reports.get_mut(place) {
            Some(same) => same.join(report),
            None => reports.push(report),
        }
    }
    // Stable, so that findings of equal level remain in order.
    reports.sort_by_key(|report| std::cmp::Reverse(report.level));
    (operations, reports)
}

impl FindingReport {
    fn new(finding: Finding, paths: &[String; 2], level: Level, operations: Vec<usize>, cases: Vec<String>) -> Self {
        let Rule { id, breaks, group, title, why, .. } = *finding.rule;
        let at = |revision: Revision, place: &SourceLocation| PlaceReport::new(revision, place, paths);
        let (place, nearest) = (at(finding.revision, &finding.place), at(Revision::New, &finding.nearest));
        let nearest = (nearest != place).then_some(nearest);
        let part = PartReport { place, nearest, rust: plain(&finding.rust) };
        Self {
            rule: id,
            level,
            breaks,
            group,
            title,
            detail: plain(&finding.detail),
            why,
            parts: vec![part],
            operations,
            statuses: plain_all(finding.statuses),
            cases: plain_all(cases),
        }
    }

    /// Adds the parts of an equal finding.
    fn join(&mut self, other: Self) {
        self.parts.extend(other.parts);
        take_in(&mut self.operations, other.operations);
        take_in(&mut self.statuses, other.statuses);
        take_in(&mut self.cases, other.cases);
    }

    /// Returns the part that represents all of them if there is space for one.
    fn first(&self) -> &PartReport {
        &self.parts[0]
    }

    /// Returns the changes of the Rust client, each once.
    fn rust(&self) -> Vec<&str> {
        let mut known = HashSet::new();
        self.parts.iter().map(|part| part.rust.as_str()).filter(|rust| known.insert(*rust)).collect()
    }

    /// Returns the affected side and the reason.
    fn reason(&self) -> String {
        match self.breaks {
            Party::Nobody => format!("Breaks nobody: {}", self.why),
            Party::Client => format!("For clients: {}", self.why),
            Party::Server => format!("For servers: {}", self.why),
        }
    }
}

impl PartReport {
    /// Returns its place in the new document.
    fn in_new(&self) -> &PlaceReport {
        self.nearest.as_ref().unwrap_or(&self.place)
    }
}

impl PlaceReport {
    fn new(document: Revision, place: &SourceLocation, [old, new]: &[String; 2]) -> Self {
        let own = if document == Revision::Old { old } else { new };
        let file = (!place.path.is_empty() && place.path != *own).then(|| plain(&place.path));
        Self { document, file, line: place.line, column: place.column, pointer: plain(&place.pointer) }
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

/// Returns JSON in which values at this depth are on one line: one finding per line.
fn lines(value: &Value, depth: usize) -> String {
    let mut text = String::new();
    write_lines(&mut text, value, depth, 0);
    text.push('\n');
    text
}

fn write_lines(text: &mut String, value: &Value, depth: usize, level: usize) {
    let mut list = |open: char, items: Vec<(String, &Value)>, close: char| {
        text.push(open);
        for (place, (key, item)) in items.iter().enumerate() {
            text.push_str(if place == 0 { "\n" } else { ",\n" });
            text.push_str(&"  ".repeat(level + 1));
            text.push_str(key);
            write_lines(text, item, depth, level + 1);
        }
        text.push('\n');
        text.push_str(&"  ".repeat(level));
        text.push(close);
    };
    match value {
        Value::Object(members) if level < depth && !members.is_empty() => {
            list('{', members.iter().map(|(key, item)| (format!("{}: ", json!(key)), item)).collect(), '}');
        }
        Value::Array(items) if level < depth && !items.is_empty() => {
            list('[', items.iter().map(|item| (String::new(), item)).collect(), ']');
        }
        _ => text.push_str(&value.to_string()),
    }
}

/// Adds the items that are not contained yet.
fn take_in<T: Eq + Hash + Clone>(all: &mut Vec<T>, more: Vec<T>) {
    let known: HashSet<T> = all.iter().cloned().collect();
    all.extend(more.into_iter().filter(|item| !known.contains(item)));
}

/// Returns the first texts, and the number of the others.
fn few(all: &[impl AsRef<str>], between: &str) -> String {
    let named = all.iter().take(NAMED).map(AsRef::as_ref).collect::<Vec<_>>().join(between);
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Returns texts of documents with control characters escaped, in one line each; all report formats begin with it.
fn plain_all(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts.into_iter().map(|text| plain(&text)).collect()
}

/// Declares copies of the library's enums for the schema, since the library does not depend on schemars.
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
