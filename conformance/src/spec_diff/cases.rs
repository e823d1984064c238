//! Which cases of the contract check a change touches: by operation, and by what the change is about.

use keyfit_openapi::diff::{Finding, Group};

use crate::catalogue::{Case, Catalogue};
use crate::contract::{Drive, Family};

/// The ids of the cases that a change touches, in the catalogue's order.
pub(super) fn touched(catalogue: &Catalogue, finding: &Finding) -> Vec<String> {
    let fits = |case: &&Case| {
        // The authorization server belongs to no operation; its cases stand at one that was chosen for them.
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
        // Without the operation, or under another name, every case of it is gone or another one.
        Group::Surface => true,
    }
}

/// Without a status, as where a schema is shared or all refusals have one, it can be any.
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
