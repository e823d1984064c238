//! The retry policy of a call. The operation table decides which calls may be retried at all; that is not a setting.

use std::time::Duration;

use http::StatusCode;

use crate::error::jitter;

/// The policy for temporary failures: connections that cannot be made, 429, and for calls that may be repeated
/// timeouts, lost connections and most 5xx.
///
/// A call that could have a second effect, such as sending an SMS, is only tried again where the first request certainly
/// was not executed, or under an [idempotency key](crate::Operation::idempotency_key). `401` is not part of this: a call is sent once more with another token whatever the policy.
///
/// ```
/// use std::time::Duration;
///
/// use keyfit::{Config, RetryPolicy};
///
/// let patient = Config::default().retry(RetryPolicy::default().attempts(8).longest_wait(Duration::from_secs(60)));
/// let once = Config::default().retry(RetryPolicy::never());
/// # let _ = (patient, once);
/// ```
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    pub(crate) first_wait: Duration,
    pub(crate) longest_wait: Duration,
    pub(crate) budget: u32,
    /// Statuses after which it is otherwise than usual, and whether there is another attempt.
    statuses: Vec<(StatusCode, bool)>,
}

impl Default for RetryPolicy {
    /// Four attempts; waits of 0.2 s, 0.4 s, 0.8 s and so on, up to 20 s, each shortened by chance to no less than half; a
    /// budget of 50 retries.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(20),
            budget: 50,
            statuses: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// One attempt a call.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the maximum number of attempts of a call, the first one included. Default: 4. Zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The wait before the second attempt, where the server names none; doubled for each one after that. Default: 0.2 s.
    /// It is also the least wait: a server that says "now" is not asked in a tight loop.
    #[must_use]
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// Sets the upper limit of the backoff. A wait that the server asks for may be longer. Default: 20 s.
    #[must_use]
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Sets the number of retries that all calls of a client may take before enough of them succeed again: each retry takes one, each
    /// success gives back a tenth. It keeps an outage from being multiplied. A wait for a rate limit takes none. Default:
    /// 50.
    #[must_use]
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = retries;
        self
    }

    /// Tries again after this status as well, where a repetition is harmless: 409 of a server whose locks pass, say. Beside 401 and limits,
    /// which are dealt with in any case, that is usual after 408, 425, and 5xx except 501 and 505.
    #[must_use]
    pub fn also_after(self, status: StatusCode) -> Self {
        self.with_status(status, true)
    }

    /// Does not try again after this status: the call gets what came. After 429 that means that no limit is waited for once it was met.
    #[must_use]
    pub fn never_after(self, status: StatusCode) -> Self {
        self.with_status(status, false)
    }

    fn with_status(mut self, status: StatusCode, again: bool) -> Self {
        self.statuses.retain(|(known, _)| *known != status);
        self.statuses.push((status, again));
        self
    }

    /// Returns whether there is another attempt after this status; `None` if the default applies.
    pub(crate) fn after(&self, status: StatusCode) -> Option<bool> {
        self.statuses.iter().find(|(known, _)| *known == status).map(|(_, again)| *again)
    }

    /// The wait before the next attempt, after so many; at least as long as the server asks.
    pub(crate) fn wait(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let doublings = attempts.saturating_sub(1).min(30);
        let full = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
        let backoff = jitter::equal_jitter(full);
        match asked {
            // A little more than asked, so that all who were refused do not come back in the same instant.
            Some(asked) => asked.saturating_add(jitter::full_jitter((asked / 10).min(LARGEST_SPREAD))).max(backoff),
            None => backoff,
        }
    }
}

/// The most that is added by chance to a wait that the server asks for.
const LARGEST_SPREAD: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn is_between(wait: Duration, least: u64, most: u64) -> bool {
        (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&wait)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        for (attempts, most) in [(1, 200), (2, 400), (3, 800), (8, 20_000), (u32::MAX, 20_000)] {
            let wait = policy.wait(attempts, None);
            assert!(is_between(wait, most / 2, most), "{attempts}: {wait:?}");
        }
    }

    #[test]
    fn a_server_is_given_the_time_that_it_asks_for_and_a_little_more() {
        let policy = RetryPolicy::default();
        assert!(is_between(policy.wait(1, Some(Duration::from_secs(2))), 2_000, 2_200));
        assert!(is_between(policy.wait(1, Some(Duration::from_secs(1847))), 1_847_000, 1_847_500));
        assert_eq!(policy.wait(1, Some(Duration::MAX)), Duration::MAX);
    }

    #[test]
    fn a_server_that_says_now_is_not_asked_in_a_tight_loop() {
        let wait = RetryPolicy::default().wait(2, Some(Duration::ZERO));
        assert!(is_between(wait, 200, 400), "{wait:?}");
    }
}
