//! Rules: a probe or a drive, the expectation, the level, and the source.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Citation;
use super::authorization::{Challenge, Grant};
use super::authorization_drive::AuthorizationDrive;
use super::key_management::KeyCheck;
use super::probe::Probe;
use super::webhook::DeliveryCheck;
use crate::text::glob;

/// One thing that a server or a client is held to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// `<api>.<family>.<name>`; never reused for something else.
    pub id: String,
    /// The requirement, in one line.
    pub requirement: String,
    /// How binding it is.
    pub level: Level,
    /// Where it is said.
    pub source: Citation,
    /// Server side: what is sent.
    pub probe: Option<Probe>,
    /// Server side: what the answer must be.
    pub expect: Option<Expect>,
    /// Client side: what the client is put before, and by that what it must do.
    pub drive: Option<Drive>,
    /// The operations that it holds for, as patterns over their ids; all where left out.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The operations that it does not hold for.
    #[serde(default)]
    pub except: Vec<String>,
    /// Rules that it builds upon: where one of them is broken at the same operation, or at any if it does not hold for that
    /// one, there is nothing to be said about this one, and it is not reached.
    #[serde(default)]
    pub presumes: Vec<String>,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is only reported: the sources do not settle it.
    Observe,
    /// A breach is a warning.
    Should,
    /// A breach fails the run.
    Must,
}

/// The family of a rule, the second segment of its id.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// How a token is presented and whether it is known.
    Auth,
    /// What a token may do.
    Scope,
    /// Whose data a token reaches.
    Tenant,
    /// How refusals look.
    Error,
    /// What is done with requests that break the document.
    Input,
    /// Which methods a path takes.
    Method,
    /// Many items in one call.
    Batch,
    /// How lists are paged.
    Page,
    /// What becomes of a call that is sent twice.
    Repeat,
    /// Whether what is made is there, what is changed is changed, and what is removed is gone.
    Chain,
    /// How calls are counted.
    Rate,
    /// What holds of every answer.
    Answer,
    /// How tokens are granted.
    Oauth,
    /// How JWTs are judged.
    Jwt,
    /// How keys are minted, changed and revoked.
    Keys,
    /// What the server sends by itself.
    Webhook,
    /// What the client sends and reports.
    Client,
}

/// What the answer to a probe must be.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the format")]
pub struct Expect {
    /// A documented status of success.
    pub success: bool,
    /// One of these statuses. The mock answers with the first one.
    pub status: Vec<u16>,
    /// Any refusal: every status but those of success.
    pub refused: bool,
    /// Whatever it is, it is no failure: no status of 500 or above.
    pub no_failure: bool,
    /// Web pages of other origins may not read it with the credentials that a browser has for it.
    pub no_foreign_origin: bool,
    /// The connection may be refused as well, before there is an answer: a server that asks for client certificates does so.
    pub refused_connection: bool,
    /// What the body is.
    pub body: Option<Body>,
    /// Headers that must be there.
    pub headers: Vec<String>,
    /// What the rate-limit headers say.
    pub rate: Option<Rate>,
    /// What is nowhere in the answer.
    pub hides: Vec<Hidden>,
    /// What holds of every answer, whatever was asked: for rules with the probe `any`.
    pub keeps: Vec<Promise>,
    /// Status and body are those of the answer to this other probe.
    pub same_as: Option<Probe>,
    /// The member `error` of the body is one of these; in a redirect, the parameter of that name.
    pub error: Vec<String>,
    /// The answer may not be kept by caches: `Cache-Control: no-store`.
    pub no_store: bool,
    /// The headers are those of the answer to this other probe, save what is another one in each answer.
    pub same_headers_as: Option<Probe>,
    /// What is granted.
    pub grant: Option<Grant>,
    /// What the challenge says.
    pub challenge: Option<Challenge>,
    /// What is said of the key that was minted.
    pub key: Option<KeyCheck>,
    /// What the delivery is held to: for rules with the probes `delivery` and `refused-delivery`.
    pub delivery: Option<DeliveryCheck>,
}

/// What an answer may not hold.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// The token that was presented; where a key was minted, that key.
    Token,
    /// What shows the inside of the server: a stack trace, a path of its files, the text of a query. Refusals are looked at
    /// alone: what is served may be a text about anything.
    Internals,
    /// What a password was made into before it was stored, where the document has no member for it.
    PasswordHash,
    /// A member that the document has for requests alone (`writeOnly`), and a password that was sent.
    WriteOnly,
}

/// What a document or a standard says of every answer, whatever was asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// A success or a redirect has a status that the document names.
    DocumentedStatus,
    /// A refusal has a status that the document names. Those that HTTP defines for any request, such as 400, 401 and 404, need
    /// not be named.
    DocumentedRefusal,
    /// A body has one of the media types that the document names for the status.
    DocumentedMediaType,
    /// A JSON body fits the schema that the document has for the status, and is there where it has one.
    DocumentedBody,
    /// The headers that the document demands are there, and those that it describes are of their types.
    DocumentedHeaders,
    /// Texts in body and headers are of the formats that the document names for them, where all else fits.
    DocumentedFormats,
    /// The status is not one of a fault of the server.
    NoServerError,
    /// A 401 says by which scheme to authenticate.
    Challenge,
    /// A 405 says which methods there are.
    Allow,
    /// A body has a `Content-Type`.
    ContentType,
    /// What a credential opened is not left to caches that others use too.
    Private,
    /// The status that problem details name is that of the answer.
    ProblemStatus,
    /// What it says of a rate limit that the contract does not describe can be right: numbers, no more left than the window allows,
    /// and an end that is not past.
    Limits,
}

/// An aspect of a standing rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GeneralRule {
    /// Data that an answer must not contain.
    Hides(Hidden),
    /// A property that an answer must have.
    Keeps(Promise),
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// What the error profile says for the status.
    Profile,
    /// What the document says for the status.
    Schema,
    /// The outcome of each item that was sent: none lost, none doubled, in order, with counts that add up.
    Outcome,
    /// The same of a success, in which a server may reject more than what was spoilt. One that refuses the whole call for a bad
    /// item tells nothing of the others, and is not judged.
    ToldOutcome,
}

/// What the rate-limit headers say.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// All three are there, as whole numbers.
    Present,
    /// The reset lies ahead, no farther than one window.
    ResetAhead,
    /// One call fewer is left than after the call before.
    CostsOne,
    /// None is left, and where the body says how long to wait, it agrees with the reset.
    Spent,
    /// The introspection of a key gives the same end of the window.
    Introspected,
}

/// What a client-side case puts the client before.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drive {
    /// A server that checks the request: method, path, query, headers and body are the documented ones.
    RequestAsSent,
    /// The documented success: its value arrives.
    Success,
    /// Each documented refusal: status, headers, body, code and message arrive, under a kind of its own.
    ErrorSurvives,
    /// Refusals with an empty body, a web page or JSON that breaks off: status and headers arrive.
    HostileBody,
    /// A 429: the client reports the limits and how long to wait.
    RateLimited,
    /// A 2xx that is not documented is a success.
    UndocumentedSuccess,
    /// Unknown members and odd values in an answer do not fail it.
    TolerantAnswer,
    /// `..` as a path argument is refused before anything is sent.
    DotSegment,
    /// A redirect to another origin gets no token.
    Redirect,
    /// A call that must not be repeated is sent once, whatever the answer.
    SingleRequest,
    /// The token is in no error, even where the server echoes it.
    SecretHidden,
    /// A success in which items failed is not plainly a success, in every documented shape.
    PartialFailure,
    /// A token that was replaced where the client finds it, and is refused with 401: the call is sent once more with the
    /// new one and succeeds.
    RotatedToken,
    /// A refusal that another token does not change: one more attempt after 401, none after 403.
    RefusedForGood,
    /// A call that may be repeated, and a 503 before its success: it is sent twice, the same both times.
    RepeatedCall,
    /// A refusal that stands, of 402, 403, 404 and 422: the call is sent once.
    StandingRefusal,
    /// A 429 before the success: the call is sent again after the time that the server asks for.
    LimitWaited,
    /// Nothing but 429: the call ends after a few attempts.
    LimitWithoutEnd,
    /// A 429 whose reset is over: the call is sent again soon, but not at once.
    ResetInThePast,
    /// An authorization server.
    Authorization(AuthorizationDrive),
}

impl Rule {
    /// Returns whether the rule applies to the operation with this id.
    pub fn covers(&self, operation: &str) -> bool {
        let listed = |patterns: &[String]| patterns.iter().any(|pattern| glob::matches(pattern, operation));
        (self.operations.is_empty() || listed(&self.operations)) && !listed(&self.except)
    }

    /// Returns the family; `None` if the id has none.
    pub fn family(&self) -> Option<Family> {
        let name = self.id.split('.').nth(1)?;
        Family::ALL.into_iter().find(|family| family.to_string() == name)
    }
}

impl Expect {
    /// Returns whether it expects a status.
    pub(crate) fn asks_for_status(&self) -> bool {
        self.success || self.refused || self.no_failure || !self.status.is_empty()
    }

    /// Returns whether it expects more than a status.
    pub(crate) fn is_about_more(&self) -> bool {
        let names = [&self.headers, &self.error].into_iter().any(|names| !names.is_empty());
        let same = self.same_as.is_some() || self.same_headers_as.is_some();
        let judged = self.body.is_some() || self.rate.is_some() || self.grant.is_some() || self.key.is_some();
        let judged = judged || self.no_foreign_origin;
        names || same || judged || self.challenge.is_some() || self.no_store || self.standing().next().is_some()
    }

    /// Returns whether it has all kinds of expectations of the other one; the statuses may differ.
    pub(crate) fn includes_expectations_of(&self, other: &Self) -> bool {
        let has = |asked: bool, known: bool| !asked || known;
        has(other.asks_for_status(), self.asks_for_status())
            && has(other.no_foreign_origin, self.no_foreign_origin)
            && has(other.no_store, self.no_store)
            && has(other.same_as.is_some(), self.same_as.is_some())
            && has(other.same_headers_as.is_some(), self.same_headers_as.is_some())
            && has(!other.error.is_empty(), !self.error.is_empty())
            && has(other.body.is_some(), self.body == other.body)
            && has(other.rate.is_some(), self.rate == other.rate)
            && other.headers.iter().all(|name| self.headers.contains(name))
            && other.standing().all(|about| self.standing().any(|known| known == about))
            && other.grant.is_none()
            && other.challenge.is_none()
            && other.key.is_none()
            && other.delivery.is_none()
    }

    /// Returns its aspects of all answers, if its rule is a standing one.
    pub(crate) fn standing(&self) -> impl Iterator<Item = GeneralRule> {
        let hidden = self.hides.iter().copied().map(GeneralRule::Hides);
        hidden.chain(self.keeps.iter().copied().map(GeneralRule::Keeps))
    }

    /// Returns the probe that is sent first, for a comparison of the two answers.
    pub(crate) fn compared_with(&self) -> Option<&Probe> {
        let other = self.same_as.as_ref().or(self.same_headers_as.as_ref());
        other.or_else(|| (self.rate == Some(Rate::CostsOne)).then_some(&Probe::Valid))
    }
}

impl Family {
    /// All families, in the order of reports.
    pub const ALL: [Self; 17] = [
        Self::Auth,
        Self::Scope,
        Self::Tenant,
        Self::Error,
        Self::Input,
        Self::Method,
        Self::Batch,
        Self::Page,
        Self::Repeat,
        Self::Chain,
        Self::Rate,
        Self::Answer,
        Self::Oauth,
        Self::Jwt,
        Self::Keys,
        Self::Webhook,
        Self::Client,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auth => "auth",
            Self::Scope => "scope",
            Self::Tenant => "tenant",
            Self::Error => "error",
            Self::Input => "input",
            Self::Method => "method",
            Self::Batch => "batch",
            Self::Page => "page",
            Self::Repeat => "repeat",
            Self::Chain => "chain",
            Self::Rate => "rate",
            Self::Answer => "answer",
            Self::Oauth => "oauth",
            Self::Jwt => "jwt",
            Self::Keys => "keys",
            Self::Webhook => "webhook",
            Self::Client => "client",
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observe => "observe",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}
