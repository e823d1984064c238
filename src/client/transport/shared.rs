//! What all clones of a client share: the credentials, the servers that they may be sent to, and what is known of the server.

use super::limiter::{self, Limiter};
use super::opening::Keys;
use super::retry_budget::RetryBudget;
use super::route::Routes;
use super::servers::Servers;
use crate::auth::Carried;
use crate::client::Config;
use crate::error::{Api, Error, Operation};
use crate::http_client::Sender;

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(super) api: &'static Api,
    pub(super) servers: Servers,
    pub(super) routes: Routes,
    pub(super) keys: Keys,
    pub(super) config: Config,
    pub(super) sender: Sender,
    pub(super) limiter: Limiter,
    pub(super) retry_budget: RetryBudget,
}

impl Shared {
    /// Nothing is known yet of limits and failures.
    pub(super) fn new(api: &'static Api, servers: Servers, keys: Keys, config: Config, sender: Sender) -> Self {
        let shared = config.budget.clone().map(|budget| limiter::Shared {
            budget,
            clock: config.clock.clone(),
            api: format!("{}@{}", api.name, servers.base().base().origin().ascii_serialization()),
        });
        let limiter = Limiter::new(config.waits_for_rate_limits, shared);
        let retry_budget = RetryBudget::new(config.retry.budget);
        Self { api, servers, routes: Routes::new(api), keys, config, sender, limiter, retry_budget }
    }

    /// The tokens of now that a call of the operation carries, if they may be sent.
    pub(super) async fn carried(&self, operation: &Operation) -> Result<Carried, Error> {
        let mut carried = Carried::new(self.api, []);
        for key in self.keys.choose(operation)? {
            carried.add(key.checked(key.credential.token().await?, self.config.token_check.as_ref())?);
        }
        Ok(carried)
    }

    /// The same with other tokens, where at least one can be had: an answer does not say which of several was refused.
    pub(super) async fn instead_of(&self, operation: &Operation, refused: &Carried) -> Option<Carried> {
        let (mut tokens, mut is_other) = (Vec::new(), false);
        for (key, held) in self.keys.choose(operation).ok()?.zip(refused.tokens()) {
            let other = key.credential.instead_of(held).await;
            is_other |= other.is_some();
            let held = other.unwrap_or_else(|| held.clone());
            tokens.push(key.checked(held, self.config.token_check.as_ref()).ok()?);
        }
        is_other.then(|| Carried::new(self.api, tokens))
    }

    /// One event for each 401 and 403: what a security log wants to know, and nothing that opens a door.
    pub(super) fn report(&self, error: &Error, carried: &Carried, operation: &Operation) {
        tracing::warn!(
            target: "keyfit::auth",
            time = %httpdate::fmt_http_date(self.config.clock.now()),
            operation = operation.function,
            status = error.status().map(|status| status.as_u16()),
            code = error.code(),
            request_id = error.request_id(),
            key = %carried.fingerprints(),
            "the server refused the credential"
        );
    }
}
