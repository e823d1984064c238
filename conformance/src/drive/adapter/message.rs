//! The messages of the adapter protocol: one JSON object per line. A program reads requests from its standard input and writes answers to its
//! standard output.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use keyfit_openapi::Operation;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::drive::subject::{CallFailure, CallOutcome, CallResult, DriveError};

/// The version of the protocol.
const PROTOCOL: u32 = 1;

/// What the program is asked.
#[derive(JsonSchema, Serialize)]
pub(super) struct Request<'a> {
    /// The version of the protocol: 1.
    protocol: u32,
    #[serde(flatten)]
    ask: Ask<'a>,
}

#[derive(JsonSchema, Serialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub(super) enum Ask<'a> {
    /// Make a new client and forget the one before. Asked before each case. Answered by `Settled`.
    Connect {
        /// Below this stand the paths of operations; it has a path of its own.
        base_url: &'a str,
        /// The token.
        token: &'a str,
        /// The short name of the API: `transactional`.
        api: &'a str,
    },
    /// Where the client gets its token, there is another one from now on. The client itself is not told: it keeps the
    /// one that it has until it asks again. Answered by `Settled`.
    Token {
        /// The other token.
        token: &'a str,
    },
    /// Call an operation. Answered by `CallAnswer`.
    Call {
        /// The number of the call, which its answer repeats.
        id: u64,
        operation: Named<'a>,
        /// Each parameter under its name and the body under `body`. Those that the path names in braces belong there,
        /// all others into the query.
        arguments: &'a Map<String, Value>,
    },
}

/// An operation of the API.
#[derive(JsonSchema, Serialize)]
pub(super) struct Named<'a> {
    /// Its id: `sms-create`.
    id: &'a str,
    /// The HTTP method.
    method: &'a str,
    /// The path below the base URL, with parameters in braces: `/sms/{id}`; with the query that every request has, where there is
    /// one: `/responses?beta=true`.
    path: Cow<'a, str>,
}

/// The answer to `connect` and `token`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Settled {
    /// Done: `{"ok": true}`.
    Ok(bool),
    /// It went wrong, and why: the check ends, or the case is an error.
    Error(String),
    /// The library does not have it: the case is skipped.
    Unsupported(Unsupported),
}

/// The answer to `call`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallAnswer {
    /// The number of the call.
    id: u64,
    outcome: Outcome,
    /// Seconds that the client waited between attempts, by its own clock. Where left out, the time that the call took.
    #[serde(default)]
    #[schemars(range(min = 0))]
    waited: Option<f64>,
    /// Arguments that the library has no place for, and that were not handed to it: `page`, or `body/text` for a member
    /// of the body. What the library takes and drops does not belong here.
    #[serde(default)]
    left_out: Vec<String>,
}

/// What the caller of the library sees.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Outcome {
    Success(Success),
    Failure(Box<Failed>),
    Unsupported(Unsupported),
}

/// The call succeeded.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Success {
    /// The status, where the library tells it.
    #[serde(default)]
    status: Option<u16>,
    /// The value as JSON, under the names of the wire; null where there is none.
    #[serde(default)]
    value: Value,
}

/// The call failed. What the library does not tell is left out, and breaks the rule that asks for it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Failed {
    /// The kind, as the library tells failures apart: bad-request, unauthorized, payment-required, forbidden,
    /// not-found, conflict, payload-too-large, unprocessable, rate-limited, redirect, client, server, partial-failure,
    /// or a name of one's own.
    #[serde(default)]
    kind: Option<String>,
    /// The status of the answer.
    #[serde(default)]
    status: Option<u16>,
    /// The headers of the answer.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body of the answer as it came.
    #[serde(default)]
    body: Option<String>,
    /// The server's code.
    #[serde(default)]
    code: Option<String>,
    /// The server's message.
    #[serde(default)]
    message: Option<String>,
    /// How long to wait, in seconds.
    #[serde(default)]
    #[schemars(range(min = 0))]
    retry_after: Option<f64>,
    #[serde(default)]
    rate_limit: Option<RateLimit>,
    /// Everything that the error prints: its message, its debug form. At least one.
    #[schemars(length(min = 1))]
    texts: Vec<String>,
}

/// The rate limit, as the library tells it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    /// Calls in a window.
    limit: u64,
    /// Calls that are left.
    remaining: u64,
    /// When the window ends, in the unit of the header.
    reset: u64,
}

/// The library does not have it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsupported {
    /// Why, in one line: it stands in the report.
    reason: String,
}

/// A line of the protocol: a request, or one of the two kinds of answer.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from it")]
enum Line<'a> {
    Request(Request<'a>),
    Settled(Settled),
    CallAnswer(CallAnswer),
}

/// Returns the JSON Schema of a line of the protocol, in either direction.
pub fn json_schema() -> Schema {
    schema_for!(Line<'_>)
}

impl Ask<'_> {
    /// Returns the request as a line.
    pub(super) fn line(self) -> String {
        // It contains strings, numbers, and JSON values with string keys, so serialization cannot fail.
        let mut line = serde_json::to_string(&Request { protocol: PROTOCOL, ask: self }).unwrap_or_default();
        line.push('\n');
        line
    }

    /// Returns the name of the request.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Connect { .. } => "`connect`".to_owned(),
            Self::Token { .. } => "`token`".to_owned(),
            Self::Call { operation, .. } => format!("the call of `{}`", operation.id),
        }
    }
}

impl<'a> Named<'a> {
    pub(super) fn new(operation: &'a Operation) -> Self {
        let path = if operation.query.is_empty() {
            Cow::from(&operation.path)
        } else {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&operation.query).finish();
            Cow::from(format!("{}?{query}", operation.path))
        };
        Self { id: &operation.id, method: &operation.method, path }
    }
}

impl Settled {
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(line) {
            Ok(Self::Ok(false)) => Err("`ok` is false: `error` says what is wrong".to_owned()),
            Ok(settled) => Ok(settled),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns the result of the answer.
    pub(super) fn result(self) -> Result<(), DriveError> {
        match self {
            Self::Ok(_) => Ok(()),
            Self::Error(reason) => Err(DriveError::Broken(format!("it says: {reason}"))),
            Self::Unsupported(Unsupported { reason }) => Err(DriveError::Unsupported(reason)),
        }
    }
}

/// The answer to a call, with the time that the client waited, if it reports that.
pub(super) type CallReply = (Result<CallResult, DriveError>, Option<Duration>);

impl CallAnswer {
    /// Parses the answer to the call with this number.
    pub(super) fn read(line: &[u8], id: u64) -> Result<CallReply, String> {
        let answer: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if answer.id != id {
            return Err(format!("it is to the call {}, not {id}", answer.id));
        }
        let waited = answer.waited.map(|waited| seconds("waited", waited)).transpose()?;
        let observed = match answer.outcome {
            Outcome::Unsupported(Unsupported { reason }) => return Ok((Err(DriveError::Unsupported(reason)), waited)),
            Outcome::Success(Success { status, value }) => CallOutcome::Success { status, value },
            Outcome::Failure(failed) => CallOutcome::Failure(Box::new(failed.read()?)),
        };
        Ok((Ok(CallResult { observed, left_out: answer.left_out }), waited))
    }
}

impl Failed {
    fn read(self) -> Result<CallFailure, String> {
        if self.texts.is_empty() {
            return Err("`texts` is empty: what is not shown cannot be searched for the token".to_owned());
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let parsed: Option<(HeaderName, HeaderValue)> = name.parse().ok().zip(value.parse().ok());
            let (name, value) = parsed.ok_or_else(|| format!("`{name}` among the headers is none"))?;
            headers.append(name, value);
        }
        let rate_limit = self.rate_limit.map(|RateLimit { limit, remaining, reset }| (limit, remaining, reset));
        Ok(CallFailure {
            kind: self.kind.unwrap_or_default(),
            status: self.status,
            headers,
            body: self.body.unwrap_or_default().into_bytes(),
            code: self.code,
            message: self.message,
            retry_after: self.retry_after.map(|wait| seconds("retry_after", wait)).transpose()?,
            rate_limit,
            texts: self.texts,
        })
    }
}

fn seconds(name: &str, number: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(number).map_err(|_| format!("`{name}` is {number}, which is no time in seconds"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CallAnswer, Settled};

    fn refused(answer: &serde_json::Value) -> String {
        CallAnswer::read(answer.to_string().as_bytes(), 7).expect_err("it is refused")
    }

    #[test]
    fn an_answer_that_is_none_is_refused_with_the_reason() {
        let success = json!({ "success": { "status": 200 } });
        assert!(CallAnswer::read(json!({ "id": 7, "outcome": success }).to_string().as_bytes(), 7).is_ok());
        assert!(refused(&json!({ "id": 8, "outcome": success })).contains("to the call 8"));
        assert!(refused(&json!({ "id": 7, "outcome": success, "waited": -1 })).contains("`waited`"));
        assert!(refused(&json!({ "id": 7, "outcome": success, "waitd": 1 })).contains("waitd"));
        assert!(refused(&json!({ "id": 7, "outcome": { "failure": { "texts": [] } } })).contains("`texts` is empty"));
        let failure = json!({ "texts": [""], "headers": { "a b": "c" } });
        assert!(refused(&json!({ "id": 7, "outcome": { "failure": failure } })).contains("`a b`"));
        let failure = json!({ "texts": [""], "retry_after": 1e300 });
        assert!(refused(&json!({ "id": 7, "outcome": { "failure": failure } })).contains("retry_after"));
    }

    #[test]
    fn ok_that_is_false_is_not_ok() {
        assert!(Settled::read(br#"{"ok":true}"#).is_ok());
        assert!(Settled::read(br#"{"ok":false}"#).is_err());
        assert!(Settled::read(br#"{"okay":true}"#).is_err());
    }
}
