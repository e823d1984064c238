//! The URLs at which tokens are obtained. Secrets are sent there, and users are redirected there.

use serde_json::Value;

use crate::normalize::servers;

/// The reason why a URL cannot be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct UrlProblem {
    pub(super) told: &'static str,
    /// True if it is not a valid URL, false if it is a URL that must not be used.
    pub(super) is_malformed: bool,
}

pub(super) const NOT_ABSOLUTE: UrlProblem = malformed("is not a whole URL");

const fn malformed(told: &'static str) -> UrlProblem {
    UrlProblem { told, is_malformed: true }
}

const fn unusable(told: &'static str) -> UrlProblem {
    UrlProblem { told, is_malformed: false }
}

/// Returns a URL that tokens and secrets may be sent to. A path is completed with the API's host if the document names one.
pub(super) fn url(value: &Value, base_url: &str) -> Result<String, UrlProblem> {
    let text = value.as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Err(malformed("names no URL"));
    }
    if text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || "\"<>\\^`|".contains(letter)) {
        return Err(NOT_ABSOLUTE);
    }
    if text.contains(['{', '}']) {
        return Err(unusable("has a placeholder, and is not a whole URL"));
    }
    if text.contains('#') {
        return Err(unusable("has a fragment, which RFC 6749 forbids"));
    }
    let whole = match text.starts_with('/') && !text.starts_with("//") {
        true if !servers::is_named(base_url) => return Ok(text.to_owned()),
        true => format!("{}{text}", origin(base_url)),
        false => text.to_owned(),
    };
    let Some((scheme, rest)) = whole.split_once("://") else {
        // OpenAPI defines another base for relative URLs than many authors assume.
        let is_reference = !text.split('/').next().unwrap_or_default().contains(':') && !text.starts_with("//");
        return Err(if is_reference { unusable(NOT_ABSOLUTE.told) } else { NOT_ABSOLUTE });
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        _ if authority.is_empty() || authority.starts_with(':') => Err(NOT_ABSOLUTE),
        _ if authority.contains('@') => Err(unusable("holds a user, whom everybody reads")),
        "https" => Ok(whole),
        "http" if is_loopback(authority) => Ok(whole),
        "http" => Err(unusable("is plain http, which shows secrets to everyone on the way")),
        _ => Err(malformed("is neither http nor https")),
    }
}

/// Returns scheme and host of an absolute URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + "://".len());
    let path = url[host..].find('/').map_or(url.len(), |path| host + path);
    &url[..path]
}

/// Returns whether the host of a URL is this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
