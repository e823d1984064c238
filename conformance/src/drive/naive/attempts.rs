//! Retries of the naive client.

use std::sync::PoisonError;
use std::time::Duration;

use keyfit_openapi::{Operation, Retry};
use reqwest::Url;
use serde_json::{Map, Value};

use super::{CallOutcome, Client, Defect, Reply};

/// The highest number of attempts for a call.
const MAX_ATTEMPTS: usize = 3;
/// The number of attempts of a client that never gives up, so that its check ends.
const ENDLESS_ATTEMPTS: usize = 30;
/// The shortest wait before another attempt.
const MIN_WAIT: Duration = Duration::from_millis(200);

impl Client {
    /// Sends a call, with retries if it may be repeated.
    pub(super) async fn attempts(
        &self,
        operation: &Operation,
        arguments: &Map<String, Value>,
    ) -> Result<CallOutcome, &'static str> {
        let url = self.url(operation, arguments)?;
        let mut key = new_key(operation);
        let mut reply = self.send(operation, url.clone(), arguments, key.as_deref()).await?;
        reply = self.reauthorized(operation, &url, arguments, key.as_deref(), reply).await?;
        let attempts = if self.has(Defect::NeverGivesUp) { ENDLESS_ATTEMPTS } else { MAX_ATTEMPTS };
        for _ in 1..attempts {
            if !self.is_repeated(operation, reply.status) {
                break;
            }
            self.wait(&reply);
            if self.has(Defect::ChangesKeys) {
                key = new_key(operation);
            }
            reply = self.send(operation, url.clone(), arguments, key.as_deref()).await?;
        }
        if (300..400).contains(&reply.status)
            && self.has(Defect::FollowsRedirects)
            && let Some(target) = reply.headers.get("location").and_then(|target| target.to_str().ok())
        {
            let target = Url::parse(target).map_err(|_| "redirect")?;
            reply = self.send(operation, target, arguments, key.as_deref()).await?;
        }
        Ok(self.read(operation, reply))
    }

    async fn reauthorized(
        &self,
        operation: &Operation,
        url: &Url,
        arguments: &Map<String, Value>,
        key: Option<&str>,
        mut reply: Reply,
    ) -> Result<Reply, &'static str> {
        let (statuses, attempts): (&[u16], _) = match self.defect {
            Some(Defect::NeverReauthorizes) => (&[], 0),
            Some(Defect::ReauthorizesForever) => (&[401], 3),
            _ => (&[401], 1),
        };
        for _ in 0..attempts {
            if statuses.contains(&reply.status) && (self.reload_token() || attempts > 1) {
                reply = self.send(operation, url.clone(), arguments, key).await?;
            }
        }
        Ok(reply)
    }

    /// Reads the current token from the credential store. Returns whether it is a new one.
    fn reload_token(&self) -> bool {
        let current = self.credential_store.current();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.reveal() != held.reveal();
        *held = current;
        is_other
    }

    fn is_repeated(&self, operation: &Operation, status: u16) -> bool {
        let may_be_repeated = operation.retry != Retry::Never
            || operation.idempotency_key.is_some()
            || self.has(Defect::RepeatsEverything);
        match status {
            _ if self.has(Defect::NeverRepeats) => false,
            429 => true,
            402 | 403 | 404 | 422 => self.has(Defect::RepeatsRefusals),
            500..=599 => may_be_repeated,
            _ => false,
        }
    }

    /// Waits as long as the server asks, without real time passing.
    fn wait(&self, reply: &Reply) {
        let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let asked = self.rate_limit_and_wait(reply, body.as_ref()).1.unwrap_or_default();
        let wait = match self.defect {
            Some(Defect::NeverWaits) => Duration::ZERO,
            Some(Defect::SpinsOnPastReset) => asked,
            _ => asked.max(MIN_WAIT),
        };
        *self.waited.lock().unwrap_or_else(PoisonError::into_inner) += wait;
    }
}

/// Returns an idempotency key for an operation that accepts one in a header.
fn new_key(operation: &Operation) -> Option<String> {
    operation.idempotency_key.as_ref().and_then(|_| keyfit::new_idempotency_key().ok())
}
