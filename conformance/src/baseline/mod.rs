//! The baseline: a file of known failures, so that a run only fails for new ones. A stale entry fails the run too: the list must not
//! outlive the defects.

mod update;

use std::collections::HashMap;

use keyfit_openapi::{Error, Text};
use serde::Deserialize;

pub use self::update::Updated;
use crate::catalogue::Catalogue;
use crate::cause::{self, Fate};
use crate::glob;
use crate::verdict::{Outcome, Verdict};

/// The known failures.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    path: String,
    text: String,
    entries: Vec<Entry>,
    /// The number of entries that are in the file.
    written: usize,
    /// The positions of patterns that are the id of one case: there may be as many as there are cases.
    exact: HashMap<String, Vec<Spot>>,
    /// The positions of all other patterns.
    patterns: Vec<Spot>,
    /// The text of the entries that were added.
    added: String,
}

/// The indexes of an entry and of one of its patterns.
type Spot = (usize, usize);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<toml::Spanned<Written>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The ids of cases; `*` matches a segment, `**` anything.
    cases: Vec<toml::Spanned<String>>,
    /// The flaw of the answers when the entry was written; any if absent.
    kind: Option<Kind>,
    /// The reason why it remains, and the condition for its end.
    #[serde(default)]
    reason: String,
}

/// The flaw of the answers in known failures. A case that fails in another way is a new failure.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Served instead of refused.
    Served,
    /// The answer contains a secret.
    Leaked,
    /// The server failed: a status of 500 or above.
    Failed,
    /// The server stops answering after it.
    Ended,
    /// Refused instead of served.
    Refused,
    /// Refused with a wrong status.
    Status,
    /// A wrong answer.
    Answer,
    /// A client did not follow the rule.
    Client,
}

#[derive(Clone, Debug)]
struct Entry {
    cases: Vec<Pattern>,
    kind: Option<Kind>,
    reason: String,
}

#[derive(Clone, Debug)]
struct Pattern {
    case: String,
    line: usize,
    /// The number of cases that it matches and that were judged in this run, and the number of those that failed in the known way.
    judged: usize,
    failed: usize,
    /// The number of cases that it matches and that were not run or not judged.
    left_out: usize,
}

impl Kind {
    /// Returns the kind of a fate; `None` for a case that could not be judged, which is never known.
    fn of(fate: Fate) -> Option<Self> {
        Some(match fate {
            Fate::Unjudged => return None,
            // It is only known that all callers are served there if those cases ran as well.
            Fate::Open | Fate::Served => Self::Served,
            Fate::Leaked => Self::Leaked,
            Fate::Failed => Self::Failed,
            Fate::Ended => Self::Ended,
            Fate::Refused => Self::Refused,
            Fate::OtherStatus => Self::Status,
            Fate::Differs => Self::Answer,
            Fate::OfClient => Self::Client,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Leaked => "leaked",
            Self::Failed => "failed",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::Status => "status",
            Self::Answer => "answer",
            Self::Client => "client",
        }
    }
}

impl Baseline {
    /// Parses a baseline.
    ///
    /// # Errors
    /// Returns an error if the text is not TOML, has an unknown key or kind, or an entry that names no case.
    pub fn read(text: &Text) -> Result<Self, Error> {
        let file: File = toml::from_str(&text.text).map_err(|error| Error {
            location: crate::contract::place(text, error.span().map(|span| span.start)),
            problem: error.message().trim_end().replace('\n', "; "),
            help: "an entry is `[[known]]` with `cases`, a list of ids of cases or patterns over them, and may have `kind` and `reason`"
                .to_owned(),
        })?;
        let written = file.known.len();
        let mut baseline = Self { path: text.path.clone(), text: text.text.clone(), written, ..Self::default() };
        for entry in file.known {
            let place = || crate::contract::place(text, Some(entry.span().start));
            let Written { cases, kind, reason } = entry.get_ref();
            if cases.is_empty() {
                let help = "name the ids of cases, or patterns over them, or delete the entry".to_owned();
                return Err(Error { location: place(), problem: "the entry names no case".to_owned(), help });
            }
            let line = |case: &toml::Spanned<String>| crate::contract::place(text, Some(case.span().start)).line;
            let cases = cases.iter().map(|case| (case.get_ref().clone(), line(case)));
            baseline.push(cases.collect(), *kind, reason.trim().to_owned());
        }
        Ok(baseline)
    }

    /// Returns the path of its file.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn push(&mut self, cases: Vec<(String, usize)>, kind: Option<Kind>, reason: String) {
        let entry = self.entries.len();
        for (place, (case, _)) in cases.iter().enumerate() {
            if case.contains('*') {
                self.patterns.push((entry, place));
            } else {
                self.exact.entry(case.clone()).or_default().push((entry, place));
            }
        }
        let pattern = |(case, line)| Pattern { case, line, judged: 0, failed: 0, left_out: 0 };
        self.entries.push(Entry { cases: cases.into_iter().map(pattern).collect(), kind, reason });
    }

    /// Marks the known failures. Warnings may be known too, but cases that could not be judged never are.
    pub(crate) fn settle(&mut self, catalogue: &Catalogue, outcomes: &mut [Outcome]) {
        if self.entries.is_empty() {
            return;
        }
        let mut kinds: HashMap<usize, Kind> = HashMap::new();
        for cause in cause::of(catalogue, outcomes) {
            let kind = Kind::of(cause.fate);
            kinds.extend(cause.cases.into_iter().filter_map(|place| Some((place, kind?))));
        }
        for (place, (case, outcome)) in catalogue.cases.iter().zip(outcomes).enumerate() {
            self.mark(&case.id, outcome, kinds.get(&place).copied());
        }
    }

    fn mark(&mut self, id: &str, outcome: &mut Outcome, kind: Option<Kind>) {
        let Self { entries, exact, patterns, .. } = self;
        for (entry, case) in exact.get(id).into_iter().flatten().chain(&*patterns) {
            let Entry { cases, kind: known, reason } = &mut entries[*entry];
            let pattern = &mut cases[*case];
            if !glob::matches(&pattern.case, id) {
                continue;
            }
            match outcome.verdict {
                Verdict::Skip | Verdict::Error => pattern.left_out += 1,
                Verdict::Pass | Verdict::Info => pattern.judged += 1,
                Verdict::Fail | Verdict::Warn | Verdict::Known => {
                    pattern.judged += 1;
                    if known.is_none_or(|known| Some(known) == kind) {
                        pattern.failed += 1;
                        outcome.verdict = Verdict::Known;
                        outcome.known.get_or_insert_with(|| reason.clone());
                    }
                }
            }
        }
    }

    /// Returns the stale entries, which match no failure, as texts for a report. An entry with cases that did not run is not stale, and a
    /// pattern that matches no case is stale only in a run of `all` cases.
    pub fn stale(&self, all: bool) -> Vec<String> {
        let mut told = Vec::new();
        for entry in &self.entries {
            let stale: Vec<&Pattern> = entry.cases.iter().filter(|pattern| pattern.is_stale(all)).collect();
            let Some(first) = stale.first() else { continue };
            let why = match (first.judged, entry.kind) {
                (0, _) => "it names no case".to_owned(),
                (_, None) => "what it names does not fail any more".to_owned(),
                (_, Some(kind)) => format!("what it names does not fail as `{}` any more", kind.name()),
            };
            let others: Vec<String> = stale.iter().skip(1).map(|other| format!("`{}`", other.case)).collect();
            let delete = match (stale.len() == entry.cases.len(), others.as_slice()) {
                (true, _) => "delete the entry".to_owned(),
                (false, []) => "delete it from `cases`".to_owned(),
                (false, others) => format!("delete it from `cases`, and {}", others.join(", ")),
            };
            told.push(format!("{}:{}: `{}`: {why}: {delete}", self.path, first.line, first.case));
        }
        told
    }
}

impl Pattern {
    fn is_stale(&self, all: bool) -> bool {
        match (self.judged, self.failed, self.left_out) {
            (0, _, 0) => all,
            (_, 0, 0) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Level;

    fn baseline(text: &str) -> Result<Baseline, String> {
        Baseline::read(&Text::new("baseline.toml", text)).map_err(|failure| failure.to_string())
    }

    fn broken() -> Outcome {
        Outcome::broken(Level::Must, "the status is 200")
    }

    #[test]
    fn a_known_failure_is_one_and_has_its_reason() {
        let mut known = baseline("[[known]]\ncases = [\"pets/scope/*/*\"]\nreason = \"next release\"").expect("a file");
        let mut outcome = broken();
        known.mark("pets/scope/lacking/list", &mut outcome, Some(Kind::Served));
        assert_eq!((outcome.verdict, outcome.known.as_deref()), (Verdict::Known, Some("next release")));
        let mut other = broken();
        known.mark("pets/auth/no-token/list", &mut other, Some(Kind::Served));
        assert_eq!((other.verdict, other.known), (Verdict::Fail, None));
        assert_eq!(known.stale(true), [""; 0]);
    }

    #[test]
    fn what_fails_in_another_way_than_before_is_new() {
        let mut known = baseline("[[known]]\nkind = \"status\"\ncases = [\"a\"]").expect("a file");
        let mut outcome = broken();
        known.mark("a", &mut outcome, Some(Kind::Served));
        assert_eq!(outcome.verdict, Verdict::Fail);
        let stale = known.stale(false);
        assert_eq!(stale, ["baseline.toml:3: `a`: what it names does not fail as `status` any more: delete the entry"]);
    }

    #[test]
    fn what_passes_or_is_gone_is_stale_and_said_once_an_entry() {
        let text = "[[known]]\ncases = [\n  \"a\",\n  \"b\",\n  \"c\",\n]\n[[known]]\ncases = [\"d\"]";
        let mut known = baseline(text).expect("a file");
        for case in ["a", "b"] {
            known.mark(case, &mut Outcome::pass(), None);
        }
        known.mark("c", &mut broken(), Some(Kind::Served));
        let stale = known.stale(true);
        assert_eq!(
            stale,
            [
                "baseline.toml:3: `a`: what it names does not fail any more: delete it from `cases`, and `b`",
                "baseline.toml:8: `d`: it names no case: delete the entry"
            ]
        );
        assert_eq!(known.stale(false).len(), 1, "of a part of the cases nothing is known about the rest");
    }

    #[test]
    fn what_was_not_run_or_not_judged_is_not_stale() {
        for outcome in [Outcome::skip("no token"), Outcome::error("no answer came")] {
            let mut known = baseline("[[known]]\ncases = [\"a\", \"b/*\"]").expect("a file");
            known.mark("a", &mut outcome.clone(), None);
            known.mark("b/1", &mut outcome.clone(), None);
            assert_eq!(known.stale(true), [""; 0]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        assert!(
            baseline("\n[[known]]\ncases = []").is_err_and(|error| error.contains(":2") && error.contains("no case"))
        );
        assert!(baseline("[[known]]\nreason = \"x\"").is_err_and(|error| error.contains("`cases`")));
        assert!(baseline("[[known]]\ncases = [\"a\"]\nkind = \"odd\"").is_err_and(|error| error.contains("`served`")));
    }
}
