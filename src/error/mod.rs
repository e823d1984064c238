//! The ground that everything else stands on: the one error of every call, and what it is made of. Nothing in here knows
//! of credentials, clients or APIs.

pub(crate) mod api;
mod batching;
pub(crate) mod body;
mod cause;
pub(crate) mod clock;
pub(crate) mod failure;
mod field_error;
pub(crate) mod hex;
pub(crate) mod jitter;
pub(crate) mod json;
mod kind;
pub(crate) mod limit_fields;
pub mod operation;
mod pagination;
mod partial;
pub(crate) mod problem;
pub(crate) mod rate_limit;
pub mod redact;
#[cfg(test)]
pub(crate) mod test_logs;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod testing;
mod timestamp;
pub(crate) mod when;
pub(crate) mod whole_numbers;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use api::{Api, ErrorEnvelope, RateLimitNames};
pub use clock::{Clock, SystemClock};
pub use field_error::FieldError;
pub use kind::ErrorKind;
pub use limit_fields::LimitFields;
pub use operation::{ItemCounts, Operation};
pub use rate_limit::RateLimit;
pub use timestamp::Timestamp;

use failure::{Failure, Fault};
use json::decode_body;
use redact::OneLine;

/// The error of a failed call. One pointer large, `Send + Sync + 'static`.
///
/// Whatever a server answered is here, whatever its body was: status, headers, rate limit, body. Neither `Display` nor
/// `Debug` shows the body or a credential.
///
/// # Troubleshooting
/// - [`Credential`](ErrorKind::Credential), [`Configuration`](ErrorKind::Configuration),
///   [`InvalidRequest`](ErrorKind::InvalidRequest), [`Refused`](ErrorKind::Refused): nothing was sent; the message
///   says what to change.
/// - [`ReauthorizationRequired`](ErrorKind::ReauthorizationRequired): nothing was sent, and trying again is of no use: the user
///   must consent anew.
/// - [`Unauthorized`](ErrorKind::Unauthorized): the token is unknown, revoked or of another API. Do not retry with it.
/// - [`Forbidden`](ErrorKind::Forbidden): the token lacks a scope; [`operation`](Error::operation) names the ones it
///   needs. Servers that hide what a token may not see answer [`NotFound`](ErrorKind::NotFound) instead.
/// - [`RateLimited`](ErrorKind::RateLimited): not executed; wait for [`retry_after`](Error::retry_after). Without a
///   [`status`](Error::status) nothing was sent: the window was known to be used up for longer than the call's deadline.
/// - [`NotModified`](ErrorKind::NotModified): what you have is still right. [`PreconditionFailed`](ErrorKind::PreconditionFailed):
///   somebody changed it since; read it again, and decide anew.
/// - [`PartialFailure`](ErrorKind::PartialFailure): executed, but not for every item; [`item_counts`](Error::item_counts) says
///   for how many, [`decode`](Error::decode) reads the answer, which names them.
/// - [`Decode`](ErrorKind::Decode), [`Cut`](ErrorKind::Cut): executed; the answer could not be read. Do not resend
///   without looking up what happened; [`body`](Error::body) has what came. An answer over the limit needs a higher
///   [`Config::response_limit`](crate::Config::response_limit).
/// - [`Timeout`](ErrorKind::Timeout), [`Transport`](ErrorKind::Transport):
///   [`may_have_been_sent`](Error::may_have_been_sent) says whether the server may have executed it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Option<&'static Operation>,
    /// The name of the request if no document has one.
    called: Option<String>,
    /// The text if no answer gives one.
    text: String,
    failure: Option<Failure>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    may_have_been_sent: bool,
    /// Every attempt that was sent was refused.
    was_refused: bool,
    attempts: u32,
    retry_after: Option<Duration>,
    /// The known rate limit if nothing was sent because of it.
    rate_limit: Option<RateLimit>,
    /// The item of a stream at which it failed, from 1.
    item: Option<u64>,
}

impl Error {
    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that was called, with the scopes that it needs.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.failure.as_ref().map(|failure| failure.status)
    }

    /// The headers of the answer, if there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.failure.as_ref().map(|failure| &failure.headers)
    }

    /// The body of the answer as it came, as far as it came: of a success up to
    /// [`Config::response_limit`](crate::Config::response_limit), of any other answer up to 1 MiB. Empty where there was
    /// none.
    pub fn body(&self) -> &Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.0.failure.as_ref().map_or(&EMPTY, |failure| &failure.body)
    }

    /// Returns whether [`body`](Self::body) is all that the server sent. `false` after an answer that was cut off or is longer
    /// than what is kept.
    pub fn is_body_whole(&self) -> bool {
        self.0.failure.as_ref().is_none_or(|failure| failure.is_whole)
    }

    /// The server's machine-readable code, where its envelope has one.
    pub fn code(&self) -> Option<&str> {
        self.0.failure.as_ref()?.problem.code.as_deref()
    }

    /// The server's words, where its envelope has some.
    pub fn message(&self) -> Option<&str> {
        self.0.failure.as_ref()?.problem.message.as_deref()
    }

    /// Returns the server's details beyond the message: text, list or object.
    pub fn details(&self) -> Option<&Value> {
        self.0.failure.as_ref()?.problem.details.as_ref()
    }

    /// The server's name for this request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.failure.as_ref()?.problem.request_id.as_deref()
    }

    /// Returns the numbers of accepted and rejected items, after a [partial failure](ErrorKind::PartialFailure).
    pub fn item_counts(&self) -> Option<ItemCounts> {
        match self.0.failure.as_ref()?.fault {
            Fault::Partial(counts) => Some(counts),
            _ => None,
        }
    }

    /// The number of the event or JSON text at which a stream failed, counted from 1: the one at fault, or the one that would have
    /// come next.
    pub fn item(&self) -> Option<u64> {
        self.0.item
    }

    /// The fields that the server names as at fault, with its words. Empty where its envelope names none.
    pub fn field_errors(&self) -> Vec<FieldError> {
        let details = self.0.failure.as_ref().and_then(|failure| failure.problem.details.as_ref());
        details.map(field_error::read).unwrap_or_default()
    }

    /// The rate limit that the answer reported; where nothing was sent because it is used up, the one last reported.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let read = |failure: &Failure| RateLimit::of(&failure.headers, &failure.api.rate_limit);
        self.0.failure.as_ref().and_then(read).or(self.0.rate_limit)
    }

    /// Returns the time to wait before another call, from the moment of the answer: the body's hint, else `Retry-After`, else
    /// `X-RateLimit-Reset`. Only for 429, for a 403 that is one in fact, and for 503, where waiting helps, be it the API's or a token
    /// endpoint's. Parts of a second are rounded up.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the number of requests that were sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the server may have executed the request. `false` is certain; `true` asks for care with calls that cost
    /// money.
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// Returns whether the credential is at fault: no token, a session that has ended, 401 or 403.
    pub fn is_auth(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Credential | ErrorKind::ReauthorizationRequired | ErrorKind::Unauthorized | ErrorKind::Forbidden
        )
    }

    /// Returns whether time ran out, or the server could not be reached or did not answer: the same call may succeed later. It
    /// may also have been executed: see [`may_have_been_sent`](Self::may_have_been_sent). `false` for an answer over the
    /// limit, which would be as long again.
    pub fn is_network(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport => true,
            ErrorKind::Cut => !self.is_over_limit(),
            _ => false,
        }
    }

    /// Returns whether the answer is a success that is longer than the limit.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.0.failure.as_ref().is_some_and(|failure| matches!(failure.fault, Fault::TooLong(_) | Fault::LongItem(_)))
    }

    /// Returns whether waiting helps: 429, or a 403 that names a time for the next call.
    pub fn is_rate_limited(&self) -> bool {
        self.kind() == ErrorKind::RateLimited
    }

    /// The body as a type of yours, or one of the API's `types`.
    ///
    /// # Errors
    /// Returns an error if the body does not fit the type. It names no value of the body.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        decode_body(self.body())
    }

    /// The body of a refusal as a type of yours, or as the one that the documentation of the call's method names for the status.
    ///
    /// # Errors
    /// Returns an error if there is no such value: there was no answer, or the body is empty, was cut off, is not JSON, or does not
    /// fit the type. It gives the reason and the position, and shows no value of the body.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let Some(failure) = &self.0.failure else { return Err(serde::de::Error::custom("there was no answer")) };
        json::read(&failure.body).map_err(|error| serde::de::Error::custom(failure.misfit::<T>(&error)))
    }

    /// A credential that cannot be had; nothing was sent. For secret and token sources of your own. The message must not
    /// hold the secret.
    pub fn credential(message: impl Into<String>) -> Self {
        Self::unsent(ErrorKind::Credential, message.into())
    }

    /// As [`credential`](Self::credential), with the error behind it.
    pub fn credential_from(message: impl Into<String>, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::credential(message).because_of(source)
    }

    /// Says that the request may have reached the server. For a [`KeyManager`](crate::auth::rotation::KeyManager) of your own that makes a
    /// key: without it an error means that nothing was made.
    #[must_use]
    pub fn possibly_sent(mut self) -> Self {
        self.0.may_have_been_sent = true;
        self
    }

    /// A session that only its user can renew, by consenting again; nothing was sent. For token sources of your own. The
    /// message must not hold a secret.
    pub fn reauthorization_required(message: impl Into<String>) -> Self {
        Self::unsent(ErrorKind::ReauthorizationRequired, message.into())
    }

    /// One failure of a source for many callers: of the same kind, with the same wait.
    pub(crate) fn of_source(error: Arc<Self>) -> Self {
        let mut shared = Self::credential(error.to_string());
        if error.kind() == ErrorKind::ReauthorizationRequired {
            shared.0.kind = error.kind();
        }
        shared.0.retry_after = error.retry_after();
        shared.0.source = Some(error.into());
        shared
    }

    /// With the error behind it.
    pub(crate) fn because_of(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// With the wait that a server asks for.
    #[cfg(feature = "oauth")]
    pub(crate) fn waiting(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, called, text, failure, .. } = &*self.0;
        if let Some(called) = called.as_deref().or(operation.map(|operation| operation.id)) {
            write!(f, "{called}: ")?;
        }
        let Some(failure) = failure else { return f.write_str(text) };
        write!(f, "{}", failure.status)?;
        if let Some(code) = &failure.problem.code {
            write!(f, " ({})", OneLine::of_server(code))?;
        }
        for part in [failure.problem.message.as_deref(), Some(text.as_str())].into_iter().flatten() {
            if !part.is_empty() {
                write!(f, ": {}", OneLine::of_server(part))?;
            }
        }
        Ok(())
    }

    /// The first error of a type behind this one. The error of a call has the error of its credential in between, which
    /// many callers share.
    #[cfg(any(feature = "oauth", feature = "vault", feature = "aws"))]
    pub(crate) fn find_source<E: StdError + 'static>(&self) -> Option<&E> {
        let mut next = self.source();
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref() {
                return Some(found);
            }
            next = cause.source();
        }
        None
    }
}

/// On one line: what was called, and why it failed. `{:#}` has what is behind that as well, each after a colon.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_line(f)?;
        if f.alternate() {
            let mut next = self.source();
            while let Some(cause) = next {
                write!(f, ": {}", OneLine::of_server(&cause.to_string()))?;
                next = cause.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind()).field("message", &self.to_string());
        if let Some(failure) = &self.0.failure {
            debug.field("details", &failure.problem.details).field("request_id", &failure.problem.request_id);
            debug.field("rate_limit", &self.rate_limit()).field("body_bytes", &failure.body.len());
        }
        debug
            .field("attempts", &self.0.attempts)
            .field("may_have_been_sent", &self.may_have_been_sent())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::redact::Redactor;

    #[test]
    fn an_error_is_one_pointer_and_crosses_threads() {
        fn crosses_threads<T: Send + Sync + 'static>() {}
        crosses_threads::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    fn of_success(fault: Fault) -> Error {
        let failure = Failure::of_success(fault, &api::UNKNOWN, StatusCode::OK, HeaderMap::new(), Bytes::new());
        Error::answered(failure, None, &Redactor::new(["hunter2/a"]))
    }

    #[test]
    fn a_secret_that_is_the_name_of_a_member_is_not_in_the_place_that_does_not_fit() {
        let error = of_success(Fault::Decode("at `keys.hunter2%2Fa.id`: a \u{202e}number".to_owned()));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(r"at `keys.[redacted].id`: a \u{202e}number"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_error_of_a_type_of_the_callers_own_names_no_value() {
        let mut error = of_success(Fault::Status);
        let failure = error.0.failure.as_mut().expect("an answer");
        failure.body = Bytes::from_static(b"{\"a\": \"hunter2\"}");
        let refused = error.decode::<std::collections::BTreeMap<String, u8>>().expect_err("no number");
        assert!(refused.is_data() && !refused.to_string().contains("hunter2"), "{refused}");
        assert_eq!((refused.line(), error.decode::<Value>().ok()), (1, Some(serde_json::json!({"a": "hunter2"}))));
    }

    #[test]
    fn what_was_never_sent_says_so() {
        for error in [Error::credential(String::new()), Error::configuration(String::new())] {
            assert!(!error.may_have_been_sent());
            assert!(error.status().is_none());
            assert!(error.body().is_empty());
        }
    }
}
