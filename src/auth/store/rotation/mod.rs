//! The rotation of a key that any process may go on with.

mod state;
mod stopped;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::state::{Reached, State};
use super::lease::{self, Lease};
use super::record::Record;
use crate::auth::rotation::{Aborted, KeyManager, Step, may_have_happened, mint, revoke};
use crate::auth::secret::Secret;
use crate::error::Error;

pub use stopped::RotationStopped;

/// The first wait before a step that could not be recorded is recorded again, each further one twice as long, and their number: 15 s.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const WAITS: u32 = 5;

/// The rotation of a key, recorded step by step, so that any process can go on with it. Cloning shares it.
///
/// [`run`](Self::run) takes the lease of the rotation, reads the step that was recorded last, and does those that follow: mint, distribute,
/// verify, switch, revoke. Each is recorded after it was done and before the next one is begun.
///
/// - **A key is never made twice.** That one is asked for is recorded before the request is sent. Where its answer is lost, or its process
///   killed, every run says [`MintLost`](RotationStopped::MintLost) and sends nothing.
/// - **The old key is never revoked before the switch is recorded**, and the new one not before it is recorded that the rotation is given
///   up: a process that comes late finds by the version of the record that it may do neither.
/// - A step that was done and not recorded, because its process was killed in between, is done again: let the callbacks bear that. To
///   verify and to revoke twice is harmless. A process that stalls in a callback for longer than its lease may end it while another one
///   goes on: a lease that is longer than a deployment keeps them apart.
/// - The new key is in the store, encrypted, from the mint until the server has accepted it.
///
/// ```
/// use keyfit::Error;
/// use keyfit::auth::Secret;
/// use keyfit::auth::store::SharedStore;
/// use keyfit::scopien::{Key, Keys};
///
/// # async fn deploy_secret(_: Secret) -> Result<(), Error> { Ok(()) }
/// # async fn reload() -> Result<(), Error> { Ok(()) }
/// # async fn example(store: SharedStore) -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::new(Key::from_env()?)?;
/// let new_id = store.rotation("scopien", keys, "key_old").run(deploy_secret, reload).await?;
/// println!("{new_id} is in use");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedRotation {
    record: Arc<Record>,
    keys: Arc<dyn KeyManager>,
    old: String,
}

impl SharedRotation {
    pub(in crate::auth::store) fn new(record: Arc<Record>, keys: Arc<dyn KeyManager>, old: String) -> Self {
        Self { record, keys, old }
    }

    /// Does all steps that are not recorded yet, and returns the id of the new key. `distribute` stores the key where the programs look
    /// for it; `switch` makes them use it. One that fails must leave the old key in its place, since the new one is revoked then.
    ///
    /// A rotation of the same old key that has ended well, here or in another process, is not repeated: its new id is returned.
    ///
    /// # Errors
    /// Returns an error if a step fails, the answer to the mint is lost, or the store cannot be used. Another process that works on the
    /// rotation is waited for, for 30 s more than a [lease](super::SharedStore::lease) lasts.
    pub async fn run<D, S>(
        &self,
        distribute: impl FnOnce(Secret) -> D,
        switch: impl FnOnce() -> S,
    ) -> Result<String, RotationStopped>
    where
        D: Future<Output = Result<(), Error>>,
        S: Future<Output = Result<(), Error>>,
    {
        self.leased(self.go_on(distribute, switch)).await
    }

    /// Does work under the lease of the rotation, which is released when it returns.
    async fn leased<T>(&self, work: impl Future<Output = Result<T, RotationStopped>>) -> Result<T, RotationStopped> {
        let lease = Lease::wait(&self.record).await.map_err(RotationStopped::Unfinished)?;
        let done = work.await;
        drop(lease);
        lease::released(&self.record).await;
        done
    }

    async fn go_on<D, S>(
        &self,
        distribute: impl FnOnce(Secret) -> D,
        switch: impl FnOnce() -> S,
    ) -> Result<String, RotationStopped>
    where
        D: Future<Output = Result<(), Error>>,
        S: Future<Output = Result<(), Error>>,
    {
        let mut state = self.begin().await?;
        if let Some(key) = state.key().filter(|_| state.reached == Reached::Minted) {
            let done = distribute(key.secret).await;
            state = self.after(&state, Step::Distribute, done, Reached::Distributed).await?;
        }
        if let Some(key) = state.key().filter(|_| state.reached == Reached::Distributed) {
            let done = self.keys.verify(&key).await;
            state = self.after(&state, Step::Verify, done, Reached::Verified).await?;
        }
        if state.reached == Reached::Verified {
            let done = switch().await;
            state = self.after(&state, Step::Switch, done, Reached::Switched).await?;
        }
        if state.reached == Reached::Switched {
            if let Err(cause) = revoke(&*self.keys, &state.old).await {
                return Err(RotationStopped::RevokeFailed { old: state.old, cause });
            }
            state = self.record(state.at(Reached::Revoked)).await?;
        }
        Ok(state.new_id().to_owned())
    }

    /// Allows another mint, after you have looked in the list of keys for one that nobody has.
    ///
    /// # Errors
    /// Returns an error if no mint is lost, or the store cannot be used.
    pub async fn forget_lost_mint(&self) -> Result<(), RotationStopped> {
        self.leased(async {
            match self.load().await? {
                Some(state) if state.reached == Reached::Minting => {
                    self.record(state.at(Reached::Aborted)).await.map(drop)
                }
                _ => {
                    Err(RotationStopped::Unfinished(Error::credential(format!("{}: no mint is lost", self.record.key))))
                }
            }
        })
        .await
    }

    /// The state to go on from, with a key that was made.
    async fn begin(&self) -> Result<State, RotationStopped> {
        let Some(state) = self.load().await? else { return self.mint().await };
        match state.reached {
            Reached::Aborted => self.mint().await,
            // Of another key, which is over.
            Reached::Revoked if state.old != self.old => self.mint().await,
            Reached::Aborting => {
                revoke(&*self.keys, state.new_id()).await.map_err(|error| {
                    let text =
                        format!("the new key {} of a rotation that was given up cannot be revoked", state.new_id());
                    RotationStopped::Unfinished(Error::credential_from(format!("{text}: {error}"), error))
                })?;
                self.record(state.at(Reached::Aborted)).await?;
                self.mint().await
            }
            _ if state.old != self.old => Err(RotationStopped::Unfinished(Error::credential(format!(
                "{} is one of the key {}: run that first",
                self.record.key, state.old
            )))),
            Reached::Minting => Err(RotationStopped::MintLost { old: state.old, cause: None }),
            Reached::Minted | Reached::Distributed | Reached::Verified | Reached::Switched | Reached::Revoked => {
                Ok(state)
            }
        }
    }

    async fn mint(&self) -> Result<State, RotationStopped> {
        let minting = self.record(State::minting(&self.old)).await?;
        let key = match mint(&*self.keys, &self.old).await {
            Ok(key) => key,
            Err(cause) if may_have_happened(&cause) => {
                return Err(RotationStopped::MintLost { old: minting.old, cause: Some(cause) });
            }
            Err(cause) => {
                self.record(minting.at(Reached::Aborted)).await?;
                return Err(RotationStopped::Aborted(Aborted::before(cause)));
            }
        };
        match self.record(minting.minted(&key)).await {
            Ok(state) => Ok(state),
            // Nobody but this call has the key.
            Err(unfinished) => Err(match revoke(&*self.keys, &key.id).await {
                Ok(()) => unfinished,
                Err(error) => RotationStopped::Aborted(Aborted::at(
                    Step::Mint,
                    Error::credential(unfinished.to_string()),
                    key.id,
                    Some(error),
                )),
            }),
        }
    }

    /// Records a step that was done, or gives up: revokes the new key. The old one is not touched.
    async fn after(
        &self,
        state: &State,
        step: Step,
        done: Result<(), Error>,
        next: Reached,
    ) -> Result<State, RotationStopped> {
        let Err(cause) = done else { return self.record(state.at(next)).await };
        let aborting = self.record(state.at(Reached::Aborting)).await?;
        let revoked = revoke(&*self.keys, aborting.new_id()).await;
        if revoked.is_ok() {
            self.record(aborting.at(Reached::Aborted)).await?;
        }
        Err(RotationStopped::Aborted(Aborted::at(step, cause, aborting.new_id().to_owned(), revoked.err())))
    }

    async fn load(&self) -> Result<Option<State>, RotationStopped> {
        let Some(content) = self.record.load().await.map_err(RotationStopped::Unfinished)? else { return Ok(None) };
        let state: Option<State> = serde_json::from_slice(&content.text).ok();
        let is_whole = |state: &State| match state.reached {
            Reached::Minting | Reached::Aborted => true,
            Reached::Minted | Reached::Distributed => state.key().is_some(),
            Reached::Verified | Reached::Switched | Reached::Revoked | Reached::Aborting => state.new.is_some(),
        };
        let unread = || self.record.key.failed("read", "it holds no rotation as Keyfit writes it");
        state.filter(is_whole).map(Some).ok_or_else(|| RotationStopped::Unfinished(unread()))
    }

    /// Writes a state down, for 15 s where the store cannot be used.
    async fn record(&self, state: State) -> Result<State, RotationStopped> {
        let mut waits = 0;
        loop {
            let error = match self.record.save(&state.to_json()).await {
                Ok(true) => return Ok(state),
                Ok(false) => self.record.key.failed("written", "another process has gone on with it"),
                Err(error) if waits < WAITS => {
                    tracing::warn!(%error, "a step of a rotation could not be recorded yet");
                    self.record.settings.clock.sleep(FIRST_WAIT * (1 << waits)).await;
                    waits += 1;
                    continue;
                }
                Err(error) => error,
            };
            return Err(RotationStopped::Unfinished(error));
        }
    }
}

impl fmt::Debug for SharedRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRotation")
            .field("name", &self.record.key.name())
            .field("old", &self.old)
            .finish_non_exhaustive()
    }
}
