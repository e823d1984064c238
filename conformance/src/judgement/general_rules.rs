//! Standing rules, which apply to all answers, whatever the request. They send no requests of their own.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::catalogue::{Case, Catalogue};
use crate::contract::{GeneralRule, Level, Probe};
use crate::judgement::verdict::{BrokenAspect, Observation, Outcome};

/// Judges the cases of standing rules by the answers to other cases of their operations: by the finding with the highest level, preferably
/// of an answer that breaks no other rule.
pub(crate) fn judge(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    let seen = ObservationIndex::of(catalogue, outcomes);
    let judged: Vec<(usize, Outcome)> = (catalogue.cases.iter().enumerate())
        .filter_map(|(place, case)| Some((place, seen.judged(catalogue, outcomes, case)?)))
        .collect();
    for (place, judged) in judged {
        outcomes[place] = Outcome { took: outcomes[place].took, ..judged };
    }
}

/// The observations by operation index: there may be thousands of operations and cases.
#[derive(Default)]
struct ObservationIndex {
    /// The operations that answered.
    answered: HashSet<usize>,
    /// The observations of their answers: the index of the case, and the index in it.
    observed: HashMap<usize, Vec<(usize, usize)>>,
}

impl ObservationIndex {
    fn of(catalogue: &Catalogue, outcomes: &[Outcome]) -> Self {
        let mut seen = Self::default();
        for (place, (case, outcome)) in catalogue.cases.iter().zip(outcomes).enumerate() {
            if outcome.status.is_some() {
                seen.answered.insert(case.operation);
            }
            for (number, observation) in outcome.observations.iter().enumerate() {
                seen.observed.entry(observation.operation).or_default().push((place, number));
            }
        }
        seen
    }

    /// Returns the outcome of a case; `None` if it is not of a standing rule, or its operation did not answer.
    fn judged(&self, catalogue: &Catalogue, outcomes: &[Outcome], case: &Case) -> Option<Outcome> {
        let rule = catalogue.rule(case);
        let expect = rule.expect.as_ref().filter(|_| rule.probe == Some(Probe::Any))?;
        let observed = self.observed.get(&case.operation).map_or(&[][..], Vec::as_slice);
        if observed.is_empty() && !self.answered.contains(&case.operation) {
            return None;
        }
        let findings = observed.iter().map(|(place, number)| (*place, &outcomes[*place].observations[*number]));
        let own = findings.filter(|(_, found)| expect.standing().any(|about| about == found.about));
        let found = own.map(|(place, found)| {
            let level = found.at_most.min(case.level);
            let is_explained = explains(&catalogue.cases[place], &outcomes[place], found.about, level);
            (is_explained, level, place, found)
        });
        let found = found.min_by_key(|(is_explained, level, place, _)| (*is_explained, Reverse(*level), *place));
        Some(found.map_or_else(Outcome::pass, |(is_explained, level, place, found)| {
            let explained_by = is_explained.then_some(place);
            Outcome { explained_by, ..broken(level, found) }
        }))
    }
}

fn broken(level: Level, found: &Observation) -> Outcome {
    let fault = match found.about {
        GeneralRule::Hides(_) => BrokenAspect::Leak,
        GeneralRule::Keeps(_) => BrokenAspect::Content,
    };
    let mut outcome = Outcome::broken(level, found.finding.clone()).by(fault);
    outcome.status = found.exchange.status;
    outcome.exchanges = vec![found.exchange.clone()];
    outcome
}

/// Returns whether a case already reports the flaw of its answer: that answer breaks it, and its level is at least as high. No case
/// explains a leak.
fn explains(case: &Case, outcome: &Outcome, about: GeneralRule, level: Level) -> bool {
    let is_by_answer = matches!(outcome.fault, Some(BrokenAspect::Status | BrokenAspect::Content));
    outcome.is_broken() && is_by_answer && case.level >= level && matches!(about, GeneralRule::Keeps(_))
}
