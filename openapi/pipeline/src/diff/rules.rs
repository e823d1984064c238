//! The table of rules: everything that a comparison can find, how grave it is, whom it breaks and why, with an example.
//!
//! A rule is `breaking` where a client that is deployed and keeps to the old document can fail at run time, or where nobody
//! can tell, a `warning` where it has to be changed when it is generated anew or sees another behaviour, and `info` otherwise.

pub(super) mod errors;
pub(super) mod keyfit;
pub(super) mod request;
pub(super) mod response;
mod schema;
pub(super) mod security;
pub(super) mod surface;

use std::fmt;

use serde::Serialize;

pub(super) use self::schema::{Direction, REFUSAL, REQUEST, RESPONSE, SchemaRules};

/// One kind of change.
#[derive(Debug, Eq, PartialEq)]
pub struct Rule {
    /// The stable name: `security-scope-added`. Never reused for something else.
    pub id: &'static str,
    /// How grave it is.
    pub level: Level,
    /// Whom it breaks, or whose part it is to follow.
    pub breaks: Breaks,
    /// What it is about.
    pub group: Group,
    /// What has changed, in a few words.
    pub title: &'static str,
    /// Why that breaks whom it breaks, in one sentence.
    pub why: &'static str,
    /// The rule that the change back is found by, itself where both directions are one rule; empty where there is none.
    pub inverse: &'static str,
    /// Where the fragments of the example stand.
    pub at: At,
    /// The example before, YAML.
    pub old: &'static str,
    /// The example after, YAML.
    pub new: &'static str,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing that worked stops working.
    Info,
    /// Code has to be changed when the client is generated anew, or the server behaves in another way.
    Warning,
    /// A client that is deployed and keeps to the old document can fail, or nobody can tell.
    Breaking,
}

/// Whom a change breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaks {
    /// A client that exists.
    Client,
    /// A server that must now comply.
    Server,
    /// Nobody.
    Nobody,
}

/// What a rule is about; the contract check knows cases by it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// How a caller proves who it is, and what it must be allowed to do.
    Security,
    /// Where and how OAuth tokens are obtained.
    Oauth,
    /// Which refusals there are and how they look.
    Errors,
    /// What a client is told about its rate limit.
    RateLimit,
    /// What a client sends.
    Request,
    /// What a client is answered with.
    Response,
    /// Whether a call may be repeated.
    Retry,
    /// Which operations there are, their names and servers.
    Surface,
}

/// Where the fragments of an example stand in [`example::BASE`](super::example::BASE).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// The document itself.
    Document,
    /// The operation `GET /pets`.
    Operation,
    /// The schema of the body of `POST /pets`.
    Request,
    /// The schema of the answer of `GET /pets`.
    Answer,
    /// The schema of the 404 of `GET /pets`.
    Refusal,
}

/// Every rule, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [security::ROWS, errors::ROWS, request::ROWS, response::ROWS, surface::ROWS, keyfit::ROWS]
        .into_iter()
        .flatten()
        .copied()
}

/// The rule of this id.
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

impl fmt::Display for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Nobody => "nobody",
        })
    }
}
