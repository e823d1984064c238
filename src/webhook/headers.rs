//! The headers of a delivery.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use http::HeaderMap;

use super::error::VerifyError;
use crate::error::when::LEAST_MILLISECONDS;

/// A header that there has to be.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, VerifyError> {
    let value = headers.get(name).ok_or_else(|| VerifyError::Missing { header: name.to_owned() })?;
    value.to_str().map_err(|_| VerifyError::NotText { header: name.to_owned() })
}

/// The parts of a header that holds several, with commas or spaces between them, and what stands between spaces as a whole: a version
/// may stand before a signature with a comma, as in `v1,`.
pub(super) fn parts(value: &str) -> impl Iterator<Item = &str> {
    let spaced = value.split(' ').filter(|part| !part.is_empty());
    spaced.flat_map(|part| part.split(',').chain(part.contains(',').then_some(part)))
}

/// The instant that a text tells: seconds or milliseconds since 1970, or a date of RFC 3339.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let number = || {
        let number: u64 = text.parse().ok()?;
        let since = Duration::from_millis(number);
        UNIX_EPOCH.checked_add(if number < LEAST_MILLISECONDS { Duration::from_secs(number) } else { since })
    };
    number().or_else(|| DateTime::parse_from_rfc3339(text).ok().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_way_in_which_they_are_written() {
        let seconds = |text: &str| Some(time(text)?.duration_since(UNIX_EPOCH).ok()?.as_secs());
        for text in ["1700000000", " 1700000000 ", "1700000000123", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00"]
        {
            assert_eq!(seconds(text), Some(1_700_000_000), "{text}");
        }
        assert_eq!(seconds("18446744073709551615").map(|seconds| seconds > 1_700_000_000), Some(true));
        for text in ["", "yesterday", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_header_with_several_parts_is_taken_apart_at_spaces_and_commas() {
        assert_eq!(parts("t=1,v1=a v0=b").collect::<Vec<_>>(), ["t=1", "v1=a", "t=1,v1=a", "v0=b"]);
        assert_eq!(parts("  ").count(), 0);
    }
}
