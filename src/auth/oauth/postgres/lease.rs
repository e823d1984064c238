//! The right to refresh a session, for a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::row::Row;
use crate::error::Error;
use crate::runtime;

/// A lease that is renewed until it is dropped.
pub(super) struct Lease(Arc<Held>);

struct Held(Arc<Row>);

impl Lease {
    /// A lease of a session; `None` while another store has one.
    pub(super) async fn take(row: &Arc<Row>) -> Result<Option<Self>, Error> {
        let take = "INSERT INTO keyfit_session AS held (name, version, holder, leased_until) \
                    VALUES ($1, 0, $2, now() + $3 * interval '1 second') \
                    ON CONFLICT (name) DO UPDATE SET holder = $2, leased_until = now() + $3 * interval '1 second' \
                    WHERE held.leased_until IS NULL OR held.leased_until <= now() \
                    RETURNING version";
        let lease = row.settings.lease.as_secs_f64();
        let taken = row.ask("leased", take, &[&row.name, &row.holder, &lease]).await?;
        let Some(taken) = taken else { return Ok(None) };
        row.version.store(taken.get(0), Ordering::Release);
        row.unsure().clear();
        let held = Arc::new(Held(Arc::clone(row)));
        let renewed = Arc::downgrade(&held);
        let (clock, renews_every) = (Arc::clone(&row.settings.clock), row.settings.lease / 3);
        runtime::spawn(async move {
            loop {
                clock.sleep(renews_every).await;
                let Some(held) = renewed.upgrade() else { return };
                if let Err(error) = held.0.renew().await {
                    tracing::warn!(%error, "a lease of an OAuth session could not be renewed");
                }
            }
        });
        Ok(Some(Self(held)))
    }
}

impl Row {
    async fn renew(&self) -> Result<(), Error> {
        let until =
            "UPDATE keyfit_session SET leased_until = now() + $3 * interval '1 second' WHERE name = $1 AND holder = $2";
        let lease = self.settings.lease.as_secs_f64();
        self.ask("leased", until, &[&self.name, &self.holder, &lease]).await.map(drop)
    }

    async fn release(&self) -> Result<(), Error> {
        let free = "UPDATE keyfit_session SET holder = NULL, leased_until = NULL WHERE name = $1 AND holder = $2";
        self.ask("released", free, &[&self.name, &self.holder]).await.map(drop)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let row = Arc::clone(&self.0.0);
        // What may have been written is not to be read by others as long as that is unknown.
        if !row.unsure().is_empty() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        runtime::spawn(async move {
            if let Err(error) = row.release().await {
                tracing::warn!(%error, "a lease of an OAuth session could not be released, and ends by itself");
            }
        });
    }
}
