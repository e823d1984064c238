//! A budget within one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;

use super::reservation::{Reservation, Reserved};
use super::window::SharedWindow;
use super::{Budget, BudgetError};
use crate::error::{Clock, SystemClock};

/// Buckets of which more are not kept than this, unless they are in use.
const MOST_BUCKETS: usize = 1024;

/// A budget that the clients of one process share, such as two clients with one account. Cloning shares it.
///
/// ```
/// use keyfit::budget::MemoryBudget;
/// use keyfit::{Config, scopien};
///
/// # fn main() -> Result<(), keyfit::Error> {
/// let account = MemoryBudget::default();
/// let reports = scopien::Client::with_config(scopien::Key::new("any")?, Config::default().budget(account.clone()))?;
/// let orders = scopien::Client::with_config(scopien::Key::new("any")?, Config::default().budget(account))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<HashMap<String, SharedWindow>>>,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), buckets: Arc::default() }
    }
}

impl MemoryBudget {
    /// The clock that windows go by, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl Budget for MemoryBudget {
    fn reserve<'a>(&'a self, bucket: &'a str, asked: Reservation) -> BoxFuture<'a, Result<Reserved, BudgetError>> {
        let now = self.clock.monotonic().as_millis().try_into().unwrap_or(u64::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(bucket) {
            buckets.retain(|_, window| !window.is_over(now));
        }
        let reserved = buckets.entry(bucket.to_owned()).or_default().reserve(now, &asked);
        Box::pin(std::future::ready(Ok(reserved)))
    }
}
