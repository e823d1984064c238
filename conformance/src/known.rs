//! Failures that are known: a file that names them with reasons, so that a run shows only what is new. An entry that has
//! become stale fails the run: the list may not outlive the defects.

use keyfit_openapi::{Failure, Text};
use serde::Deserialize;

use crate::glob;
use crate::verdict::{Outcome, Verdict};

/// What is known to fail.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures {
    path: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    failing: Vec<toml::Spanned<Named>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The ids of cases; `*` stands for a segment, `**` for any.
    case: String,
    /// Why it fails, and what will end that.
    reason: String,
}

#[derive(Clone, Debug)]
struct Entry {
    case: String,
    reason: String,
    line: usize,
    /// Cases that it named in this run, and how many of them failed.
    ran: usize,
    failed: usize,
    /// Cases that it named and that were not run.
    left_out: usize,
}

impl KnownFailures {
    /// Reads a `known-failing.toml`.
    ///
    /// # Errors
    /// Text that is no TOML, unknown keys, an entry without a reason.
    pub fn read(text: &Text) -> Result<Self, Failure> {
        let file: File = toml::from_str(&text.text).map_err(|error| Failure {
            place: crate::contract::place(text, error.span().map(|span| span.start)),
            problem: error.message().trim_end().replace('\n', "; "),
            help: "an entry is `[[failing]]` with `case`, the id of a case or a pattern, and `reason`".to_owned(),
        })?;
        let mut entries = Vec::new();
        for named in file.failing {
            let place = crate::contract::place(text, Some(named.span().start));
            let Named { case, reason } = named.into_inner();
            if reason.trim().is_empty() {
                let problem = format!("the entry for `{case}` has no reason");
                return Err(Failure { place, problem, help: "say why it fails, and what will end that".to_owned() });
            }
            entries.push(Entry { case, reason, line: place.line, ran: 0, failed: 0, left_out: 0 });
        }
        Ok(Self { path: text.path.clone(), entries })
    }

    /// Takes the failures out that are known. A warning may be known too, an error of ours never.
    pub fn settle(&mut self, id: &str, outcome: &mut Outcome) {
        let Some(entry) = self.entries.iter_mut().find(|entry| glob::matches(&entry.case, id)) else { return };
        match outcome.verdict {
            Verdict::Skip | Verdict::Error => entry.left_out += 1,
            Verdict::Pass | Verdict::Info | Verdict::Known => entry.ran += 1,
            Verdict::Fail | Verdict::Warn => {
                entry.ran += 1;
                entry.failed += 1;
                outcome.verdict = Verdict::Known;
                let finding = outcome.reason.take().unwrap_or_default();
                outcome.reason = Some(format!("{finding} (known: {})", entry.reason));
            }
        }
    }

    /// The entries that name nothing which fails, in the words of a report. An entry whose cases were not all run is
    /// given the benefit of the doubt, and one that names no case at all only in a run of `all` cases is not.
    pub fn stale(&self, all: bool) -> Vec<String> {
        let is_stale = |entry: &&Entry| match (entry.ran, entry.failed, entry.left_out) {
            (0, _, 0) => all,
            (_, 0, 0) => true,
            _ => false,
        };
        let told = |entry: &Entry| {
            let why = if entry.ran == 0 { "it names no case" } else { "what it names does not fail any more" };
            format!("{}:{}: `{}`: {why}: remove it", self.path, entry.line, entry.case)
        };
        self.entries.iter().filter(is_stale).map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Level;

    fn known(text: &str) -> Result<KnownFailures, String> {
        KnownFailures::read(&Text::new("known-failing.toml", text)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_known_failure_is_one_and_keeps_both_reasons() {
        let mut known = known("[[failing]]\ncase = \"pets/scope/*/*\"\nreason = \"next release\"").expect("a file");
        let mut outcome = Outcome::broken(Level::Must, "the status is 200");
        known.settle("pets/scope/lacking/list", &mut outcome);
        assert_eq!(outcome.verdict, Verdict::Known);
        assert_eq!(outcome.reason.as_deref(), Some("the status is 200 (known: next release)"));
        let mut other = Outcome::broken(Level::Must, "the status is 200");
        known.settle("pets/auth/no-token/list", &mut other);
        assert_eq!(other.verdict, Verdict::Fail);
        assert_eq!(known.stale(true), [""; 0]);
    }

    #[test]
    fn an_entry_is_stale_when_its_cases_pass_or_are_gone() {
        let text = "[[failing]]\ncase = \"a\"\nreason = \"x\"\n[[failing]]\ncase = \"b\"\nreason = \"y\"";
        let mut known = known(text).expect("a file");
        known.settle("a", &mut Outcome::pass());
        let stale = known.stale(true);
        assert_eq!(stale[0], "known-failing.toml:1: `a`: what it names does not fail any more: remove it");
        assert_eq!(stale[1], "known-failing.toml:4: `b`: it names no case: remove it");
        assert_eq!(known.stale(false).len(), 1, "of a part of the cases nothing is known about the rest");
    }

    #[test]
    fn what_was_not_run_is_not_stale() {
        let mut known = known("[[failing]]\ncase = \"a\"\nreason = \"x\"").expect("a file");
        known.settle("a", &mut Outcome::skip("no token"));
        assert_eq!(known.stale(true), [""; 0]);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused_with_its_place() {
        assert!(known("[[failing]]\ncase = \"a\"\nreason = \" \"").is_err_and(|error| error.contains(":1")));
        assert!(known("[[failing]]\ncase = \"a\"").is_err_and(|error| error.contains("`reason`")));
    }
}
