//! The maximum number of entries of one answer.

use std::num::NonZeroU64;

use super::InvalidFilter;

/// Most entries in an answer: 1 to 100.
///
/// The documents show up to 100; a search returns [`DEFAULT`](Self::DEFAULT) at most all the same, a scroll and a list 100.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Limit(NonZeroU64);

impl Limit {
    /// 50, which is what the servers take where none is given.
    pub const DEFAULT: Self = Self(NonZeroU64::MIN.saturating_add(49));
    /// 100.
    pub const MAX: Self = Self(NonZeroU64::MIN.saturating_add(99));

    /// A limit.
    ///
    /// # Errors
    /// Returns an error if the limit is 0 or more than 100.
    pub fn new(limit: u64) -> Result<Self, InvalidFilter> {
        match NonZeroU64::new(limit).map(Self) {
            Some(limit) if limit <= Self::MAX => Ok(limit),
            _ => Err(InvalidFilter::new(
                "limit",
                format!("{limit} is not in 1 to 100"),
                "ask for at most 100, and scroll for more",
            )),
        }
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl TryFrom<u64> for Limit {
    type Error = InvalidFilter;

    fn try_from(limit: u64) -> Result<Self, InvalidFilter> {
        Self::new(limit)
    }
}

impl From<Limit> for NonZeroU64 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_1_to_100() {
        for good in [1, 50, 100] {
            assert_eq!(Limit::new(good).map(Limit::get), Ok(good));
        }
        assert_eq!((Limit::DEFAULT.get(), Limit::MAX.get()), (50, 100));
        for bad in [0, 101, u64::MAX] {
            let error = Limit::new(bad).expect_err("refused").to_string();
            assert_eq!(error, format!("limit: {bad} is not in 1 to 100: ask for at most 100, and scroll for more"));
        }
    }
}
