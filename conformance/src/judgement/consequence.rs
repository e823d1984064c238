//! One defect is one finding: a rule counts as not reached if a rule that it depends on is broken.
//!
//! A server that accepts calls without a token sends no refusal, and so no challenge. That is one defect, which the rule about tokens
//! reports; the rule about challenges has nothing to judge.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::catalogue::{Case, Catalogue};
use crate::contract::{Expect, Probe, Rule};
use crate::judgement::verdict::{BrokenAspect, Outcome, Verdict};

/// Withdraws the verdict on each case that depends on a broken rule, in the order of the catalogue's cases.
///
/// A rule depends on the rules that it names, if they are broken in the same way: by the status, or by the rest of the answer. Of several
/// rules that send the same request, one judges the status: the one with the highest level, and of equal ones preferably one that judges
/// nothing else. A rule about all answers does not apply to an answer that breaks another rule. The level of the other rule is at least
/// as high, so that a failure is never hidden by a lesser one.
pub(crate) fn withdraw_consequences(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    let broken = FailureIndex::of(catalogue, outcomes);
    let roots: Vec<Option<&Rule>> = (0..catalogue.cases.len()).map(|place| broken.root(place)).collect();
    for (outcome, root) in outcomes.iter_mut().zip(roots) {
        if let (Some(root), Some(finding)) = (root, &outcome.reason) {
            outcome.reason = Some(format!("not reached, since `{}` is broken: {finding}", root.id));
            outcome.verdict = Verdict::Skip;
            outcome.follows = Some(root.id.clone());
        }
    }
    for place in 0..catalogue.cases.len() {
        refused_anyway(catalogue, outcomes, place);
        stopped(catalogue, outcomes, place);
    }
}

/// Names the rule that stopped a case early: a broken one at the same operation that it depends on.
fn stopped(catalogue: &Catalogue, outcomes: &mut [Outcome], place: usize) {
    let outcome = &outcomes[place];
    if outcome.verdict != Verdict::Skip || outcome.requests == 0 || outcome.follows.is_some() {
        return;
    }
    let case = &catalogue.cases[place];
    let presumed = (catalogue.contract.rules.iter().enumerate())
        .filter(|(_, other)| catalogue.rule(case).presumes.contains(&other.id));
    // Another operation creates the resource that is changed or removed.
    let is_of_chain = matches!(catalogue.rule(case).probe, Some(Probe::Chain(_)));
    let here = Some(case.operation).filter(|_| !is_of_chain);
    let mut cases = presumed.flat_map(|(rule, _)| catalogue.places(rule, here));
    let Some(root) = cases.find(|other| outcomes[*other].is_broken()) else { return };
    let root = catalogue.rule(&catalogue.cases[root]).id.clone();
    let outcome = &mut outcomes[place];
    outcome.reason = outcome.reason.take().map(|why| format!("not reached, since `{root}` is broken: {why}"));
    outcome.follows = Some(root);
}

/// Withdraws a pass without evidence: the refusal of a flawed request may have the same reason as that of a valid one.
fn refused_anyway(catalogue: &Catalogue, outcomes: &mut [Outcome], place: usize) {
    let case = &catalogue.cases[place];
    let rule = catalogue.rule(case);
    let is_of_refusals = matches!(rule.probe, Some(Probe::Invalid(flaw)) if flaw.constraint().is_some());
    if outcomes[place].verdict != Verdict::Pass || !is_of_refusals {
        return;
    }
    let presumed = catalogue.contract.rules.iter().enumerate().filter(|(_, other)| rule.presumes.contains(&other.id));
    let valid = presumed.filter(|(_, other)| other.probe == Some(Probe::Valid));
    let refused = valid.flat_map(|(index, _)| catalogue.places(index, Some(case.operation))).find(|valid| {
        let Outcome { fault, status, .. } = &outcomes[*valid];
        *fault == Some(BrokenAspect::Status) && matches!(status, Some(400 | 422))
    });
    if let Some(valid) = refused {
        let root = catalogue.rule(&catalogue.cases[valid]).id.clone();
        let outcome = &mut outcomes[place];
        outcome.reason = Some(format!("not reached, since `{root}` is broken: a valid request is refused as well"));
        (outcome.verdict, outcome.follows) = (Verdict::Skip, Some(root));
    }
}

struct FailureIndex<'a, 'o> {
    catalogue: &'a Catalogue,
    outcomes: &'o [Outcome],
    /// The indexes of the rules in the contract, by id.
    rules: HashMap<&'a str, usize>,
    /// The indexes of the rules by their probe.
    senders: HashMap<&'a Probe, Vec<usize>>,
}

impl<'a, 'o> FailureIndex<'a, 'o> {
    fn of(catalogue: &'a Catalogue, outcomes: &'o [Outcome]) -> Self {
        let mut senders: HashMap<&Probe, Vec<usize>> = HashMap::new();
        let mut rules = HashMap::new();
        for (place, rule) in catalogue.contract.rules.iter().enumerate() {
            rules.insert(rule.id.as_str(), place);
            if let Some(probe) = &rule.probe {
                senders.entry(probe).or_default().push(place);
            }
        }
        Self { catalogue, outcomes, rules, senders }
    }

    /// Returns the rule that is broken instead of that of the case: the last one in a chain of dependencies, and in a cycle the first one of
    /// the catalogue.
    fn root(&self, place: usize) -> Option<&'a Rule> {
        let mut way = vec![place];
        let mut last = place;
        while let Some(next) =
            self.broken_dependency(last).or_else(|| self.same_status(last)).or(self.outcomes[last].explained_by)
        {
            if let Some(begin) = way.iter().position(|known| *known == next) {
                last = way[begin..].iter().copied().min().unwrap_or(last);
                break;
            }
            way.push(next);
            last = next;
        }
        (last != place).then(|| self.rule(last))
    }

    /// Returns a broken case of a rule that this one names. Contracts have no cycles of names.
    fn broken_dependency(&self, place: usize) -> Option<usize> {
        self.is_broken(place).then_some(())?;
        // A warning never hides a failure, whatever the levels of the rules.
        let is_as_grave = |other: usize| self.outcomes[other].verdict <= self.outcomes[place].verdict;
        let binds = |other: &usize| self.case(*other).level >= self.case(place).level && is_as_grave(*other);
        self.rule(place).presumes.iter().find_map(|id| {
            let rule = *self.rules.get(id.as_str())?;
            let here = self.catalogue.places(rule, Some(self.case(place).operation));
            // A step before it is a call of another operation.
            let is_elsewhere = here.is_empty() || self.outcomes[place].fault == Some(BrokenAspect::Step);
            let mut candidates = if is_elsewhere { self.catalogue.places(rule, None) } else { here };
            candidates.find(|other| self.is_alike(*other, place) && binds(other))
        })
    }

    /// Returns the case that judges the status of the same request.
    fn same_status(&self, place: usize) -> Option<usize> {
        let own = &self.outcomes[place];
        (self.is_broken(place) && own.fault == Some(BrokenAspect::Status)).then_some(())?;
        // A case that found a leak in the answer did not judge its status.
        let has_other = |place: usize| {
            let Outcome { fault, status, .. } = self.outcomes[place];
            let is_leak = fault == Some(BrokenAspect::Leak) && status == own.status && self.asks_for_status(place);
            self.is_broken(place) && (is_leak || fault == Some(BrokenAspect::Status))
        };
        let rules = self.senders.get(self.rule(place).probe.as_ref()?)?;
        let same = rules.iter().flat_map(|rule| self.catalogue.places(*rule, Some(self.case(place).operation)));
        // A case that depends on another one is not a judge.
        let judges = same.filter(|other| has_other(*other) && self.broken_dependency(*other).is_none());
        let about_more = |other: usize| self.rule(other).expect.as_ref().is_some_and(Expect::is_about_more);
        let judge = judges.min_by_key(|other| (Reverse(self.case(*other).level), about_more(*other), *other))?;
        (judge != place && self.case(judge).level >= self.case(place).level).then_some(judge)
    }

    /// Returns whether the other case is broken in the same way: both served, both refused, both failed, or both with flawed content. A status
    /// that is compared with another answer may be either of the two.
    fn is_alike(&self, place_of_other: usize, place: usize) -> bool {
        let (other, own) = (&self.outcomes[place_of_other], &self.outcomes[place]);
        let is_alike = || match (other.fault, own.fault) {
            (Some(BrokenAspect::Leak), fault) | (fault, Some(BrokenAspect::Leak)) => fault == Some(BrokenAspect::Leak),
            (Some(BrokenAspect::Step), _) | (_, Some(BrokenAspect::Step)) => true,
            (Some(BrokenAspect::Status), Some(BrokenAspect::Status)) => {
                let compares = self.rule(place).expect.as_ref().is_some_and(|expect| expect.same_as.is_some());
                compares || status_class(other.status) == status_class(own.status)
            }
            (other, own) => other == own,
        };
        self.is_broken(place_of_other) && is_alike()
    }

    fn asks_for_status(&self, place: usize) -> bool {
        self.rule(place).expect.as_ref().is_some_and(Expect::asks_for_status)
    }

    fn is_broken(&self, place: usize) -> bool {
        self.outcomes[place].is_broken()
    }

    fn case(&self, place: usize) -> &'a Case {
        &self.catalogue.cases[place]
    }

    fn rule(&self, place: usize) -> &'a Rule {
        self.catalogue.rule(self.case(place))
    }
}

/// The result that a status indicates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum StatusClass {
    Served,
    Refused,
    Failed,
}

fn status_class(status: Option<u16>) -> Option<StatusClass> {
    Some(match status? {
        401 | 403 | 429 => StatusClass::Refused,
        500.. => StatusClass::Failed,
        _ => StatusClass::Served,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keyfit_openapi::Source;

    use super::*;
    use crate::contract::Level;

    /// Returns the verdicts on cases of the fixture if these are broken.
    fn judged_outcomes(broken: &[(&str, Level, BrokenAspect)]) -> Vec<(String, Verdict, Option<String>)> {
        let shop = Source::from_dir(Path::new("tests/fixtures/apis/shop")).expect("the fixture is there");
        let mut catalogue = Catalogue::read(&shop).expect("it can be read");
        for (id, level, _) in broken {
            let case = catalogue.cases.iter_mut().find(|case| case.id == *id);
            case.unwrap_or_else(|| panic!("{id} is no case")).level = *level;
        }
        let outcome = |case: &Case| match broken.iter().find(|(id, ..)| *id == case.id) {
            Some((_, level, fault)) => Outcome { status: Some(200), ..Outcome::broken(*level, "finding").by(*fault) },
            None => Outcome::pass(),
        };
        let mut outcomes: Vec<Outcome> = catalogue.cases.iter().map(outcome).collect();
        withdraw_consequences(&catalogue, &mut outcomes);
        let texts = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.reason.is_some());
        texts.map(|(case, outcome)| (case.id.clone(), outcome.verdict, outcome.follows)).collect()
    }

    fn entry(id: &str, verdict: Verdict, follows: Option<&str>) -> (String, Verdict, Option<String>) {
        (id.to_owned(), verdict, follows.map(str::to_owned))
    }

    const NO_TOKEN: &str = "shop/auth/no-token/order-list";
    const CHALLENGE: &str = "shop/auth/challenge/order-list";
    const QUERY: &str = "shop/auth/query-token/order-list";

    #[test]
    fn of_two_that_explain_each_other_one_stays() {
        let shop = Source::from_dir(Path::new("tests/fixtures/apis/shop")).expect("the fixture is there");
        let catalogue = Catalogue::read(&shop).expect("it can be read");
        let mut outcomes: Vec<Outcome> = catalogue.cases.iter().map(|_| Outcome::pass()).collect();
        for (one, other) in [(0, 1), (1, 0), (2, 1)] {
            let broken = Outcome::broken(Level::Must, "finding").by(BrokenAspect::Content);
            outcomes[one] = Outcome { explained_by: Some(other), ..broken };
        }
        withdraw_consequences(&catalogue, &mut outcomes);
        let verdicts: Vec<Verdict> = outcomes[..3].iter().map(|outcome| outcome.verdict).collect();
        assert_eq!(verdicts, [Verdict::Fail, Verdict::Skip, Verdict::Skip]);
    }

    #[test]
    fn the_status_of_one_answer_is_judged_once() {
        let both = judged_outcomes(&[
            (NO_TOKEN, Level::Must, BrokenAspect::Status),
            (CHALLENGE, Level::Must, BrokenAspect::Status),
        ]);
        let root = Some("shop.auth.no-token");
        assert_eq!(both, [entry(NO_TOKEN, Verdict::Fail, None), entry(CHALLENGE, Verdict::Skip, root)]);
        let alone = judged_outcomes(&[(CHALLENGE, Level::Must, BrokenAspect::Status)]);
        assert_eq!(alone, [entry(CHALLENGE, Verdict::Fail, None)]);
    }

    #[test]
    fn a_rule_follows_what_it_presumes_only_where_both_are_broken_in_the_same_way() {
        let alike = judged_outcomes(&[
            (NO_TOKEN, Level::Must, BrokenAspect::Status),
            (QUERY, Level::Must, BrokenAspect::Status),
        ]);
        let root = Some("shop.auth.no-token");
        assert_eq!(alike, [entry(NO_TOKEN, Verdict::Fail, None), entry(QUERY, Verdict::Skip, root)]);
        let other = judged_outcomes(&[
            (NO_TOKEN, Level::Must, BrokenAspect::Content),
            (QUERY, Level::Must, BrokenAspect::Status),
        ]);
        assert_eq!(other, [entry(NO_TOKEN, Verdict::Fail, None), entry(QUERY, Verdict::Fail, None)]);
        let elsewhere = judged_outcomes(&[
            ("shop/auth/no-token/product-list", Level::Must, BrokenAspect::Status),
            (QUERY, Level::Must, BrokenAspect::Status),
        ]);
        assert!(elsewhere.contains(&entry(QUERY, Verdict::Fail, None)), "{elsewhere:?}");
    }

    #[test]
    fn a_leak_follows_from_nothing() {
        for fault in [BrokenAspect::Status, BrokenAspect::Content, BrokenAspect::Step] {
            let found = judged_outcomes(&[(NO_TOKEN, Level::Must, fault), (QUERY, Level::Must, BrokenAspect::Leak)]);
            assert!(found.contains(&entry(QUERY, Verdict::Fail, None)), "{fault:?}: {found:?}");
        }
    }

    #[test]
    fn who_is_let_in_is_not_explained_by_who_is_kept_out() {
        assert_eq!(status_class(Some(200)), status_class(Some(404)));
        assert_eq!(status_class(Some(401)), status_class(Some(403)));
        assert_ne!(status_class(Some(200)), status_class(Some(401)));
        assert_ne!(status_class(Some(200)), status_class(Some(500)));
    }

    #[test]
    fn what_binds_less_hides_nothing() {
        for hidden in [CHALLENGE, QUERY] {
            let found = judged_outcomes(&[
                (NO_TOKEN, Level::Observe, BrokenAspect::Status),
                (hidden, Level::Must, BrokenAspect::Status),
            ]);
            assert!(found.contains(&entry(hidden, Verdict::Fail, None)), "{found:?}");
        }
    }
}
