//! The retry budget of a client: a bucket of tokens that retries take from and successes refill.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one retry takes; a success gives back one unit.
const RETRY: u64 = 10;

/// A bucket, full at first.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    units: AtomicU64,
    capacity: u64,
}

impl RetryBudget {
    /// A budget of so many retries.
    pub(crate) fn new(retries: u32) -> Self {
        let capacity = u64::from(retries) * RETRY;
        Self { units: AtomicU64::new(capacity), capacity }
    }

    /// Takes one retry out, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.units.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |units| units.checked_sub(RETRY)).is_ok()
    }

    /// A call succeeded.
    pub(crate) fn refill(&self) {
        // A full bucket, as it mostly is, is not written to: callers on other cores share it.
        if self.units.load(Ordering::Relaxed) < self.capacity {
            let more = |units| (units < self.capacity).then_some(units + 1);
            // Full by now: another caller was faster.
            let _ = self.units.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_successes_pay_for_a_retry_and_no_more_is_saved_than_the_bucket_holds() {
        let budget = RetryBudget::new(2);
        assert!(budget.take() && budget.take() && !budget.take());
        for _ in 0..9 {
            budget.refill();
        }
        assert!(!budget.take());
        budget.refill();
        assert!(budget.take() && !budget.take());
        for _ in 0..1000 {
            budget.refill();
        }
        assert!(budget.take() && budget.take() && !budget.take());
    }

    #[test]
    fn an_empty_budget_allows_no_retry() {
        assert!(!RetryBudget::new(0).take());
    }
}
