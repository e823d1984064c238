//! The tokens that a mock has from the start: one of each kind, and one of each state that its contract has.

use std::collections::BTreeSet;

use keyfit_openapi::{Operation, Retry};

use super::tokens::{IssuedToken, Scopes, TokenRequest, issue};
use crate::contract::Credential;
use crate::identity::State;
use crate::mock::core::Core;

/// Issues them, always in the same order.
pub(super) fn ready(core: &Core) -> Vec<IssuedToken> {
    let mut tokens = Vec::new();
    for credential in &core.contract.credentials {
        for (name, may, request) in wanted(core, credential) {
            // The requests are derived from the contract, so none is refused.
            if let Ok(token) = issue(core, request) {
                tokens.push(IssuedToken { name, may, ..token });
            }
        }
    }
    tokens
}

fn wanted(core: &Core, credential: &Credential) -> Vec<(String, String, TokenRequest)> {
    let kind = &credential.kind;
    let takes = |operation: &&Operation| operation.security.kinds().any(|taken| taken == kind);
    let operations: Vec<&Operation> = core.api.operations.iter().filter(takes).collect();
    let valid = TokenRequest::of(kind);
    if operations.is_empty() {
        let may = "nothing here: it is of a neighbouring API".to_owned();
        return vec![(kind.clone(), may, valid)];
    }
    let of = |state| TokenRequest { state, ..TokenRequest::of(kind) };
    let mut wanted = vec![(kind.clone(), "everything".to_owned(), valid.clone())];
    let mut add = |suffix: &str, may: String, request| wanted.push((format!("{kind}-{suffix}"), may, request));
    let reading = reading(&operations);
    if credential.is_scoped() && !reading.is_empty() {
        let may = format!("read: {}", reading.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
        add("read-only", may, TokenRequest { scopes: Some(Scopes::Flat(reading)), ..valid });
    }
    if let Some(rules) = &core.contract.rate_limit {
        add("limited", format!("1 call in {} s", rules.window_seconds), of(State::Limited));
    }
    if operations.iter().any(|operation| operation.spends) {
        add("broke", "everything that costs nothing: the account has no funds".to_owned(), of(State::Broke));
    }
    add("revoked", "nothing: it was revoked".to_owned(), of(State::Revoked));
    if credential.test_prefix.is_some() {
        let may = if operations.iter().any(|operation| core.refuses_tests(operation)) {
            "nothing here: it is of the test environment"
        } else {
            "everything, in the test environment"
        };
        add("test", may.to_owned(), of(State::Test));
    }
    wanted
}

/// Returns the scopes that only reading operations require.
fn reading(operations: &[&Operation]) -> BTreeSet<String> {
    let scopes = |of_reads: bool| {
        let fits = operations.iter().filter(move |operation| (operation.retry == Retry::Safe) == of_reads);
        fits.flat_map(|operation| operation.scopes.iter().cloned()).collect::<BTreeSet<_>>()
    };
    scopes(true).difference(&scopes(false)).cloned().collect()
}
