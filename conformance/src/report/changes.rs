//! The differences from an earlier run. A skipped case counts as absent: its result is unknown.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::judgement::verdict::Verdict;

/// What is different from an earlier run.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Changes {
    /// When the earlier run began.
    pub since: String,
    /// What ended worse than before.
    pub worse: Vec<Change>,
    /// What ended better than before.
    pub fixed: Vec<Change>,
    /// What was not checked before.
    pub new: Vec<Change>,
    /// What is no longer checked.
    pub gone: Vec<Change>,
}

/// A case that ended differently.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// The id of the case.
    pub id: String,
    /// How it ended before; left out where there was no such case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Verdict>,
    /// How it ended now; left out where there is no such case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Verdict>,
}

impl Changes {
    /// Compares a run with a later one. The most severe changes come first.
    pub fn between(before: &Report, after: &Report) -> Self {
        let mut earlier: BTreeMap<&str, Verdict> =
            before.cases().map(|case| (case.id.as_str(), case.verdict)).collect();
        let mut changes = Self { since: before.started.clone(), ..Self::default() };
        for case in after.cases() {
            changes.add(&case.id, earlier.remove(case.id.as_str()), Some(case.verdict));
        }
        for case in before.cases() {
            if let Some(verdict) = earlier.remove(case.id.as_str()) {
                changes.add(&case.id, Some(verdict), None);
            }
        }
        for list in [&mut changes.worse, &mut changes.fixed, &mut changes.new, &mut changes.gone] {
            list.sort_by_key(|change| Reverse(change.after.or(change.before).and_then(severity)));
        }
        changes
    }

    /// Returns the four lists with their names, the most severe first.
    pub fn lists(&self) -> [(&'static str, &[Change]); 4] {
        [("worse", &self.worse), ("fixed", &self.fixed), ("new", &self.new), ("gone", &self.gone)]
    }

    fn add(&mut self, id: &str, before: Option<Verdict>, after: Option<Verdict>) {
        let list = match (before.and_then(severity), after.and_then(severity)) {
            (Some(before), Some(after)) if before < after => &mut self.worse,
            (Some(before), Some(after)) if before > after => &mut self.fixed,
            (None, Some(_)) => &mut self.new,
            (Some(_), None) => &mut self.gone,
            _ => return,
        };
        list.push(Change { id: id.to_owned(), before, after });
    }
}

impl Change {
    /// Returns whether a list shows the change: passed cases, also removed ones, are only counted.
    pub(super) fn is_notable(&self) -> bool {
        let is_untouched = |verdict: Option<Verdict>| matches!(verdict, None | Some(Verdict::Pass | Verdict::Skip));
        !(is_untouched(self.before) && is_untouched(self.after))
    }

    /// Returns `pass -> fail`; a missing case is `absent`.
    pub(super) fn transition(&self) -> String {
        let word = |verdict: Option<Verdict>| verdict.map_or_else(|| "absent".to_owned(), |known| known.to_string());
        format!("{} -> {}", word(self.before), word(self.after))
    }
}

/// Returns the severity of a verdict; `None` for a skipped case. An error is more severe than any judged verdict.
fn severity(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Skip => None,
        Verdict::Pass => Some(0),
        Verdict::Info => Some(1),
        Verdict::Known => Some(2),
        Verdict::Warn => Some(3),
        Verdict::Fail => Some(4),
        Verdict::Error => Some(5),
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Verdict};

    fn list_of(before: Option<Verdict>, after: Option<Verdict>) -> Option<&'static str> {
        let mut changes = Changes::default();
        changes.add("case", before, after);
        changes.lists().into_iter().find(|(_, list)| !list.is_empty()).map(|(name, _)| name)
    }

    #[test]
    fn a_graver_verdict_is_worse_and_a_lighter_one_is_fixed() {
        use Verdict::{Error, Fail, Info, Known, Pass, Warn};
        let gravest_last = [Pass, Info, Known, Warn, Fail, Error];
        for (at, before) in gravest_last.into_iter().enumerate() {
            assert_eq!(list_of(Some(before), Some(before)), None);
            for after in gravest_last.into_iter().skip(at + 1) {
                assert_eq!(list_of(Some(before), Some(after)), Some("worse"));
                assert_eq!(list_of(Some(after), Some(before)), Some("fixed"));
            }
        }
    }

    #[test]
    fn a_case_that_is_skipped_now_is_gone_and_not_fixed() {
        assert_eq!(list_of(Some(Verdict::Fail), Some(Verdict::Skip)), Some("gone"));
        assert_eq!(list_of(Some(Verdict::Skip), Some(Verdict::Fail)), Some("new"));
    }

    #[test]
    fn a_case_that_comes_or_goes_unchecked_is_no_change() {
        assert_eq!(list_of(None, Some(Verdict::Skip)), None);
        assert_eq!(list_of(Some(Verdict::Skip), None), None);
        assert_eq!(list_of(Some(Verdict::Skip), Some(Verdict::Skip)), None);
        assert_eq!(list_of(None, Some(Verdict::Pass)), Some("new"));
        assert_eq!(list_of(Some(Verdict::Pass), None), Some("gone"));
    }
}
