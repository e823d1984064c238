//! Checks whether an answer matches the expectation of a rule.

use std::time::{Duration, UNIX_EPOCH};

use keyfit_openapi::Operation;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;

use super::answers::AnswerContext;
use super::keys::{self, CreatedKey};
use super::reply::Reply;
use super::request::Draft;
use super::{challenge, cross_origin, grant, headers, outcome};
use crate::clock;
use crate::contract::{Body, Contract, Expect, GeneralRule, Rate, RateLimit, ResetUnit};

/// The context in which an answer is judged.
pub(super) struct Judge<'a> {
    pub(super) contract: &'a Contract,
    pub(super) operation: &'a Operation,
    pub(super) expect: &'a Expect,
    /// The API key that was created for the case.
    pub(super) created_key: Option<&'a CreatedKey>,
}

/// The rate limit that an answer reports.
pub(super) struct LimitSnapshot {
    /// `None` if a field of the IETF's draft omits it.
    limit: Option<u64>,
    pub(super) remaining: u64,
    /// Seconds from now; negative if the reset is in the past. `None` if a field omits it.
    pub(super) reset_in: Option<i64>,
}

impl Judge<'_> {
    /// Returns the flaw of an answer with the expected status, or `None` if it matches. `before` is the answer to the previous call, if the
    /// rule compares the two.
    pub(super) fn finding(&self, seen: &AnswerContext<'_>, before: Option<&Reply>) -> Option<String> {
        let AnswerContext { draft, reply, .. } = seen;
        let lets_in = || self.expect.no_foreign_origin.then(|| cross_origin::finding(reply))?;
        self.headers(reply)
            .or_else(lets_in)
            .or_else(|| self.body(seen))
            .or_else(|| self.rate(reply, before))
            .or_else(|| grant::finding(self.expect, draft, reply))
            .or_else(|| challenge::finding(self.expect.challenge?, &reply.headers))
            .or_else(|| keys::finding(self.expect.key?, self.contract, self.created_key?, reply))
    }

    /// Returns whether a batch was refused as a whole, although the rule judges the outcome of its items.
    pub(super) fn is_refused_whole(&self, reply: &Reply) -> bool {
        self.expect.body == Some(Body::ToldOutcome) && matches!(reply.status, 400 | 409 | 413 | 422)
    }

    /// Returns secret data that the answer contains, whatever its status.
    pub(super) fn leak(&self, seen: &AnswerContext<'_>) -> Option<String> {
        let mut hidden = self.expect.hides.iter().copied().map(GeneralRule::Hides);
        hidden.find_map(|hidden| seen.finding(hidden)).map(|found| found.finding)
    }

    /// Returns a finding if the status has to equal that of another answer and does not.
    pub(super) fn other_status(&self, other: Option<&Reply>, reply: &Reply) -> Option<String> {
        let other = other.filter(|_| self.expect.same_as.is_some())?;
        let differs = other.status != reply.status;
        differs.then(|| format!("the status is {}, and {} in the answer to compare with", reply.status, other.status))
    }

    /// Returns the difference between an answer and the answer that it has to equal.
    pub(super) fn differs(&self, other: Option<&Reply>, reply: &Reply) -> Option<String> {
        let other = other?;
        if self.expect.same_headers_as.is_some() {
            return headers::finding(self.contract, &other.headers, &reply.headers);
        }
        self.expect.same_as.as_ref()?;
        let shape = self.contract.error_shape(&self.operation.errors, reply.status);
        let steady = |body: &[u8]| match (serde_json::from_slice::<Value>(body), shape) {
            (Ok(mut value), Some(shape)) => {
                shape.clear_variable_members(&mut value);
                value.to_string().into_bytes()
            }
            _ => body.to_vec(),
        };
        let is_same = other.body == reply.body || steady(&other.body) == steady(&reply.body);
        (!is_same).then(|| "the body differs from the one to compare with".to_owned())
    }

    /// Returns the flaw of the status.
    pub(super) fn status(&self, reply: &Reply) -> Option<String> {
        if self.expect.refused && reply.is_success() {
            return Some(format!("the status is {}, and no refusal", reply.status));
        }
        if self.expect.no_failure && reply.status >= 500 {
            return Some(format!("the status is {}: the server failed", reply.status));
        }
        let mut allowed = self.expect.status.clone();
        if self.expect.success {
            allowed.extend(self.operation.success_statuses());
        }
        if allowed.is_empty() || allowed.contains(&reply.status) {
            return None;
        }
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        Some(format!("the status is {}, not {}", reply.status, allowed.join(" or ")))
    }

    fn headers(&self, reply: &Reply) -> Option<String> {
        let missing = self.expect.headers.iter().find(|name| !reply.headers.contains_key(name.as_str()))?;
        Some(format!("the header `{missing}` is missing"))
    }

    fn body(&self, seen: &AnswerContext<'_>) -> Option<String> {
        let AnswerContext { draft, reply, .. } = seen;
        match self.expect.body? {
            Body::Profile => {
                let Some(shape) = self.contract.error_shape(&self.operation.errors, reply.status) else {
                    return Some(format!("the contract describes no body for {}", reply.status));
                };
                if shape.outcome && !draft.items.is_empty() {
                    return self.outcome(draft, reply);
                }
                shape.mismatch(reply.status, reply.media_type(), &reply.body)
            }
            Body::Schema => seen.form(),
            Body::Outcome | Body::ToldOutcome => self.outcome(draft, reply),
        }
    }

    fn outcome(&self, draft: &Draft, reply: &Reply) -> Option<String> {
        let batch = self.contract.batch_of(self.operation)?;
        let may_reject_more = self.expect.body == Some(Body::ToldOutcome);
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(body) => outcome::mismatch(batch, &self.operation.partial, &draft.items, &body, may_reject_more),
            Err(_) => Some("the body is not JSON".to_owned()),
        }
    }

    fn rate(&self, reply: &Reply, before: Option<&Reply>) -> Option<String> {
        let (expected, rules) = (self.expect.rate?, self.contract.rate_limit.as_ref()?);
        let now = match LimitSnapshot::read(rules, reply) {
            Ok(now) => now,
            Err(problem) => return Some(problem),
        };
        match expected {
            Rate::Present => {
                let limit = now.limit.filter(|limit| now.remaining > *limit)?;
                Some(format!("{} of {limit} calls are left", now.remaining))
            }
            Rate::ResetAhead => {
                let window = i64::try_from(rules.window_seconds).unwrap_or(i64::MAX);
                let Some(reset_in) = now.reset_in else {
                    return Some("no header says when the window ends".to_owned());
                };
                let is_ahead = (-1..=window.saturating_add(1)).contains(&reset_in);
                (!is_ahead).then(|| format!("the reset lies {reset_in} s ahead, the window is {window} s"))
            }
            Rate::CostsOne => match before.map(|before| LimitSnapshot::read(rules, before)) {
                Some(Ok(before)) => (now.remaining.checked_add(1) != Some(before.remaining)).then(|| {
                    format!("{} calls were left before this one and {} after it", before.remaining, now.remaining)
                }),
                Some(Err(problem)) => Some(problem),
                None => Some("there is no call before this one to compare with".to_owned()),
            },
            Rate::Spent => Self::exhausted_finding(rules, &now, reply),
            Rate::Introspected => self.introspected(rules, &now, reply),
        }
    }

    fn introspected(&self, rules: &RateLimit, now: &LimitSnapshot, reply: &Reply) -> Option<String> {
        let pointer = self.contract.key_management.as_ref()?.members.own_reset.as_ref()?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(reset) = body.pointer(pointer).and_then(Value::as_i64) else {
            return Some(format!("`{pointer}` does not say when the window ends"));
        };
        let reset_in = rules.reset.ahead(reset);
        let header = now.differs(reset_in)?;
        Some(format!("`{pointer}` lies {reset_in} s ahead and the reset header {header} s"))
    }

    /// Returns the flaw of `Retry-After`: it has to be seconds or a date (RFC 9110, section 10.2.3), and to agree with the reset header
    /// about the end of the window.
    fn retry_after(rules: &RateLimit, now: &LimitSnapshot, reply: &Reply) -> Option<String> {
        let Some(value) = reply.headers.get(RETRY_AFTER) else {
            return rules.retry_after.then(|| "the header `Retry-After` is missing".to_owned());
        };
        let text = value.to_str().unwrap_or_default().trim();
        let date = || httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok();
        let from_now =
            |date: Duration| i64::try_from(date.as_secs()).ok()?.checked_sub_unsigned(clock::epoch_seconds());
        let Some(wait) = text.parse::<u32>().ok().map(i64::from).or_else(|| from_now(date()?)) else {
            return Some(format!("the header `Retry-After` is `{text}`, neither seconds nor a date"));
        };
        let header = now.differs(wait)?;
        Some(format!("`Retry-After` says {wait} s and the reset header {header} s"))
    }

    fn exhausted_finding(rules: &RateLimit, now: &LimitSnapshot, reply: &Reply) -> Option<String> {
        if now.remaining != 0 {
            return Some(format!("the call was refused, and {} are said to be left", now.remaining));
        }
        if let Some(problem) = Self::retry_after(rules, now, reply) {
            return Some(problem);
        }
        let pointer = rules.retry_after_body.as_ref()?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(wait) = body.pointer(pointer).and_then(Value::as_i64) else {
            return Some(format!("`{pointer}` does not say how long to wait"));
        };
        let header = now.differs(wait)?;
        Some(format!("`{pointer}` says {wait} s and the reset header {header} s"))
    }
}

impl LimitSnapshot {
    pub(super) fn read(rules: &RateLimit, reply: &Reply) -> Result<Self, String> {
        let reported = rules.limit_values(&reply.headers)?;
        let ahead = |reset: u64| rules.reset.ahead(i64::try_from(reset).unwrap_or(i64::MAX));
        Ok(Self { limit: reported.limit, remaining: reported.remaining, reset_in: reported.reset.map(ahead) })
    }

    /// Returns the reset in seconds from now if it differs from `seconds` by more than 2. Two times in one answer are written and read at
    /// slightly different moments.
    fn differs(&self, seconds: i64) -> Option<i64> {
        self.reset_in.filter(|reset_in| reset_in.abs_diff(seconds) > 2)
    }
}

impl ResetUnit {
    /// Returns the seconds until a reset; negative if it is in the past.
    fn ahead(self, reset: i64) -> i64 {
        let now = clock::epoch_seconds();
        let end = self.instant(now, u64::try_from(reset).unwrap_or_default());
        i64::try_from(end).unwrap_or(i64::MAX).saturating_sub(i64::try_from(now).unwrap_or(i64::MAX))
    }
}
