//! Checks whether an authorization server granted what a rule expects, and refused with the error codes of RFC 6749.

use reqwest::header::CACHE_CONTROL;
use serde_json::Value;

use super::oauth::{in_fragment, in_redirect};
use super::reply::Reply;
use super::request::Draft;
use crate::contract::{Expect, Grant, WELL_KNOWN};

/// Returns the flaw of an authorization server's answer.
pub(super) fn finding(expect: &Expect, draft: &Draft, reply: &Reply) -> Option<String> {
    error(expect, reply).or_else(|| no_store(expect, reply)).or_else(|| grant_finding(expect.grant?, draft, reply))
}

fn error(expect: &Expect, reply: &Reply) -> Option<String> {
    if expect.error.is_empty() {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let found = in_redirect(reply, "error").or_else(|| body["error"].as_str().map(str::to_owned));
    let found = found.unwrap_or_else(|| "missing".to_owned());
    (!expect.error.contains(&found)).then(|| format!("the `error` is {found}, not {}", expect.error.join(" or ")))
}

fn no_store(expect: &Expect, reply: &Reply) -> Option<String> {
    let mut values = reply.headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let is_kept_out =
        values.any(|value| value.split(',').any(|directive| directive.trim().eq_ignore_ascii_case("no-store")));
    (expect.no_store && !is_kept_out).then(|| "`Cache-Control` does not say `no-store`".to_owned())
}

fn grant_finding(grant: Grant, draft: &Draft, reply: &Reply) -> Option<String> {
    match grant {
        Grant::Code => return code(draft, reply),
        Grant::Fragment => return fragment(draft, reply),
        _ => {}
    }
    let Ok(answer) = serde_json::from_slice::<Value>(&reply.body) else {
        return Some("the body is not JSON".to_owned());
    };
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    let lacking =
        |names: &[&str]| names.iter().find(|name| text(name).is_none()).map(|name| format!("there is no `{name}`"));
    match grant {
        Grant::DeviceCodes => {
            let is_limited = answer["expires_in"].as_u64().is_some_and(|seconds| seconds > 0);
            let lifetime = || (!is_limited).then(|| "`expires_in` is not a number of seconds".to_owned());
            return lacking(&["device_code", "user_code", "verification_uri"]).or_else(lifetime);
        }
        Grant::Metadata => {
            return lacking(&["issuer", "authorization_endpoint"]).or_else(|| issuer(text("issuer")?, draft));
        }
        _ => {}
    }
    if text("access_token").is_none() {
        return Some("there is no `access_token`".to_owned());
    }
    let refresh = text("refresh_token");
    match grant {
        Grant::Code | Grant::Fragment | Grant::DeviceCodes | Grant::Metadata => None,
        Grant::Token => other_type(text("token_type")),
        Grant::Issued => {
            if let Some(finding) = other_type(text("token_type")) {
                return Some(finding);
            }
            let is_limited = answer["expires_in"].as_u64().is_some_and(|seconds| seconds > 0);
            (!is_limited).then(|| "`expires_in` is not a number of seconds".to_owned())
        }
        Grant::WithRefresh => refresh.is_none().then(|| "there is no `refresh_token`".to_owned()),
        Grant::WithoutRefresh => refresh.is_some().then(|| "there is a `refresh_token`".to_owned()),
        Grant::RefreshKept => {
            let is_other = refresh.is_some_and(|refresh| !was_sent(draft, refresh));
            is_other.then(|| "another `refresh_token` came".to_owned())
        }
        Grant::RefreshReplaced => match refresh {
            None => Some("no other `refresh_token` came".to_owned()),
            Some(refresh) => {
                was_sent(draft, refresh).then(|| "the `refresh_token` is the one that was sent".to_owned())
            }
        },
    }
}

fn code(draft: &Draft, reply: &Reply) -> Option<String> {
    if in_redirect(reply, "code").is_none() {
        return Some("the redirect holds no code".to_owned());
    }
    let sent = draft.url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
    (in_redirect(reply, "state") != sent).then(|| "the `state` is not the one that was sent".to_owned())
}

/// Returns the flaw of a redirect that has to carry the token in its fragment, which browsers do not send (RFC 6749, section 4.2.2).
fn fragment(draft: &Draft, reply: &Reply) -> Option<String> {
    if in_redirect(reply, "access_token").is_some() {
        return Some("the token stands in the query of the redirect, not in its fragment".to_owned());
    }
    let found = |name: &str| in_fragment(reply, name);
    if found("access_token").is_none() {
        return Some("the redirect holds no `access_token`".to_owned());
    }
    let sent = draft.url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
    let state = || (found("state") != sent).then(|| "the `state` is not the one that was sent".to_owned());
    other_type(found("token_type").as_deref()).or_else(state)
}

fn other_type(reported: Option<&str>) -> Option<String> {
    let is_bearer = reported.is_some_and(|name| name.eq_ignore_ascii_case("Bearer"));
    (!is_bearer).then(|| "the `token_type` is not Bearer".to_owned())
}

/// Returns a finding if a server's `issuer` is not the one whose metadata was requested.
fn issuer(reported: &str, draft: &Draft) -> Option<String> {
    let asked = draft.url.as_str();
    // Metadata at a location other than the well-known ones is not compared.
    let expected = WELL_KNOWN.iter().find_map(|known| asked.strip_suffix(known))?;
    let is_other = reported.trim_end_matches('/') != expected;
    is_other.then(|| "the `issuer` is not the one that it was asked as".to_owned())
}

/// Returns whether the body of the request contains a token. Tokens have no characters that forms or JSON escape.
fn was_sent(draft: &Draft, token: &str) -> bool {
    String::from_utf8_lossy(draft.body.as_deref().unwrap_or_default()).contains(token)
}
