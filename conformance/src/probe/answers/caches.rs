//! Checks whether a shared cache may store an answer to a request with a credential (RFC 9111, section 3.5).

use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, VARY};

use super::AnswerContext;

/// Returns a finding if a shared cache may serve this answer to a request without the credential.
pub(super) fn finding(seen: &AnswerContext<'_>) -> Option<String> {
    let AnswerContext { operation, draft, reply, .. } = seen;
    let is_read = ["GET", "HEAD"].contains(&draft.method.as_str()) && reply.is_success();
    // A public answer may be cached. A key in the query is part of the cache key.
    if !is_read || operation.security.is_optional() || draft.credentials.is_empty() {
        return None;
    }
    let control = values(&reply.headers, &CACHE_CONTROL);
    let has = |name: &str| control.iter().any(|one| one.split('=').next() == Some(name));
    let lasts = |name: &str| control.iter().any(|one| seconds(one, name).is_some_and(|seconds| seconds > 0));
    if ["private", "no-store", "no-cache"].into_iter().any(has) {
        return None;
    }
    // Caches handle `Authorization` themselves (RFC 9111); other credential headers need `Vary` or `Cache-Control`.
    let is_spared = draft.credentials.iter().any(|(name, _)| *name == AUTHORIZATION);
    let is_open = has("public") || lasts("s-maxage") || (!is_spared && lasts("max-age"));
    let vary = values(&reply.headers, &VARY);
    let is_told_apart = |name: &HeaderName| vary.iter().any(|one| one == "*" || one == name.as_str());
    let (name, _) = draft.credentials.iter().find(|(name, _)| !is_told_apart(name)).filter(|_| is_open)?;
    Some(format!(
        "`Cache-Control: {}` lets shared caches keep what a credential opened, and `Vary` does not name `{name}`",
        control.join(", ")
    ))
}

/// Returns the members of a header that is a comma-separated list, in lower case.
fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .map(|one| one.trim().to_ascii_lowercase())
        .filter(|one| !one.is_empty())
        .collect()
}

fn seconds(directive: &str, name: &str) -> Option<u64> {
    let (known, value) = directive.split_once('=')?;
    (known == name).then(|| value.trim_matches('"').parse().ok())?
}
