//! The cases of the contract check that a change affects: by the operation and the group of the change.

use keyfit_openapi::diff::{Finding, Group};

use crate::catalogue::{Case, Catalogue};
use crate::contract::{Drive, Family};

/// Returns the ids of the cases that a change affects, in the catalogue's order.
pub(super) fn touched(catalogue: &Catalogue, finding: &Finding) -> Vec<String> {
    let fits = |case: &&Case| {
        // The authorization server has no operation; its cases are at an operation that was chosen for them.
        (finding.rule.group == Group::Oauth || is_at(catalogue, finding, case)) && concerns(catalogue, finding, case)
    };
    catalogue.cases.iter().filter(fits).map(|case| case.id.clone()).collect()
}

fn is_at(catalogue: &Catalogue, finding: &Finding, case: &Case) -> bool {
    let operation = catalogue.operation(case);
    let is_it = |named: &keyfit_openapi::diff::OperationRef| {
        named.method == operation.method && named.path == operation.key || named.id == operation.id
    };
    finding.operations.iter().any(is_it)
}

fn concerns(catalogue: &Catalogue, finding: &Finding, case: &Case) -> bool {
    let drive = catalogue.rule(case).drive;
    match finding.rule.group {
        Group::Security => matches!(case.family, Family::Auth | Family::Scope | Family::Tenant),
        Group::Oauth => matches!(case.family, Family::Oauth | Family::Jwt),
        Group::Errors => is_about_refusals(catalogue, finding, case),
        Group::RateLimit => is_about_rate(case, drive),
        Group::Request => case.family == Family::Batch || drive == Some(Drive::RequestAsSent),
        Group::Response => {
            matches!(case.family, Family::Answer | Family::Batch)
                || matches!(drive, Some(Drive::Success | Drive::TolerantAnswer | Drive::PartialFailure))
        }
        Group::Retry => matches!(drive, Some(Drive::SingleRequest | Drive::RepeatedCall)),
        // If the operation is removed or renamed, all of its cases are removed or renamed.
        Group::Surface => true,
    }
}

/// Returns whether a case is about the refusals of a change. Without a status, for example in a shared schema, it may be any.
fn is_about_refusals(catalogue: &Catalogue, finding: &Finding, case: &Case) -> bool {
    let rule = catalogue.rule(case);
    let statuses: Vec<u16> = finding.statuses.iter().filter_map(|status| status.parse().ok()).collect();
    if statuses.is_empty() {
        return matches!(case.family, Family::Answer | Family::Error) || rule.drive == Some(Drive::ErrorSurvives);
    }
    let is_among = |text: &String| text.parse().is_ok_and(|status| statuses.contains(&status));
    let expects = |status: &u16| statuses.contains(status);
    match rule.drive {
        Some(Drive::ErrorSurvives) => case.variant.as_ref().is_some_and(is_among),
        drive => {
            rule.expect.as_ref().is_some_and(|expect| expect.status.iter().any(expects))
                || (statuses.contains(&429) && is_about_rate(case, drive))
        }
    }
}

fn is_about_rate(case: &Case, drive: Option<Drive>) -> bool {
    case.family == Family::Rate
        || matches!(drive, Some(Drive::RateLimited | Drive::LimitWaited | Drive::ResetInThePast))
}
