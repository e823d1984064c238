//! One record: its content in the clear, and the version that it has.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;

use super::encryption::{EncryptionKeys, HEAD};
use super::engine::{Engine, Key};
use crate::error::{Clock, Error};

/// The length of the time that stands before a content, in milliseconds since 1970.
const TIME: usize = 8;

/// What all records of a store share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) keys: Arc<EncryptionKeys>,
    pub(super) lease: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

/// One record.
pub(super) struct Record {
    pub(super) settings: Settings,
    pub(super) key: Key,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The version that was read or written last; 0 where there is none.
    version: i64,
    /// The heads of contents that may have been written, by saves that failed.
    unsure: Vec<Vec<u8>>,
}

/// The content of a record.
pub(super) struct Content {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// When it was written, by the clock of whoever wrote it, and by the clock here.
    written: SystemTime,
    written_here: SystemTime,
    /// Whether it is encrypted with the first key.
    pub(super) is_current: bool,
}

impl Record {
    pub(super) fn new(settings: Settings, key: Key) -> Self {
        Self { settings, key, known: Mutex::default() }
    }

    /// Reads the record, whose version is known from then on; `None` where it has no content.
    pub(super) async fn load(&self) -> Result<Option<Content>, Error> {
        // Before it is asked: what it says of an age is then rather too much than too little.
        let now = self.settings.clock.now();
        let Some(stored) = self.settings.engine.load(&self.key).await? else {
            self.known().version = 0;
            return Ok(None);
        };
        self.known().version = stored.version;
        let Some(sealed) = stored.sealed else { return Ok(None) };
        let mut text = self.settings.keys.open(&self.key, &sealed)?;
        let time = text.first_chunk::<TIME>().map(|time| Duration::from_millis(u64::from_be_bytes(*time)));
        let written = time.and_then(|time| UNIX_EPOCH.checked_add(time));
        let written = written.ok_or_else(|| Error::credential(format!("{} is cut off", self.key)))?;
        text.drain(..TIME);
        let written_here = now.checked_sub(stored.age).unwrap_or(UNIX_EPOCH);
        Ok(Some(Content { text, written, written_here, is_current: self.settings.keys.is_current(&sealed) }))
    }

    /// Replaces the version that is known; `false` where the record has another one, so that nothing was written.
    pub(super) async fn save(&self, text: &[u8]) -> Result<bool, Error> {
        let now = self.settings.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut content = Zeroizing::new(u64::try_from(now.as_millis()).unwrap_or_default().to_be_bytes().to_vec());
        content.extend(text);
        let sealed = self.settings.keys.seal(&self.key, &content)?;
        // Until it is known better: an error and a caller that goes away tell nothing of what is written.
        self.known().unsure.push(sealed[..HEAD].to_vec());
        loop {
            let version = self.known().version;
            if let Some(version) = self.settings.engine.swap(&self.key, version, &sealed).await? {
                *self.known() = Known { version, unsure: Vec::new() };
                return Ok(true);
            }
            // What stands there may be of a save of ours that failed and was written all the same.
            let stored = self.settings.engine.load(&self.key).await?;
            let mut known = self.known();
            let ours = stored.filter(|stored| {
                let head = stored.sealed.as_ref().and_then(|sealed| sealed.get(..HEAD));
                stored.version != version && head.is_some_and(|head| known.unsure.iter().any(|unsure| unsure == head))
            });
            let Some(ours) = ours else {
                known.unsure.clear();
                return Ok(false);
            };
            known.version = ours.version;
        }
    }

    /// Takes the lease under this name, and knows the version from then on; `false` while another has it.
    pub(super) async fn lease(&self, holder: &str) -> Result<bool, Error> {
        let taken = self.settings.engine.lease(&self.key, holder, self.settings.lease).await?;
        if let Some(version) = taken {
            *self.known() = Known { version, unsure: Vec::new() };
        }
        Ok(taken.is_some())
    }

    /// Whether a save has failed, so that nobody knows what the record holds.
    pub(super) fn is_unsure(&self) -> bool {
        !self.known().unsure.is_empty()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// A time of the content by the clock here, whatever the clock of its writer showed.
    pub(super) fn here(&self, time: SystemTime) -> SystemTime {
        let moved = match time.duration_since(self.written) {
            Ok(after) => self.written_here.checked_add(after),
            Err(before) => self.written_here.checked_sub(before.duration()),
        };
        moved.unwrap_or(time)
    }

    /// When it was written, by the clock here.
    pub(super) fn written(&self) -> SystemTime {
        self.written_here
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("key", &self.key).finish_non_exhaustive()
    }
}
