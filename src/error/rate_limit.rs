//! The rate-limit headers of an answer, and how long to wait after a refusal.

use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::api::RateLimitNames;
use super::limit_fields::LimitFields;
use super::when::When;

/// The rate limit in the `X-RateLimit-*` or `X-Rate-Limit-*` headers of an answer, or in those of the IETF's draft: `RateLimit` with
/// `RateLimit-Policy`, and the older `RateLimit-*`. A header that is missing or garbled is `None`, never zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests that a window allows (`X-RateLimit-Limit`).
    pub limit: Option<u64>,
    /// Requests left in this window (`X-RateLimit-Remaining`).
    pub remaining: Option<u64>,
    /// When the window ends, in seconds since 1970 (`X-RateLimit-Reset`), whether the header has that in seconds, with a fraction, in
    /// milliseconds or as a date. Where it counts from now, the answer's `Date` is now; without one this is `None`.
    pub reset: Option<u64>,
}

/// The usual names of one of the headers, with what the fields of the draft say in its place.
struct Usual {
    names: [HeaderName; 3],
    field: fn(LimitFields) -> Option<u64>,
}

const LIMIT: Usual = Usual {
    names: [
        HeaderName::from_static("x-ratelimit-limit"),
        HeaderName::from_static("ratelimit-limit"),
        HeaderName::from_static("x-rate-limit-limit"),
    ],
    field: |fields| fields.limit,
};
const REMAINING: Usual = Usual {
    names: [
        HeaderName::from_static("x-ratelimit-remaining"),
        HeaderName::from_static("ratelimit-remaining"),
        HeaderName::from_static("x-rate-limit-remaining"),
    ],
    field: |fields| fields.remaining,
};
const RESET: Usual = Usual {
    names: [
        HeaderName::from_static("x-ratelimit-reset"),
        HeaderName::from_static("ratelimit-reset"),
        HeaderName::from_static("x-rate-limit-reset"),
    ],
    field: |fields| fields.reset,
};

/// The longest wait that is passed on. Callers add it to a time, which ends the program where no time is so far away.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

impl RateLimit {
    /// Reads the headers; `None` where the answer has none of the three. An API with headers of its own has them read by
    /// [`Response::rate_limit`](crate::Response::rate_limit) and [`Error::rate_limit`](crate::Error::rate_limit).
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Self::of(headers, &RateLimitNames::new())
    }

    /// The same for an API.
    pub(crate) fn of(headers: &HeaderMap, names: &RateLimitNames) -> Option<Self> {
        Self::read(headers, names, date(headers, DATE.as_str()))
    }

    /// The same, with the time by the server's clock.
    pub(crate) fn read(headers: &HeaderMap, names: &RateLimitNames, now: Option<SystemTime>) -> Option<Self> {
        if !are_told(headers, names) {
            return None;
        }
        let reset = reset(headers, names);
        let (limit, remaining) = (number(headers, names.limit, LIMIT), number(headers, names.remaining, REMAINING));
        let told = limit.is_some() || remaining.is_some() || reset.is_some();
        told.then_some(Self { limit, remaining, reset: reset.and_then(|reset| reset.instant(now)) })
    }
}

/// Returns whether any header mentions limits: most answers do not, and a look at each name costs less than asking for all
/// that there may be.
pub(crate) fn are_told(headers: &HeaderMap, names: &RateLimitNames) -> bool {
    let own = [names.limit, names.remaining, names.reset];
    let is_told = |name: &str| {
        let usual = name.strip_prefix("x-").unwrap_or(name);
        usual.starts_with("ratelimit-")
            || usual.starts_with("rate-limit-")
            || LimitFields::has(name)
            || own.into_iter().flatten().any(|own| name.eq_ignore_ascii_case(own))
    };
    headers.keys().map(HeaderName::as_str).any(is_told)
}

/// The number in the API's own header, else in one that is usual.
fn number(headers: &HeaderMap, own: Option<&str>, usual: Usual) -> Option<u64> {
    told(headers, own, usual, LimitFields::number, |number| number)
}

/// When the window ends, by the API's own header, else by one that is usual.
fn reset(headers: &HeaderMap, names: &RateLimitNames) -> Option<When> {
    told(headers, names.reset, RESET, |_, text| When::read(text), When::In)
}

fn told<T>(
    headers: &HeaderMap,
    own: Option<&str>,
    Usual { names, field }: Usual,
    read: fn(&str, &str) -> Option<T>,
    of_field: fn(u64) -> T,
) -> Option<T> {
    let of_header = |name: &str| {
        let value = headers.get(name)?;
        let read = value.to_str().ok().and_then(|text| read(name, text));
        if read.is_none() {
            tracing::debug!(target: "keyfit::http", header = name, "a header on limits is passed over: it cannot be read");
        }
        read
    };
    let by_name = || names.into_iter().find_map(|name| of_header(name.as_str()));
    own.and_then(of_header).or_else(by_name).or_else(|| Some(of_field(field(LimitFields::read(headers)?)?)))
}

/// Clocks that differ by no more than this are taken for equal: `Date` has whole seconds only.
const SAME_CLOCK: Duration = Duration::from_secs(2);

/// Returns the time that the server asks to wait: the body's hint, else `Retry-After`, else `X-RateLimit-Reset`. An instant in the past
/// is no wait; a
/// wait of more than a year is one of a year.
pub(crate) fn retry_after(
    hint: Option<u64>,
    headers: &HeaderMap,
    names: &RateLimitNames,
    now: SystemTime,
) -> Option<Duration> {
    asked(hint, headers, names, now).map(|wait| wait.min(LONGEST_WAIT))
}

fn asked(hint: Option<u64>, headers: &HeaderMap, names: &RateLimitNames, now: SystemTime) -> Option<Duration> {
    if let Some(seconds) = hint {
        return Some(Duration::from_secs(seconds));
    }
    let now = servers_now(headers, now);
    match named_wait(headers) {
        Some(when) => when.wait(now),
        None => until_reset(headers, names, now),
    }
}

/// Returns the wait that `Retry-After` names.
fn named_wait(headers: &HeaderMap) -> Option<When> {
    let value = headers.get(RETRY_AFTER)?;
    let when = value.to_str().ok().and_then(When::read);
    if when.is_none() {
        tracing::debug!(target: "keyfit::http", header = "retry-after", "a wait is passed over: it cannot be read");
    }
    when
}

/// Returns the time until the reset, by the server's clock; `None` if no reset is named.
pub(crate) fn until_reset(headers: &HeaderMap, names: &RateLimitNames, servers_now: SystemTime) -> Option<Duration> {
    reset(headers, names)?.wait(servers_now)
}

/// Returns whether a 403 is in fact a rate limit: it names a time for the next call, as some servers do in place of a 429. A wait
/// of zero does not count.
pub(crate) fn is_meant(headers: &HeaderMap, names: &RateLimitNames) -> bool {
    named_wait(headers).is_some_and(|wait| wait != When::In(0))
        || number(headers, names.remaining, REMAINING) == Some(0) && reset(headers, names).is_some()
}

/// The time by the server's clock, so that a wrong clock on this side does no harm.
pub(crate) fn servers_now(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let Some(date) = date(headers, DATE.as_str()) else { return now };
    let difference = date.duration_since(now).unwrap_or_else(|error| error.duration());
    if difference <= SAME_CLOCK { now } else { date }
}

fn date(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const USUAL: RateLimitNames = RateLimitNames::new();

    fn retry_after(hint: Option<u64>, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        super::retry_after(hint, headers, &USUAL, now)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value"))).collect()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_missing_or_garbled_header_is_none_and_not_zero() {
        assert_eq!(RateLimit::from_headers(&headers(&[])), None);
        let garbled = headers(&[("x-ratelimit-limit", "many"), ("x-ratelimit-remaining", "7")]);
        assert_eq!(RateLimit::from_headers(&garbled), Some(RateLimit { limit: None, remaining: Some(7), reset: None }));
    }

    #[test]
    fn the_reset_is_in_seconds_and_never_in_the_past() {
        let future = headers(&[("x-ratelimit-reset", "1893452400")]);
        assert_eq!(retry_after(None, &future, at(1_893_452_370)), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(None, &future, at(1_893_452_500)), Some(Duration::ZERO));
    }

    #[test]
    fn a_reset_may_count_from_now() {
        let draft = headers(&[("ratelimit-limit", "10"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]);
        assert_eq!(retry_after(None, &draft, at(1_893_452_370)), Some(Duration::from_secs(30)));
        let told = RateLimit::read(&draft, &USUAL, Some(at(1_893_452_370)));
        assert_eq!(told, Some(RateLimit { limit: Some(10), remaining: Some(0), reset: Some(1_893_452_400) }));
        assert_eq!(RateLimit::from_headers(&draft).and_then(|rate| rate.reset), None, "without a date");
        let dated = headers(&[("x-ratelimit-reset", "30"), ("date", "Mon, 31 Dec 2029 22:59:30 GMT")]);
        assert_eq!(RateLimit::from_headers(&dated).and_then(|rate| rate.reset), Some(1_893_452_400));
    }

    #[test]
    fn the_servers_own_clock_wins() {
        let skewed = headers(&[("x-ratelimit-reset", "1893452400"), ("date", "Mon, 31 Dec 2029 22:59:50 GMT")]);
        assert_eq!(retry_after(None, &skewed, at(0)), Some(Duration::from_secs(10)));
    }

    #[test]
    fn body_hint_then_retry_after_then_reset() {
        let both = headers(&[("retry-after", "12"), ("x-ratelimit-reset", "1893452400")]);
        assert_eq!(retry_after(Some(3), &both, at(0)), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(None, &both, at(0)), Some(Duration::from_secs(12)));
        let date = headers(&[("retry-after", "Mon, 31 Dec 2029 23:00:05 GMT")]);
        assert_eq!(retry_after(None, &date, at(1_893_452_400)), Some(Duration::from_secs(5)));
        let garbled = headers(&[("retry-after", "soon"), ("x-ratelimit-reset", "1893452400")]);
        assert_eq!(retry_after(None, &garbled, at(1_893_452_399)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn no_wait_is_longer_than_what_can_be_added_to_a_time() {
        let now = at(1_893_452_399);
        for value in ["999999999", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let wait = retry_after(None, &headers(&[("retry-after", value)]), now);
            assert_eq!(wait, Some(LONGEST_WAIT), "{value}");
            assert!(now.checked_add(LONGEST_WAIT).is_some());
        }
        assert_eq!(retry_after(Some(u64::MAX), &headers(&[]), now), Some(LONGEST_WAIT), "the hint of a body");
        let garbled =
            ["-1", "1e300", "+5", "18446744073709551615", "99999999999999999999999", "1000000000000000000", ""];
        for garbled in garbled {
            assert_eq!(retry_after(None, &headers(&[("retry-after", garbled)]), now), None, "{garbled}");
        }
    }

    #[test]
    fn waits_are_read_in_other_units_too() {
        let now = at(1_893_452_390);
        for (name, value, seconds) in [
            ("retry-after", "2.503", 3),
            ("retry-after", "299.997", 300),
            ("retry-after", "1893452400", 10),
            ("x-ratelimit-reset", "1893452400000", 10),
            ("x-ratelimit-reset", "1893452399.5", 10),
            ("x-rate-limit-reset", "2029-12-31T23:00:00Z", 10),
            ("ratelimit-reset", "0.25", 1),
        ] {
            let told = headers(&[(name, value)]);
            assert_eq!(retry_after(None, &told, now), Some(Duration::from_secs(seconds)), "{name}: {value}");
        }
        let told = headers(&[("x-ratelimit-reset", "1893452399001")]);
        assert_eq!(RateLimit::from_headers(&told).and_then(|rate| rate.reset), Some(1_893_452_400));
    }

    #[test]
    fn a_403_is_a_limit_where_it_says_when_to_come_again() {
        let is_meant = |told: &[(&'static str, &str)]| is_meant(&headers(told), &USUAL);
        assert!(is_meant(&[("retry-after", "2"), ("x-ratelimit-remaining", "4890")]));
        assert!(is_meant(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1893452400")]));
        assert!(!is_meant(&[("x-ratelimit-remaining", "4890"), ("x-ratelimit-reset", "1893452400")]));
        assert!(
            !is_meant(&[("x-ratelimit-remaining", "0")]) && !is_meant(&[("retry-after", "soon")]) && !is_meant(&[])
        );
    }

    #[test]
    fn the_fields_of_the_draft_and_names_with_a_hyphen_more_are_read() {
        let date = ("date", "Mon, 31 Dec 2029 22:59:30 GMT");
        let expected = Some(RateLimit { limit: Some(10), remaining: Some(0), reset: Some(1_893_452_400) });
        for told in [
            &[("ratelimit", "\"day\";r=0;t=30"), ("ratelimit-policy", "\"day\";q=10;w=86400"), date][..],
            &[("ratelimit", "limit=10, remaining=0, reset=30"), date],
            &[("x-rate-limit-limit", "10"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "30"), date],
            &[("ratelimit-limit", "10, 10;w=1"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "1893452400")],
        ] {
            let told = headers(told);
            assert_eq!(RateLimit::from_headers(&told), expected);
            assert_eq!(until_reset(&told, &USUAL, at(1_893_452_370)), Some(Duration::from_secs(30)));
        }
    }

    #[test]
    fn a_reset_that_nobody_means_is_garbled() {
        let now = at(1_893_452_399);
        for reset in ["18446744073709551615", "1000000000000000000", "100000000000000", "soon", "-5"] {
            let headers = headers(&[("x-ratelimit-reset", reset), ("x-ratelimit-limit", "1")]);
            assert_eq!(RateLimit::from_headers(&headers).map(|rate| rate.reset), Some(None), "{reset}");
            assert_eq!(until_reset(&headers, &USUAL, now), None, "{reset}");
            assert_eq!(retry_after(None, &headers, now), None, "{reset}");
        }
        let last = headers(&[("x-ratelimit-reset", "99999999999")]);
        assert_eq!(retry_after(None, &last, now), Some(LONGEST_WAIT));
    }

    #[test]
    fn headers_of_an_apis_own_go_before_the_usual_ones_and_are_told_without_them() {
        let names = USUAL.with_limit("X-Quota").with_remaining("X-Quota-Left").with_reset("X-Quota-Reset");
        let own = headers(&[("x-quota", "10"), ("x-quota-left", "0"), ("x-quota-reset", "1893452400")]);
        let expected = RateLimit { limit: Some(10), remaining: Some(0), reset: Some(1_893_452_400) };
        assert_eq!((RateLimit::of(&own, &names), RateLimit::from_headers(&own)), (Some(expected), None));
        assert_eq!(super::retry_after(None, &own, &names, at(1_893_452_370)), Some(Duration::from_secs(30)));
        let usual = headers(&[("x-ratelimit-remaining", "7"), ("ratelimit-limit", "9")]);
        assert_eq!(RateLimit::of(&usual, &names).map(|rate| (rate.limit, rate.remaining)), Some((Some(9), Some(7))));
        let both = headers(&[("x-ratelimit-remaining", "7"), ("x-quota-left", "1")]);
        assert_eq!(RateLimit::of(&both, &names).and_then(|rate| rate.remaining), Some(1));
    }
}
