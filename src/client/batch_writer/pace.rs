//! How many batches may be on their way: additive increase, multiplicative decrease (RFC 5681), within what the server says is
//! left of its limit.

use std::time::Duration;

/// An answer that took so many times as long as the quickest one says that the server is at its limit.
const SLOW: u32 = 2;
/// The time that does not count as slow.
const NOISE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    window: usize,
    /// Whether the server has never pushed back: the number doubles for each round of answers.
    is_starting: bool,
    /// Answers since the number last changed.
    answers: usize,
    /// When it last fell. What was sent before that says nothing new.
    fell: Option<Duration>,
    quickest: Option<Duration>,
    /// The rest of the limit, where answers tell it.
    left: Option<u64>,
    /// Where they do not: how many batches came through before the last refusal, and how many since.
    capacity: Option<u64>,
    through: u64,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            window: 1,
            is_starting: true,
            answers: 0,
            fell: None,
            quickest: None,
            left: None,
            capacity: None,
            through: 0,
        }
    }

    /// How many batches may be on their way now. Where nothing is left one goes alone, waits for the next window, and tells what
    /// that allows.
    pub(super) fn allowed(&self) -> usize {
        let estimate = self.capacity.map(|capacity| capacity.saturating_sub(self.through));
        let left = self.left.or(estimate).unwrap_or(u64::MAX).max(1);
        self.window.min(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// An answer came to a batch that was sent at `began`. `left`: what it says is left of the limit. `in_flight`: how many were on
    /// their way, this one included.
    pub(super) fn answered(&mut self, began: Duration, now: Duration, left: Option<u64>, in_flight: usize) {
        let took = now.saturating_sub(began);
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        self.left = left;
        self.through = self.through.saturating_add(1);
        // The limit is another one by now.
        self.capacity = self.capacity.filter(|capacity| self.through <= capacity.saturating_mul(2));
        // Waits for a window are within the time, so that it says nothing where a limit is told.
        let is_slow = left.is_none() && took > quickest * SLOW + NOISE;
        if is_slow || in_flight < self.window || self.window >= self.most {
            return;
        }
        self.answers += 1;
        if self.is_starting || self.answers >= self.window {
            self.answers = 0;
            self.window += 1;
        }
    }

    /// The server refused a batch for its limit, failed, or was not there.
    pub(super) fn pushed_back(&mut self, began: Duration, now: Duration, is_limit: bool, left: Option<u64>) {
        self.left = left.or(self.left);
        if self.fell.is_some_and(|fell| began < fell) {
            return;
        }
        if is_limit && self.left.is_none() {
            self.capacity = Some(self.through);
        }
        self.fell = Some(now);
        self.through = 0;
        self.answers = 0;
        self.is_starting = false;
        self.window = (self.window / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    /// Answers to as many batches as are allowed, each of which took so long.
    fn round(pace: &mut Pace, now: u64, took: u64, left: Option<u64>) {
        let allowed = pace.allowed();
        for _ in 0..allowed {
            pace.answered(ms(now - took), ms(now), left, allowed.max(pace.window));
        }
    }

    #[test]
    fn it_begins_with_one_doubles_until_the_server_pushes_back_and_then_grows_by_one() {
        let mut pace = Pace::new(100);
        let mut seen = Vec::new();
        for turn in 1..=4 {
            seen.push(pace.allowed());
            round(&mut pace, turn * 100, 5, None);
        }
        assert_eq!(seen, [1, 2, 4, 8]);
        pace.pushed_back(ms(450), ms(500), false, None);
        assert_eq!(pace.allowed(), 8);
        round(&mut pace, 600, 5, None);
        assert_eq!(pace.allowed(), 9);
        // Refusals of what was sent before the fall count once.
        pace.pushed_back(ms(590), ms(700), false, None);
        pace.pushed_back(ms(690), ms(710), false, None);
        assert_eq!(pace.allowed(), 4);
    }

    #[test]
    fn it_stays_within_what_is_left_and_asks_alone_where_nothing_is() {
        let mut pace = Pace::new(100);
        for turn in 1..=4 {
            round(&mut pace, turn * 100, 5, Some(50));
        }
        assert_eq!(pace.allowed(), 16);
        pace.answered(ms(600), ms(605), Some(3), 16);
        assert_eq!(pace.allowed(), 3);
        pace.answered(ms(600), ms(606), Some(0), 16);
        assert_eq!(pace.allowed(), 1);
        pace.answered(ms(600), ms(2000), Some(40), 1);
        assert_eq!(pace.allowed(), 17, "a new window");
    }

    #[test]
    fn a_limit_that_nobody_tells_is_learned_from_its_refusals() {
        let mut pace = Pace::new(8);
        for turn in 1..=5 {
            round(&mut pace, turn * 100, 5, None);
        }
        let through = pace.through;
        pace.pushed_back(ms(600), ms(610), true, None);
        assert_eq!(pace.allowed(), 4);
        for batch in 1..through {
            pace.answered(ms(700), ms(705), None, 1);
            assert!(pace.allowed() as u64 <= (through - batch).max(1));
        }
        assert_eq!(pace.allowed(), 1, "what is beyond it goes alone");
        for _ in 0..through + 2 {
            pace.answered(ms(700), ms(705), None, 1);
        }
        assert_eq!(pace.allowed(), 4, "there is more than that");
    }

    #[test]
    fn a_server_that_takes_longer_is_given_no_more() {
        let mut pace = Pace::new(100);
        round(&mut pace, 100, 5, None);
        round(&mut pace, 200, 5, None);
        let before = pace.allowed();
        round(&mut pace, 400, 100, None);
        assert_eq!(pace.allowed(), before);
        let mut small = Pace::new(1);
        round(&mut small, 100, 5, None);
        assert_eq!(small.allowed(), 1);
    }
}
