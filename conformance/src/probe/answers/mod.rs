//! Checks that apply to every answer, independent of the request: each answer is checked once, when it has arrived.

mod caches;
mod document;
mod hashes;
mod internals;
mod limits;
mod one_way;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

pub(crate) use hashes::is_password;
use keyfit_openapi::{Api, Operation};
pub(super) use limits::ReportedLimit;
use reqwest::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::Value;

use self::document::DocumentedAnswer;
use super::reply::Reply;
use super::request::Draft;
use crate::contract::{GeneralRule, Hidden, Level, Promise};
use crate::credential::secret::{Redactor, Secret};

/// An answer with its request and its context.
pub(super) struct AnswerContext<'a> {
    pub(super) api: &'a Api,
    /// True if violations of parts that the document marks as unverified are only observed.
    pub(super) is_transcribed: bool,
    /// The operation that was called. For a request that does not call the API: the operation of its case.
    pub(super) operation: &'a Operation,
    pub(super) draft: &'a Draft,
    pub(super) reply: &'a Reply,
    /// The secrets that the answer must not repeat.
    pub(super) secrets: &'a [Secret],
    /// Masks secrets that are found in the answer.
    pub(super) redactor: &'a Redactor,
    /// The body as JSON, parsed at its first use.
    pub(super) value: OnceCell<Option<Value>>,
}

/// A flaw of an answer.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct AnswerFlaw {
    pub(super) finding: String,
    /// The highest level that the finding may have.
    pub(super) at_most: Level,
}

impl AnswerFlaw {
    fn new(finding: impl Into<String>) -> Self {
        Self { finding: finding.into(), at_most: Level::Must }
    }
}

impl AnswerContext<'_> {
    /// Returns the body as JSON, or `None` if it is not JSON.
    fn value(&self) -> Option<&Value> {
        self.value.get_or_init(|| serde_json::from_slice(&self.reply.body).ok()).as_ref()
    }

    /// Returns the violation of this standing rule by the answer.
    pub(super) fn finding(&self, about: GeneralRule) -> Option<AnswerFlaw> {
        match about {
            GeneralRule::Hides(Hidden::Token) => self.repeats_token(),
            GeneralRule::Hides(Hidden::Internals) => self.shows_internals(),
            GeneralRule::Hides(Hidden::PasswordHash) => hashes::finding(self),
            GeneralRule::Hides(Hidden::WriteOnly) => one_way::finding(self),
            // The document describes only answers to calls of the API.
            GeneralRule::Keeps(_) if self.draft.operation.is_none() => None,
            GeneralRule::Keeps(promise) => self.breach(promise),
        }
    }

    /// Returns the flaw in the form of an answer that has to match the document.
    pub(super) fn form(&self) -> Option<String> {
        DocumentedAnswer { seen: self }.form().map(|found| found.finding)
    }

    /// Returns whether this finding only violates inferred parts of a transcription.
    pub(super) fn is_inferred(&self, finding: &str) -> bool {
        let is_it = |found: AnswerFlaw| found.finding == finding && found.at_most == Level::Observe;
        self.is_transcribed && DocumentedAnswer { seen: self }.form().is_some_and(is_it)
    }

    fn breach(&self, promise: Promise) -> Option<AnswerFlaw> {
        match promise {
            Promise::DocumentedStatus => self.called_as_documented()?.status(),
            Promise::DocumentedRefusal => self.called_as_documented()?.refusal(),
            Promise::DocumentedMediaType => self.called_as_documented()?.media_type(),
            Promise::DocumentedBody => self.called_as_documented()?.body(),
            Promise::DocumentedHeaders => self.called_as_documented()?.headers(),
            Promise::DocumentedFormats => self.called_as_documented()?.formats(),
            Promise::NoServerError => self.server_error(),
            Promise::Challenge => self.lacks(401, WWW_AUTHENTICATE.as_str(), "WWW-Authenticate"),
            Promise::Allow => self.allow(),
            Promise::ContentType => {
                let is_named = self.reply.headers.contains_key(CONTENT_TYPE);
                let length = self.reply.body.len();
                (length > 0 && !is_named)
                    .then(|| AnswerFlaw::new(format!("a body of {length} bytes has no `Content-Type`")))
            }
            Promise::Private => caches::finding(self).map(AnswerFlaw::new),
            Promise::Limits => limits::finding(&self.reply.headers),
            Promise::ProblemStatus => self.contradicts_itself(),
        }
    }

    /// Returns the description of the answer, if the request has the method of the operation: the document does not describe answers to
    /// other methods.
    fn called_as_documented(&self) -> Option<DocumentedAnswer<'_>> {
        (self.draft.method == self.operation.method).then_some(DocumentedAnswer { seen: self })
    }

    fn repeats_token(&self) -> Option<AnswerFlaw> {
        self.reply.holds(self.secrets).then(|| AnswerFlaw::new("the answer repeats the token"))
    }

    /// Only refusals are checked: content that is served may be a text about anything.
    fn shows_internals(&self) -> Option<AnswerFlaw> {
        if self.reply.is_success() {
            return None;
        }
        internals::finding(&self.reply.body, self.draft.url.path()).map(AnswerFlaw::new)
    }

    /// Status 5xx is a finding, except for a method that is not implemented (501), an overload (503), an unsupported HTTP version (505),
    /// and a network login (511): these are not faults of the server.
    fn server_error(&self) -> Option<AnswerFlaw> {
        let status = self.reply.status;
        let is_fault = (500..600).contains(&status) && !matches!(status, 501 | 503 | 505 | 511);
        is_fault.then(|| {
            AnswerFlaw::new(format!("the status is {status}: the server failed at a request that it has to judge"))
        })
    }

    /// Returns a finding if problem details name another status than the answer has.
    fn contradicts_itself(&self) -> Option<AnswerFlaw> {
        let status = self.reply.status;
        let essence = self.reply.media_type().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/problem+json") {
            return None;
        }
        let named = self.value()?.get("status")?.as_u64().filter(|named| *named != u64::from(status))?;
        Some(AnswerFlaw::new(format!("the problem says that its status is {named}, and the answer has {status}")))
    }

    /// Returns a finding for a 405 without `Allow`. A component in front of an API is not the origin server, which has to send it.
    fn allow(&self) -> Option<AnswerFlaw> {
        let found = self.lacks(405, ALLOW.as_str(), "Allow")?;
        let at_most = if document::is_plain(self.reply) { Level::Should } else { Level::Must };
        Some(AnswerFlaw { at_most, ..found })
    }

    fn lacks(&self, status: u16, name: &str, shown: &str) -> Option<AnswerFlaw> {
        let lacks = self.reply.status == status && !self.reply.headers.contains_key(name);
        lacks.then(|| AnswerFlaw::new(format!("the header `{shown}` is missing")))
    }
}
