//! One root cause is one finding: broken cases that one change would fix belong together, whatever their rules.
//!
//! A server that answers 403 instead of 401 breaks eight rules at each operation, and needs one change. An operation that serves all callers
//! breaks each rule about its credentials, and is one vulnerability.

mod cover;
mod text;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Case, Catalogue, Side};
use crate::contract::{Level, Probe, Rule};
use crate::judgement::verdict::{BrokenAspect, Outcome, Verdict};

pub(crate) use text::CauseText;

/// The highest number of operations with the same defect that are separate causes; more of them are one cause.
const MAX_SEPARATE_OPERATIONS: usize = 5;

/// The root cause of broken cases.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) result_kind: ResultKind,
    pub(crate) shared: CommonFactor,
    /// The indexes of its cases, in the order of the catalogue.
    pub(crate) cases: Vec<usize>,
}

/// The results of the requests, the most severe first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum ResultKind {
    /// The check could not judge them.
    Unjudged,
    /// The server stopped answering after them.
    Ended,
    /// They had no credential, or no valid one, and were served: the operation is open.
    Open,
    /// They were served instead of refused.
    Served,
    /// The answer contains a secret.
    Leaked,
    /// The server failed instead of refusing them.
    Failed,
    /// They were refused instead of served.
    Refused,
    /// They were refused with a wrong status.
    OtherStatus,
    /// The answer does not match the expectation.
    Differs,
    /// A client did not follow the rule.
    OfClient,
}

impl ResultKind {
    /// Returns the name for the id of a cause.
    fn name(self) -> &'static str {
        match self {
            Self::Unjudged => "unjudged",
            Self::Ended => "ended",
            Self::Open => "open",
            Self::Served => "served",
            Self::Leaked => "leaked",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::OtherStatus => "status",
            Self::Differs => "answer",
            Self::OfClient => "client",
        }
    }
}

/// The common property of the cases of a cause.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum CommonFactor {
    /// The index of a rule in the contract.
    Rule(usize),
    /// Indexes of operations in the document.
    Operations(Vec<usize>),
    /// The expected status, and the actual one.
    Status(u16, u16),
    /// The finding without its numbers, and the status of the answers with it.
    Finding(String, Option<u16>),
}

impl Cause {
    /// Returns the id, which distinguishes it from other causes of the API and is the same in each run.
    pub(crate) fn id(&self, catalogue: &Catalogue) -> String {
        let operation = |place: &usize| catalogue.api.operations[*place].id.clone();
        let shared = match &self.shared {
            CommonFactor::Rule(rule) => catalogue.contract.rules[*rule].id.clone(),
            CommonFactor::Operations(operations) if operations.len() == 1 => operation(&operations[0]),
            CommonFactor::Operations(_) => "many".to_owned(),
            CommonFactor::Status(due, given) => format!("{given} for {due}"),
            CommonFactor::Finding(finding, Some(status)) => format!("{status}: {finding}"),
            CommonFactor::Finding(finding, None) => finding.clone(),
        };
        format!("{}/{shared}", self.result_kind.name())
    }

    /// Returns the highest level of its rules, and the most severe verdict of its cases.
    pub(crate) fn severity(&self, catalogue: &Catalogue, outcomes: &[Outcome]) -> (Level, Verdict) {
        // The level of a finding may be lower than that of its rule.
        let bound = |place: &usize| match outcomes[*place].verdict {
            Verdict::Warn => catalogue.cases[*place].level.min(Level::Should),
            _ => catalogue.cases[*place].level,
        };
        let level = self.cases.iter().map(bound).max().unwrap_or(Level::Observe);
        // Independent of the rule.
        let level = if self.result_kind == ResultKind::Ended { Level::Must } else { level };
        let is_unjudged = self.cases.iter().any(|place| outcomes[*place].verdict == Verdict::Error);
        let is_known = self.cases.iter().all(|place| outcomes[*place].verdict == Verdict::Known);
        let verdict = match (is_unjudged, is_known) {
            (true, _) => Verdict::Error,
            (_, true) => Verdict::Known,
            _ => Verdict::broken(level),
        };
        (level, verdict)
    }

    /// Returns the example case: the first one with the highest level, preferably with an exchange.
    pub(crate) fn example(&self, catalogue: &Catalogue, outcomes: &[Outcome]) -> usize {
        let rank = |place: &usize| (Reverse(catalogue.cases[*place].level), outcomes[*place].exchanges.is_empty());
        // Each cause has a case.
        self.cases.iter().copied().min_by_key(rank).unwrap_or_default()
    }
}

/// Returns the causes of failures, warnings, and errors, the most severe first, followed by those of known failures. Each case belongs to
/// one cause.
pub(crate) fn of(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<Cause> {
    let sorter = Sorter { catalogue, outcomes };
    let mut causes = sorter.causes(|verdict| matches!(verdict, Verdict::Fail | Verdict::Warn | Verdict::Error));
    causes.extend(sorter.causes(|verdict| verdict == Verdict::Known));
    let rank = |cause: &Cause| {
        let (level, verdict) = cause.severity(catalogue, outcomes);
        (
            verdict == Verdict::Known,
            verdict != Verdict::Error,
            Reverse(level),
            cause.result_kind,
            Reverse(cause.cases.len()),
            cause.cases[0],
        )
    };
    causes.sort_by_cached_key(rank);
    causes
}

struct Sorter<'a> {
    catalogue: &'a Catalogue,
    outcomes: &'a [Outcome],
}

impl Sorter<'_> {
    /// Returns the causes of the cases with these verdicts.
    fn causes(&self, is_told: impl Fn(Verdict) -> bool) -> Vec<Cause> {
        let mut by_fate: BTreeMap<ResultKind, Vec<usize>> = BTreeMap::new();
        let open = self.open();
        for place in (0..self.outcomes.len()).filter(|place| is_told(self.outcomes[*place].verdict)) {
            by_fate.entry(self.result_kind(place, &open)).or_default().push(place);
        }
        by_fate.into_iter().flat_map(|(result_kind, cases)| self.divided(result_kind, cases)).collect()
    }

    fn divided(&self, result_kind: ResultKind, cases: Vec<usize>) -> Vec<Cause> {
        let of = |(shared, cases)| Cause { result_kind, shared, cases };
        match result_kind {
            ResultKind::Open => self
                .combine_operations(grouped(cases, |place| CommonFactor::Operations(vec![self.case(place).operation]))),
            ResultKind::Served | ResultKind::Failed => self.combine_operations(cover::cover(self.catalogue, &cases)),
            // Different statuses may have different reasons, such as missing rights and a missing resource.
            ResultKind::Refused => {
                let mut by_status: BTreeMap<Option<u16>, Vec<usize>> = BTreeMap::new();
                for place in cases {
                    by_status.entry(self.outcomes[place].status).or_default().push(place);
                }
                by_status
                    .into_values()
                    .flat_map(|cases| self.combine_operations(cover::cover(self.catalogue, &cases)))
                    .collect()
            }
            ResultKind::OtherStatus => grouped(cases, |place| self.statuses(place)),
            ResultKind::OfClient => grouped(cases, |place| CommonFactor::Rule(self.case(place).rule)),
            ResultKind::Leaked | ResultKind::Differs | ResultKind::Unjudged | ResultKind::Ended => {
                grouped(cases, |place| {
                    let outcome = &self.outcomes[place];
                    let reason = outcome.reason.as_deref().unwrap_or_default();
                    // A wrong member occurs in each success that has it: 200 for a read, 201 for a create.
                    let is_of_any = |status: u16| split_member(reason).is_some() && (200..300).contains(&status);
                    let status =
                        outcome.status.filter(|status| result_kind == ResultKind::Differs && !is_of_any(*status));
                    CommonFactor::Finding(numberless(&without_positions(reason)), status)
                })
            }
        }
        .into_iter()
        .map(of)
        .collect()
    }

    /// Returns the groups, with many operations combined into one.
    fn combine_operations(&self, groups: Vec<(CommonFactor, Vec<usize>)>) -> Vec<(CommonFactor, Vec<usize>)> {
        let is_one = |(shared, _): &(CommonFactor, Vec<usize>)| matches!(shared, CommonFactor::Operations(_));
        if groups.iter().filter(|group| is_one(group)).count() <= MAX_SEPARATE_OPERATIONS {
            return groups;
        }
        let (of_operations, mut others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_one);
        let mut cases: Vec<usize> = of_operations.into_iter().flat_map(|(_, cases)| cases).collect();
        cases.sort_unstable();
        let operations: BTreeSet<usize> = cases.iter().map(|place| self.case(*place).operation).collect();
        others.push((CommonFactor::Operations(operations.into_iter().collect()), cases));
        others
    }

    fn result_kind(&self, place: usize, open: &BTreeSet<usize>) -> ResultKind {
        let (outcome, case) = (&self.outcomes[place], self.case(place));
        if outcome.verdict == Verdict::Error {
            return ResultKind::Unjudged;
        }
        if case.side == Side::Client {
            return ResultKind::OfClient;
        }
        match (outcome.fault, outcome.status) {
            (Some(BrokenAspect::Leak), _) => ResultKind::Leaked,
            (Some(BrokenAspect::Ended), _) => ResultKind::Ended,
            (Some(BrokenAspect::Status), Some(status)) => {
                let is_served = (200..300).contains(&status);
                let is_to_be_served = self.rule(place).expect.as_ref().is_some_and(|expect| expect.success);
                match status {
                    _ if is_to_be_served && status >= 500 => ResultKind::Failed,
                    _ if is_to_be_served => ResultKind::Refused,
                    _ if is_served && open.contains(&case.operation) && self.is_about_credentials(place) => {
                        ResultKind::Open
                    }
                    _ if is_served => ResultKind::Served,
                    500.. => ResultKind::Failed,
                    _ => ResultKind::OtherStatus,
                }
            }
            _ => ResultKind::Differs,
        }
    }

    /// Returns the operations that serve callers without a credential.
    fn open(&self) -> BTreeSet<usize> {
        let is_open = |place: &usize| {
            let (outcome, rule) = (&self.outcomes[*place], self.rule(*place));
            let is_broken = matches!(outcome.verdict, Verdict::Fail | Verdict::Warn | Verdict::Known);
            let is_served = outcome.status.is_some_and(|status| (200..300).contains(&status));
            is_broken && is_served && outcome.fault == Some(BrokenAspect::Status) && rule.probe == Some(Probe::NoToken)
        };
        let open = (0..self.outcomes.len()).filter(is_open);
        open.map(|place| self.case(place).operation).collect()
    }

    fn is_about_credentials(&self, place: usize) -> bool {
        self.rule(place).probe.as_ref().is_some_and(Probe::needs_required_credential)
    }

    fn statuses(&self, place: usize) -> CommonFactor {
        let due = self.rule(place).expect.as_ref().and_then(|expect| expect.status.first().copied());
        CommonFactor::Status(due.unwrap_or_default(), self.outcomes[place].status.unwrap_or_default())
    }

    fn case(&self, place: usize) -> &Case {
        &self.catalogue.cases[place]
    }

    fn rule(&self, place: usize) -> &Rule {
        self.catalogue.rule(self.case(place))
    }
}

fn grouped(cases: Vec<usize>, by: impl Fn(usize) -> CommonFactor) -> Vec<(CommonFactor, Vec<usize>)> {
    let mut groups: BTreeMap<CommonFactor, Vec<usize>> = BTreeMap::new();
    for place in cases {
        groups.entry(by(place)).or_default().push(place);
    }
    groups.into_iter().collect()
}

/// Returns a finding without the parts that differ between answers with the same defect: the position of the member in the body.
fn without_positions(finding: &str) -> String {
    let Some((before, pointer, rest)) = split_member(finding) else { return finding.to_owned() };
    let named = pointer.rsplit('/').find(|segment| segment.parse::<usize>().is_err());
    format!("{before}`{}` {rest}", named.unwrap_or("an entry"))
}

/// Splits a finding about a member: the text before its JSON pointer, the pointer without its first slash, and the rest.
fn split_member(finding: &str) -> Option<(&str, &str, &str)> {
    const SEPARATOR: &str = ": /";
    let start = if finding.starts_with('/') { 0 } else { finding.find(SEPARATOR)? + SEPARATOR.len() - 1 };
    let (pointer, rest) = finding[start + 1..].split_once(' ')?;
    Some((&finding[..start], pointer, rest))
}

/// Returns a finding with all numbers replaced by 0: counts and times differ between answers.
fn numberless(finding: &str) -> String {
    let mut texts = String::with_capacity(finding.len());
    for character in finding.chars() {
        match character.is_ascii_digit() {
            true if texts.ends_with('0') => {}
            true => texts.push('0'),
            false => texts.push(character),
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keyfit_openapi::Source;

    use super::*;

    fn shop() -> Catalogue {
        let shop = Source::from_dir(Path::new("tests/fixtures/apis/shop")).expect("the fixture is there");
        Catalogue::read(&shop).expect("it can be read")
    }

    /// Returns the causes if the cases of these patterns are answered with a status or broken by a finding.
    fn causes(broken: &[(&str, Result<u16, &str>)]) -> Vec<String> {
        let catalogue = shop();
        let outcome = |case: &Case| {
            let found = broken.iter().find(|(pattern, _)| crate::text::glob::matches(pattern, &case.id));
            found.map_or_else(Outcome::pass, |(_, found)| match found {
                Ok(status) => Outcome {
                    status: Some(*status),
                    ..Outcome::broken(case.level, format!("the status is {status}")).by(BrokenAspect::Status)
                },
                Err(finding) => Outcome { status: Some(200), ..Outcome::broken(case.level, *finding) },
            })
        };
        let outcomes: Vec<Outcome> = catalogue.cases.iter().map(outcome).collect();
        let texts = |cause: Cause| {
            let CauseText { title, .. } = cause.words(&catalogue, &outcomes);
            format!("{}: {title}", cause.cases.len())
        };
        of(&catalogue, &outcomes).into_iter().map(texts).collect()
    }

    #[test]
    fn one_status_for_another_is_one_cause_over_all_rules_and_operations() {
        let texts = causes(&[("shop/auth/*-token/*", Ok(403))]);
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].ends_with("403 is answered where 401 is due"), "{texts:?}");
        let both = causes(&[("shop/auth/no-token/*", Ok(403)), ("shop/auth/unknown-token/*", Ok(404))]);
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn an_operation_that_is_open_is_one_cause() {
        let texts = causes(&[("shop/auth/*-token/order-list", Ok(200))]);
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].contains("GET /shops/{shop}/orders is served without a credential"), "{texts:?}");
        let many = causes(&[("shop/auth/*-token/*", Ok(200))]);
        assert_eq!(many.len(), 1, "{many:?}");
        assert!(many[0].contains("operations are served without a credential"), "{many:?}");
    }

    #[test]
    fn what_is_let_in_everywhere_is_one_cause_and_so_is_where_everything_is() {
        let everywhere = causes(&[("shop/auth/expired-token/*", Ok(200))]);
        assert_eq!(everywhere.len(), 1, "{everywhere:?}");
        let both = causes(&[("shop/auth/expired-token/*", Ok(200)), ("shop/error/*/customer-push", Ok(500))]);
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn a_member_that_is_wrong_in_many_answers_is_one_cause() {
        let texts = causes(&[
            ("shop/auth/accepted/order-list", Err("/items/0/price is null where number is asked for")),
            ("shop/auth/accepted/order-get", Err("/price is null where number is asked for")),
            ("shop/auth/accepted/product-list", Err("/0/name is null where string is asked for")),
            ("shop/auth/accepted/product-get", Err("the body of a 200 does not fit the document: /0/size is null")),
            ("shop/auth/accepted/product-create", Err("the body of a 201 does not fit the document: /size is null")),
            ("shop/rate/costs-one/order-list", Err("7 calls are left")),
            ("shop/rate/costs-one/order-get", Err("16 calls are left")),
            ("shop/rate/costs-one/product-list", Err("8 calls are left")),
        ]);
        assert_eq!(
            texts,
            [
                "3: 8 calls are left, in answers of status 200",
                "2: the body of a 201 does not fit the document: `size` is null",
                "2: `price` is null where number is asked for",
                "1: `name` is null where string is asked for"
            ]
        );
    }
}
