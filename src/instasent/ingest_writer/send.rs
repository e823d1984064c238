//! Sends a batch until each of its items has an outcome.
//!
//! A call goes through the client's attempt loop. What failed there is sent again here only where a second execution does
//! no harm, and only while patience lasts; what is refused as a whole is halved until the item at fault is alone. The
//! halves follow each other, so that the items of a user stay in order.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::batch::Batch;
use super::shared::Shared;
use super::{Outcome, Unknown, receipt};
use crate::client::Response;
use crate::client::transport::Transport;
use crate::client::transport::stop::unless_stopped;
use crate::error::operation::Retry;
use crate::error::redact::Redactor;
use crate::error::{Error, ErrorKind, FieldError, Operation};
use crate::http_client::Request;
use crate::instasent::batch::Reason;
use crate::instasent::ingest::Client;

/// Where batches go.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) client: Client,
    /// That of the client, whose calls are stopped with the writer.
    pub(super) transport: Transport,
    pub(super) operation: &'static Operation,
    pub(super) url: Url,
    /// How long a batch is tried.
    pub(super) patience: Duration,
    pub(super) shared: Arc<Shared>,
}

/// What came of a part of a batch.
enum Part {
    Outcomes(Vec<Outcome>),
    /// Refused as a whole.
    Refused(Error),
    Unknown(Unknown),
    /// No batch will fare better.
    Stop(Arc<Error>, Unknown),
}

/// What a failed call says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// Something in it is refused.
    Halve,
    /// No batch will fare better.
    Stop,
    /// The same may go well later.
    Again,
    /// Neither helps.
    GiveUp,
}

impl Sender {
    /// One outcome for each item.
    pub(super) async fn send(&self, batch: &Batch) -> Vec<Outcome> {
        let began = self.now();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
        let whole = 0..batch.len();
        let mut parts = vec![whole];
        while let Some(part) = parts.pop() {
            match self.part(batch, &part, began).await {
                Part::Outcomes(said) => {
                    for (index, outcome) in part.zip(said) {
                        outcomes[index] = Some(outcome);
                    }
                }
                Part::Refused(error) if part.len() == 1 => {
                    outcomes[part.start] = Some(Outcome::Rejected(reasons(&error)));
                }
                Part::Refused(_) => {
                    let middle = part.start + part.len() / 2;
                    parts.push(middle..part.end);
                    parts.push(part.start..middle);
                }
                Part::Unknown(unknown) => outcomes[part].fill(Some(Outcome::Unknown(unknown))),
                Part::Stop(error, unknown) => {
                    self.shared.stop(&error);
                    outcomes[part].fill(Some(Outcome::Unknown(unknown)));
                    for part in parts.drain(..) {
                        let unknown = Unknown::failed(Arc::clone(&error), false);
                        outcomes[part].fill(Some(Outcome::Unknown(unknown)));
                    }
                }
            }
        }
        let nothing = || Outcome::Unknown(Unknown::sent("the answer says nothing of this item"));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(nothing)).collect()
    }

    async fn part(&self, batch: &Batch, part: &Range<usize>, began: Duration) -> Part {
        let body = batch.body(part);
        let users = batch.users(part);
        let mut round = 0;
        let mut may_have_been_taken = false;
        loop {
            if self.shared.is_stopping() {
                let unknown = if may_have_been_taken {
                    Unknown::sent("the writer stopped")
                } else {
                    Unknown::unsent("the writer stopped")
                };
                return Part::Unknown(unknown);
            }
            let error = match self.call(body.clone()).await {
                Ok((answer, secrets)) => {
                    self.shared.not_failing();
                    let said = receipt::read(&answer, &users).map(|said| masked(said, &[secrets]));
                    return said.map_or_else(
                        || Part::Unknown(Unknown::sent(&format!("{}: no documented outcome", answer.status()))),
                        Part::Outcomes,
                    );
                }
                Err(error) => error,
            };
            // Every item of it failed, and the body says why.
            if error.kind() == ErrorKind::Unprocessable
                && error.is_body_whole()
                && let Some(said) = receipt::read(error.body(), &users)
            {
                return Part::Outcomes(masked(said, error.redactors()));
            }
            may_have_been_taken |= error.may_have_been_executed();
            match verdict(&error) {
                Verdict::Halve => return Part::Refused(error),
                Verdict::Stop => {
                    let error = Arc::new(error);
                    return Part::Stop(Arc::clone(&error), Unknown::failed(error, may_have_been_taken));
                }
                Verdict::GiveUp => return Part::Unknown(Unknown::failed(Arc::new(error), may_have_been_taken)),
                Verdict::Again => {}
            }
            let is_harmless = !may_have_been_taken || self.operation.retry != Retry::Never;
            if !is_harmless || !self.wait(round, &error, began).await {
                return Part::Unknown(Unknown::failed(Arc::new(error), may_have_been_taken));
            }
            round += 1;
        }
    }

    /// One call, with all its attempts.
    async fn call(&self, body: Bytes) -> Result<(Response<Bytes>, Redactor), Error> {
        let (http, transport) = (&self.client.client, &self.transport);
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        let answer = transport.send(http, Ok(request), self.operation).await?;
        let secrets = answer.carried.redactor();
        Ok((answer.raw(), secrets))
    }

    /// Waits before another call; `false` where patience would end first, or the writer stops.
    async fn wait(&self, round: u32, error: &Error, began: Duration) -> bool {
        let config = self.client.inner.config();
        let now = self.now();
        // Behind a batch that waited out an outage the next one does not begin anew.
        let since = if error.is_rate_limited() { began } else { began.min(self.shared.failing_since(now)) };
        let wait = config.retry.wait(config.retry.attempts.saturating_add(round), error.retry_after());
        if now.saturating_add(wait) >= since.saturating_add(self.patience) {
            return false;
        }
        tracing::debug!(
            target: "keyfit::ingest",
            error = error.kind().as_str(),
            wait_ms = wait.as_millis(),
            "a batch is sent again"
        );
        unless_stopped(Some(&self.shared.stop), config.clock.sleep(wait)).await
    }

    fn now(&self) -> Duration {
        self.client.inner.config().clock.monotonic()
    }
}

fn verdict(error: &Error) -> Verdict {
    let status = error.status().map_or(0, |status| status.as_u16());
    match error.kind() {
        ErrorKind::BadRequest | ErrorKind::PayloadTooLarge | ErrorKind::Unprocessable => Verdict::Halve,
        ErrorKind::Unauthorized
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::PaymentRequired
        | ErrorKind::Configuration
        | ErrorKind::InvalidRequest
        | ErrorKind::Refused => Verdict::Stop,
        ErrorKind::Server if matches!(status, 501 | 505) => Verdict::GiveUp,
        // Taken, and the next answer would be as long.
        ErrorKind::Cut if error.is_over_limit() => Verdict::GiveUp,
        ErrorKind::Client if matches!(status, 408 | 425) => Verdict::Again,
        ErrorKind::Credential
        | ErrorKind::Connect
        | ErrorKind::Timeout
        | ErrorKind::Transport
        | ErrorKind::Cut
        | ErrorKind::RateLimited
        | ErrorKind::Server => Verdict::Again,
        _ => Verdict::GiveUp,
    }
}

/// Why a single item is refused, in the server's words where it has some.
fn reasons(error: &Error) -> Vec<Reason> {
    let fields = error.field_errors();
    if fields.is_empty() {
        return vec![Reason { field: None, message: error.to_string() }];
    }
    fields.into_iter().map(|FieldError { field, message, .. }| Reason { field, message }).collect()
}

/// Without secrets in the server's words.
fn masked(mut outcomes: Vec<Outcome>, secrets: &[Redactor]) -> Vec<Outcome> {
    for outcome in &mut outcomes {
        if let Outcome::Rejected(reasons) = outcome {
            for reason in reasons {
                reason.mask(secrets);
            }
        }
    }
    outcomes
}
