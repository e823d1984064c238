//! What holds of every answer, whatever was asked: each is looked at once, when it has arrived.

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
pub(super) use limits::Told;
use reqwest::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::Value;

use self::document::Described;
use super::reply::Reply;
use super::request::Draft;
use crate::contract::{Hidden, Level, Promise, Standing};
use crate::secret::{Redactor, Secret};

/// An answer, with what it answers and what is known of that.
pub(super) struct Seen<'a> {
    pub(super) api: &'a Api,
    /// Whether what a document calls unverified is only observed.
    pub(super) is_transcribed: bool,
    /// The operation that was called; of a request that is no call of the API, that of its case.
    pub(super) operation: &'a Operation,
    pub(super) draft: &'a Draft,
    pub(super) reply: &'a Reply,
    /// What it may not repeat.
    pub(super) secrets: &'a [Secret],
    /// Masks what is found and may not be shown.
    pub(super) redactor: &'a Redactor,
    /// The body as JSON, once something has asked for it.
    pub(super) value: OnceCell<Option<Value>>,
}

/// What is wrong with an answer.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) finding: String,
    /// How binding that can be at most.
    pub(super) at_most: Level,
}

impl Found {
    fn new(finding: impl Into<String>) -> Self {
        Self { finding: finding.into(), at_most: Level::Must }
    }
}

impl Seen<'_> {
    /// The body as JSON, if that is what it is.
    fn value(&self) -> Option<&Value> {
        self.value.get_or_init(|| serde_json::from_slice(&self.reply.body).ok()).as_ref()
    }

    /// What is wrong with it in this.
    pub(super) fn finding(&self, about: Standing) -> Option<Found> {
        match about {
            Standing::Hides(Hidden::Token) => self.repeats_token(),
            Standing::Hides(Hidden::Internals) => self.shows_internals(),
            Standing::Hides(Hidden::PasswordHash) => hashes::finding(self),
            Standing::Hides(Hidden::WriteOnly) => one_way::finding(self),
            // Of what is no call of the API its document says nothing.
            Standing::Keeps(_) if self.draft.operation.is_none() => None,
            Standing::Keeps(promise) => self.breach(promise),
        }
    }

    /// What is wrong with the form of an answer that is to be the documented one.
    pub(super) fn form(&self) -> Option<String> {
        Described { seen: self }.form().map(|found| found.finding)
    }

    /// Whether that is wrong by what a transcription has by inference alone.
    pub(super) fn is_inferred(&self, finding: &str) -> bool {
        let is_it = |found: Found| found.finding == finding && found.at_most == Level::Observe;
        self.is_transcribed && Described { seen: self }.form().is_some_and(is_it)
    }

    fn breach(&self, promise: Promise) -> Option<Found> {
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
                (length > 0 && !is_named).then(|| Found::new(format!("a body of {length} bytes has no `Content-Type`")))
            }
            Promise::Private => caches::finding(self).map(Found::new),
            Promise::Limits => limits::finding(&self.reply.headers),
            Promise::ProblemStatus => self.contradicts_itself(),
        }
    }

    /// What the document says, where the method is one that it knows: what others are answered it does not say.
    fn called_as_documented(&self) -> Option<Described<'_>> {
        (self.draft.method == self.operation.method).then_some(Described { seen: self })
    }

    fn repeats_token(&self) -> Option<Found> {
        self.reply.holds(self.secrets).then(|| Found::new("the answer repeats the token"))
    }

    /// What is served may be a text about anything.
    fn shows_internals(&self) -> Option<Found> {
        if self.reply.is_success() {
            return None;
        }
        internals::finding(&self.reply.body, self.draft.url.path()).map(Found::new)
    }

    /// A method that the server does not implement, a version that it does not speak, and that it has no time or lets nobody
    /// through are no faults of its own making.
    fn server_error(&self) -> Option<Found> {
        let status = self.reply.status;
        let is_fault = (500..600).contains(&status) && !matches!(status, 501 | 503 | 505 | 511);
        is_fault
            .then(|| Found::new(format!("the status is {status}: the server failed at a request that it has to judge")))
    }

    /// Problem details that name another status than the answer has.
    fn contradicts_itself(&self) -> Option<Found> {
        let status = self.reply.status;
        let essence = self.reply.media_type().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/problem+json") {
            return None;
        }
        let named = self.value()?.get("status")?.as_u64().filter(|named| *named != u64::from(status))?;
        Some(Found::new(format!("the problem says that its status is {named}, and the answer has {status}")))
    }

    /// Who stands before an API and refuses in words of its own is not its origin server, of which that is demanded.
    fn allow(&self) -> Option<Found> {
        let found = self.lacks(405, ALLOW.as_str(), "Allow")?;
        let at_most = if document::is_plain(self.reply) { Level::Should } else { Level::Must };
        Some(Found { at_most, ..found })
    }

    fn lacks(&self, status: u16, name: &str, shown: &str) -> Option<Found> {
        let lacks = self.reply.status == status && !self.reply.headers.contains_key(name);
        lacks.then(|| Found::new(format!("the header `{shown}` is missing")))
    }
}
