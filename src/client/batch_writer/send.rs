//! Sends a batch until each of its items has an outcome.
//!
//! What failed is sent again only where a second execution does no harm, and only while patience lasts; what is refused as a
//! whole is halved until the item at fault is alone. The halves follow each other, so that the items of a key stay in order.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::batch::Batch;
use super::body::Around;
use super::gate::Gate;
use super::receipt::Shape;
use super::shared::Shared;
use super::{Outcome, Reason, Unknown};
use crate::client::transport::Transport;
use crate::client::transport::stop::{Leave, unless_stopped};
use crate::client::{CallOptions, Requests, Response, RetryPolicy, new_idempotency_key};
use crate::error::redact::Redactor;
use crate::error::{Error, ErrorKind, Operation};
use crate::http_client::Request;

/// Why a gate lets an item not pass.
const CLOSED: &str = "its part of the queue went to another worker";

/// Where batches go.
pub(super) struct Sender {
    /// That of the client; its calls are sent once each, and stopped with the writer.
    pub(super) transport: Transport,
    pub(super) operation: &'static Operation,
    /// A call without its body.
    pub(super) call: Request,
    pub(super) around: Around,
    pub(super) shape: Shape,
    /// How long a batch is tried.
    pub(super) patience: Duration,
    pub(super) shared: Arc<Shared>,
    pub(super) gate: Option<Arc<dyn Gate>>,
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
        let mut parts = self.admitted(batch, &mut outcomes).await;
        while let Some(part) = parts.pop() {
            match self.part(batch, &part, began).await {
                Part::Outcomes(said) => {
                    for (index, outcome) in part.zip(said) {
                        outcomes[index] = Some(outcome);
                    }
                }
                Part::Refused(error) if part.len() == 1 => {
                    outcomes[part.start] = Some(Outcome::Rejected(Reason::of_refusal(&error)));
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

    /// What may be sent of a batch, the last part first. The outcome of the rest is known.
    async fn admitted(&self, batch: &Batch, outcomes: &mut [Option<Outcome>]) -> Vec<Range<usize>> {
        let whole = 0..batch.len();
        let Some(gate) = &self.gate else { return Vec::from([whole]) };
        let items = (0..batch.len()).map(|index| (batch.sequence(index), batch.is_harmless(&(index..index + 1))));
        gate.prepare(items.collect()).await;
        let mut parts: Vec<Range<usize>> = Vec::new();
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if !gate.allows(batch.sequence(index)) {
                *outcome = Some(Outcome::Unknown(Unknown::unsent(CLOSED)));
            } else if let Some(last) = parts.last_mut().filter(|last| last.end == index) {
                last.end += 1;
            } else {
                parts.push(index..index + 1);
            }
        }
        parts.reverse();
        parts
    }

    async fn part(&self, batch: &Batch, part: &Range<usize>, began: Duration) -> Part {
        let (call, is_keyed) = match self.call_of(self.around.enclose(batch.body(part))) {
            Ok(call) => call,
            Err(error) => {
                let error = Arc::new(error);
                return Part::Stop(Arc::clone(&error), Unknown::failed(error, false));
            }
        };
        let ids = batch.ids(part);
        let is_harmless = is_keyed || batch.is_harmless(part);
        let leave = self.gate.as_ref().map(|gate| {
            let (gate, numbers) = (Arc::clone(gate), batch.numbers(part));
            Leave(Arc::new(move || numbers.iter().all(|number| gate.allows(*number))))
        });
        let transport = match &leave {
            Some(_) => self.transport.changed(|options: CallOptions| CallOptions { leave: leave.clone(), ..options }),
            None => self.transport.clone(),
        };
        let mut round = 0;
        let mut may_have_been_taken = false;
        loop {
            let is_closed = leave.as_ref().is_some_and(|leave| !(leave.0)());
            if is_closed || self.shared.is_stopping() {
                let why = if is_closed { CLOSED } else { "the writer stopped" };
                return Part::Unknown(if may_have_been_taken { Unknown::sent(why) } else { Unknown::unsent(why) });
            }
            let Some(call) = call.try_clone() else {
                return Part::Unknown(Unknown::unsent("the request cannot be copied"));
            };
            let error = match self.attempt(&transport, call).await {
                Ok((answer, secrets)) => {
                    let said = self.shape.read(&answer, &ids, true).map(|said| masked(said, &[secrets]));
                    return said.map_or_else(
                        || Part::Unknown(Unknown::sent(&format!("{}: no documented outcome", answer.status()))),
                        Part::Outcomes,
                    );
                }
                Err(error) => error,
            };
            let is_final = error.status().is_some_and(|status| self.policy().after(status) == Some(false));
            let verdict = match verdict(&error, is_keyed && may_have_been_taken) {
                // The caller's policy has the last word.
                Verdict::Again if is_final => Verdict::GiveUp,
                verdict => verdict,
            };
            // Every item of it failed, and the body says why. One that leaves some out refused the whole.
            if verdict == Verdict::Halve
                && error.is_body_whole()
                && let Some(said) = self.shape.read(error.body(), &ids, false)
                && !said.iter().any(|outcome| matches!(outcome, Outcome::Unknown(_)))
            {
                return Part::Outcomes(masked(said, error.redactors()));
            }
            may_have_been_taken |= error.may_have_been_executed();
            match verdict {
                // Refused now, and maybe taken before under a key that its halves would not have.
                Verdict::Halve if may_have_been_taken && !batch.is_harmless(part) => {
                    return Part::Unknown(Unknown::failed(Arc::new(error), true));
                }
                Verdict::Halve => return Part::Refused(error),
                Verdict::Stop => {
                    let error = Arc::new(error);
                    return Part::Stop(Arc::clone(&error), Unknown::failed(error, may_have_been_taken));
                }
                Verdict::GiveUp => return Part::Unknown(Unknown::failed(Arc::new(error), may_have_been_taken)),
                Verdict::Again => {}
            }
            let may_go_again = !may_have_been_taken || is_harmless;
            if !may_go_again || !self.wait(round, &error, began).await {
                return Part::Unknown(Unknown::failed(Arc::new(error), may_have_been_taken));
            }
            round += 1;
        }
    }

    /// A call with this body, and whether the server recognizes it when it comes again: its key stays over all attempts.
    fn call_of(&self, body: Bytes) -> Result<(Request, bool), Error> {
        let call = self.call.try_clone();
        let mut call = call.ok_or_else(|| Error::invalid_request("the request cannot be copied".to_owned()))?;
        call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *call.body_mut() = Some(body.into());
        let Some(header) = self.operation.idempotency_key else { return Ok((call, false)) };
        let unfit = |error: String| Error::invalid_request(format!("the idempotency key cannot be sent: {error}"));
        let name = HeaderName::try_from(header).map_err(|error| unfit(error.to_string()))?;
        let key = HeaderValue::try_from(new_idempotency_key()?).map_err(|error| unfit(error.to_string()))?;
        call.headers_mut().insert(name, key);
        Ok((call, true))
    }

    /// One attempt, from which the pace learns.
    async fn attempt(&self, transport: &Transport, call: Request) -> Result<(Response<Bytes>, Redactor), Error> {
        let began = self.now();
        match transport.send(&Requests, Ok(call), self.operation).await {
            Ok(answer) => {
                let secrets = answer.carried.redactor();
                let answer = answer.raw();
                let left = answer.rate_limit().and_then(|rate| rate.remaining);
                self.shared.answered(began, self.now(), left);
                Ok((answer, secrets))
            }
            Err(error) => {
                if matches!(verdict(&error, false), Verdict::Again) {
                    let left = error.rate_limit().and_then(|rate| rate.remaining);
                    self.shared.pushed_back(began, self.now(), error.is_rate_limited(), left);
                }
                Err(error)
            }
        }
    }

    /// Waits before another call; `false` where patience would end first, or the writer stops.
    async fn wait(&self, round: u32, error: &Error, began: Duration) -> bool {
        let config = self.transport.config();
        let now = self.now();
        // Behind a batch that waited out an outage the next one does not begin anew.
        let since = if error.is_rate_limited() { began } else { began.min(self.shared.failing_since(now)) };
        let wait = self.policy().wait(round.saturating_add(1), error.retry_after());
        if now.saturating_add(wait) >= since.saturating_add(self.patience) {
            return false;
        }
        tracing::debug!(
            target: "keyfit::batch_writer",
            error = error.kind().as_str(),
            wait_ms = wait.as_millis(),
            "a batch is sent again"
        );
        unless_stopped(Some(&self.shared.stop), config.clock.sleep(wait)).await
    }

    fn policy(&self) -> &RetryPolicy {
        self.transport.policy(self.operation)
    }

    pub(super) fn now(&self) -> Duration {
        self.transport.config().clock.monotonic()
    }
}

/// `is_held`: an attempt before may be at work still under the same key, and a conflict is about that.
fn verdict(error: &Error, is_held: bool) -> Verdict {
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
        ErrorKind::Conflict if is_held => Verdict::Again,
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

/// Without secrets in the server's words.
fn masked(mut outcomes: Vec<Outcome>, secrets: &[Redactor]) -> Vec<Outcome> {
    for outcome in &mut outcomes {
        match outcome {
            Outcome::Rejected(reasons) => reasons.iter_mut().for_each(|reason| reason.mask(secrets)),
            Outcome::Unknown(unknown) => unknown.mask(secrets),
            Outcome::Accepted => {}
        }
    }
    outcomes
}
