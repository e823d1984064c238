//! What became of an item, and of all of them together.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::redact::Redactor;
use crate::error::{Error, FieldError};

/// What became of one item. There is one of these for each item that was taken, and no second one.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The server says that it took the item.
    Accepted,
    /// The item was refused, by the server or before it was sent, and would be again.
    Rejected(Vec<Reason>),
    /// Nobody can tell, or it was not sent: [`Unknown::may_have_been_sent`] says which.
    Unknown(Unknown),
}

/// Why an item was rejected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reason {
    /// The member of the item that is at fault, where the server names one.
    pub field: Option<String>,
    /// The server's words.
    pub message: String,
    /// The server's code, where a refusal has one.
    pub code: Option<String>,
}

impl Reason {
    /// A reason in words alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A reason that is about a member of the item.
    pub fn of_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(message) }
    }

    /// Why a text is not an object, by the error of reading it as one. Its own words would quote the item.
    pub fn of_json(error: &serde_json::Error) -> Self {
        let line = if error.line() > 1 { format!("line {}, ", error.line()) } else { String::new() };
        Self::new(format!("is no JSON object ({line}column {})", error.column()))
    }

    /// Why a batch of one item was refused, in the server's words where it has some.
    pub(super) fn of_refusal(error: &Error) -> Vec<Self> {
        let code = error.code().map(str::to_owned);
        let reasons: Vec<Self> = error
            .field_errors()
            .into_iter()
            .map(|FieldError { field, message, .. }| Self { field, message, code: code.clone() })
            .collect();
        if reasons.is_empty() { vec![Self { code, ..Self::new(error.to_string()) }] } else { reasons }
    }

    /// Leaves secrets out of it: a server may repeat the token that it was shown.
    pub(crate) fn mask(&mut self, secrets: &[Redactor]) {
        for text in std::iter::once(&mut self.message).chain(&mut self.field).chain(&mut self.code) {
            for secrets in secrets {
                if let Cow::Owned(masked) = secrets.mask(text) {
                    *text = masked;
                }
            }
        }
    }
}

/// Why nothing certain is known of an item.
#[derive(Clone)]
pub struct Unknown {
    text: Arc<str>,
    error: Option<Arc<Error>>,
    may_have_been_sent: bool,
}

impl Unknown {
    pub(super) fn unsent(text: &str) -> Self {
        Self { text: text.into(), error: None, may_have_been_sent: false }
    }

    pub(super) fn sent(text: &str) -> Self {
        Self { text: text.into(), error: None, may_have_been_sent: true }
    }

    /// `may_have_been_sent`: in this request or in one before.
    pub(super) fn failed(error: Arc<Error>, may_have_been_sent: bool) -> Self {
        Self { text: error.to_string().into(), error: Some(error), may_have_been_sent }
    }

    /// Leaves secrets out of it.
    pub(super) fn mask(&mut self, secrets: &[Redactor]) {
        for secrets in secrets {
            if let Cow::Owned(masked) = secrets.mask(&self.text) {
                self.text = masked.into();
            }
        }
    }

    /// The error of the last request that held the item, where there was one.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_deref()
    }

    /// Whether the server may have taken the item. `false` is certain.
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("text", &self.text)
            .field("may_have_been_sent", &self.may_have_been_sent)
            .finish_non_exhaustive()
    }
}

/// How many items came to what, since the writer was started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Items that the server took.
    pub accepted: u64,
    /// Items that were refused.
    pub rejected: u64,
    /// Items of which nothing certain is known.
    pub unknown: u64,
    /// Items that the checkpoint of an earlier run covers; they were not sent.
    pub skipped: u64,
}

impl Summary {
    /// Whether every item was accepted, now or in the run before.
    pub fn is_complete(&self) -> bool {
        self.rejected == 0 && self.unknown == 0
    }

    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Rejected(_) => self.rejected += 1,
            Outcome::Unknown(_) => self.unknown += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, rejected, unknown, skipped } = self;
        write!(f, "{accepted} accepted, {rejected} rejected, {unknown} unknown, {skipped} skipped")
    }
}
