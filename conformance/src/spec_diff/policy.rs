//! The policy file: the levels of changes in this project, and the known and accepted changes with their reasons.

use std::collections::BTreeMap;

use keyfit_openapi::diff::{Finding, Level, OperationRef, Rule, rules};
use keyfit_openapi::{Error, SourceLocation, Text};
use serde::Deserialize;
use strsim::levenshtein as distance;
use toml::Spanned;

use crate::glob;

/// The levels and the accepted changes of a policy file.
#[derive(Debug, Default)]
pub struct Policy {
    levels: BTreeMap<&'static str, Level>,
    entries: Vec<Entry>,
    path: String,
}

/// The effect of a policy file.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    /// The ignored findings, with the reasons.
    pub(super) findings: Vec<(Finding, String)>,
    /// The entries that match nothing, with their places.
    pub(super) stale: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    levels: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    ignore: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: Spanned<String>,
    operation: Option<String>,
    pointer: Option<String>,
    reason: Spanned<String>,
}

#[derive(Debug)]
struct Entry {
    rule: String,
    operation: Option<String>,
    pointer: Option<String>,
    reason: String,
    line: usize,
}

impl Policy {
    /// Parses a policy file: TOML, with a table `[levels]` that maps rules to `breaking`, `warning` or `info`, and an `[[ignore]]` for each
    /// accepted change. `rule` is the id of a rule; `operation` is a pattern for the operationId or for `GET /path`, and `pointer` is one for the
    /// JSON pointer: both match all if omitted; `reason` is required. In patterns `*` matches within a segment, `**` across segments.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid policy file, names an unknown rule or level, or has an empty reason.
    pub fn read(text: &Text) -> Result<Self, Error> {
        let file: File = toml::from_str(&text.text).map_err(|error| {
            let place = place(text, error.span().map_or(0, |span| span.start));
            let help =
                "`[levels]` has rules and their levels; each `[[ignore]]` has `rule` and `reason`, and may have \
                        `operation` and `pointer`"
                    .to_owned();
            Error { location: place, problem: error.message().to_owned(), help }
        })?;
        let levels = file.levels.iter().map(|(rule, level)| Ok((known(text, rule)?.id, read_level(text, level)?)));
        let levels = levels.collect::<Result<_, Error>>()?;
        let entries = file.ignore.into_iter().map(|row| row.entry(text)).collect::<Result<_, _>>()?;
        Ok(Self { levels, entries, path: text.path.clone() })
    }

    /// Returns the level of a change under this rule.
    pub fn level(&self, rule: &Rule) -> Level {
        self.levels.get(rule.id).copied().unwrap_or(rule.level)
    }

    /// Removes ignored findings. A finding about several operations keeps those that no entry names.
    pub(super) fn apply(&self, findings: &mut Vec<Finding>) -> Ignored {
        let mut ignored = Ignored::default();
        let mut used = vec![false; self.entries.len()];
        findings.retain_mut(|finding| {
            for (entry, used) in self.entries.iter().zip(&mut used) {
                if !entry.fits(finding) {
                    continue;
                }
                let (out, kept): (Vec<_>, Vec<_>) =
                    finding.operations.iter().cloned().partition(|operation| entry.names(operation));
                // A finding without operations is only removed by an entry without an operation.
                if out.is_empty() && !(finding.operations.is_empty() && entry.operation.is_none()) {
                    continue;
                }
                *used = true;
                ignored.findings.push((Finding { operations: out, ..finding.clone() }, entry.reason.clone()));
                if kept.is_empty() {
                    return false;
                }
                finding.operations = kept;
            }
            true
        });
        let stale = self.entries.iter().zip(used).filter(|(_, used)| !used);
        ignored.stale = stale.map(|(entry, _)| format!("{}:{}: {}", self.path, entry.line, entry.describe())).collect();
        ignored
    }
}

impl Row {
    fn entry(self, text: &Text) -> Result<Entry, Error> {
        let at = place(text, self.rule.span().start);
        known(text, &self.rule)?;
        let rule = self.rule.into_inner();
        if self.reason.get_ref().trim().is_empty() {
            let help = "say why the change is accepted".to_owned();
            let place = place(text, self.reason.span().start);
            return Err(Error { location: place, problem: "the reason is empty".to_owned(), help });
        }
        let (operation, pointer, reason) = (self.operation, self.pointer, self.reason.into_inner());
        Ok(Entry { rule, operation, pointer, reason, line: at.line })
    }
}

impl Entry {
    fn fits(&self, finding: &Finding) -> bool {
        let at = &finding.place.pointer;
        self.rule == finding.rule.id && self.pointer.as_ref().is_none_or(|pattern| glob::matches(pattern, at))
    }

    fn names(&self, operation: &OperationRef) -> bool {
        let OperationRef { method, path, id, .. } = operation;
        self.operation
            .as_ref()
            .is_none_or(|pattern| glob::matches(pattern, id) || glob::matches(pattern, &format!("{method} {path}")))
    }

    fn describe(&self) -> String {
        let mut text = format!("`{}`", self.rule);
        for (key, value) in [("operation", &self.operation), ("pointer", &self.pointer)] {
            if let Some(value) = value {
                text = format!("{text}, {key} `{value}`");
            }
        }
        text
    }
}

/// Returns the rule with this id.
fn known(text: &Text, id: &Spanned<String>) -> Result<&'static Rule, Error> {
    rules::named(id.get_ref()).ok_or_else(|| {
        let help = match nearest(id.get_ref()) {
            Some(known) => format!("did you mean `{known}`? openapi/pipeline/DIFF-RULES.md lists the rules"),
            None => "openapi/pipeline/DIFF-RULES.md lists the rules".to_owned(),
        };
        let problem = format!("there is no rule called `{}`", id.get_ref());
        Error { location: place(text, id.span().start), problem, help }
    })
}

fn read_level(text: &Text, level: &Spanned<String>) -> Result<Level, Error> {
    match level.get_ref().as_str() {
        "breaking" => Ok(Level::Breaking),
        "warning" => Ok(Level::Warning),
        "info" => Ok(Level::Info),
        other => Err(Error {
            location: place(text, level.span().start),
            problem: format!("there is no level `{other}`"),
            help: "a level is `breaking`, `warning` or `info`; what is accepted is an `[[ignore]]` with its reason"
                .to_owned(),
        }),
    }
}

fn place(text: &Text, offset: usize) -> SourceLocation {
    let before = text.text.get(..offset).unwrap_or_default();
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    SourceLocation { path: text.path.clone(), line: before.matches('\n').count() + 1, column, pointer: String::new() }
}

/// Returns the rule with the most similar id, if there is one.
fn nearest(id: &str) -> Option<&'static str> {
    let (distance, rule) = rules::all().map(|rule| (distance(id, rule.id), rule.id)).min()?;
    (distance <= id.len() / 2).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_is_named_and_a_word_of_another_kind_is_near_to_none() {
        assert_eq!(nearest("security-scope-add"), Some("security-scope-added"));
        assert_eq!(nearest("zzzzzzzz"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
