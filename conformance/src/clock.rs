//! The only access of this crate to the system clock, and the conversion of times.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};

/// Returns the seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "rate windows and their judgement need the time of day")]
pub(crate) fn epoch_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns a time in RFC 3339, in UTC and whole seconds.
pub(crate) fn timestamp(epoch_seconds: u64) -> String {
    let seconds = i64::try_from(epoch_seconds).ok();
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Parses an RFC 3339 timestamp into seconds since the Unix epoch; earlier ones are 0.
pub(crate) fn read_timestamp(text: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(u64::try_from(time.timestamp()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{read_timestamp, timestamp};

    #[test]
    fn a_timestamp_is_read_as_it_was_written() {
        assert_eq!(timestamp(1_674_389_400), "2023-01-22T12:10:00Z");
        assert_eq!(read_timestamp("2023-01-22T13:10:00+01:00"), Some(1_674_389_400));
        assert_eq!(read_timestamp("1969-12-31T23:59:59Z"), Some(0));
        assert_eq!(read_timestamp("tomorrow"), None);
    }
}
