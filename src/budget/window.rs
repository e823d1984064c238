//! The rules of a budget that several clients share, as a machine without a clock: the time is given, in milliseconds of the
//! store's own clock. [`MemoryBudget`](super::MemoryBudget) runs it; the script for Valkey has the same rules, and a test holds
//! the two together.

use std::collections::HashMap;
use std::time::Duration;

use super::reservation::{Granted, Report, Reservation, Reserved, Seen};

/// Times in milliseconds.
pub(super) mod times {
    /// A client that has not asked for so long is gone.
    pub(crate) const HOLDER: u64 = 60_000;
    /// The longest that a grant is valid: what is not used goes back after it, and news of others come with the next.
    pub(crate) const GRANT: u64 = 1000;
    /// The time to wait if calls in flight are about to report the calls left.
    pub(crate) const NEWS: u64 = 25;
    /// The time that others wait for the first answer of all.
    pub(crate) const SCOUT: u64 = 5000;
    /// The time that a new window may last without an answer that names it, before the known values are dropped.
    pub(crate) const UNNAMED: u64 = 10_000;
    /// The time for which an API whose answers do not mention limits is not asked again.
    pub(crate) const UNLIMITED: u64 = 60_000;
    /// The time to wait for clients whose turn it is.
    pub(crate) const TURNS: u64 = 100;
    /// The longest that a client waits beyond the end of a window for those before it.
    pub(crate) const QUEUE: u64 = 30_000;
    /// A window that ends later is not believed.
    pub(crate) const LONGEST: u64 = 25 * 3600 * 1000;
}

/// The calls that are granted at a time where there is no limit.
const UNLIMITED_CALLS: u64 = 10_000;

/// One bucket of a budget.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedWindow {
    /// Counts the windows.
    epoch: u64,
    /// Calls that a window allows.
    limit: Option<u64>,
    /// Calls of this window that nobody has; `None` where nothing is known.
    left: Option<u64>,
    /// When it ends; `None` where no answer has named it yet.
    ends: Option<u64>,
    /// Its name.
    reset: Option<u64>,
    /// The name of the window before.
    over: Option<u64>,
    /// Calls that were granted of this window, and of how many of them the outcome is known.
    granted: u64,
    settled: u64,
    /// Calls of the window before that may count in this one, for which room is kept.
    carried: u64,
    /// Until when one call alone is on its way, to learn what there is.
    scout_until: u64,
    /// Until when a window is waited for that no answer names.
    unnamed_until: u64,
    /// Until when there is no limit.
    unlimited_until: u64,
    /// The upper bound of the length of a window, from the names of two.
    length: Option<u64>,
    /// Calls left of this window by the server's own count, where an answer has told.
    told: Option<u64>,
    /// The last epoch in which the server is believed to count calls of somebody who does not ask here.
    foreign_epoch: u64,
    /// The clients that asked, and the times.
    holders: HashMap<u64, u64>,
    /// The clients that received less than they wanted, and the times until which they count as wanting more.
    short: HashMap<u64, u64>,
    /// The clients that wait, and the times that they wait for.
    turns: HashMap<u64, u64>,
}

impl SharedWindow {
    /// Takes in what the reservation reports, and answers what it asks.
    pub(super) fn reserve(&mut self, now: u64, asked: &Reservation) -> Reserved {
        self.holders.insert(asked.holder, now);
        self.holders.retain(|_, seen| *seen + times::HOLDER > now);
        self.turn(now);
        self.settle(now, &asked.report);
        match asked.wanted {
            0 => Reserved::Noted,
            wanted => self.grant(now, asked.holder, wanted),
        }
    }

    /// Begins the next window where the last one has ended: what it allows, less what may still be on its way.
    fn turn(&mut self, now: u64) {
        if self.ends.is_some_and(|ends| ends <= now) {
            self.next(now);
        } else if self.left.is_some() && self.ends.is_none() && self.unnamed_until <= now {
            // Nobody has heard of this window: what was on its way is lost with those who had it.
            self.forget();
        }
    }

    fn next(&mut self, now: u64) {
        let on_their_way = self.granted - self.settled;
        self.epoch += 1;
        self.left = self.limit.map(|limit| limit.saturating_sub(on_their_way));
        self.carried = self.limit.map_or(0, |limit| on_their_way.min(limit));
        (self.granted, self.settled) = (0, 0);
        self.over = self.reset.take().or(self.over);
        (self.ends, self.told) = (None, None);
        self.unnamed_until = now + times::UNNAMED;
    }

    fn forget(&mut self) {
        self.epoch += 1;
        self.over = self.reset.take().or(self.over);
        (self.left, self.ends, self.told) = (None, None, None);
        (self.granted, self.settled, self.carried) = (0, 0, 0);
        self.scout_until = 0;
    }

    fn settle(&mut self, now: u64, report: &Report) {
        let known = report.answered + report.unused;
        if report.epoch == self.epoch {
            self.settled = (self.settled + known + report.counted_later).min(self.granted);
            self.left = self.left.map(|left| left + report.unused);
        } else if report.epoch + 1 == self.epoch {
            let back = known.min(self.carried);
            self.carried -= back;
            self.left = self.left.map(|left| left + back);
        }
        if let Some(seen) = report.seen {
            self.learn(now, seen);
        }
        // One of a window that is over here tells nothing of this one: it may have been long on its way.
        let refused = report.refused.filter(|_| report.epoch == self.epoch).map(milliseconds);
        if let Some(wait) = refused.filter(|wait| (1..=times::LONGEST).contains(wait)) {
            // Whatever comes back of what was granted is worth nothing in this window.
            self.epoch += 1;
            (self.granted, self.settled, self.carried) = (0, 0, 0);
            self.left = Some(0);
            self.told = None;
            self.ends = Some(self.ends.unwrap_or(0).max(now + wait));
            self.unlimited_until = 0;
        }
        if self.left.is_none() {
            if report.is_unlimited && report.seen.is_none() {
                self.unlimited_until = now + times::UNLIMITED;
            }
            if known + report.counted_later > 0 {
                // The scout is back.
                self.scout_until = 0;
            }
        }
    }

    fn learn(&mut self, now: u64, seen: Seen) {
        self.limit = seen.limit.filter(|limit| *limit > 0).or(self.limit);
        let resets_in = milliseconds(seen.resets_in);
        // A late answer from a window that is over is one, too.
        if resets_in == 0 || resets_in > times::LONGEST || self.over.is_some_and(|over| seen.reset <= over) {
            return;
        }
        let ends = now + resets_in;
        self.unlimited_until = 0;
        match (self.left, self.reset) {
            // A late answer from a window that is over.
            (Some(_), Some(known)) if seen.reset < known => {}
            // Calls on their way have been taken off already.
            (Some(left), known) if known.is_none_or(|known| known == seen.reset) => {
                if seen.remaining < left {
                    self.foreign_epoch = self.epoch + 1;
                }
                self.told = Some(self.told.unwrap_or(u64::MAX).min(seen.remaining));
                self.left = Some(left.min(seen.remaining));
                self.ends = Some(self.ends.unwrap_or(0).max(ends));
                self.name(seen.reset);
            }
            // The first, or one that the server began before the last one was over here.
            (known, _) => {
                let on_their_way = self.granted - self.settled;
                if known.is_some() {
                    self.next(now);
                }
                self.left = Some(seen.remaining.saturating_sub(on_their_way));
                self.told = Some(seen.remaining);
                self.ends = Some(ends);
                self.name(seen.reset);
            }
        }
    }

    fn name(&mut self, reset: u64) {
        self.reset = Some(reset);
        if let Some(over) = self.over {
            let length = (reset - over).saturating_mul(1000);
            self.length = Some(self.length.map_or(length, |known| known.min(length)));
        }
    }

    fn grant(&mut self, now: u64, holder: u64, wanted: u64) -> Reserved {
        let wait = |milliseconds| Reserved::Wait(Duration::from_millis(milliseconds));
        if self.unlimited_until > now {
            return self.granted(wanted.max(UNLIMITED_CALLS), times::GRANT);
        }
        match (self.left, self.ends) {
            (None, _) if self.scout_until > now => wait(times::NEWS),
            (None, _) => {
                self.scout_until = now + times::SCOUT;
                self.granted += 1;
                self.granted(1, times::SCOUT)
            }
            (Some(0), Some(ends)) => {
                let turn = self.turn_of(holder, ends);
                self.turns.insert(holder, turn);
                wait(turn - now)
            }
            (Some(0), None) => wait(times::NEWS),
            // Reports are about to tell more; of many clients each asks the more rarely.
            (Some(_), _) if self.free() == 0 => wait(times::GRANT.min(times::NEWS * self.holders.len() as u64)),
            (Some(left), ends) => {
                let until = ends.unwrap_or(self.unnamed_until);
                let Some(share) = self.share(now, holder) else { return wait(times::TURNS.min(until - now)) };
                let calls = wanted.min(share);
                if calls < wanted {
                    self.short.insert(holder, now + times::GRANT);
                }
                self.left = Some(left - calls);
                self.granted += calls;
                self.granted(calls, self.longest_grant().min(until - now))
            }
        }
    }

    /// When there is a call for a client: at the end of this window, or later where more wait for one than a window has. Who asks again
    /// keeps its turn.
    fn turn_of(&self, holder: u64, ends: u64) -> u64 {
        if let Some(turn) = self.turns.get(&holder).filter(|turn| **turn >= ends) {
            return *turn;
        }
        let (Some(limit), Some(length)) = (self.limit, self.length) else { return ends };
        let before = self.turns.values().filter(|turn| **turn >= ends).count() as u64;
        ends + (before / limit).saturating_mul(length).min(times::QUEUE / length * length)
    }

    /// The most that one may have of what is left: as much as each other who wants more, and half of it while there are others at all.
    /// Nothing where all of it is for those whose turn it is.
    fn share(&mut self, now: u64, holder: u64) -> Option<u64> {
        let free = self.free();
        self.short.retain(|_, until| *until > now);
        self.turns.retain(|_, turn| *turn + times::GRANT > now);
        let has_turn = self.turns.get(&holder).is_some_and(|turn| *turn <= now);
        let turns = self.turns.iter().filter(|(other, turn)| **other != holder && **turn <= now).count();
        if !has_turn && free <= turns as u64 {
            return None;
        }
        self.turns.remove(&holder);
        self.short.remove(&holder);
        let parts = 1 + (self.short.len() + turns).max(usize::from(self.holders.len() > 1));
        Some((free / parts as u64).max(1))
    }

    /// Returns the validity of a grant: a part of the window, so that unused calls return before its end.
    fn longest_grant(&self) -> u64 {
        self.length.map_or(times::GRANT, |length| times::GRANT.min(length / 4))
    }

    /// Calls that can be granted. While others spend too, all that is granted and not known to be answered is taken off what the server
    /// told last: some of it is counted twice, until it is reported, and nothing is granted that is spent.
    fn free(&self) -> u64 {
        let left = self.left.unwrap_or_default();
        match self.told.filter(|_| self.epoch <= self.foreign_epoch) {
            Some(told) => left.min(told.saturating_sub(self.granted - self.settled)),
            None => left,
        }
    }

    fn granted(&self, calls: u64, valid_for: u64) -> Reserved {
        Reserved::Granted(Granted {
            calls,
            epoch: self.epoch,
            reset: self.reset,
            valid_for: Duration::from_millis(valid_for),
            limit: self.limit,
            holders: self.holders.len() as u64,
        })
    }

    /// Returns whether it holds nothing that still matters.
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.ends.is_none_or(|ends| ends <= now) && self.unlimited_until <= now && self.scout_until <= now
    }
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
