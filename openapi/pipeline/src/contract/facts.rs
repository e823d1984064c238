//! How an API words its errors and limits, and how its secrets begin: what a client reads answers by.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Contract;
use crate::pointer;

/// The body of a refusal with one status.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ErrorShape {
    /// What the body holds.
    #[serde(default)]
    fields: Vec<Field>,
}

/// One member of an error body.
#[derive(Clone, Debug, Deserialize)]
struct Field {
    /// Where it stands, as a JSON pointer.
    at: String,
}

/// How an API tells its rate limit.
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

/// What a contract says of the answers of an API that a client has to know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The envelopes of error bodies.
    pub errors: Vec<ErrorEnvelope>,
    /// Where the rate limit is told.
    pub rate_limit: RateLimitNames,
    /// How secrets begin.
    pub secret_prefixes: Vec<String>,
}

/// Where error bodies hold what, as JSON pointers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ErrorEnvelope {
    /// The name by which operations call it.
    pub name: String,
    /// The machine-readable code.
    pub code: Vec<String>,
    /// The words for people.
    pub message: Vec<String>,
    /// What is said beyond that.
    pub details: Vec<String>,
    /// The server's name for the request.
    pub request_id: Vec<String>,
}

/// The headers in which a rate limit is told, and the place in the body of a 429.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RateLimitNames {
    /// The header with the requests that a window allows.
    pub limit: Option<String>,
    /// The header with the requests that are left.
    pub remaining: Option<String>,
    /// The header with the end of the window.
    pub reset: Option<String>,
    /// Where the body holds the seconds to wait, as a JSON pointer.
    pub retry_after: Option<String>,
}

/// What members of error bodies are called, by what they hold.
const CODES: [&str; 6] = ["code", "error", "errorcode", "status", "type", "reason"];
const MESSAGES: [&str; 8] = ["message", "msg", "detail", "description", "errordescription", "text", "title", "error"];
const DETAILS: [&str; 6] = ["details", "errors", "fields", "invalidparams", "violations", "issues"];
const REQUEST_IDS: [&str; 6] = ["requestid", "traceid", "correlationid", "reference", "trace", "instance"];

impl Contract {
    /// What the contract says of answers.
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

/// An envelope, from what it holds for each status.
fn envelope((name, shapes): (&String, &BTreeMap<String, ErrorShape>)) -> ErrorEnvelope {
    // The one for any status first, and each place once.
    let default = shapes.get("default").into_iter();
    let others = shapes.iter().filter(|(status, _)| *status != "default").map(|(_, shape)| shape);
    let mut places: Vec<&String> = Vec::new();
    for field in default.chain(others).flat_map(|shape| &shape.fields) {
        if !places.contains(&&field.at) {
            places.push(&field.at);
        }
    }
    // Of several members that could be one thing, the one with the more telling name counts first.
    let called = |names: &[&str]| {
        let rank = |place: &&&String| names.iter().position(|name| *name == plain(place));
        let mut found: Vec<_> = places.iter().filter(|place| rank(place).is_some()).collect();
        found.sort_by_key(rank);
        found.into_iter().map(|place| (*place).clone()).collect::<Vec<_>>()
    };
    let (code, request_id, details) = (called(&CODES), called(&REQUEST_IDS), called(&DETAILS));
    // `error` is the code where there is a message beside it, and the message where it is all there is.
    let message: Vec<String> = called(&MESSAGES);
    let is_alone = message.len() == 1 && code == message;
    ErrorEnvelope {
        name: name.clone(),
        code: if is_alone { Vec::new() } else { code },
        message: message.into_iter().filter(|place| is_alone || plain(place) != "error").collect(),
        details,
        request_id,
    }
}

/// The name of a member in small letters and digits.
fn plain(place: &str) -> String {
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
