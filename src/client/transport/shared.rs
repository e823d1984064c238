//! What all clones of a client share: the credential, the place where it may be sent, and what is known of the server.

use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::Budget;
use super::limiter::Limiter;
use super::opening;
use super::scope::Scope;
use crate::auth::{Credential, Held};
use crate::client::Config;
use crate::error::{Api, Error, Operation};

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(super) api: &'static Api,
    pub(super) scope: Scope,
    pub(super) credential: Credential<()>,
    /// Whether the credential is of a kind that no operation names: one of another API that opens this one.
    pub(super) is_foreign: bool,
    pub(super) config: Config,
    pub(super) limiter: Limiter,
    pub(super) budget: Budget,
    /// The token that was last checked, by its place in the row; none at first.
    checked: AtomicU64,
}

impl Shared {
    /// Nothing is known yet of limits and failures.
    pub(super) fn new(api: &'static Api, scope: Scope, credential: Credential<()>, config: Config) -> Self {
        let limiter = Limiter::new(config.waits_for_rate_limits);
        let budget = Budget::new(config.retry.budget);
        let is_foreign = opening::is_foreign(api, credential.name());
        Self { api, scope, credential, is_foreign, config, limiter, budget, checked: AtomicU64::new(u64::MAX) }
    }

    /// The token, if it may be sent. Each new one is looked at once.
    pub(super) fn checked(&self, held: Held) -> Result<Held, Error> {
        if let Some(check) = &self.config.token_check
            && !held.is_nothing()
            && self.checked.load(Ordering::Relaxed) != held.generation()
        {
            check.check_token(held.token())?;
            self.checked.store(held.generation(), Ordering::Relaxed);
        }
        Ok(held.sent_to(self.api))
    }

    /// Whether an operation takes the credential.
    pub(super) fn opens(&self, operation: &Operation) -> Result<bool, Error> {
        opening::takes(operation, self.credential.name(), self.is_foreign)
    }

    /// One event for each 401 and 403: what a security log wants to know, and nothing that opens a door.
    pub(super) fn report(&self, error: &Error, held: &Held, operation: &Operation) {
        tracing::warn!(
            target: "keyfit::auth",
            time = %httpdate::fmt_http_date(self.config.clock.now()),
            operation = operation.function,
            status = error.status().map(|status| status.as_u16()),
            code = error.code(),
            request_id = error.request_id(),
            key = %held.token().fingerprint(),
            "the server refused the credential"
        );
    }
}
