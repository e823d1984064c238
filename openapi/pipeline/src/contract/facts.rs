//! The format of an API's errors, rate limits and secrets, which a client needs to interpret responses.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Contract;
use crate::pointer;

/// The body of an error response with one status.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ErrorShape {
    /// The members of the body.
    #[serde(default)]
    fields: Vec<ErrorField>,
}

/// One member of an error body.
#[derive(Clone, Debug, Deserialize)]
struct ErrorField {
    /// Its place, as a JSON pointer.
    at: String,
}

/// The rate limit terms of an API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RateLimit {
    #[serde(default)]
    limit_header: String,
    #[serde(default)]
    remaining_header: String,
    #[serde(default)]
    reset_header: String,
    retry_after_body: Option<String>,
}

/// The facts of a contract about an API's responses that a client needs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The envelopes of error bodies.
    pub errors: Vec<ErrorEnvelope>,
    /// The places of the rate limit.
    pub rate_limit: RateLimitNames,
    /// The prefixes of secrets.
    pub secret_prefixes: Vec<String>,
}

/// The places of facts in error bodies, as JSON pointers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ErrorEnvelope {
    /// Its name, as operations refer to it.
    pub name: String,
    /// The machine-readable codes.
    pub code: Vec<String>,
    /// The human-readable messages.
    pub message: Vec<String>,
    /// Further details.
    pub details: Vec<String>,
    /// The server's ids of the request.
    pub request_id: Vec<String>,
}

/// The headers with the rate limit, and the place of the delay in the body of a 429.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RateLimitNames {
    /// The header with the number of requests of a window.
    pub limit: Option<String>,
    /// The header with the number of remaining requests.
    pub remaining: Option<String>,
    /// The header with the end of the window.
    pub reset: Option<String>,
    /// The place of the seconds to wait in the body, as a JSON pointer.
    pub retry_after: Option<String>,
}

/// The names of members of error bodies, by their content.
const CODES: [&str; 6] = ["code", "error", "errorcode", "status", "type", "reason"];
const MESSAGES: [&str; 8] = ["message", "msg", "detail", "description", "errordescription", "text", "title", "error"];
const DETAILS: [&str; 6] = ["details", "errors", "fields", "invalidparams", "violations", "issues"];
const REQUEST_IDS: [&str; 6] = ["requestid", "traceid", "correlationid", "reference", "trace", "instance"];

impl Contract {
    /// Returns the facts about responses.
    pub(crate) fn facts(&self) -> Facts {
        let header = |name: &String| Some(name).filter(|name| !name.is_empty()).cloned();
        let rate_limit = self.rate_limit.as_ref().map_or_else(RateLimitNames::default, |told| RateLimitNames {
            limit: header(&told.limit_header),
            remaining: header(&told.remaining_header),
            reset: header(&told.reset_header),
            retry_after: told.retry_after_body.clone(),
        });
        let mut secret_prefixes = Vec::new();
        for credential in self.credentials.iter().flatten() {
            for prefix in credential.prefixes().chain(&credential.other_prefixes) {
                if !secret_prefixes.contains(prefix) {
                    secret_prefixes.push(prefix.clone());
                }
            }
        }
        Facts { errors: self.errors.iter().map(envelope).collect(), rate_limit, secret_prefixes }
    }
}

/// Creates an envelope from its members for each status.
fn envelope((name, shapes): (&String, &BTreeMap<String, ErrorShape>)) -> ErrorEnvelope {
    // The members for any status first, without duplicates.
    let default = shapes.get("default").into_iter();
    let others = shapes.iter().filter(|(status, _)| *status != "default").map(|(_, shape)| shape);
    let mut places: Vec<&String> = Vec::new();
    for field in default.chain(others).flat_map(|shape| &shape.fields) {
        if !places.contains(&&field.at) {
            places.push(&field.at);
        }
    }
    // Of several candidates, the one with the more specific name is first.
    let called = |names: &[&str]| {
        let rank = |place: &&&String| names.iter().position(|name| *name == bare_name(place));
        let mut found: Vec<_> = places.iter().filter(|place| rank(place).is_some()).collect();
        found.sort_by_key(rank);
        found.into_iter().map(|place| (*place).clone()).collect::<Vec<_>>()
    };
    let (code, request_id, details) = (called(&CODES), called(&REQUEST_IDS), called(&DETAILS));
    // `error` is the code if there is a message beside it, and the message if it is alone.
    let message: Vec<String> = called(&MESSAGES);
    let is_alone = message.len() == 1 && code == message;
    ErrorEnvelope {
        name: name.clone(),
        code: if is_alone { Vec::new() } else { code },
        message: message.into_iter().filter(|place| is_alone || bare_name(place) != "error").collect(),
        details,
        request_id,
    }
}

/// Returns the name of a member, reduced to letters and digits in lower case.
fn bare_name(place: &str) -> String {
    pointer::name(place).chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    fn facts(text: &str) -> Facts {
        Contract::read(&Text::new("contract.toml", text)).expect("a contract").facts()
    }

    #[test]
    fn members_of_error_bodies_are_known_by_their_names() {
        let told = facts(
            r#"
[errors.acme.404]
fields = [{ at = "/fault/requestId", type = "string" }]
[errors.acme.default]
fields = [
  { at = "/fault/code", type = "string" },
  { at = "/fault/text", type = "string" },
  { at = "/fault/errors", type = "string" },
  { at = "/fault/weight", type = "string" },
]
[errors.flat.default]
fields = [{ at = "/error", type = "string" }, { at = "/error_description", type = "string" }]
[errors.bare.default]
fields = [{ at = "/error", type = "string" }]
[errors.silent.429]
empty = true
"#,
        );
        let [acme, bare, flat, silent] = told.errors.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (acme.code.as_slice(), acme.message.as_slice()),
            (["/fault/code".to_owned()].as_slice(), ["/fault/text".to_owned()].as_slice())
        );
        assert_eq!(
            (acme.details.join(" "), acme.request_id.join(" ")),
            ("/fault/errors".into(), "/fault/requestId".into())
        );
        assert_eq!((flat.code.join(" "), flat.message.join(" ")), ("/error".into(), "/error_description".into()));
        assert_eq!((bare.code.join(" "), bare.message.join(" ")), (String::new(), "/error".into()));
        assert_eq!(*silent, ErrorEnvelope { name: "silent".to_owned(), ..ErrorEnvelope::default() });
    }

    #[test]
    fn headers_of_the_rate_limit_and_beginnings_of_secrets_are_read() {
        let told = facts(
            r#"
[[credential]]
kind = "key"
prefix = "k_live_"
test-prefix = "k_test_"
other-prefixes = ["r_", "k_live_"]
[rate-limit]
limit-header = "X-Quota"
reset-header = ""
retry-after-body = "/wait"
"#,
        );
        assert_eq!(told.secret_prefixes, ["k_live_", "k_test_", "r_"]);
        let expected = RateLimitNames {
            limit: Some("X-Quota".to_owned()),
            retry_after: Some("/wait".to_owned()),
            ..RateLimitNames::default()
        };
        assert_eq!(told.rate_limit, expected);
        assert_eq!(facts(""), Facts::default());
    }
}
