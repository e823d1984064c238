//! The reports of a client to a budget: the outcome of the calls that it was granted, window by window.

use std::time::Duration;

use crate::budget::{Report, Seen};
use crate::error::RateLimit;

/// The outcomes that are not reported yet. The times in them are moments of the monotonic clock until they are taken, so that what was
/// kept for a while says no more than what is left.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Of the newest window, and of those before.
    newest: Report,
    earlier: Vec<Report>,
    window: Window,
    /// The name of the window before the newest.
    named_before: Option<u64>,
    /// Whether the others have to hear of it at once.
    has_news: bool,
}

/// The newest window, as answers told it.
#[derive(Debug, Default)]
struct Window {
    /// Its name, which is when it ends by the server's clock.
    named: Option<u64>,
    is_answered: bool,
    /// Whether an answer has told of the next one.
    is_next_known: bool,
}

impl Reports {
    /// Calls of a window were granted, which may have its name already.
    pub(super) fn begin(&mut self, epoch: u64, named: Option<u64>) {
        self.turn_to(epoch);
        if named.is_some() {
            self.window.named = named;
            self.window.is_answered = true;
        }
    }

    /// Reports are of one window each.
    fn turn_to(&mut self, epoch: u64) {
        if epoch <= self.newest.epoch {
            return;
        }
        let before = std::mem::replace(&mut self.newest, Report { epoch, ..Report::default() });
        let window = std::mem::take(&mut self.window);
        // Where one was skipped, what is late in it tells nothing.
        self.named_before = window.named.filter(|_| epoch == before.epoch + 1);
        if says_something(&before) {
            self.earlier.push(before);
        }
    }

    /// The report on calls of a window.
    fn report_on(&mut self, epoch: u64) -> &mut Report {
        self.turn_to(epoch);
        if epoch == self.newest.epoch {
            return &mut self.newest;
        }
        let known = self.earlier.iter().position(|report| report.epoch == epoch);
        let at = known.unwrap_or_else(|| {
            self.earlier.push(Report { epoch, ..Report::default() });
            self.earlier.len() - 1
        });
        &mut self.earlier[at]
    }

    /// Calls of a window were not sent.
    pub(super) fn unused(&mut self, epoch: u64, calls: u64) {
        self.report_on(epoch).unused += calls;
        // Others wait for an answer that does not come.
        self.has_news |= epoch == self.newest.epoch && !self.window.is_answered;
    }

    /// A call was answered, which told this of the limit, and the time until the reset.
    pub(super) fn answered(&mut self, epoch: Option<u64>, told: Option<(RateLimit, Option<Duration>)>, now: Duration) {
        let seen = told.and_then(|(rate, until_reset)| {
            let (remaining, reset, resets_in) = (rate.remaining?, rate.reset?, until_reset?);
            Some(Seen { limit: rate.limit, remaining, reset, resets_in: now.saturating_add(resets_in) })
        });
        let is_newest = epoch == Some(self.newest.epoch);
        let is_named = self.window.named.is_some();
        let names = seen.filter(|_| is_newest && !is_named);
        self.window.named = names.map(|seen| seen.reset).or(self.window.named);
        // One that was sent in a window and counted in the next one.
        let is_of_next =
            is_newest && seen.is_some_and(|seen| self.window.named.is_some_and(|named| seen.reset > named));
        self.has_news |= names.is_some()
            || is_newest && !self.window.is_answered
            || is_of_next && !std::mem::replace(&mut self.window.is_next_known, true);
        self.window.is_answered |= is_newest;
        let name = if is_newest { self.window.named } else { self.named_before };
        let is_counted_here = seen.map_or(is_newest, |seen| name == Some(seen.reset));
        if let Some(epoch) = epoch.filter(|_| is_counted_here || is_of_next) {
            let report = self.report_on(epoch);
            *(if is_of_next { &mut report.counted_later } else { &mut report.answered }) += 1;
            report.is_unlimited |= told.is_none();
        }
        if let Some(seen) = seen {
            let known = self.newest.seen;
            let is_news = known.is_none_or(|known| (seen.reset, known.remaining) > (known.reset, seen.remaining));
            if is_news {
                self.newest.seen = Some(seen);
            }
        }
    }

    /// A call was refused for its limit.
    pub(super) fn refused(&mut self, wait: Duration, now: Duration) {
        let known = self.newest.refused.unwrap_or_default();
        self.newest.refused = Some(known.max(now.saturating_add(wait)));
        self.has_news = true;
    }

    pub(super) fn have_news(&self) -> bool {
        self.has_news
    }

    /// Whether there is an outcome that nobody else knows.
    pub(super) fn say_something(&self) -> bool {
        self.earlier.iter().chain([&self.newest]).any(says_something)
    }

    /// The reports, the newest last.
    pub(super) fn take(&mut self, now: Duration) -> Vec<Report> {
        self.has_news = false;
        let next = Report { epoch: self.newest.epoch, ..Report::default() };
        let mut reports = std::mem::take(&mut self.earlier);
        reports.push(std::mem::replace(&mut self.newest, next));
        for report in &mut reports {
            let left = |moment: Duration| Some(moment.saturating_sub(now)).filter(|left| !left.is_zero());
            report.refused = report.refused.and_then(left);
            report.seen = report.seen.and_then(|seen| Some(Seen { resets_in: left(seen.resets_in)?, ..seen }));
        }
        reports
    }
}

fn says_something(report: &Report) -> bool {
    *report != Report { epoch: report.epoch, ..Report::default() }
}
