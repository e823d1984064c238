//! Times as servers write them: seconds with or without a fraction, an instant in seconds or milliseconds, a date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// A number that is less, September 2001 as an instant, counts the seconds from now.
const LEAST_INSTANT: u64 = 1_000_000_000;
/// A number that is at least as great, the year 5138 as an instant in seconds, is one in milliseconds.
pub(crate) const LEAST_MILLISECONDS: u64 = 100_000_000_000;
/// A number that is greater is garbled.
const GREATEST: u64 = LEAST_MILLISECONDS * 1000;

/// When something is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// In so many seconds.
    In(u64),
    /// So many seconds after the beginning of 1970.
    At(u64),
}

impl When {
    /// Reads a header: a number of seconds from now or since 1970, of milliseconds since 1970, a date of HTTP or of RFC 3339. Parts of
    /// a second are rounded up. `None` for what is neither, or no time that anybody means.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(number) = number(text) {
            return Self::of_number(number);
        }
        let instant = httpdate::parse_http_date(text).ok().or_else(|| {
            let instant = chrono::DateTime::parse_from_rfc3339(text).ok()?;
            Some(instant.to_utc().into())
        })?;
        let since = instant.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::At(since.as_secs() + u64::from(since.subsec_nanos() > 0)))
    }

    fn of_number(number: u64) -> Option<Self> {
        match number {
            0..LEAST_INSTANT => Some(Self::In(number)),
            LEAST_INSTANT..LEAST_MILLISECONDS => Some(Self::At(number)),
            LEAST_MILLISECONDS..GREATEST => Some(Self::At(number.div_ceil(1000))),
            _ => None,
        }
    }

    /// Returns the time until then; zero or nothing for a time in the past.
    pub(crate) fn wait(self, now: SystemTime) -> Option<Duration> {
        match self {
            Self::In(seconds) => Some(Duration::from_secs(seconds)),
            Self::At(seconds) => {
                let instant = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
                Some(instant.duration_since(now).unwrap_or_default())
            }
        }
    }

    /// In seconds since 1970. `None` where that needs a time that is not known.
    pub(crate) fn instant(self, now: Option<SystemTime>) -> Option<u64> {
        match self {
            Self::In(seconds) => now?.duration_since(UNIX_EPOCH).ok()?.as_secs().checked_add(seconds),
            Self::At(seconds) => Some(seconds),
        }
    }
}

/// A number of seconds in a body, rounded up. `None` for a number that is an instant, or no time that anybody means.
pub(crate) fn seconds(value: &Value) -> Option<u64> {
    number(&value.as_number()?.to_string()).filter(|seconds| *seconds < LEAST_INSTANT)
}

/// Digits, maybe with a fraction, which is rounded up.
fn number(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    // Digits alone can only be too many.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    Some(whole.saturating_add(u64::from(fraction.bytes().any(|digit| digit != b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_milliseconds_and_dates_are_read_and_parts_of_a_second_rounded_up() {
        for (text, expected) in [
            ("30", When::In(30)),
            (" 2.503 ", When::In(3)),
            ("2.000", When::In(2)),
            ("299.997", When::In(300)),
            ("0.0", When::In(0)),
            ("1893452400", When::At(1_893_452_400)),
            ("1893452399.25", When::At(1_893_452_400)),
            ("1893452400000", When::At(1_893_452_400)),
            ("1893452399001", When::At(1_893_452_400)),
            ("Mon, 31 Dec 2029 23:00:00 GMT", When::At(1_893_452_400)),
            ("2029-12-31T23:00:00Z", When::At(1_893_452_400)),
            ("2030-01-01T00:59:59.5+02:00", When::At(1_893_452_400)),
        ] {
            assert_eq!(When::read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_that_anybody_means_is_none() {
        for text in
            ["", "-1", "+5", "1e9", ".5", "5.", "1.2.3", "1,000", "soon", "100000000000000", "99999999999999999999999"]
        {
            assert_eq!(When::read(text), None, "{text}");
        }
        for text in ["1969-12-31T23:00:00Z", "2029-12-31", "Sat, 01 Jan 10000 00:00:00 GMT"] {
            assert_eq!(When::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_seconds_of_a_body_are_a_number() {
        let read = |text: &str| seconds(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(["7", "2.0", "2.5"].map(read), [Some(7), Some(2), Some(3)]);
        assert_eq!(["-1", "\"7\"", "null", "true", "1893452400", "18446744073709551615"].map(read), [None; 6]);
    }

    #[test]
    fn what_is_past_is_no_wait() {
        let now = UNIX_EPOCH + Duration::from_secs(1_893_452_400);
        assert_eq!(When::At(1_893_452_370).wait(now), Some(Duration::ZERO));
        assert_eq!(When::At(1_893_452_430).wait(now), Some(Duration::from_secs(30)));
        assert_eq!((When::In(30).instant(None), When::In(30).instant(Some(now))), (None, Some(1_893_452_430)));
    }
}
