//! The options of a single call, beside its arguments.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
};

use crate::client::RetryPolicy;
use crate::client::transport::stop::{Leave, Stop};
use crate::error::Error;

/// Options of one call, or of all calls of a clone of the client:
///
/// ```no_run
/// use std::time::Duration;
///
/// use keyfit::CallOptions;
///
/// # async fn example(client: keyfit::scopien::Client) -> Result<(), keyfit::Error> {
/// let quick = CallOptions::default().deadline(Duration::from_secs(2)).attempts(1);
/// let accounts = client.with_options(quick).accounts_list().send().await?;
/// # let _ = accounts;
/// # Ok(())
/// # }
/// ```
///
/// Clones made so share connections, credential, rate limits and retry budget with the client.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) response_limit: Option<usize>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) item_limit: Option<usize>,
    pub(crate) reconnects: u32,
    pub(crate) idempotent: bool,
    pub(crate) headers: HeaderMap,
    /// Headers of conditions, which a call's own arguments go before.
    pub(crate) conditions: HeaderMap,
    pub(crate) stop: Option<Arc<Stop>>,
    pub(crate) leave: Option<Leave>,
}

impl CallOptions {
    /// Sets the deadline of the call, with all attempts and waits; for a streamed body, up to its head. Default:
    /// [`Config::deadline`](crate::Config::deadline).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the maximum number of attempts of the call, the first one included. Default: that of the
    /// [`RetryPolicy`](crate::RetryPolicy). Zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts.max(1));
        self
    }

    /// Sets the retry policy of the call. Its budget is that of the client. Default: the policy of the
    /// [operation](crate::Config::retry_operation), or that of the [client](crate::Config::retry).
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// The longest body of a success that is read, in bytes. Default:
    /// [`Config::response_limit`](crate::Config::response_limit), which says more.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// Sets the longest silence of a streamed body. Default:
    /// [`Config::idle_timeout`](crate::Config::idle_timeout).
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// The longest event or JSON text of a stream, in bytes. Default: [`Config::item_limit`](crate::Config::item_limit).
    #[must_use]
    pub fn item_limit(mut self, bytes: usize) -> Self {
        self.item_limit = Some(bytes);
        self
    }

    /// Sets how often in a row, without an event in between, a stream of events that is over is requested again, from behind the last
    /// event that had an id (`Last-Event-ID`). Default: 0, it is over. It counts for calls by GET that only read; nothing else is
    /// ever asked for again, and neither is a stream that has no ids. The wait before it is the one that the server asks for
    /// (`retry:`, up to a day), or 3 s.
    ///
    /// A stream that ends by itself is asked for again too, as browsers do, until the server answers 204, the text comes that the
    /// document says ends it, or nothing new has come for so many times.
    #[must_use]
    pub fn reconnect(mut self, times: u32) -> Self {
        self.reconnects = times;
        self
    }

    /// Your word that executing this call twice does no harm: it is then repeated as a GET would be. For an SMS it would
    /// mean that a second message may be sent and paid for.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sets a stop for the waits of the call: it is sent no more once that is set, for a retry or for a rate limit, and ends with the
    /// error of its last attempt. A request that is on its way is finished, so that its outcome is known.
    #[must_use]
    pub fn stopped_by(mut self, stop: Arc<Stop>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Asks for the answer only where it is another one than that with this [`ETag`](crate::Response::etag), which is repeated as it came;
    /// `*` is any. An answer that is the same is an error of kind [`NotModified`](crate::ErrorKind::NotModified), without a body. A change
    /// with `*` is made only where nothing is there yet, and is otherwise refused with
    /// [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed).
    ///
    /// # Errors
    /// Returns an error if the text is empty, or a value that HTTP does not allow.
    pub fn if_none_match(self, etag: &str) -> Result<Self, Error> {
        self.with_condition(IF_NONE_MATCH, etag)
    }

    /// Makes the change only where what is there still has this [`ETag`](crate::Response::etag), which is repeated as it came; `*` is
    /// any. Otherwise the call is refused with [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed), and is not executed.
    ///
    /// A change under a condition is not repeated where it may have been executed: the repetition would be refused for what the
    /// first attempt did. With an [idempotency key](crate::Operation::idempotency_key) it is.
    ///
    /// # Errors
    /// Returns an error if the text is empty, or a value that HTTP does not allow.
    pub fn if_match(self, etag: &str) -> Result<Self, Error> {
        self.with_condition(IF_MATCH, etag)
    }

    /// Asks for the answer only where it was modified after this time, in whole seconds: as
    /// [`if_none_match`](Self::if_none_match), for servers that send [`Last-Modified`](crate::Response::last_modified) alone.
    ///
    /// # Errors
    /// Returns an error if the time is before 1970 or after 9999.
    pub fn if_modified_since(self, time: SystemTime) -> Result<Self, Error> {
        let date = http_date(time)?;
        self.with_condition(IF_MODIFIED_SINCE, &date)
    }

    /// Makes the change only where what is there was not modified after this time, in whole seconds: as
    /// [`if_match`](Self::if_match), for servers that send [`Last-Modified`](crate::Response::last_modified) alone.
    ///
    /// # Errors
    /// Returns an error if the time is before 1970 or after 9999.
    pub fn if_unmodified_since(self, time: SystemTime) -> Result<Self, Error> {
        let date = http_date(time)?;
        self.with_condition(IF_UNMODIFIED_SINCE, &date)
    }

    fn with_condition(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Error::invalid_request(format!("the condition `{name}` {why}"));
        if value.trim().is_empty() {
            return Err(refuse("is empty: repeat the `ETag` of an answer as it came"));
        }
        let value = HeaderValue::try_from(value).map_err(|_| refuse("has a value that HTTP does not allow"))?;
        self.conditions.insert(name, value);
        Ok(self)
    }

    /// A header to add.
    ///
    /// # Errors
    /// Returns an error if the name or the value is not valid in a header, or if the client sets the header itself: `Accept`,
    /// `Authorization`, `Content-Length`, `Content-Type`, `Host`.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (name, value) = checked_header(name, value).map_err(Error::invalid_request)?;
        self.headers.append(name, value);
        Ok(self)
    }
}

/// A time as HTTP writes it.
fn http_date(time: SystemTime) -> Result<String, Error> {
    /// The first second of the year 10000, from 1970.
    const END: u64 = 253_402_300_800;
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since.as_secs() < END => Ok(httpdate::fmt_http_date(time)),
        _ => Err(Error::invalid_request(
            "a condition names a time that HTTP cannot write: before 1970, or after 9999".to_owned(),
        )),
    }
}

/// A header that a caller adds, unless it is one that the client sets itself.
pub(super) fn checked_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let refuse = |why: &str| format!("the header `{}` {why}", name.escape_debug());
    let key = HeaderName::try_from(name).map_err(|_| refuse("has no name that HTTP allows"))?;
    if [ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST].contains(&key) {
        return Err(refuse("is set by the client: leave it out"));
    }
    let mut value = HeaderValue::try_from(value).map_err(|_| refuse("has a value that HTTP does not allow"))?;
    // It may be a second credential: neither `Debug` nor a compressed connection is to keep it.
    value.set_sensitive(true);
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_the_client_sets_itself_is_refused() {
        for name in ["Authorization", "host", "content-length", "Content-Type", "accept"] {
            let error = CallOptions::default().header(name, "x").expect_err(name);
            assert!(error.to_string().contains("is set by the client"), "{error}");
        }
    }

    #[test]
    fn the_value_of_a_header_does_not_print() {
        let options = CallOptions::default().header("X-Api-Key", "hunter2").expect("a header");
        let shown = format!("{options:?}");
        assert!(shown.contains("x-api-key") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_would_break_a_line_is_refused_and_not_shown_raw() {
        let error = CallOptions::default().header("X-A\r\nX-B", "1").expect_err("two lines");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(CallOptions::default().header("X-A", "1\r\nX-B: 2").is_err());
    }
}
