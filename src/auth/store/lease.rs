//! The right to change a record, for a time.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::record::Record;
use crate::auth::oauth::random_text;
use crate::error::Error;
use crate::runtime;

/// The interval between two attempts to take a lease.
pub(super) const TRIED_EVERY: Duration = Duration::from_millis(50);
/// The longest wait for a lease, beyond its time.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest wait for the release of a lease.
const RELEASE_WAIT: Duration = Duration::from_secs(2);

/// A lease that is renewed until it is dropped.
pub(super) struct Lease(Arc<Held>);

struct Held {
    record: Arc<Record>,
    /// The name of this lease alone, so that a late renewal of another one changes nothing.
    holder: String,
}

impl Lease {
    /// A lease of a record; `None` while another has one.
    pub(super) async fn take(record: &Arc<Record>) -> Result<Option<Self>, Error> {
        let holder = random_text()?.expose_secret().to_owned();
        if !record.lease(&holder).await? {
            return Ok(None);
        }
        let held = Arc::new(Held { record: Arc::clone(record), holder });
        let renewed = Arc::downgrade(&held);
        let (clock, renews_every) = (Arc::clone(&record.settings.clock), record.settings.lease / 3);
        runtime::spawn(async move {
            loop {
                clock.sleep(renews_every).await;
                let Some(held) = renewed.upgrade() else { return };
                let Held { record, holder } = &*held;
                match record.settings.engine.renew(&record.key, holder, record.settings.lease).await {
                    Ok(true) => {}
                    Ok(false) => {
                        tracing::warn!(record = %record.key, "a lease has ended before its work: another process goes on");
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
                }
            }
        });
        Ok(Some(Self(held)))
    }

    /// A lease, once no other has one. A holder that lives keeps its lease.
    pub(super) async fn wait(record: &Arc<Record>) -> Result<Self, Error> {
        let patience = record.settings.lease + PATIENCE;
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lease) = Self::take(record).await? {
                return Ok(lease);
            }
            if waited >= patience {
                return Err(Error::credential(format!(
                    "another process works on {} for more than {} s: look for one that hangs",
                    record.key,
                    patience.as_secs()
                )));
            }
            record.settings.clock.sleep(TRIED_EVERY).await;
            waited += TRIED_EVERY;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let held = Arc::clone(&self.0);
        held.record.without_lease(&held.holder);
        // A record that may have been written must not be read by others as long as that is unknown.
        if held.record.is_unsure() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let record = Arc::clone(&held.record);
        let release = runtime::spawn(async move {
            let Held { record, holder } = &*held;
            if let Err(error) = record.settings.engine.release(&record.key, holder).await {
                tracing::warn!(%error, "a lease could not be released, and ends by itself");
            }
        });
        *record.releasing.lock().unwrap_or_else(PoisonError::into_inner) = Some(release);
    }
}

/// Waits until the last lease of a record is released, for 2 s at most: the process may end right after, and others would have to wait for
/// the end of the lease.
pub(super) async fn released(record: &Record) {
    let release = record.releasing.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(release) = release {
        // One that takes longer goes on by itself, and logs that it failed.
        let _ = runtime::timeout(RELEASE_WAIT, release).await;
    }
}
