//! Checks rate limit headers that the contract does not describe, under their common names: `X-RateLimit-*`, `X-Rate-Limit-*`,
//! `RateLimit-*`, and the fields of the IETF's draft.

use std::time::UNIX_EPOCH;

use keyfit::LimitFields;
use reqwest::header::{DATE, HeaderMap};

use super::AnswerFlaw;
use crate::clock;
use crate::contract::{Level, ResetUnit};

/// The prefixes of the three header names that end with `limit`, `remaining` and `reset`.
const BEGINNINGS: [&str; 3] = ["x-ratelimit-", "x-rate-limit-", "ratelimit-"];
/// Values that servers send instead of a number if there is no limit.
const ENDLESS: [&str; 5] = ["-1", "inf", "infinity", "none", "unlimited"];
/// The number of seconds that a reset may be in the past: clocks differ, and some servers start a new window only with the next call.
const PAST_TOLERANCE: i64 = 60;
/// The longest plausible window, in seconds: a year and a month.
const MAX_WINDOW: i64 = 400 * 24 * 60 * 60;

/// The rate limit that an answer reports.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in super::super) struct ReportedLimit {
    pub(in super::super) limit: Option<u64>,
    pub(in super::super) remaining: Option<u64>,
    /// Seconds from now; negative if the window is over. Derived from the value: no window lasts for decades.
    pub(in super::super) reset_in: Option<i64>,
}

impl ReportedLimit {
    /// Reads the headers. Returns `None` if they do not report a limit, and an error if one of them is not a number.
    pub(in super::super) fn read(headers: &HeaderMap) -> Result<Option<Self>, String> {
        if let Some(fields) = LimitFields::read(headers) {
            let reset_in = fields.reset.and_then(|reset| i64::try_from(reset).ok());
            return Ok(Some(Self { limit: fields.limit, remaining: fields.remaining, reset_in }));
        }
        for beginning in BEGINNINGS {
            let number = |word: &str| number(headers, &format!("{beginning}{word}"));
            let reported = Self { limit: number("limit")?, remaining: number("remaining")?, reset_in: None };
            if reported != Self::default() {
                let reset = text(headers, &format!("{beginning}reset")).and_then(|reset| ahead(reset, now(headers)));
                return Ok(Some(Self { reset_in: reset, ..reported }));
            }
        }
        Ok(None)
    }
}

/// Returns a finding if the reported limit is impossible. The contract does not promise these headers, so the level is `Should` at most.
pub(super) fn finding(headers: &HeaderMap) -> Option<AnswerFlaw> {
    let found = match ReportedLimit::read(headers) {
        Ok(reported) => impossible(reported?)?,
        Err(problem) => problem,
    };
    Some(AnswerFlaw { at_most: Level::Should, ..AnswerFlaw::new(found) })
}

fn impossible(reported: ReportedLimit) -> Option<String> {
    if let (Some(limit), Some(remaining)) = (reported.limit, reported.remaining)
        && remaining > limit
    {
        return Some(format!("{remaining} of {limit} calls are left, as the headers of the rate limit have it"));
    }
    match reported.reset_in? {
        past if past < -PAST_TOLERANCE => {
            Some(format!("the window of the rate limit ended {} s ago, as its header has it", -past))
        }
        far if far > MAX_WINDOW => Some(format!("the window of the rate limit ends in {far} s, as its header has it")),
        _ => None,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

/// Returns the number at the beginning of a header: some servers append their policies.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, String> {
    let Some(text) = text(headers, name) else { return Ok(None) };
    let first = text.split([',', ';', ' ']).next().unwrap_or_default();
    // The remainder of a token bucket may be a fraction of a call.
    let whole = first.split_once('.').map_or(first, |(whole, _)| whole);
    if ENDLESS.contains(&first.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    whole.parse().map(Some).map_err(|_| format!("the header `{name}` is `{text}`, not a number"))
}

/// Returns the seconds until a reset, or `None` for a form other than the usual ones, such as `6m0s`.
fn ahead(reset: &str, now: u64) -> Option<i64> {
    let whole = reset.split_once('.').map_or(reset, |(whole, _)| whole);
    let from_1970 = |text: &str| httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok();
    let instant = || chrono::DateTime::parse_from_rfc3339(reset).ok()?.timestamp().try_into().ok();
    let number = whole.parse().ok().map(|value| ResetUnit::ByValue.instant(now, value));
    let end = number.or_else(|| from_1970(reset).map(|end| end.as_secs())).or_else(instant)?;
    i64::try_from(end).ok()?.checked_sub(i64::try_from(now).ok()?)
}

/// Returns the current time of the server from its `Date` header, or else the local time.
fn now(headers: &HeaderMap) -> u64 {
    let reported = text(headers, DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
    let reported = reported.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    reported.map_or_else(clock::epoch_seconds, |date| date.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().expect("a value")))
            .collect()
    }

    const NOW: (&str, &str) = ("date", "Sun, 09 Sep 2001 01:46:40 GMT"); // 1,000,000,000

    fn reported(pairs: &[(&'static str, &str)]) -> [Option<i64>; 3] {
        let pairs: Vec<_> = pairs.iter().copied().chain([NOW]).collect();
        let reported = ReportedLimit::read(&headers(&pairs)).expect("numbers").expect("a limit");
        let signed = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
        [signed(reported.limit), signed(reported.remaining), reported.reset_in]
    }

    #[test]
    fn a_limit_is_read_under_the_names_that_are_in_use_and_its_end_by_its_value() {
        for reset in
            ["60", "59.5", "1000000060", "1000000060000", "Sun, 09 Sep 2001 01:47:40 GMT", "2001-09-09T01:47:40Z"]
        {
            let ahead = if reset == "59.5" { 59 } else { 60 };
            for beginning in [
                ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
                ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"],
                ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
            ] {
                let [limit, remaining, end] = beginning;
                assert_eq!(
                    reported(&[(limit, "10"), (remaining, "9"), (end, reset)]),
                    [Some(10), Some(9), Some(ahead)],
                    "{reset}"
                );
            }
        }
        assert_eq!(
            reported(&[("ratelimit", "\"day\";r=9;t=60"), ("ratelimit-policy", "\"day\";q=10")]),
            [Some(10), Some(9), Some(60)]
        );
        assert_eq!(
            reported(&[("x-ratelimit-limit", "10, 10;w=60"), ("x-ratelimit-reset", "6m0s")]),
            [Some(10), None, None]
        );
        let silent: [&[(&str, &str)]; 3] =
            [&[], &[("x-ratelimit-limit-requests", "10")], &[("x-ratelimit-limit", "unlimited")]];
        for pairs in silent {
            assert_eq!(ReportedLimit::read(&headers(pairs)), Ok(None), "{pairs:?}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_found_and_what_may_be_is_not() {
        let found = |pairs: &[(&'static str, &str)]| {
            let pairs: Vec<_> = pairs.iter().copied().chain([NOW]).collect();
            finding(&headers(&pairs)).map(|found| found.finding)
        };
        for (pairs, expected) in [
            (&[("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "11")][..], "11 of 10 calls are left"),
            (&[("ratelimit", "\"day\";r=11"), ("ratelimit-policy", "\"day\";q=10")], "11 of 10 calls are left"),
            (&[("x-ratelimit-remaining", "many")], "the header `x-ratelimit-remaining` is `many`, not a number"),
            (&[("x-rate-limit-remaining", "9"), ("x-rate-limit-reset", "999990000")], "ends in 999990000 s"),
            (&[("x-rate-limit-remaining", "9"), ("x-rate-limit-reset", "2001-09-09T00:46:40Z")], "ended 3600 s ago"),
        ] {
            assert!(found(pairs).is_some_and(|found| found.contains(expected)), "{pairs:?}: {:?}", found(pairs));
        }
        for pairs in [
            &[("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "10"), ("x-ratelimit-reset", "0")][..],
            &[("x-ratelimit-limit", "-1"), ("x-ratelimit-remaining", "-1")],
            &[("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "2001-09-09T01:46:10Z")],
            &[("x-ratelimit-limit", "3600"), ("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "2592000")],
        ] {
            assert_eq!(found(pairs), None, "{pairs:?}");
        }
    }
}
