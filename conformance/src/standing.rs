//! Rules about any answer: what holds of each, whatever was asked. They send nothing of their own.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::catalogue::{Case, Catalogue};
use crate::contract::{Level, Probe, Standing};
use crate::verdict::{Fault, Observation, Outcome};

/// Judges the cases of such rules by what the other cases were answered by their operations: by the most binding finding of an
/// answer that breaks no other rule, where there is one.
pub(crate) fn settle(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    let seen = Seen::of(catalogue, outcomes);
    let judged: Vec<(usize, Outcome)> = (catalogue.cases.iter().enumerate())
        .filter_map(|(place, case)| Some((place, seen.judged(catalogue, outcomes, case)?)))
        .collect();
    for (place, judged) in judged {
        outcomes[place] = Outcome { took: outcomes[place].took, ..judged };
    }
}

/// What was seen of the operations, each by its place: there may be thousands of them, and of cases.
#[derive(Default)]
struct Seen {
    /// Those that answered.
    answered: HashSet<usize>,
    /// The observations of their answers: the place of the case, and which one of it.
    observed: HashMap<usize, Vec<(usize, usize)>>,
}

impl Seen {
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

    /// What comes of a case; `None` where its rule is another one, or its operation answered nothing.
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
        Standing::Hides(_) => Fault::Leak,
        Standing::Keeps(_) => Fault::Content,
    };
    let mut outcome = Outcome::broken(level, found.finding.clone()).by(fault);
    outcome.status = found.exchange.status;
    outcome.exchanges = vec![found.exchange.clone()];
    outcome
}

/// Whether a case says already what is wrong with an answer to it: it is broken by that answer, and binds at least as much. Nothing
/// explains what an answer shows and may not.
fn explains(case: &Case, outcome: &Outcome, about: Standing, level: Level) -> bool {
    let is_by_answer = matches!(outcome.fault, Some(Fault::Status | Fault::Content));
    outcome.is_broken() && is_by_answer && case.level >= level && matches!(about, Standing::Keeps(_))
}
