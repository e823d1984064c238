//! Jitter: chance in waits, so that many callers do not come back in the same instant.

use std::time::Duration;

/// A duration between half of this one and all of it.
pub(crate) fn equal_jitter(full: Duration) -> Duration {
    full / 2 + full_jitter(full / 2)
}

/// A duration up to this one.
pub(crate) fn full_jitter(full: Duration) -> Duration {
    // Without randomness the full time is as good.
    let chance = getrandom::u32().unwrap_or(u32::MAX);
    full.mul_f64(f64::from(chance) / f64::from(u32::MAX)).min(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_keeps_to_its_bounds() {
        let full = Duration::from_secs(8);
        for _ in 0..100 {
            assert!((full / 2..=full).contains(&equal_jitter(full)));
            assert!(full_jitter(full) <= full);
        }
        assert_eq!(equal_jitter(Duration::ZERO), Duration::ZERO);
    }
}
