//! The places in requests for the credentials of security schemes.

use serde_json::Value;

use crate::contract::{Carrier, is_header};

/// HTTP authentication schemes whose credential is computed anew for each challenge of the server.
const CHALLENGED: [&str; 8] =
    ["digest", "hoba", "mutual", "negotiate", "ntlm", "scram-sha-1", "scram-sha-256", "vapid"];

/// Returns the place where a security scheme sends its credential; `None` if it is not a place that clients support.
pub(super) fn carrier(scheme: &Value) -> Option<Carrier> {
    let is = |key: &str, value: &str| scheme[key].as_str().is_some_and(|text| text.eq_ignore_ascii_case(value));
    if is("type", "oauth2") || is("type", "openIdConnect") || (is("type", "http") && is("scheme", "bearer")) {
        return Some(Carrier::Header);
    }
    if is("type", "mutualTLS") {
        return Some(Carrier::ClientCertificate);
    }
    if is("type", "http") {
        let scheme = scheme["scheme"].as_str().filter(|scheme| is_header(scheme))?;
        return match scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Carrier::Basic),
            name if CHALLENGED.contains(&name) => None,
            _ => Some(Carrier::Scheme(scheme.to_owned())),
        };
    }
    let name = scheme["name"].as_str().filter(|_| is("type", "apiKey"))?;
    // A key with the name of the token header is a token.
    if is("in", "header") && name.eq_ignore_ascii_case("authorization") {
        return Some(Carrier::Header);
    }
    match () {
        () if is("in", "header") && is_header(name) => Some(Carrier::NamedHeader(name.to_owned())),
        () if is("in", "cookie") && is_header(name) => Some(Carrier::Cookie(name.to_owned())),
        () if is("in", "query") && !name.is_empty() => Some(Carrier::Query(name.to_owned())),
        () => None,
    }
}

/// Returns the reason why no request can carry the credential of a scheme.
pub(super) fn unsendable(scheme: &Value) -> String {
    let text = |key: &str| scheme[key].as_str().unwrap_or_default().to_ascii_lowercase();
    match text("type").as_str() {
        "http" if !scheme["scheme"].as_str().is_some_and(is_header) => "it names no scheme of HTTP".to_owned(),
        "http" => format!("the HTTP scheme `{}` answers a challenge", text("scheme")),
        "apikey" => "its place has no name that can be sent".to_owned(),
        _ => "its type is not known".to_owned(),
    }
}

/// Returns the place that can hold at most one credential of a request.
pub(crate) fn place_in_request(carrier: &Carrier) -> String {
    match carrier {
        Carrier::Header | Carrier::Basic | Carrier::Scheme(_) => "header authorization".to_owned(),
        Carrier::NamedHeader(name) => format!("header {}", name.to_ascii_lowercase()),
        Carrier::Cookie(name) => format!("cookie {name}"),
        Carrier::Query(name) => format!("query {name}"),
        Carrier::ClientCertificate => "connection".to_owned(),
    }
}
