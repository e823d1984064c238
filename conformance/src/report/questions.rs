//! The missing inputs as questions: each once, with the place of the answer and the number of cases that it would enable.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use keyfit_openapi::plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseReport, cases_of};
use crate::judgement::missing::{Answer, Missing, answers_text};
use crate::judgement::verdict::Verdict;

/// Something that is missing.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct QuestionReport {
    /// What is missing.
    pub missing: String,
    /// What to give, and where, in words.
    pub answer: String,
    /// The same as data: any of these will do.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// How many cases that would let be judged, as far as this run knows.
    pub cases: usize,
}

/// Returns the missing input for which a case is skipped, if its user can provide it.
pub(super) fn open(case: &CaseReport) -> Option<&Missing> {
    case.missing.as_ref().filter(|_| case.verdict == Verdict::Skip && case.follows.is_none())
}

/// Returns the questions of these cases. Those that would enable the most cases come first.
pub(super) fn of(cases: &[CaseReport]) -> Vec<QuestionReport> {
    let mut counts: BTreeMap<&Missing, usize> = BTreeMap::new();
    for missing in cases.iter().filter_map(open) {
        *counts.entry(missing).or_default() += 1;
    }
    let question = |(missing, cases): (&Missing, usize)| {
        let Missing { what, answers } = missing.clone().map(&|text| plain(text));
        QuestionReport { missing: what, answer: answers_text(&answers), answers, cases }
    };
    let mut questions: Vec<QuestionReport> = counts.into_iter().map(question).collect();
    questions.sort_by_key(|question| Reverse(question.cases));
    questions
}

impl QuestionReport {
    /// Returns `12 cases: add [[identity]] with ... (the tokens file names no identity ...)`.
    pub(super) fn summary(&self) -> String {
        format!("{}: {} ({})", cases_of(self.cases), self.answer, self.missing)
    }
}
