//! What is missing, as questions: each once, with the place of the answer and how many cases it would let be judged.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use keyfit_openapi::plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseReport, cases_of};
use crate::missing::{Answer, Missing, told};
use crate::verdict::Verdict;

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

/// What a case is skipped for, where its user can give it.
pub(super) fn open(case: &CaseReport) -> Option<&Missing> {
    case.missing.as_ref().filter(|_| case.verdict == Verdict::Skip && case.follows.is_none())
}

/// The questions of these cases, those first that would let the most be judged.
pub(super) fn of(cases: &[CaseReport]) -> Vec<QuestionReport> {
    let mut counts: BTreeMap<&Missing, usize> = BTreeMap::new();
    for missing in cases.iter().filter_map(open) {
        *counts.entry(missing).or_default() += 1;
    }
    let question = |(missing, cases): (&Missing, usize)| {
        let Missing { what, answers } = missing.clone().map(&|text| plain(text));
        QuestionReport { missing: what, answer: told(&answers), answers, cases }
    };
    let mut questions: Vec<QuestionReport> = counts.into_iter().map(question).collect();
    questions.sort_by_key(|question| Reverse(question.cases));
    questions
}

impl QuestionReport {
    /// `12 cases: add [[identity]] with ... (the tokens file names no identity ...)`.
    pub(super) fn told(&self) -> String {
        format!("{}: {} ({})", cases_of(self.cases), self.answer, self.missing)
    }
}
