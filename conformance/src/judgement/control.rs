//! Controls: a refusal is evidence only if a valid call is served, so each rule about a bad call has a valid one as its control.
//!
//! A server that refuses all calls passes each rule about refused credentials without any evidence. If a live server refuses a credential
//! in all calls, the credential is wrong, and no rule is broken.

use std::collections::BTreeMap;

use crate::catalogue::{Case, Catalogue};
use crate::contract::{Probe, Rule};
use crate::judgement::verdict::{BrokenAspect, Outcome, Verdict};

/// Withdraws verdicts without evidence.
pub(crate) fn withdraw_unproven(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    harness(catalogue, outcomes);
    skip_unproven(catalogue, outcomes);
}

/// Skips passed refusals of operations whose valid calls are refused as well.
fn skip_unproven(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    let mut controls: BTreeMap<usize, Option<(&Rule, u16, bool)>> = BTreeMap::new();
    for (case, outcome) in valid(catalogue, outcomes) {
        let Some(status) = outcome.status else { continue };
        let is_open = outcome.verdict == Verdict::Skip;
        let refused =
            (is_refusal(status) && outcome.verdict != Verdict::Pass).then(|| (catalogue.rule(case), status, is_open));
        // One served call is a sufficient control.
        let control = controls.entry(case.operation).or_insert(refused);
        *control = control.and(refused);
    }
    for (case, outcome) in catalogue.cases.iter().zip(outcomes) {
        let Some(Some((root, refused, is_open))) = controls.get(&case.operation) else { continue };
        // The flaw of the valid call may affect this one as well. If it is a finding, it is the only one.
        let is_alike = outcome.fault == Some(BrokenAspect::Status) && outcome.status == Some(*refused);
        if *is_open && is_alike && outcome.verdict != Verdict::Pass {
            outcome.verdict = Verdict::Skip;
            outcome.reason = Some(format!("a valid call is answered {refused} as well, and it is open why"));
            outcome.follows = Some(root.id.clone());
            continue;
        }
        let is_passed = outcome.verdict == Verdict::Pass && outcome.status.is_some_and(is_refusal);
        if is_passed && catalogue.rule(case).probe.as_ref().is_some_and(|probe| is_in_doubt(probe, outcome, *refused)) {
            outcome.verdict = Verdict::Skip;
            outcome.reason = Some(format!("the refusal proves nothing: a valid call is answered {refused} as well"));
            outcome.follows = Some(root.id.clone());
        }
    }
}

/// Returns whether a refusal may have another reason than the flaw of the call.
fn is_in_doubt(probe: &Probe, outcome: &Outcome, refused: u16) -> bool {
    match probe {
        Probe::Foreign(_) | Probe::UnknownId(_) => outcome.status == Some(refused),
        // If all callers are refused, the credential may not have been checked.
        probe => matches!(refused, 401 | 403) && probe.needs_required_credential() && !probe.is_without_token(),
    }
}

/// Detects wrong inputs of the check: all valid calls with a credential are refused as unauthorized, or all valid calls get a 404.
fn harness(catalogue: &Catalogue, outcomes: &mut [Outcome]) {
    let mut by_identity: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    for (_, outcome) in valid(catalogue, outcomes) {
        if let (Some(identity), Some(status)) = (outcome.identity.as_deref(), outcome.status) {
            by_identity.entry(identity).or_default().push(status);
        }
    }
    let is_elsewhere = !by_identity.is_empty() && by_identity.values().flatten().all(|status| *status == 404);
    let mut reasons: BTreeMap<String, (u16, String)> = BTreeMap::new();
    for (identity, statuses) in by_identity {
        let status = statuses[0];
        let count = match statuses.len() {
            1 => "at the one operation that was called".to_owned(),
            count => format!("at {count} operations"),
        };
        let is_same = statuses.iter().all(|other| *other == status);
        let why = if is_elsewhere {
            format!(
                "every valid call is answered 404, {count}: does the base URL lack a path, such as /v1, or are the ids of the tokens file not there?"
            )
        } else if is_same && matches!(status, 401 | 403) && !identity.is_empty() {
            let cause = match status {
                403 => "was it given no right or scope, or is its secret out of date?",
                _ => "is its secret out of date, or of another environment?",
            };
            format!("the identity `{identity}` is refused everywhere with {status}, {count}: {cause}")
        } else {
            continue;
        };
        reasons.insert(identity.to_owned(), (status, why));
    }
    for (case, outcome) in catalogue.cases.iter().zip(outcomes) {
        let probe = catalogue.rule(case).probe.as_ref();
        // Other probes send no credential, or a wrong one on purpose.
        let is_valid =
            probe.is_some_and(|probe| !probe.needs_required_credential() || matches!(probe, Probe::Foreign(_)));
        let reason = outcome.identity.as_ref().filter(|_| is_valid).and_then(|identity| reasons.get(identity));
        let Some((_, why)) = reason.filter(|(status, _)| is_broken_by(outcome, *status)) else { continue };
        outcome.verdict = Verdict::Error;
        outcome.reason = Some(why.clone());
    }
}

fn is_broken_by(outcome: &Outcome, status: u16) -> bool {
    outcome.is_broken() && outcome.fault == Some(BrokenAspect::Status) && outcome.status == Some(status)
}

/// Returns the valid calls that were answered.
fn valid<'a>(catalogue: &'a Catalogue, outcomes: &'a [Outcome]) -> impl Iterator<Item = (&'a Case, &'a Outcome)> {
    let is_valid = |case: &Case| {
        let rule = catalogue.rule(case);
        rule.probe == Some(Probe::Valid) && rule.expect.as_ref().is_some_and(|expect| expect.success)
    };
    let cases = catalogue.cases.iter().zip(outcomes);
    cases.filter(move |(case, outcome)| outcome.status.is_some() && is_valid(case))
}

fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keyfit_openapi::Source;

    use super::*;
    use crate::text::glob;

    /// Returns the verdicts on the shop fixture if `identity` gets these answers to valid calls, and all other calls get the right ones.
    fn judged_outcomes(identity: Option<&str>, answers: &[(&str, u16)]) -> Vec<(String, Verdict, String)> {
        let shop = Source::from_dir(Path::new("tests/fixtures/apis/shop")).expect("the fixture is there");
        let catalogue = Catalogue::read(&shop).expect("it can be read");
        let outcome = |case: &Case| {
            let Some(expect) = &catalogue.rule(case).expect else { return Outcome::pass() };
            let right = if expect.success { 200 } else { expect.status.first().copied().unwrap_or(200) };
            let is_valid = catalogue.rule(case).probe == Some(Probe::Valid);
            let operation = &catalogue.operation(case).id;
            let given = answers.iter().find(|(pattern, _)| is_valid && glob::matches(pattern, operation));
            let status = given.map_or(right, |(_, status)| *status);
            let outcome = if status == right {
                Outcome::pass()
            } else {
                Outcome::broken(case.level, format!("the status is {status}")).by(BrokenAspect::Status)
            };
            Outcome { status: Some(status), identity: identity.map(str::to_owned), ..outcome }
        };
        let mut outcomes: Vec<Outcome> = catalogue.cases.iter().map(outcome).collect();
        withdraw_unproven(&catalogue, &mut outcomes);
        let texts = catalogue.cases.iter().zip(outcomes).filter(|(_, outcome)| outcome.reason.is_some());
        texts.map(|(case, outcome)| (case.id.clone(), outcome.verdict, outcome.reason.unwrap_or_default())).collect()
    }

    #[test]
    fn a_refusal_proves_nothing_where_a_valid_call_is_refused_too() {
        let texts = judged_outcomes(None, &[("order-list", 401)]);
        let verdict = |id: &str| texts.iter().find(|(known, ..)| known == id).map(|(_, verdict, _)| *verdict);
        assert_eq!(verdict("shop/auth/accepted/order-list"), Some(Verdict::Fail), "{texts:?}");
        assert_eq!(verdict("shop/auth/revoked-token/order-list"), Some(Verdict::Skip), "{texts:?}");
        assert_eq!(verdict("shop/auth/no-token/order-list"), None, "who shows nothing is refused rightly: {texts:?}");
        assert_eq!(verdict("shop/auth/revoked-token/product-list"), None, "{texts:?}");
        let fine = judged_outcomes(None, &[]);
        assert_eq!(fine, [], "where valid calls are served");
    }

    #[test]
    fn a_foreign_id_proves_nothing_where_the_own_one_is_refused_in_the_same_way() {
        let texts = judged_outcomes(None, &[("order-get", 404)]);
        let is_skipped = |(_, verdict, _): &&(String, Verdict, String)| *verdict == Verdict::Skip;
        let skipped: Vec<&str> = texts.iter().filter(is_skipped).map(|(id, ..)| id.as_str()).collect();
        assert!(skipped.iter().all(|id| id.starts_with("shop/tenant/")), "{texts:?}");
        assert!(!skipped.is_empty(), "{texts:?}");
    }

    #[test]
    fn a_credential_that_is_refused_everywhere_is_at_fault_itself() {
        let texts = judged_outcomes(Some("main"), &[("*", 401)]);
        assert!(texts.iter().all(|(_, verdict, _)| *verdict != Verdict::Fail), "{texts:?}");
        let (_, _, reason) = texts.iter().find(|(_, verdict, _)| *verdict == Verdict::Error).expect("a harness fault");
        assert!(reason.starts_with("the identity `main` is refused everywhere with 401"), "{reason}");
        let somewhere = judged_outcomes(Some("main"), &[("order-list", 401)]);
        assert!(somewhere.iter().any(|(_, verdict, _)| *verdict == Verdict::Fail), "{somewhere:?}");
    }

    #[test]
    fn where_nothing_is_found_the_base_url_is_at_fault() {
        let texts = judged_outcomes(Some("main"), &[("*", 404)]);
        assert!(
            texts.iter().any(|(_, verdict, why)| *verdict == Verdict::Error && why.contains("base URL")),
            "{texts:?}"
        );
    }
}
