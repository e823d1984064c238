//! `/_keyfit/limits`: the remaining calls in a token's windows.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{AdminState, TokenSelector};
use crate::clock;
use crate::mock::core::bucket;
use crate::mock::tool::error::MockError;
use crate::mock::window::Window;

/// The longest window, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// A token, with the number of calls that remain until its window ends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitBody {
    name: Option<String>,
    fingerprint: Option<String>,
    token: Option<String>,
    #[serde(default)]
    remaining: u64,
    window_seconds: Option<u64>,
    operation: Option<String>,
}

impl AdminState {
    pub(super) fn limit(&self, wanted: &LimitBody) -> Result<Value, MockError> {
        let which =
            TokenSelector::one_of(wanted.name.as_deref(), wanted.fingerprint.as_deref(), wanted.token.as_deref())?;
        self.set_remaining(which, wanted.remaining, wanted.window_seconds, wanted.operation.as_deref())
    }

    /// Opens new windows with this number of remaining calls for a token: for one operation, or for all that it may call. Other callers who
    /// share its windows by the contract's rules share these.
    pub(in super::super) fn set_remaining(
        &self,
        which: TokenSelector<'_>,
        remaining: u64,
        window_seconds: Option<u64>,
        operation: Option<&str>,
    ) -> Result<Value, MockError> {
        let Some(rules) = &self.core.contract.rate_limit else {
            let help = "`rate-limited` of /_keyfit/faults works without one";
            return Err(MockError::value("the contract has no rate limit", help));
        };
        let seconds = window_seconds.unwrap_or(rules.window_seconds);
        if !(1..=DAY).contains(&seconds) {
            return Err(MockError::value("`window_seconds` is out of range", "give a number from 1 to 86400"));
        }
        let (text, _) = self.find(which)?;
        let mut state = self.core.state();
        let Some(token) = state.token(&text) else { return Err(super::tokens::unknown_token()) };
        let limit = token.limit.unwrap_or(rules.limit);
        if remaining > limit {
            let help = format!("give a number up to {limit}, the token's calls a window");
            return Err(MockError::value("`remaining` is more than the limit", help));
        }
        let operations = || self.core.api.operations.iter();
        if let Some(id) = operation.filter(|id| !operations().any(|operation| operation.id == **id)) {
            return Err(MockError::none_of("operation", id, operations().map(|operation| operation.id.as_str())));
        }
        let buckets: BTreeSet<String> = operations()
            .filter(|known| operation.is_none_or(|id| known.id == id))
            .map(|operation| bucket(rules.bucket, Some(&token), operation))
            .collect();
        let reset = clock::epoch_seconds().saturating_add(seconds);
        let window = Window { limit, used: limit - remaining, reset };
        let windows = buckets.len();
        for bucket in buckets {
            state.put_window(bucket, window);
        }
        Ok(json!({ "limit": limit, "remaining": remaining, "reset": reset, "windows": windows }))
    }
}
