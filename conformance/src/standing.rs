//! Rules about any answer: what none may hold, whatever was asked. They send nothing of their own.

use crate::catalogue::Catalogue;
use crate::contract::Probe;
use crate::verdict::{Fault, Outcome};

/// Judges the cases of such rules by what the other cases of their operations were answered.
pub(crate) fn settle(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    for place in 0..catalogue.cases.len() {
        let case = &catalogue.cases[place];
        let rule = catalogue.rule(case);
        let (Some(Probe::Any), Some(expect)) = (&rule.probe, &rule.expect) else { continue };
        let id = &catalogue.operation(case).id;
        let of_operation = catalogue.cases.iter().zip(outcomes.iter());
        let answered =
            of_operation.filter(|(other, outcome)| catalogue.operation(other).id == *id && outcome.status.is_some());
        let leaks: Vec<_> = answered.map(|(_, outcome)| &outcome.leaks).collect();
        if leaks.is_empty() {
            continue;
        }
        let found = leaks.into_iter().flatten().find(|leak| expect.hides.contains(&leak.hidden));
        let judged = found.map_or_else(Outcome::pass, |leak| {
            let mut outcome = Outcome::broken(case.level, leak.finding.clone()).by(Fault::Leak);
            outcome.status = leak.exchange.status;
            outcome.exchanges = vec![leak.exchange.clone()];
            outcome
        });
        outcomes[place] = Outcome { took: outcomes[place].took, ..judged };
    }
}
