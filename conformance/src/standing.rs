//! Rules about any answer: what none may hold, whatever was asked. They send nothing of their own.

use std::collections::HashMap;

use crate::catalogue::Catalogue;
use crate::contract::Probe;
use crate::verdict::{Fault, Outcome};

/// Judges the cases of such rules by what the other cases of their operations were answered.
pub(crate) fn settle(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    // By operation: each has such a case, and there may be thousands of both.
    let mut answered: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, (case, outcome)) in catalogue.cases.iter().zip(outcomes.iter()).enumerate() {
        if outcome.status.is_some() {
            answered.entry(case.operation).or_default().push(place);
        }
    }
    for (place, case) in catalogue.cases.iter().enumerate() {
        let rule = catalogue.rule(case);
        let (Some(Probe::Any), Some(expect)) = (&rule.probe, &rule.expect) else { continue };
        let Some(answered) = answered.get(&case.operation) else { continue };
        let mut leaks = answered.iter().flat_map(|answered| &outcomes[*answered].leaks);
        let found = leaks.find(|leak| expect.hides.contains(&leak.hidden));
        let judged = found.map_or_else(Outcome::pass, |leak| {
            let mut outcome = Outcome::broken(case.level, leak.finding.clone()).by(Fault::Leak);
            outcome.status = leak.exchange.status;
            outcome.exchanges = vec![leak.exchange.clone()];
            outcome
        });
        outcomes[place] = Outcome { took: outcomes[place].took, ..judged };
    }
}
