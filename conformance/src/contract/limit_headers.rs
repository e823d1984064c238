//! The headers of a rate limit: three numbers, or the fields `RateLimit` and `RateLimit-Policy`, which contain them as parameters.

use keyfit::LimitFields;
use reqwest::header::HeaderMap;

use super::RateLimit;

/// The values in the headers of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RateLimitValues {
    /// The calls per window; `None` if a field omits it.
    pub(crate) limit: Option<u64>,
    /// The remaining calls.
    pub(crate) remaining: u64,
    /// The end of the window in the unit of the header; `None` if a field omits it.
    pub(crate) reset: Option<u64>,
}

impl RateLimit {
    /// Returns the headers for a window with their values. `reset` is in the unit of [`ResetUnit::value`](super::ResetUnit).
    pub(crate) fn headers(&self, limit: u64, remaining: u64, reset: u64) -> Vec<(&str, String)> {
        if !LimitFields::has(&self.remaining_header) {
            let numbers =
                [(&self.limit_header, limit), (&self.remaining_header, remaining), (&self.reset_header, reset)];
            return numbers.into_iter().map(|(name, number)| (name.as_str(), number.to_string())).collect();
        }
        let mut headers = vec![(self.remaining_header.as_str(), format!("\"calls\";r={remaining};t={reset}"))];
        if !self.limit_header.eq_ignore_ascii_case(&self.remaining_header) {
            let policy = format!("\"calls\";q={limit};w={}", self.window_seconds);
            headers.insert(0, (&self.limit_header, policy));
        }
        headers
    }

    /// Reads the values of an answer, or returns the flaw of its headers. A field may omit the limit and the end of the window.
    pub(crate) fn limit_values(&self, headers: &HeaderMap) -> Result<RateLimitValues, String> {
        let fields = LimitFields::read(headers);
        let of_field = |name: &str, value: fn(LimitFields) -> Option<u64>| {
            let is_there = headers.contains_key(name);
            if is_there { Ok(fields.and_then(value)) } else { Err(format!("the header `{name}` is missing")) }
        };
        let number = |name: &str, value: fn(LimitFields) -> Option<u64>| {
            if LimitFields::has(name) {
                return of_field(name, value);
            }
            let text = headers.get(name).ok_or_else(|| format!("the header `{name}` is missing"))?;
            let text = text.to_str().unwrap_or_default();
            let number = LimitFields::number(name, text);
            number.map(Some).ok_or_else(|| format!("the header `{name}` is `{text}`, not a whole number"))
        };
        let remaining = number(&self.remaining_header, |fields| fields.remaining)?;
        let name = &self.remaining_header;
        Ok(RateLimitValues {
            limit: number(&self.limit_header, |fields| fields.limit)?,
            remaining: remaining.ok_or_else(|| format!("the header `{name}` does not say what is left"))?,
            reset: number(&self.reset_header, |fields| fields.reset)?,
        })
    }
}
