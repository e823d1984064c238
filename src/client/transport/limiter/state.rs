//! One rate limit of a client, as answers alone tell it.

use std::time::Duration;

use crate::error::RateLimit;
use crate::error::jitter;

/// A reset that is farther away than this is not believed: a server that sends milliseconds for seconds would silence
/// the client for good. The longest documented window is a day.
pub(super) const LONGEST_WINDOW: Duration = Duration::from_secs(25 * 3600);
/// Callers that wait for the same window come back spread over this time.
pub(super) const SPREAD: Duration = Duration::from_millis(20);
/// How long to wait where calls on their way are about to tell what is left.
pub(super) const NEWS: Duration = Duration::from_millis(25);

/// The window that is open, and who is on the way.
#[derive(Debug, Default)]
pub(super) struct State {
    window: Option<Window>,
    /// Calls that a window allows.
    limit: Option<u64>,
    in_flight: u64,
    /// The headers of the last answer.
    seen: Option<RateLimit>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    left: u64,
    /// When it ends, on the monotonic clock; `None` where no answer has told yet.
    ends: Option<Duration>,
    /// The reset as the server names it.
    reset: Option<u64>,
}

impl State {
    /// Lets a call through, or says how long to wait before asking again. Whoever does not wait is let through.
    pub(super) fn admit(&mut self, now: Duration, waits: bool) -> Result<(), Duration> {
        self.turn(now);
        if let Some(window) = self.window.as_mut().filter(|_| waits) {
            match (window.left, window.ends) {
                (0, Some(ends)) => return Err(ends.saturating_sub(now) + jitter::full_jitter(SPREAD)),
                (0, None) if self.in_flight > 0 => return Err(NEWS),
                (left, _) => window.left = left.saturating_sub(1),
            }
        }
        self.in_flight += 1;
        Ok(())
    }

    /// Counts a call that was let through elsewhere.
    pub(super) fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// A call is on its way no longer.
    pub(super) fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The headers of the last answer.
    pub(super) fn seen(&self) -> Option<RateLimit> {
        self.seen
    }

    /// The server refused a call for its limit: nobody is to ask before that time has passed.
    pub(super) fn exhaust(&mut self, wait: Duration, now: Duration) {
        let reset = self.seen.and_then(|seen| seen.reset);
        self.window = Some(Window { left: 0, ends: Some(now + wait), reset });
    }

    /// A request never left: what it took is there again.
    pub(super) fn give_back(&mut self) {
        if let Some(window) = &mut self.window {
            window.left = window.left.saturating_add(1);
        }
    }

    /// Whether it tells nothing that matters any more.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.window.and_then(|window| window.ends).is_none_or(|ends| ends <= now)
    }

    /// Begins the next window where the last one has ended: what it allows, less what is still on its way.
    fn turn(&mut self, now: Duration) {
        if self.window.is_some_and(|window| window.ends.is_some_and(|ends| ends <= now)) {
            let next = |limit: u64| Window { left: limit.saturating_sub(self.in_flight), ends: None, reset: None };
            self.window = self.limit.map(next);
        }
    }

    /// An answer told what is left until its reset, which is so far away, and of that this part is the client's own.
    pub(super) fn learn(&mut self, seen: RateLimit, rate: RateLimit, until_reset: Option<Duration>, now: Duration) {
        self.seen = Some(seen);
        self.limit = rate.limit.filter(|limit| *limit > 0).or(self.limit);
        let Some(until_reset) = until_reset.filter(|wait| !wait.is_zero() && *wait <= LONGEST_WINDOW) else { return };
        let (Some(remaining), Some(reset)) = (rate.remaining, rate.reset) else { return };
        let ends = Some(now + until_reset);
        // This call is answered; the others on their way may not be in the server's count yet.
        let others = self.in_flight.saturating_sub(1);
        self.window = match self.window {
            // A late answer from a window that is over.
            Some(window) if window.reset.is_some_and(|known| reset < known) => Some(window),
            // Calls on their way have been taken off already.
            Some(window) if window.reset.is_none_or(|known| reset == known) => {
                Some(Window { left: window.left.min(remaining), ends, reset: Some(reset) })
            }
            _ => Some(Window { left: remaining.saturating_sub(others), ends, reset: Some(reset) }),
        };
    }
}
