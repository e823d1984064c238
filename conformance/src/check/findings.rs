//! The findings of a check in a test, for failure messages and snapshots.

use std::fmt;

use crate::catalogue::Side;
use crate::judgement::verdict::shell_word;
use crate::report::{CaseReport, Report, unvarying};

/// The findings of a check.
///
/// The `Display` text is the same in each run with the same findings: it contains no times, ports, or traffic, and is suitable for a
/// snapshot. The report contains all of that.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The report on all cases.
    pub report: Report,
    /// The arguments of the command that select the API.
    named_by: String,
}

impl Findings {
    pub(super) fn new(report: Report, named_by: String) -> Self {
        Self { report, named_by }
    }

    /// Returns whether the contract is kept: at least one case was judged, no `must` rule is broken, no case is without a verdict, and no known
    /// failure is stale.
    pub fn passed(&self) -> bool {
        let totals = self.report.totals;
        totals.fail == 0 && totals.error == 0 && totals.skip < totals.all() && self.report.stale.is_empty()
    }

    /// Panics with the text unless [`passed`](Self::passed).
    ///
    /// # Panics
    /// If a `must` rule is broken, a known failure is stale, a case could not be judged, or none was run.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.passed(), "the contract is not kept\n\n{self}");
    }

    /// Returns how to run a case alone, or how to learn about its rule.
    fn rerun_help(&self, case: &CaseReport) -> String {
        let Self { named_by, .. } = self;
        match case.side {
            Side::Server => format!("again: keyfit check {named_by} --case {}", shell_word(&case.id)),
            // The command does not have the client of this test.
            Side::Client => {
                format!(
                    "again: .only({:?}) in this test; why: keyfit rule {named_by} {}",
                    case.id,
                    shell_word(&case.rule)
                )
            }
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unvarying(&self.report, &|case| self.rerun_help(case)))
    }
}
