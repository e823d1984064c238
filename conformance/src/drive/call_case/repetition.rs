//! Checks of retries: which calls may be repeated, when, and how often.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{CallCase, TOLERANCE, WAIT, check_succeeded, is_requested_wait};
use crate::clock;
use crate::contract::ResetUnit;
use crate::drive::scripted_server::ScriptedAnswer;

/// The highest number of requests for one call: more are a retry storm.
const MOST_ATTEMPTS: usize = 10;

impl CallCase<'_> {
    /// A call with side effects gets a failure after which it may have been executed. It may only be repeated with the same idempotency key,
    /// if the operation takes one in a header.
    pub(super) async fn single_request(&self) -> Result<(), String> {
        // The failure itself is checked by other rules.
        self.call(&self.arguments(), self.refusal(500)).await;
        let Some(header) = &self.operation().idempotency_key else { return self.only_request().map(drop) };
        let received = self.scripted_server.received(self.worker);
        let keys: BTreeSet<&str> = received.iter().map(|request| request.header(header).unwrap_or_default()).collect();
        match received.len() {
            0 | 1 => self.only_request().map(drop),
            _ if keys.contains("") => Err(format!("it was sent again without a `{header}`")),
            _ if keys.len() > 1 => Err(format!("it was sent again with another `{header}`")),
            _ => Ok(()),
        }
    }

    /// A call that may be repeated gets a temporary failure. It is sent without conditions: the first attempt may have changed the version
    /// that they compare.
    pub(super) async fn repeated_call(&self) -> Result<(), String> {
        self.scripted_server.set_after(self.worker, vec![self.refusal_without_limits(503)], self.documented_success());
        let mut arguments = self.arguments();
        let conditions = self.operation().parameters.iter().filter(|one| one.is_condition() && !one.required);
        conditions.for_each(|one| drop(arguments.remove(&one.name)));
        let observed = self.client.call(self.operation(), &arguments).await;
        let received = self.scripted_server.received(self.worker);
        let [first, second] = received.as_slice() else {
            return Err(format!("{} requests were sent, not two", received.len()));
        };
        if (&first.method, &first.path, &first.query, &first.body)
            != (&second.method, &second.path, &second.query, &second.body)
        {
            return Err("the second request is another one".to_owned());
        }
        check_succeeded(&observed)
    }

    /// Refusals that a retry does not change are not retried.
    pub(super) async fn standing_refusal(&self) -> Result<(), String> {
        for status in [402, 403, 404, 422] {
            self.call(&self.arguments(), self.refusal_without_limits(status)).await;
            self.only_request().map_err(|problem| format!("after a {status} {problem}"))?;
        }
        Ok(())
    }

    /// A 429 is followed by a success.
    pub(super) async fn limit_waited(&self) -> Result<(), String> {
        let (before, started) = (self.waited()?, clock::epoch_seconds());
        self.scripted_server.set_after(self.worker, vec![self.refusal(429)], self.documented_success());
        let observed = self.client.call(self.operation(), &self.arguments()).await;
        check_succeeded(&observed)?;
        let sent = self.scripted_server.received(self.worker).len();
        if sent != 2 {
            return Err(format!("{sent} requests were sent, not two"));
        }
        let waited = self.waited()?.saturating_sub(before);
        if is_requested_wait(waited, started) {
            return Ok(());
        }
        Err(format!("it waited for {:.1} s, and was asked for {WAIT} s", waited.as_secs_f64()))
    }

    /// All answers are 429.
    pub(super) async fn limit_without_end(&self) -> Result<(), String> {
        let answer = ScriptedAnswer::empty(429).with_header("retry-after", "1");
        self.call(&self.arguments(), answer).await;
        let sent = self.scripted_server.received(self.worker).len();
        if sent <= MOST_ATTEMPTS { Ok(()) } else { Err(format!("{sent} requests were sent for one call")) }
    }

    /// A 429 has a reset in the past.
    pub(super) async fn reset_in_the_past(&self) -> Result<(), String> {
        let Some(rules) = &self.catalogue.contract.rate_limit else {
            return Err("the contract has no rate limits".to_owned());
        };
        let before = self.waited()?;
        // A reset in seconds from now cannot be earlier than now.
        let past = match rules.reset {
            ResetUnit::EpochSeconds => clock::epoch_seconds() - WAIT,
            ResetUnit::DeltaSeconds | ResetUnit::ByValue => 0,
        };
        let headers = rules.headers(rules.limit, 0, past);
        let answer = headers
            .into_iter()
            .fold(ScriptedAnswer::empty(429), |answer, (name, value)| answer.with_header(name, &value));
        self.scripted_server.set_after(self.worker, vec![answer], self.documented_success());
        let observed = self.client.call(self.operation(), &self.arguments()).await;
        let waited = self.waited()?.saturating_sub(before);
        check_succeeded(&observed)?;
        if waited.is_zero() {
            return Err("it asked again at once".to_owned());
        }
        if waited > TOLERANCE {
            return Err(format!("it waited for {:.1} s for a window that is over", waited.as_secs_f64()));
        }
        Ok(())
    }

    fn waited(&self) -> Result<Duration, String> {
        self.client.waited().ok_or_else(|| "the client does not tell how long it waits".to_owned())
    }
}
