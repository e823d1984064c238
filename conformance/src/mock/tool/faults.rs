//! Programmed faults: they apply to the next matching requests.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use hyper::header::RETRY_AFTER;

use super::error::MockError;
use crate::clock;
use crate::contract::Probe;
use crate::mock::call::{Answer, Call, Refusal};
use crate::mock::core::Core;
use crate::mock::window::Window;
use crate::text::glob;

/// The highest number of pending rules.
const MOST_RULES: usize = 1000;
/// The highest number of requests that a rule applies to.
const MOST_TIMES: u64 = 1_000_000;
/// The longest delay, which is also the time for which a stopped mock waits for active requests.
pub(in crate::mock) const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The longest rate limit window in a refusal.
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// A fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The token is refused like a revoked one. The request is not executed.
    Unauthorized,
    /// The rate limit is exhausted for this duration. The request is not executed. Whole seconds, at most a day.
    RateLimited(Duration),
    /// The account has no funds. The request is not executed.
    NoFunds,
    /// The items at these positions are rejected and the others accepted. Requests without a batch do not match.
    Partial(BTreeSet<usize>),
    /// A status from 500 to 599, with or without the request having been executed.
    ServerError {
        /// The status.
        status: u16,
        /// True if the request is executed nevertheless.
        executed: bool,
    },
    /// The request is executed, and its answer is delayed; at most 60 seconds.
    Slow(Duration),
    /// The connection is closed without an answer.
    Cut {
        /// True if the request is executed nevertheless.
        executed: bool,
    },
}

/// A fault, with the requests that it applies to and their number. By default: the next request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultRule {
    pub(super) fault: Fault,
    pub(super) method: Option<String>,
    pub(super) path: String,
    pub(super) times: u64,
}

/// The pending rules, the oldest first.
#[derive(Debug, Default)]
pub(in crate::mock) struct Faults(VecDeque<FaultRule>);

impl Fault {
    /// Returns its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::RateLimited(_) => "rate-limited",
            Self::NoFunds => "no-funds",
            Self::Partial(_) => "partial",
            Self::ServerError { .. } => "server-error",
            Self::Slow(_) => "slow",
            Self::Cut { .. } => "cut",
        }
    }
}

impl FaultRule {
    /// Creates a rule for the next request.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path: "**".to_owned(), times: 1 }
    }

    /// Restricts the rule to requests with this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Restricts the rule to requests with a matching path: the path as it is sent, including that of the base URL and without the query. `*`
    /// matches anything within a segment, `**` anything.
    #[must_use]
    pub fn path(mut self, glob: impl Into<String>) -> Self {
        self.path = glob.into();
        self
    }

    /// Sets the number of requests: 1 to 1,000,000.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Checks whether the rule is valid for an API with or without batches.
    pub(super) fn check(&self, has_batches: bool) -> Result<(), MockError> {
        let fails = |problem: &str, help: &str| Err(MockError::value(problem, help));
        if !(1..=MOST_TIMES).contains(&self.times) {
            return fails("`times` is out of range", "give a number from 1 to 1000000");
        }
        match &self.fault {
            Fault::ServerError { status, .. } if !(500..=599).contains(status) => {
                fails("`status` is no server error", "give a status from 500 to 599")
            }
            Fault::RateLimited(window) if window.is_zero() || *window > LONGEST_WINDOW => {
                fails("`window_seconds` is out of range", "give a number from 1 to 86400")
            }
            Fault::Slow(delay) if *delay > LONGEST_DELAY => {
                fails("`delay_ms` is out of range", "give a number up to 60000")
            }
            Fault::Partial(_) if !has_batches => {
                fails("this API takes no batches", "`partial` is for APIs whose contract has [batch]")
            }
            Fault::Partial(positions) if positions.is_empty() => {
                fails("`reject` names no item", "give positions from 0 on, or leave it out for the first item")
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, method: &str, path: &str, is_batch: bool) -> bool {
        let method_fits = self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let body_fits = is_batch || !matches!(self.fault, Fault::Partial(_));
        method_fits && body_fits && glob::matches(&self.path, path)
    }
}

impl Faults {
    /// Adds a rule after the pending ones.
    pub(super) fn program(&mut self, rule: FaultRule) -> Result<(), MockError> {
        if self.0.len() >= MOST_RULES {
            return Err(MockError::value("1000 faults wait already", "remove them: DELETE /_keyfit/faults"));
        }
        self.0.push_back(rule);
        Ok(())
    }

    /// Returns the fault for a request: that of the oldest matching rule, whose number of remaining requests is decremented.
    pub(in crate::mock) fn next(&mut self, method: &str, path: &str, is_batch: bool) -> Option<Fault> {
        let place = self.0.iter().position(|rule| rule.matches(method, path, is_batch))?;
        let rule = self.0.get_mut(place)?;
        let fault = rule.fault.clone();
        rule.times -= 1;
        if rule.times == 0 {
            self.0.remove(place);
        }
        Some(fault)
    }

    /// Returns the pending rules; their `times` is the number of remaining requests.
    pub(super) fn pending(&self) -> Vec<FaultRule> {
        self.0.iter().cloned().collect()
    }

    /// Removes all rules, and returns their number.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

impl Core {
    /// Returns the refusal that a fault demands; `None` for faults that do not refuse. Requests outside the base path, such as those of the
    /// authorization server, get answers without a body.
    pub(in crate::mock) fn fault_answer(&self, call: Option<&Call>, fault: &Fault) -> Option<Answer> {
        let operation = call.and_then(|call| self.operation(call)).or_else(|| self.api.operations.first());
        let Some(operation) = operation.filter(|_| call.is_some()) else {
            let status = match fault {
                Fault::Unauthorized => 401,
                Fault::RateLimited(_) => 429,
                Fault::NoFunds => 402,
                Fault::ServerError { status, .. } => *status,
                Fault::Partial(_) | Fault::Slow(_) | Fault::Cut { .. } => return None,
            };
            return Some(Answer::empty(status));
        };
        Some(match fault {
            Fault::Unauthorized => {
                let refusal = self.unauthorized(operation, &Probe::RevokedToken, "Unauthorized");
                self.refuse(refusal, operation, self.count(None, operation, 1))
            }
            Fault::RateLimited(wait) => {
                let mut refusal = Refusal::new(self.status(&Probe::Exhausted, operation, 429), "Rate limit exceeded");
                let rules = self.contract.rate_limit.as_ref();
                // Without a header of the contract, a client would not know how long to wait.
                if rules.is_none_or(|rules| rules.reset_header.is_empty()) {
                    refusal = refusal.with_header(RETRY_AFTER, &wait.as_secs().to_string());
                }
                let limit = rules.map_or(0, |rules| rules.limit);
                let reset = clock::epoch_seconds().saturating_add(wait.as_secs());
                self.refuse(refusal, operation, Some(Window { limit, used: limit.saturating_add(1), reset }))
            }
            Fault::NoFunds => {
                let refusal = Refusal::new(self.status(&Probe::NoFunds, operation, 402), "Insufficient funds");
                self.refuse(refusal, operation, self.count(None, operation, 1))
            }
            Fault::ServerError { status, .. } => {
                self.refuse(Refusal::new(*status, "Something went wrong"), operation, None)
            }
            Fault::Partial(_) | Fault::Slow(_) | Fault::Cut { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultRule, Faults};

    #[test]
    fn a_rule_meets_as_many_requests_as_it_says_and_the_oldest_goes_first() {
        let mut faults = Faults::default();
        let no_funds = FaultRule::new(Fault::NoFunds).method("post").path("/v1/sms/*").times(2);
        faults.program(no_funds).expect("there is room");
        faults.program(FaultRule::new(Fault::Unauthorized)).expect("there is room");
        assert_eq!(faults.next("POST", "/v1/sms/bulk", true), Some(Fault::NoFunds));
        assert_eq!(faults.next("GET", "/v1/sms/bulk", false), Some(Fault::Unauthorized));
        assert_eq!(faults.next("GET", "/v1/sms/bulk", false), None);
        assert_eq!(faults.next("POST", "/v1/sms/bulk/more", true), None);
        assert_eq!(faults.next("POST", "/v1/sms/bulk", true), Some(Fault::NoFunds));
        assert_eq!(faults.next("POST", "/v1/sms/bulk", true), None);
    }

    #[test]
    fn a_partial_fault_waits_for_a_batch() {
        let mut faults = Faults::default();
        let partial = Fault::Partial([1].into());
        faults.program(FaultRule::new(partial.clone())).expect("there is room");
        assert_eq!(faults.next("POST", "/v1/sms", false), None);
        assert_eq!(faults.next("POST", "/v1/sms/bulk", true), Some(partial));
    }
}
