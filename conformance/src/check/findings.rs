//! What a check in a test found, as its failure shows it and as snapshots keep it.

use std::fmt;

use crate::catalogue::Side;
use crate::report::{CaseReport, Report, unvarying};
use crate::verdict::shell_word;

/// What a check found.
///
/// Its text, by `Display`, is the same in each run that finds the same: it has no times, no ports and no traffic, and is
/// fit for a snapshot. The report has all of that.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Every case.
    pub report: Report,
    /// The arguments by which the command is told of the API.
    named_by: String,
}

impl Findings {
    pub(super) fn new(report: Report, named_by: String) -> Self {
        Self { report, named_by }
    }

    /// Whether every `must` rule is kept: a case was judged, and none is broken, without a verdict, or stale among those that are
    /// known to fail.
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

    /// How a case is run alone, or understood.
    fn again(&self, case: &CaseReport) -> String {
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
        f.write_str(&unvarying(&self.report, &|case| self.again(case)))
    }
}
