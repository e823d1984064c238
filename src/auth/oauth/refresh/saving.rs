//! Saves the tokens of a session, for as long as it takes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Inner, State, Unsaved};
use crate::auth::oauth::{Overtaken, StoreLock};
use crate::error::Error;
use crate::runtime;

/// The first wait before a set that could not be saved is saved again, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Inner {
    /// Saves what is in use, and gives the lock back. Where that fails the lock is kept, and saving is tried again; where another process
    /// has gone on, its set is taken.
    pub(super) async fn save(self: &Arc<Self>, state: &mut State, lock: StoreLock) -> Option<StoreLock> {
        match self.write(state).await {
            Ok(is_written) => is_written.then_some(lock),
            Err(error) => {
                tracing::error!(%error, "the tokens of an OAuth session cannot be saved yet; they are used all the same");
                self.save_later(state, lock, state.is_marked);
                None
            }
        }
    }

    /// Writes what is in use; `false` where another process has gone on, whose set is taken.
    async fn write(&self, state: &mut State) -> Result<bool, Error> {
        match self.store.save(&state.tokens).await {
            Ok(()) => {
                state.is_marked = false;
                Ok(true)
            }
            Err(error) if Overtaken::is_behind(&error) => {
                self.give_way(state).await;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the lock until what is in use is saved.
    pub(super) fn save_later(self: &Arc<Self>, state: &mut State, lock: StoreLock, is_over_mark: bool) {
        state.unsaved = Some(Unsaved { lock, is_over_mark });
        if !std::mem::replace(&mut state.is_saving, true) {
            runtime::spawn(save_again(Arc::downgrade(self)));
        }
    }

    /// The lock of a set that could not be saved. It is saved before what it holds is sent, and where that fails again what is in the
    /// store is older.
    pub(super) async fn unsaved(&self, state: &mut State) -> Option<StoreLock> {
        let Unsaved { lock, .. } = state.unsaved.take()?;
        let has_given_way = self.write(state).await.is_ok_and(|is_written| !is_written);
        (!has_given_way).then_some(lock)
    }

    /// Takes the set that stands where a mark of this process was to stand, if there is one: it is the same, or that of another process, over
    /// a store that cannot say by [`Overtaken`] that it is.
    async fn has_another(&self, state: &mut State) -> bool {
        if !state.unsaved.as_ref().is_some_and(|unsaved| unsaved.is_over_mark) {
            return false;
        }
        match self.store.load().await {
            Ok(Some(stored)) if !stored.is_redeemed() => {
                self.take(state, stored);
                true
            }
            _ => false,
        }
    }

    /// Takes the set of another process that has gone on because this one was late: its lock had ended. What this one would redeem is not
    /// sent, since the other may have sent it.
    async fn give_way(&self, state: &mut State) {
        tracing::warn!("another process has gone on with an OAuth session: its tokens are used");
        state.tokens = state.tokens.redeemed(None);
        if let Ok(Some(stored)) = self.store.load().await {
            state.is_marked = stored.is_redeemed();
            self.take(state, stored);
        }
    }
}

/// Tries to save until it is done, by this task or by a refresh that came in between, or until the session is gone.
async fn save_again(session: Weak<Inner>) {
    let mut wait = FIRST_WAIT;
    loop {
        let Some(clock) = session.upgrade().map(|inner| Arc::clone(inner.endpoint.clock())) else { return };
        clock.sleep(wait).await;
        let Some(inner) = session.upgrade() else { return };
        let mut state = inner.state.lock().await;
        if state.unsaved.is_none() {
            state.is_saving = false;
            return;
        }
        match inner.write(&mut state).await {
            Ok(true) => tracing::info!("the tokens of an OAuth session are saved now"),
            Ok(false) => {}
            Err(error) if inner.has_another(&mut state).await => {
                state.is_marked = false;
                tracing::warn!(%error, "the tokens that the store has of an OAuth session are used");
            }
            Err(error) => {
                tracing::error!(%error, "the tokens of an OAuth session still cannot be saved");
                wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                continue;
            }
        }
        (state.unsaved, state.is_saving) = (None, false);
        return;
    }
}
