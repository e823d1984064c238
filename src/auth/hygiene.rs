//! Warnings about a key that works but needs attention: too old, without expiry, without limit, almost used up.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::{Clock, RateLimit};

/// The thresholds of the warnings. The defaults are keys of 90 days, and fewer than 10 requests left.
///
/// ```
/// use keyfit::SystemClock;
/// use keyfit::auth::{Expiry, Hygiene, HygieneWarning, KeyFacts};
///
/// let facts = KeyFacts { created_at: None, expiry: Expiry::Never, rate_limit: Some(1000) };
/// assert_eq!(Hygiene::default().key(&facts, &SystemClock), [HygieneWarning::NeverExpires]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hygiene {
    max_age: Duration,
    min_remaining: u64,
}

impl Default for Hygiene {
    fn default() -> Self {
        Self { max_age: 90 * DAY, min_remaining: 10 }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The known facts about a key, from any source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyFacts {
    /// The time of its creation. `None`: not known, and no warning.
    pub created_at: Option<SystemTime>,
    /// Its expiry.
    pub expiry: Expiry,
    /// Its own rate limit. `None`: it does not have one.
    pub rate_limit: Option<u64>,
}

/// The expiry of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// Not known. No warning.
    Unknown,
    /// Never.
    Never,
    /// At this time.
    At(SystemTime),
}

/// One warning about a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HygieneWarning {
    /// The key has reached its maximum age: rotate it.
    Old {
        /// Its age.
        age: Duration,
    },
    /// The key does not expire: give the next one an expiry.
    NeverExpires,
    /// The key has no rate limit of its own: give the next one a limit.
    NoRateLimit,
    /// Few requests are left in this window.
    LowQuota {
        /// The number of requests left.
        remaining: u64,
    },
}

impl Hygiene {
    /// Sets the age from which a key is too old. Default: 90 days.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the least number of requests left; fewer is a warning. Default: 10.
    #[must_use]
    pub fn min_remaining(mut self, requests: u64) -> Self {
        self.min_remaining = requests;
        self
    }

    /// Checks a key. Nothing is logged: the program decides how to handle a warning.
    pub fn key(&self, facts: &KeyFacts, clock: &dyn Clock) -> Vec<HygieneWarning> {
        // A creation time in the future gives no age; clocks differ.
        let age = facts.created_at.and_then(|created| clock.now().duration_since(created).ok());
        let old = age.filter(|age| *age >= self.max_age).map(|age| HygieneWarning::Old { age });
        let endless = (facts.expiry == Expiry::Never).then_some(HygieneWarning::NeverExpires);
        let unlimited = facts.rate_limit.is_none().then_some(HygieneWarning::NoRateLimit);
        [old, endless, unlimited].into_iter().flatten().collect()
    }

    /// Checks the quota of a response. `None` if enough is left, and if the response does not report it: a
    /// missing header is not a quota of zero.
    pub fn quota(&self, limit: Option<RateLimit>) -> Option<HygieneWarning> {
        let remaining = limit?.remaining?;
        (remaining < self.min_remaining).then_some(HygieneWarning::LowQuota { remaining })
    }
}

impl fmt::Display for HygieneWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old { age } => write!(f, "the key is {} days old: rotate it", age.as_secs() / DAY.as_secs()),
            Self::NeverExpires => f.write_str("the key never expires: make the next one with an expiry"),
            Self::NoRateLimit => f.write_str("the key has no rate limit of its own: make the next one with a limit"),
            Self::LowQuota { remaining } => write!(f, "{remaining} requests are left in this window: slow down"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use futures_core::future::BoxFuture;

    use super::*;

    #[derive(Debug)]
    struct At(Duration);

    impl Clock for At {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + self.0
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    const TIDY: KeyFacts = KeyFacts { created_at: Some(UNIX_EPOCH), expiry: Expiry::Unknown, rate_limit: Some(1) };

    fn aged(days: u32) -> Vec<HygieneWarning> {
        Hygiene::default().key(&TIDY, &At(days * DAY))
    }

    #[test]
    fn a_key_is_old_at_ninety_days_and_not_at_eighty_nine() {
        assert_eq!(aged(89), []);
        assert_eq!(aged(90), [HygieneWarning::Old { age: 90 * DAY }]);
        assert_eq!(Hygiene::default().key(&TIDY, &At(Duration::new(90 * 86_400 - 1, 999_999_999))), []);
        assert_eq!(Hygiene::default().max_age(7 * DAY).key(&TIDY, &At(7 * DAY)).len(), 1);
    }

    #[test]
    fn an_unknown_age_and_a_key_from_the_future_are_quiet() {
        let clock = At(365 * DAY);
        assert_eq!(Hygiene::default().key(&KeyFacts { created_at: None, ..TIDY }, &clock), []);
        let future = KeyFacts { created_at: Some(UNIX_EPOCH + 400 * DAY), ..TIDY };
        assert_eq!(Hygiene::default().key(&future, &clock), []);
    }

    #[test]
    fn a_key_without_end_or_limit_is_warned_of() {
        let clock = At(DAY);
        let endless = KeyFacts { expiry: Expiry::Never, ..TIDY };
        assert_eq!(Hygiene::default().key(&endless, &clock), [HygieneWarning::NeverExpires]);
        let ending = KeyFacts { expiry: Expiry::At(UNIX_EPOCH), ..TIDY };
        assert_eq!(Hygiene::default().key(&ending, &clock), []);
        let unlimited = KeyFacts { rate_limit: None, ..TIDY };
        assert_eq!(Hygiene::default().key(&unlimited, &clock), [HygieneWarning::NoRateLimit]);
    }

    #[test]
    fn a_low_quota_is_warned_of_where_the_header_is_there() {
        let quota = |remaining| Hygiene::default().quota(Some(RateLimit { limit: Some(100), remaining, reset: None }));
        assert_eq!(quota(Some(10)), None);
        assert_eq!(quota(Some(9)), Some(HygieneWarning::LowQuota { remaining: 9 }));
        assert_eq!(quota(Some(0)), Some(HygieneWarning::LowQuota { remaining: 0 }));
        assert_eq!(quota(None), None);
        assert_eq!(Hygiene::default().quota(None), None);
        let limit = RateLimit { limit: None, remaining: Some(10), reset: None };
        assert!(Hygiene::default().min_remaining(11).quota(Some(limit)).is_some());
    }

    #[test]
    fn a_warning_says_what_to_do() {
        let texts = [HygieneWarning::Old { age: 91 * DAY }, HygieneWarning::LowQuota { remaining: 3 }];
        assert_eq!(texts[0].to_string(), "the key is 91 days old: rotate it");
        assert_eq!(texts[1].to_string(), "3 requests are left in this window: slow down");
    }
}
