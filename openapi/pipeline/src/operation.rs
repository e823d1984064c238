//! The operation table: what runtime, mock, probes and docs know about each call of an API.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batching::Batching;
use crate::pagination::Pagination;
use crate::partial::Partial;
use crate::streams::{Streamed, Streaming};
use crate::webhook::Webhook;
use crate::{Needed, pointer};

/// One call of an API: its request, its answers, and the rules that the overlay adds to them.
#[derive(Clone, Debug, Serialize)]
pub struct Operation {
    /// The operationId, published or synthesised, in kebab-case where we name it: `sms-create`.
    pub id: String,
    /// The Rust method's name, the id in snake_case: `sms_create`.
    pub function: String,
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template below the base URL: `/sms/{id}`.
    pub path: String,
    /// The pairs of the query that every request has, where its path is documented with them: `/responses?beta=true`.
    pub query: Vec<(String, String)>,
    /// Its key of `paths` in the document: the path with that query, and with a fragment that is not sent, where a path is
    /// documented more than once: `/token#refresh`.
    pub key: String,
    /// The server that answers it, where the document gives it one of its own: the URL with the defaults of its variables, without a
    /// slash at its end. `None` where it is that of the API.
    pub server: Option<String>,
    /// The document's one-line summary, or an empty string.
    pub summary: String,
    /// Path, query and header parameters, those of the path item included.
    pub parameters: Vec<Parameter>,
    /// The request body, if the operation takes one.
    pub body: Option<Body>,
    /// Every documented answer by status (`200`, `4XX`, `default`).
    pub responses: BTreeMap<String, ResponseShape>,
    /// The kinds of token that may call it, as the contract names them.
    pub credentials: Vec<String>,
    /// The credentials that it takes, by those kinds and by the document's `security`.
    #[serde(skip)]
    pub needed: Arc<Needed>,
    /// The scopes that a token needs, all of them; empty means that any valid token will do.
    pub scopes: Vec<String>,
    /// Why the scopes are not verified, where they are inferred.
    pub scopes_unverified: Option<String>,
    /// The resource name that granular permissions use for this operation.
    pub resource: Option<String>,
    /// Whether a request may be repeated.
    pub retry: Retry,
    /// With [`Retry::Keyed`]: the field of each body item that makes a repeat harmless.
    pub retry_key: Option<String>,
    /// The header under which the server recognizes a call that is sent again: clients make a key for each call, and repeat it under
    /// that key whatever [`retry`](Self::retry) says.
    pub idempotency_key: Option<String>,
    /// The rate-limit class: operations of one class share a budget.
    pub rate_limit: String,
    /// The path parameters that tell whose budget it is: each of their values has one of its own.
    pub rate_limit_by: Vec<String>,
    /// How the operation pages through results.
    pub pagination: Option<Pagination>,
    /// How a success tells of items that failed: in any of these ways. Empty where a success is a whole one.
    pub partial: Vec<Partial>,
    /// How it takes many items in one call, where it does.
    #[serde(skip)]
    pub batching: Option<Batching>,
    /// How it answers with one item after another, where it does.
    pub streaming: Option<Streaming>,
    /// The calls that the server makes because of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<Webhook>,
    /// Whether it documents a 202 with the place of a status, which clients ask for until the work is over.
    pub polls: bool,
    /// Whether a call costs money.
    pub spends: bool,
    /// The error profile: the envelope of this API's error bodies.
    pub errors: String,
    /// Why the whole operation is not verified, where it is inferred.
    pub unverified: Option<String>,
}

/// A parameter of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// Where the parameter is sent.
    pub place: Place,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Its JSON schema, as in the repaired document.
    pub schema: Value,
    /// How its values are written, where that is not as usual: a list in a query by one pair for each value, one value elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<ListStyle>,
}

impl Parameter {
    /// Whether it makes a request conditional (RFC 9110, section 13.1).
    pub fn is_condition(&self) -> bool {
        let conditions = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
        self.place == Place::Header && conditions.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

/// How the values of a list are written as one parameter: OpenAPI's `style` and `explode`, as `keyfit::ListStyle` has them. A value
/// that is no list is one with one value.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ListStyle {
    /// `1,2`.
    Commas,
    /// `1 2`.
    Spaces,
    /// `1|2`.
    Pipes,
    /// `1`, a tab, `2`.
    Tabs,
    /// In a query: `ids[]=1&ids[]=2`.
    Brackets,
    /// In a path: `.1,2`.
    Label,
    /// In a path: `.1.2`.
    LabelExploded,
    /// In a path: `;ids=1,2`.
    Matrix,
    /// In a path: `;ids=1;ids=2`.
    MatrixExploded,
}

impl ListStyle {
    /// What stands between values in one text, before it is percent-encoded; `None` where each stands by itself.
    pub fn separator(self) -> Option<char> {
        match self {
            Self::Commas | Self::Label | Self::Matrix => Some(','),
            Self::Spaces => Some(' '),
            Self::Pipes => Some('|'),
            Self::Tabs => Some('\t'),
            Self::LabelExploded => Some('.'),
            Self::Brackets | Self::MatrixExploded => None,
        }
    }
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path template.
    Path,
    /// In the query string.
    Query,
    /// In a header.
    Header,
}

/// A request body.
#[derive(Clone, Debug, Serialize)]
pub struct Body {
    /// The media type that is sent.
    pub media_type: String,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Its JSON schema, possibly a `$ref` into the document. Of one item after another it is that of the list of them.
    pub schema: Value,
    /// What the document says of how the members of a form are written: OpenAPI's `encoding`, or null.
    #[serde(skip)]
    pub encoding: Value,
}

/// A documented answer.
#[derive(Clone, Debug, Serialize)]
pub struct ResponseShape {
    /// The document's description.
    pub description: String,
    /// The media type, `None` where the answer has no body: of several the one that clients ask for, which is one of items only where
    /// there is no other.
    pub media_type: Option<String>,
    /// The JSON schema of the body, possibly a `$ref` into the document.
    pub schema: Option<Value>,
    /// The body that is one item after another, where it has such a one, beside or in place of the other.
    pub streamed: Option<Streamed>,
    /// The names of the documented headers.
    pub headers: Vec<String>,
    /// Why this answer is not verified, where it is inferred.
    pub unverified: Option<String>,
}

/// Whether a request may be sent again when its outcome is unknown.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// It changes nothing on the server.
    Safe,
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// A key in the body makes the server ignore the second one.
    Keyed,
    /// A second request could have a second effect.
    Never,
}

impl Operation {
    /// The JSON pointer of the operation in its document.
    pub(crate) fn pointer(&self) -> String {
        pointer::join(&pointer::join("/paths", &self.key), &self.method.to_lowercase())
    }

    /// The documented 2xx statuses, in order; `2XX` counts as 200.
    pub fn success_statuses(&self) -> Vec<u16> {
        self.responses
            .keys()
            .filter_map(|status| match status.as_str() {
                "2XX" => Some(200),
                other => other.parse().ok(),
            })
            .filter(|status| (200..300).contains(status))
            .collect()
    }

    /// Whether a parameter is the header for which clients [make a key](Self::idempotency_key), so that nobody has to give one.
    pub fn makes(&self, name: &str, place: Place) -> bool {
        place == Place::Header && self.idempotency_key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(name))
    }

    /// Whether the document speaks of this status: by its number or its class, not by `default`.
    pub fn documents(&self, status: u16) -> bool {
        self.responses.contains_key(&status.to_string()) || self.responses.contains_key(&format!("{}XX", status / 100))
    }
}
