//! A rate limit window.

use crate::clock;
use crate::contract::ResetUnit;

/// The calls of one caller in a window.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) reset: u64,
}

impl Window {
    pub(super) fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    pub(super) fn is_exceeded(self) -> bool {
        self.used > self.limit
    }

    /// Returns its end in this unit.
    pub(super) fn reset_in(self, unit: ResetUnit) -> u64 {
        match unit {
            ResetUnit::EpochSeconds => self.reset,
            ResetUnit::DeltaSeconds | ResetUnit::ByValue => self.reset.saturating_sub(clock::epoch_seconds()),
        }
    }
}
