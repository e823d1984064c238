//! What is missing, as questions: each once, with the place of the answer and how many cases it would let be judged.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use keyfit_openapi::plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseReport, cases_of};
use crate::verdict::Verdict;

/// The words with which the reason of a skipped case says what to give for it to be judged.
const ANSWERS: [&str; 3] = [": add ", ": pass ", ": say "];

/// Something that is missing.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct QuestionReport {
    /// What is missing.
    pub missing: String,
    /// What to give, and where: an entry of the tokens file, an option, a line of the overlay.
    pub answer: String,
    /// How many cases that would let be judged, as far as this run knows.
    pub cases: usize,
}

/// Splits the reason of a skipped case into what is missing and what to give; none where nobody can give it.
pub(super) fn split(reason: &str) -> Option<(&str, &str)> {
    let at = ANSWERS.iter().filter_map(|word| reason.rfind(word)).max()?;
    Some((&reason[..at], &reason[at + 2..]))
}

/// Whether a case is skipped for something that its user can give.
pub(super) fn is_open(case: &CaseReport) -> bool {
    case.verdict == Verdict::Skip && case.follows.is_none() && split(case.why()).is_some()
}

/// The questions of these cases, those first that would let the most be judged.
pub(super) fn of(cases: &[CaseReport]) -> Vec<QuestionReport> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for case in cases.iter().filter(|case| is_open(case)) {
        *counts.entry(split(case.why()).unwrap_or_default()).or_default() += 1;
    }
    let question = |((missing, answer), cases): ((&str, &str), usize)| QuestionReport {
        missing: plain(missing),
        answer: plain(answer),
        cases,
    };
    let mut questions: Vec<QuestionReport> = counts.into_iter().map(question).collect();
    questions.sort_by_key(|question| Reverse(question.cases));
    questions
}

impl QuestionReport {
    /// `12 cases: add [[identity]] with ...: the tokens file names no identity ...`.
    pub(super) fn told(&self) -> String {
        format!("{}: {} ({})", cases_of(self.cases), self.answer, self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_question_is_what_somebody_can_answer() {
        let of = |reason| split(reason).map(|(_, answer)| answer);
        assert_eq!(of("it writes: pass --allow-writes"), Some("pass --allow-writes"));
        assert_eq!(of("the tokens file names no id `a: b`: add one under [ids]"), Some("add one under [ids]"));
        assert_eq!(of("no request tells it from `a`, which is checked in its place"), None);
    }
}
