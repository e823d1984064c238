//! The attempt loop, which every call goes through and which alone sends requests again:
//!
//! limiter, authorize, send within the attempt's timeout and the call's deadline, classify; then done, another token, a
//! wait, or stop.
//!
//! A call may be dropped at any point: a refresh goes on in a task of its own, and the limiter's permit is given back by
//! being dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::StatusCode;
use tracing::Instrument as _;
use url::Url;

use super::classify::{Again, Outcome, again};
use super::exchange::{Answer, Failed, Reading, exchange};
use super::limiter::{Bucket, Key, Permit, Share, Taken};
use super::outgoing::Outgoing;
use super::shared::Shared;
use super::stop::{Stop, unless_stopped};
use super::{repeat, span};
use crate::auth::Carried;
use crate::client::CallOptions;
use crate::client::hook::{self, AfterAttempt, BeforeAttempt, Signable};
use crate::client::idempotency::has_key;
use crate::client::observer::{Attempt, Next};
use crate::error::rate_limit::{self, RateLimit};
use crate::error::{Error, ErrorKind, Operation};
use crate::http_client::Request;
use crate::runtime;

/// An attempt with less time than this is not worth a wait: it would only end as a timeout, which tells less than what
/// came before.
const WORTHWHILE: Duration = Duration::from_secs(1);

/// As long as no stream is.
const UNENDING: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// One call on its way.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) options: &'a CallOptions,
    pub(crate) operation: &'static Operation,
    /// Whether the body of a success is handed on as it comes.
    pub(crate) opens: bool,
    /// What ends its waits.
    pub(crate) stop: Option<&'a Stop>,
}

/// How far a call has come.
struct Progress {
    attempts: u32,
    may_have_been_sent: bool,
    may_have_been_executed: bool,
    deadline: Duration,
    /// Where the requests go, for who watches.
    watched: Option<Url>,
    /// What was refused with 401, and what to send in its place.
    other: Option<(Carried, Carried)>,
}

/// What follows a failed attempt.
enum Step {
    Reauthorize(Carried),
    Wait(Duration),
}

impl Call<'_> {
    /// Sends the request, as often as its operation and the policy allow.
    pub(crate) async fn run(&self, mut request: Outgoing) -> Result<Answer, Error> {
        Error::check_runtime()?;
        let now = self.now();
        let url = request.request.url();
        let key = self.shared.routes.with(self.operation, |route| Key::of(self.operation, route, url));
        let bucket = self.shared.limiter.bucket(key, now);
        let deadline = now.saturating_add(self.options.deadline.unwrap_or(self.shared.config.deadline));
        let watched = self.shared.config.observer.is_some().then(|| request.request.url().clone());
        let mut progress = Progress {
            attempts: 0,
            may_have_been_sent: false,
            may_have_been_executed: false,
            deadline,
            watched,
            other: None,
        };
        let mut last: Option<Error> = None;
        loop {
            let (permit, carried) = match self.ready(&bucket, &progress).await {
                Ok(ready) => ready,
                // What a server said before tells more than that there is no time for another attempt.
                Err(error) => return Err(progress.end(last.unwrap_or(error))),
            };
            // The body is shared, not copied; one that cannot be shared is sent once.
            let spare = request.try_clone();
            progress.attempts += 1;
            let began = self.now();
            let failed = match self.attempt(request, &carried, &progress, began).await {
                Ok(answer) => {
                    self.shared.retry_budget.refill();
                    self.learn(&permit, &answer.headers);
                    self.tell(&bucket).await;
                    self.observe(&progress, began, Some(answer.status), None, Next::Done);
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            progress.may_have_been_sent |= failed.outcome.may_have_been_sent();
            progress.may_have_been_executed |= failed.outcome.may_have_been_executed();
            self.settle(permit, &failed);
            self.tell(&bucket).await;
            let again = match spare {
                Some(spare) => self.step(&failed, &carried, &spare.request, &progress).await.map(|step| (spare, step)),
                None => None,
            };
            let next = match &again {
                Some((_, Step::Reauthorize(_))) => Next::Reauthorize,
                Some((_, Step::Wait(wait))) => Next::Wait(*wait),
                None => Next::Stop,
            };
            self.observe(&progress, began, failed.error.status(), Some(failed.error.kind()), next);
            let Some((spare, step)) = again else { return Err(progress.end(failed.error)) };
            request = spare;
            match step {
                Step::Reauthorize(other) => progress.other = Some((carried, other)),
                Step::Wait(wait) if !self.waits(wait).await => return Err(progress.end(failed.error)),
                Step::Wait(_) => {}
            }
            last = Some(failed.error);
        }
    }

    /// Room in the bucket, and what the request carries.
    async fn ready(&self, bucket: &Bucket, progress: &Progress) -> Result<(Permit, Carried), Error> {
        let permit = self.admit(bucket, progress.deadline).await?;
        let carried = match &progress.other {
            Some((_, other)) => other.clone(),
            None => self
                .within(progress.deadline, self.shared.carried(self.operation))
                .await
                .unwrap_or_else(|| Err(Error::credential("no token could be had before the deadline of the call")))?,
        };
        Ok((permit, carried))
    }

    /// Waits until the bucket has room. A wait beyond the deadline is an error at once.
    async fn admit(&self, bucket: &Bucket, deadline: Duration) -> Result<Permit, Error> {
        loop {
            let now = self.now();
            let admitted = match bucket.share() {
                None => bucket.admit(now),
                Some(share) => self.admit_of_share(bucket, share, deadline).await?,
            };
            let wait = match admitted {
                Ok(permit) => return Ok(permit),
                Err(wait) => wait,
            };
            let now = self.now();
            if !is_worthwhile(now, wait, deadline) || !self.waits(wait).await {
                return Err(Error::limited(wait, bucket.seen()));
            }
        }
    }

    /// Room in a budget of several clients, or how long to wait before asking again.
    async fn admit_of_share(
        &self,
        bucket: &Bucket,
        share: &Arc<Share>,
        deadline: Duration,
    ) -> Result<Result<Permit, Duration>, Error> {
        Ok(match self.within(deadline, share.take()).await.ok_or_else(Error::late)? {
            Taken::Call(epoch) => Ok(bucket.taken(epoch)),
            Taken::Wait(wait) => Err(wait),
            Taken::Alone => bucket.admit(self.now()),
        })
    }

    /// Tells others who share the budget what they have to know at once.
    async fn tell(&self, bucket: &Bucket) {
        if let Some(share) = bucket.share().filter(|share| share.has_news()) {
            share.tell().await;
        }
    }

    /// Sends the request, once.
    async fn attempt(
        &self,
        request: Outgoing,
        carried: &Carried,
        progress: &Progress,
        began: Duration,
    ) -> Result<Answer, Failed> {
        if progress.deadline <= began {
            return Err(Failed { error: Error::late(), outcome: Outcome::Unsent });
        }
        let unfit = |error| Failed { error, outcome: Outcome::Unfit };
        let mut request = request.open().await.map_err(unfit)?;
        carried.authorize(&mut request);
        let config = &self.shared.config;
        if !config.hooks.is_empty() || !config.signers.is_empty() {
            request = self.hooked(request, carried, progress).await.map_err(unfit)?;
        }
        let began = self.now();
        let timeout = config.http.timeout.min(progress.deadline.saturating_sub(began));
        let reading = if self.opens {
            Reading::Open(self.options.idle_timeout.unwrap_or(config.idle_timeout))
        } else {
            Reading::Whole(self.options.response_limit.unwrap_or(config.response_limit))
        };
        if self.options.leave.as_ref().is_some_and(|leave| !(leave.0)()) {
            return Err(Failed { error: Error::late(), outcome: Outcome::Unsent });
        }
        // What is open flows for as long as it does: the time is for its head.
        request.set_timeout(if self.opens { UNENDING } else { timeout });
        let span = span::of(self.operation, &request, progress.attempts);
        let now = || self.shared.config.clock.now();
        let sent = exchange(&self.shared.sender, request, carried, self.operation, progress.attempts, reading, now);
        let sent = pin!(sent.instrument(span.clone()));
        let result = if self.opens {
            let late = |_| Err(Failed { error: Error::unanswered(), outcome: Outcome::Unknown });
            runtime::timeout(timeout, sent).await.unwrap_or_else(late)
        } else {
            sent.await
        };
        span::record(&span, &result);
        self.tell_hooks(&result, carried, progress, began);
        if let Err(failed) = &result
            && matches!(failed.error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden)
        {
            self.shared.report(&failed.error, carried, self.operation);
        }
        match (&progress.other, result) {
            // The server has seen both.
            (Some((refused, _)), Err(Failed { error, outcome })) => {
                Err(Failed { error: error.masked(&refused.redactor()), outcome })
            }
            (_, result) => result,
        }
    }

    /// The request as hooks and signers leave it.
    async fn hooked(&self, mut request: Request, carried: &Carried, progress: &Progress) -> Result<Request, Error> {
        let config = &self.shared.config;
        if !config.hooks.is_empty() {
            let secrets = carried.redactor();
            let mut attempt = BeforeAttempt::new(self.operation, progress.attempts, request, &secrets);
            for hook in &config.hooks {
                let asked = hook.before(&mut attempt);
                asked.map_err(|error| hook::stopped(error, Error::refused, &secrets))?;
            }
            request = attempt.into_request();
        }
        if !config.signers.is_empty() {
            let mut signable = Signable::new(self.operation, config.clock.now(), request);
            for signer in &config.signers {
                let signed =
                    self.within(progress.deadline, signer.sign(&mut signable)).await.ok_or_else(Error::late)?;
                signed.map_err(|error| hook::stopped(error, Error::credential, &carried.redactor()))?;
            }
            request = signable.into_request();
        }
        Ok(request)
    }

    /// Tells hooks how an attempt ended.
    fn tell_hooks(&self, result: &Result<Answer, Failed>, carried: &Carried, progress: &Progress, began: Duration) {
        let hooks = &self.shared.config.hooks;
        if hooks.is_empty() {
            return;
        }
        let took = self.now().saturating_sub(began);
        let answer = match result {
            Ok(answer) => Ok((answer.status, &answer.headers)),
            Err(failed) => Err(&failed.error),
        };
        let attempt = AfterAttempt::new(self.operation, progress.attempts, took, answer, &carried.redactor());
        for hook in hooks {
            hook.after(&attempt);
        }
    }

    /// What follows a failed attempt; `None` where nothing does.
    async fn step(&self, failed: &Failed, carried: &Carried, request: &Request, progress: &Progress) -> Option<Step> {
        let config = &self.shared.config;
        let of_operation = || config.retries.get(self.operation.id);
        let policy = self.options.retry.as_ref().or_else(of_operation).unwrap_or(&config.retry);
        let is_repeatable = || repeat::is_harmless(self.operation, self.options, request);
        // The attempt before may be at work still, which holds its key (draft-ietf-httpapi-idempotency-key-header-07, section 2.6).
        let is_held = failed.outcome == Outcome::Status(StatusCode::CONFLICT)
            && progress.may_have_been_executed
            && has_key(request, self.operation)
            && policy.after(StatusCode::CONFLICT).is_none();
        let next =
            if is_held { Again::AfterWait { is_limit: false } } else { again(failed.outcome, policy, is_repeatable) };
        match next {
            Again::WithAnotherToken if progress.other.is_none() => {
                // Where nothing was carried, nothing is shown in its place.
                let other = self.within(progress.deadline, self.shared.instead_of(self.operation, carried)).await;
                other.flatten().map(Step::Reauthorize)
            }
            Again::AfterWait { is_limit } if progress.attempts < self.options.attempts.unwrap_or(policy.attempts) => {
                let wait = policy.wait(progress.attempts, failed.error.retry_after());
                let is_in_time = is_worthwhile(self.now(), wait, progress.deadline);
                (is_in_time && (is_limit || self.shared.retry_budget.take())).then_some(Step::Wait(wait))
            }
            Again::No | Again::WithAnotherToken | Again::AfterWait { .. } => None,
        }
    }

    /// Tells the limiter what came of a request.
    fn settle(&self, permit: Permit, failed: &Failed) {
        if let Some(headers) = failed.error.headers() {
            self.learn(&permit, headers);
        }
        match failed.outcome {
            Outcome::Unfit | Outcome::Unsent => permit.give_back(),
            Outcome::Limited(_) => {
                permit.exhausted(failed.error.retry_after().unwrap_or_default(), self.now());
            }
            Outcome::Unknown | Outcome::Status(_) => {}
        }
    }

    fn learn(&self, permit: &Permit, headers: &http::header::HeaderMap) {
        let names = &self.shared.api.rate_limit;
        if !rate_limit::are_told(headers, names) {
            permit.heard_nothing();
            return;
        }
        let now = rate_limit::servers_now(headers, self.shared.config.clock.now());
        if let Some(rate) = RateLimit::read(headers, names, Some(now)) {
            permit.learn(rate, rate_limit::until_reset(headers, names, now), self.now());
        }
    }

    fn observe(
        &self,
        progress: &Progress,
        began: Duration,
        status: Option<StatusCode>,
        error: Option<ErrorKind>,
        next: Next,
    ) {
        if let Next::Wait(wait) = next {
            tracing::debug!(
                target: "keyfit::http",
                operation = self.operation.id,
                attempt = progress.attempts,
                status = status.map(|status| status.as_u16()),
                wait_ms = wait.as_millis(),
                "another attempt follows"
            );
        }
        if let (Some(observer), Some(url)) = (&self.shared.config.observer, &progress.watched) {
            let took = self.now().saturating_sub(began);
            let (operation, number) = (self.operation, progress.attempts);
            let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
            observer.attempt(&Attempt { operation, host, port, number, status, error, took, next });
        }
    }

    /// The value of a future, if it comes before the deadline. One that is there already needs no timer.
    async fn within<T>(&self, deadline: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            Poll::Ready(value) => Some(value),
            Poll::Pending => runtime::timeout(deadline.saturating_sub(self.now()), future).await.ok(),
        }
    }

    /// Waits. `false` where the call is stopped before that.
    async fn waits(&self, wait: Duration) -> bool {
        unless_stopped(self.stop, self.shared.config.clock.sleep(wait)).await
    }

    fn now(&self) -> Duration {
        self.shared.config.clock.monotonic()
    }
}

fn is_worthwhile(now: Duration, wait: Duration, deadline: Duration) -> bool {
    now.saturating_add(wait).saturating_add(WORTHWHILE) <= deadline
}

impl Progress {
    fn end(&self, error: Error) -> Error {
        error.after(self.attempts, self.may_have_been_sent, self.may_have_been_executed)
    }
}
