//! Concurrent calls, each on its own connection: counters and values for a single use must hold for all of them together.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::case_run::{CaseRun, SentRequest};
use super::flow::Stop;
use super::judge::LimitSnapshot;
use super::reply::Reply;
use super::request::Draft;
use super::{CLOCK_TOLERANCE, TargetServer, limit_windows};
use crate::contract::RateLimit;

/// The highest number of remaining calls for which a window is filled: a probe must not load a live server.
const MAX_REMAINING: u64 = 20;
/// The number of concurrent calls beyond those that remain.
const EXCESS_CALLS: u64 = 5;
/// The number of excess calls that is tolerated: a token bucket may refill meanwhile.
const TOLERATED_EXCESS: u64 = 1;

impl TargetServer {
    /// Sends these requests concurrently.
    pub(super) async fn send_together(&self, drafts: &[Draft]) -> Result<Vec<SentRequest>, Stop> {
        if self.live.as_ref().is_some_and(|live| live.policy.rate.is_some()) {
            return Err(Stop::missing("--rate keeps calls apart"));
        }
        Ok(all(drafts.iter().map(|draft| self.send_at_once(draft))).await)
    }

    /// Fills a window with concurrent calls, and sends some more.
    pub(super) async fn fill_window(&self, case_run: &mut CaseRun<'_>) -> Result<(), Stop> {
        let operation = case_run.catalogue.operation(case_run.case);
        let Some(rules) = &case_run.catalogue.contract.rate_limit else { return Ok(()) };
        let draft = case_run.maker(self).draft(case_run.probe, operation, &case_run.identity).map_err(Stop::Missing)?;
        let mut excess = self.burst(rules, &draft, &mut case_run.sent).await?;
        // A window that ends in between admits as many calls again. This does not happen twice in a row.
        if excess.is_some() && self.live.is_some() {
            self.await_window(rules, &case_run.sent).await?;
            excess = self.burst(rules, &draft, &mut case_run.sent).await?;
        }
        excess.map_or(Ok(()), |excess| Err(Stop::Broken(excess)))
    }

    /// Calls once, and then concurrently more often than the remaining quota permits. Returns the flaw of the answers; the refusals come
    /// last in `sent`.
    async fn burst(
        &self,
        rules: &RateLimit,
        draft: &Draft,
        sent: &mut Vec<SentRequest>,
    ) -> Result<Option<String>, Stop> {
        let mut first = self.step(draft, sent).await?;
        if first.status == 429 {
            self.await_window(rules, sent).await?;
            first = self.step(draft, sent).await?;
        }
        let left = match LimitSnapshot::read(rules, &first) {
            Ok(snapshot) if first.is_success() => snapshot.remaining,
            Ok(_) => return Err(Stop::missing(format!("a valid call is answered with {}", first.status))),
            Err(problem) => return Err(Stop::Broken(problem)),
        };
        if left > MAX_REMAINING {
            let why = format!("{left} calls are left, and a window of more than {MAX_REMAINING} is not filled");
            return Err(Stop::missing(why));
        }
        let calls = left + EXCESS_CALLS;
        let drafts = vec![draft.clone(); usize::try_from(calls).unwrap_or_default()];
        let mut together = self.send_together(&drafts).await?;
        together.sort_by_key(|one| one.answer().map(|reply| (!reply.is_success(), reply.status)));
        let served = together.iter().filter_map(SentRequest::answer).filter(|reply| reply.is_success()).count() as u64;
        let are_answered = together.iter().all(|one| one.reply.is_ok());
        sent.append(&mut together);
        if !are_answered {
            return Err(Stop::missing("not all of the calls at the same instant were answered"));
        }
        let finding = format!("{served} of {calls} calls at the same instant were served, where {left} were left");
        Ok((served > left + TOLERATED_EXCESS).then_some(finding))
    }

    /// Waits until the window that the last answer reports is over.
    async fn await_window(&self, rules: &RateLimit, sent: &[SentRequest]) -> Result<(), Stop> {
        let last = sent.last().and_then(SentRequest::answer);
        let reset = last.and_then(|reply| u64::try_from(LimitSnapshot::read(rules, reply).ok()?.reset_in?).ok());
        let asked = || last.map(|reply| limit_windows::wait(Some(rules), reply)).unwrap_or_default();
        let wait = reset.map_or_else(asked, Duration::from_secs);
        if wait > limit_windows::MAX_WAIT {
            return Err(Stop::missing(format!(
                "the window ends in {} s only, which is not waited for",
                wait.as_secs()
            )));
        }
        let end = tokio::time::Instant::now() + wait + CLOCK_TOLERANCE;
        match &self.live {
            Some(live) if !live.limit_windows.waits_until(end).await => {
                Err(Stop::missing("the run was ended during it"))
            }
            _ => Ok(()),
        }
    }
}

/// Returns an error if a value for a single use was accepted twice by concurrent calls.
pub(super) fn used_twice(sent: &[SentRequest], what: &str) -> Result<(), Stop> {
    let replies: Vec<&Reply> = sent.iter().filter_map(SentRequest::answer).collect();
    if let Some(failed) = replies.iter().find(|reply| reply.status >= 500) {
        return Err(Stop::Broken(format!("the status is {}: the server failed", failed.status)));
    }
    if replies.len() < sent.len() {
        return Err(Stop::missing("not all of the calls at the same instant were answered"));
    }
    let served = replies.iter().filter(|reply| reply.is_success()).count();
    if served > 1 { Err(Stop::Broken(format!("{what} was taken {served} times at the same instant"))) } else { Ok(()) }
}

/// Awaits all of these futures concurrently.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
