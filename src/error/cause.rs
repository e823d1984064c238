//! The causes of an error: a refusal by this crate, a missing answer, or an answer that is not a plain success.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, LOCATION};
use http::{Method, StatusCode};

use super::api::UNKNOWN;
use super::{Error, Inner};
use crate::error::failure::{self, Failure};
use crate::error::rate_limit::{self, RateLimit};
use crate::error::redact::{OneLine, Redactor};
use crate::error::{ErrorKind, Operation};
use crate::http_client::{Fault, SendError};
use crate::runtime;

impl Error {
    pub(crate) fn configuration(text: String) -> Self {
        Self::unsent(ErrorKind::Configuration, text)
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn configuration_from(text: String, source: SendError) -> Self {
        let mut error = Self::configuration(text);
        error.0.source = Some(source.into_source());
        error
    }

    /// An error with words where there would be a panic without them.
    pub(crate) fn check_runtime() -> Result<(), Self> {
        runtime::why_absent().map_or(Ok(()), |why| Err(Self::configuration(why.to_owned())))
    }

    pub(crate) fn invalid_request(text: String) -> Self {
        Self::unsent(ErrorKind::InvalidRequest, text)
    }

    pub(crate) fn unknown_operation(id: &str) -> Self {
        Self::invalid_request(format!("there is no operation `{id}`"))
    }

    /// A wait for a rate limit that is longer than the caller has.
    pub(crate) fn limited(wait: Duration, rate_limit: Option<RateLimit>) -> Self {
        let text = format!(
            "the rate limit is used up for another {} s, and the deadline of the call is sooner",
            wait.as_secs() + 1
        );
        let mut error = Self::unsent(ErrorKind::RateLimited, text);
        error.0.retry_after = Some(wait);
        error.0.rate_limit = rate_limit;
        error
    }

    /// Work that is not over before the deadline.
    pub(crate) fn unfinished(deadline: Duration) -> Self {
        let mut error = Self::unsent(
            ErrorKind::Timeout,
            format!("the work is not over within {} s: `done` goes on waiting for it", deadline.as_secs()),
        );
        error.0.may_have_been_sent = true;
        error
    }

    /// A call whose deadline passed before it was sent.
    pub(crate) fn late() -> Self {
        Self::unsent(ErrorKind::Timeout, "the deadline of the call passed before it was sent".to_owned())
    }

    /// A request whose answer did not begin in time.
    pub(crate) fn unanswered() -> Self {
        let mut error = Self::unsent(ErrorKind::Timeout, "the answer took too long to begin".to_owned());
        error.0.may_have_been_sent = true;
        error
    }

    /// A stream of which nothing came for too long.
    pub(crate) fn silent(time: Duration) -> Self {
        let text = format!("nothing came for {time:?}: raise `idle_timeout`");
        let mut error = Self::unsent(ErrorKind::Timeout, text);
        error.0.may_have_been_sent = true;
        error
    }

    /// A stream whose connection failed.
    pub(crate) fn broken_off(source: SendError) -> Self {
        let mut error = Self::unsent(ErrorKind::Cut, "the connection failed in the middle of the answer".to_owned());
        error.0.may_have_been_sent = true;
        error.because_of(source.into_source())
    }

    /// Names the item of a stream that failed, counted from 1; `word` is the word for an item.
    pub(crate) fn at_item(mut self, word: &str, number: u64) -> Self {
        self.0.text = format!("{word} {number}: {}", self.0.text);
        self.0.item = Some(number);
        self
    }

    /// A file that cannot be read or written. What it is called is the caller's own.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn file(text: &str, source: std::io::Error) -> Self {
        Self::unsent(ErrorKind::File, format!("{text}: {}", source.kind())).because_of(source)
    }

    /// A list that does not come to its end.
    pub(crate) fn endless(text: String) -> Self {
        let mut error = Self::unsent(ErrorKind::Unexpected, text);
        error.0.may_have_been_sent = true;
        error
    }

    /// The error after so many requests, of which one may have been executed.
    pub(crate) fn after(mut self, attempts: u32, may_have_been_sent: bool, may_have_been_executed: bool) -> Self {
        self.0.attempts = attempts;
        self.0.was_refused = may_have_been_sent && !may_have_been_executed;
        self.0.may_have_been_sent |= may_have_been_sent;
        self
    }

    /// Returns whether the server may have executed the request: one attempt may have been sent, and was not refused with certainty.
    pub fn may_have_been_executed(&self) -> bool {
        self.0.may_have_been_sent && !self.0.was_refused
    }

    /// Names the operation.
    pub(crate) fn of_operation(mut self, operation: &'static Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Names a request that no document describes, by its method and its path without a query. What looks like a secret in it is
    /// masked.
    pub(crate) fn of_request(mut self, operation: &'static Operation, method: &Method, path: &str) -> Self {
        let called = format!("{method} {}", path.split(['?', '#']).next().unwrap_or_default());
        let called = Redactor::of_client::<&str>([]).mask(&called).into_owned();
        self.0.called = Some(OneLine::of_server(&called).to_string());
        self.of_operation(operation)
    }

    /// Without secrets in what the server said, and in what is said of its answer.
    pub(crate) fn masked(mut self, secrets: &Redactor) -> Self {
        if let Cow::Owned(masked) = secrets.mask(&self.0.text) {
            self.0.text = masked;
        }
        if let Some(called) = &mut self.0.called
            && let Cow::Owned(masked) = secrets.mask(called)
        {
            *called = masked;
        }
        if let Some(failure) = &mut self.0.failure {
            failure.problem = std::mem::take(&mut failure.problem).masked(secrets);
            failure.secrets.push(secrets.clone());
        }
        self
    }

    /// Returns the redactors of the credentials that the server was sent, and may repeat: for texts of the [body](Self::body), which
    /// is kept unchanged. Empty if there was no answer.
    pub fn redactors(&self) -> &[Redactor] {
        self.0.failure.as_ref().map(|failure| failure.secrets.as_slice()).unwrap_or_default()
    }

    /// A request that would go where its operation is not.
    pub(crate) fn refused(text: String) -> Self {
        Self::unsent(ErrorKind::Refused, text)
    }

    pub(super) fn unsent(kind: ErrorKind, text: String) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            called: None,
            text,
            failure: None,
            source: None,
            may_have_been_sent: false,
            was_refused: false,
            attempts: 0,
            retry_after: None,
            rate_limit: None,
            item: None,
        }))
    }

    /// A request without an answer.
    pub(crate) fn transport(error: impl Into<SendError>) -> Self {
        let error = error.into();
        let (fault, place, reason) = (error.fault(), error.place(), error.reason());
        let reason = OneLine::of_server(&reason);
        let (kind, text) = match fault {
            Fault::Unfit => (ErrorKind::InvalidRequest, "the request could not be built".to_owned()),
            Fault::Redirect => (ErrorKind::Redirect, format!("{place} answered with a redirect: {reason}")),
            Fault::Connect => (ErrorKind::Connect, format!("could not reach {place}: {reason}")),
            Fault::Timeout => (ErrorKind::Timeout, format!("{place} did not answer in time")),
            Fault::Broken => {
                (ErrorKind::Transport, format!("the connection to {place} failed before the answer came: {reason}"))
            }
        };
        let mut made = Self::unsent(kind, text);
        made.0.may_have_been_sent = matches!(fault, Fault::Timeout | Fault::Broken | Fault::Redirect);
        made.because_of(error.into_source())
    }

    /// An answer that is no plain success, and when it came: with the time, what it says of waiting is read. The secrets are
    /// those that the server was shown.
    pub(crate) fn answered(failure: Failure, now: Option<SystemTime>, secrets: &Redactor) -> Self {
        let (kind, text) = match &failure.fault {
            failure::Fault::Status if failure.status.is_redirection() && failure.status != StatusCode::NOT_MODIFIED => {
                (ErrorKind::Redirect, redirect_target(&failure.headers, secrets))
            }
            failure::Fault::Status if failure.is_limit() => (ErrorKind::RateLimited, String::new()),
            failure::Fault::Status => (ErrorKind::of_status(failure.status), String::new()),
            failure::Fault::Decode(reason) => {
                (ErrorKind::Decode, format!("the answer does not fit the document {reason}"))
            }
            failure::Fault::Work(word) => (ErrorKind::OperationFailed, format!("the work ended as `{word}`")),
            failure::Fault::Partial(counts) => (ErrorKind::PartialFailure, counts.to_string()),
            failure::Fault::Cut(_) => (ErrorKind::Cut, "the answer ended early".to_owned()),
            failure::Fault::TooLong(limit) => (
                ErrorKind::Cut,
                format!("the answer is longer than the limit of {limit} bytes: raise `response_limit`"),
            ),
            failure::Fault::LongItem(limit) => {
                (ErrorKind::Cut, format!("it is longer than the limit of {limit} bytes: raise `item_limit`"))
            }
            failure::Fault::Unfinished => (ErrorKind::Cut, "the answer ended before it was finished".to_owned()),
        };
        let mut error = Self::unsent(kind, text);
        if let failure::Fault::Cut(source) = &failure.fault {
            error.0.source = Some(Box::new(Arc::clone(source)));
        }
        let waiting_helps = failure.is_limit() || failure.status == StatusCode::SERVICE_UNAVAILABLE;
        error.0.retry_after = now.filter(|_| waiting_helps).and_then(|now| {
            rate_limit::retry_after(failure.problem.retry_after, &failure.headers, &failure.api.rate_limit, now)
        });
        error.0.failure = Some(failure);
        error.0.may_have_been_sent = true;
        error.masked(secrets)
    }

    /// A success that is longer than the limit, where a stream is gathered.
    pub(crate) fn over_limit(status: StatusCode, headers: HeaderMap, body: bytes::Bytes, limit: usize) -> Self {
        let failure = Failure::of_success(failure::Fault::TooLong(limit), &UNKNOWN, status, headers, body);
        Self::answered(failure, None, &Redactor::of_client::<&str>([]))
    }
}

/// Where a redirect leads, as an origin: the rest of a location may hold a one-time credential.
fn redirect_target(headers: &HeaderMap, secrets: &Redactor) -> String {
    // Masked before it is read as a URL: of a secret with a slash in it half would be left as a host.
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok()).map(|text| secrets.mask(text));
    match location.map(|location| url::Url::parse(&location)) {
        Some(Ok(url)) => format!("redirects to {} are not followed", url.origin().ascii_serialization()),
        Some(Err(_)) => "redirects are not followed".to_owned(),
        None => String::new(),
    }
}
