//! The operation table: the facts about each call of an API that runtime, mock, probes and docs share.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batching::Batching;
use crate::pagination::Pagination;
use crate::partial::Partial;
use crate::streams::{StreamedBody, StreamedResponse};
use crate::webhook::Webhook;
use crate::{SecurityRequirement, pointer};

/// One call of an API: its request, its responses, and the rules that the overlay adds to them.
#[derive(Clone, Debug, Serialize)]
pub struct Operation {
    /// The operationId, published or synthesized. A synthesized id is in kebab-case: `sms-create`.
    pub id: String,
    /// The Rust method's name, the id in snake_case: `sms_create`.
    pub function: String,
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template below the base URL: `/sms/{id}`.
    pub path: String,
    /// The query pairs that every request has, if its path is documented with them: `/responses?beta=true`.
    pub query: Vec<(String, String)>,
    /// Its key of `paths` in the document: the path with that query, and with a fragment that is not sent if a path is
    /// documented more than once: `/token#refresh`.
    pub key: String,
    /// The server of the operation if the document gives it one of its own: the URL with the default values of its variables,
    /// without a trailing slash. `None` for the API's server.
    pub server: Option<String>,
    /// The document's one-line summary, or an empty string.
    pub summary: String,
    /// Path, query and header parameters, those of the path item included.
    pub parameters: Vec<Parameter>,
    /// The request body, if the operation takes one.
    pub body: Option<Body>,
    /// Every documented response by status (`200`, `4XX`, `default`).
    pub responses: BTreeMap<String, ResponseShape>,
    /// The kinds of token that may call it, as the contract names them.
    pub credentials: Vec<String>,
    /// The accepted credentials, by those kinds and by the document's `security`.
    #[serde(skip)]
    pub security: Arc<SecurityRequirement>,
    /// The scopes that a token needs, all of them; empty means that any valid token will do.
    pub scopes: Vec<String>,
    /// The reason why the scopes are not verified, if they are inferred.
    pub scopes_unverified: Option<String>,
    /// The resource name that granular permissions use for this operation.
    pub resource: Option<String>,
    /// The retry class of a request.
    pub retry: Retry,
    /// With [`Retry::Keyed`]: the field of each body item that makes a retry harmless.
    pub retry_key: Option<String>,
    /// The header under which the server recognizes a call that is sent again. Clients make a key for each call and retry it
    /// with that key, whatever [`retry`](Self::retry) says.
    pub idempotency_key: Option<String>,
    /// The rate-limit class: operations of one class share a budget.
    pub rate_limit: String,
    /// The path parameters that select the budget: each of their values has its own budget.
    pub rate_limit_by: Vec<String>,
    /// The pagination of the operation, if it returns pages.
    pub pagination: Option<Pagination>,
    /// The descriptions of failed items in a success; any of them may apply. Empty if a success is always complete.
    pub partial: Vec<Partial>,
    /// The batch parameters of the operation, if it takes many items in one call.
    #[serde(skip)]
    pub batching: Option<Batching>,
    /// The streamed response of the operation, if it answers with a sequence of items.
    pub streaming: Option<StreamedResponse>,
    /// The calls that the server makes because of the operation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<Webhook>,
    /// True if it documents a 202 with the location of a status monitor, which clients poll until the work is done.
    pub polls: bool,
    /// True if a call costs money.
    pub spends: bool,
    /// The error profile: the envelope of this API's error bodies.
    pub errors: String,
    /// The reason why the whole operation is not verified, if it is inferred.
    pub unverified: Option<String>,
}

/// A parameter of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// The part of the request in which the parameter is sent.
    pub location: ParameterLocation,
    /// True if the server refuses a request without it.
    pub required: bool,
    /// Its JSON schema, as in the repaired document.
    pub schema: Value,
    /// The style of its values, if it is not the default. The default is one pair for each value of a list in a query, and
    /// one value elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<ListStyle>,
}

impl Parameter {
    /// Returns whether the parameter makes a request conditional (RFC 9110, section 13.1).
    pub fn is_condition(&self) -> bool {
        let conditions = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
        self.location == ParameterLocation::Header && conditions.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

/// The serialization of a list as one parameter: OpenAPI's `style` and `explode`, as in `keyfit::ListStyle`. A value that is
/// not a list is written as a list with one value.
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
    /// Returns the separator of values in one text, before percent-encoding; `None` if each value is written by itself.
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

/// The part of the request in which a parameter is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterLocation {
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
    /// True if the server refuses a request without it.
    pub required: bool,
    /// Its JSON schema, possibly a `$ref` into the document. For a sequence of items, the schema of the list of them.
    pub schema: Value,
    /// The document's serialization of the members of a form: OpenAPI's `encoding`, or null.
    #[serde(skip)]
    pub encoding: Value,
}

/// A documented response.
#[derive(Clone, Debug, Serialize)]
pub struct ResponseShape {
    /// The document's description.
    pub description: String,
    /// The media type that clients ask for; `None` if the response has no body. It is a media type of streamed items only if
    /// there is no other.
    pub media_type: Option<String>,
    /// The JSON schema of the body, possibly a `$ref` into the document.
    pub schema: Option<Value>,
    /// The body that is a sequence of items, if there is one, beside or in place of the other body.
    pub streamed: Option<StreamedBody>,
    /// The names of the documented headers.
    pub headers: Vec<String>,
    /// The reason why this response is not verified, if it is inferred.
    pub unverified: Option<String>,
}

/// The retry class of a request whose outcome is unknown.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// It changes nothing on the server.
    Safe,
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// A key in the body makes the server ignore the second request.
    Keyed,
    /// A second request could have a second effect.
    Never,
}

impl Operation {
    /// Returns the JSON pointer of the operation in its document.
    pub(crate) fn pointer(&self) -> String {
        pointer::join(&pointer::join("/paths", &self.key), &self.method.to_lowercase())
    }

    /// Returns the documented 2xx statuses, in order; `2XX` counts as 200.
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

    /// Returns whether a parameter is the header for which clients [make a key](Self::idempotency_key), so that callers need
    /// not give one.
    pub fn is_generated_key(&self, name: &str, location: ParameterLocation) -> bool {
        location == ParameterLocation::Header
            && self.idempotency_key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(name))
    }

    /// Returns whether the document describes this status: by its number or its class, not by `default`.
    pub fn documents(&self, status: u16) -> bool {
        self.responses.contains_key(&status.to_string()) || self.responses.contains_key(&format!("{}XX", status / 100))
    }
}
