//! The table of rules: every change that a comparison can find, with its severity, the affected party, the reason, and an
//! example.
//!
//! A rule is `breaking` if a deployed client that follows the old document can fail at run time, or if that cannot be
//! determined. It is a `warning` if the client must be changed after it is generated again or the behavior changes, and
//! `info` otherwise.

pub(super) mod errors;
pub(super) mod keyfit;
pub(super) mod request;
pub(super) mod response;
mod schema;
pub(super) mod security;
pub(super) mod surface;

use std::fmt;

use serde::Serialize;

pub(super) use self::schema::{Direction, ERROR, REQUEST, RESPONSE, SchemaRules};

/// One kind of change.
#[derive(Debug, Eq, PartialEq)]
pub struct Rule {
    /// The stable name: `security-scope-added`. Never reused for something else.
    pub id: &'static str,
    /// The severity.
    pub level: Level,
    /// The party that the change breaks, or that must comply.
    pub breaks: Party,
    /// The subject.
    pub group: Group,
    /// A description of the change, in a few words.
    pub title: &'static str,
    /// The reason for the severity, in one sentence.
    pub why: &'static str,
    /// The id of the rule for the reverse change; its own id if one rule covers both directions, empty if there is no such
    /// rule.
    pub inverse: &'static str,
    /// The place of the example's fragments.
    pub at: ExamplePart,
    /// The example before, YAML.
    pub old: &'static str,
    /// The example after, YAML.
    pub new: &'static str,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that worked stops working.
    Info,
    /// Code must be changed when the client is generated again, or the server's behavior changes.
    Warning,
    /// A deployed client that follows the old document can fail, or that cannot be determined.
    Breaking,
}

/// The party that a change breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// A client that exists.
    Client,
    /// A server that must now comply.
    Server,
    /// No party.
    Nobody,
}

/// The subject of a rule; the contract check uses it to select cases.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Authentication and authorization: credentials, schemes and scopes.
    Security,
    /// The endpoints and flows by which OAuth tokens are obtained.
    Oauth,
    /// The error responses and their bodies.
    Errors,
    /// The description of the rate limit.
    RateLimit,
    /// The parameters and bodies that a client sends.
    Request,
    /// The responses that a client receives.
    Response,
    /// The retry class of a call.
    Retry,
    /// The operations, their names and servers.
    Surface,
}

/// The place of an example's fragments in [`example::BASE`](super::example::BASE).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExamplePart {
    /// The document itself.
    Document,
    /// The operation `GET /pets`.
    Operation,
    /// The schema of the body of `POST /pets`.
    Request,
    /// The schema of the response of `GET /pets`.
    Answer,
    /// The schema of the 404 of `GET /pets`.
    Refusal,
}

/// Returns every rule, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [security::ROWS, errors::ROWS, request::ROWS, response::ROWS, surface::ROWS, keyfit::ROWS]
        .into_iter()
        .flatten()
        .copied()
}

/// Returns the rule with this id.
pub fn named(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// Writes the rows of a section, each as a static of its own, and the list of them.
macro_rules! table {
    ($($name:ident = { $($field:ident: $value:expr),* $(,)? })*) => {
        $(pub(in crate::diff) static $name: Rule = Rule { $($field: $value),* };)*
        pub(super) static ROWS: &[&Rule] = &[$(&$name),*];
    };
}
use table;

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Breaking => "breaking",
        })
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Nobody => "nobody",
        })
    }
}
