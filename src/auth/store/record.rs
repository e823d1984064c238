//! One record: its content in the clear, and the version that it has.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;
use tokio::task::JoinHandle;

use super::encryption::{EncryptionKeys, HEAD};
use super::engine::{Engine, Key};
use crate::error::{Clock, Error};

/// The length of the time that stands before a content, in milliseconds since 1970.
const TIME: usize = 8;

/// The settings that all records of a store share.
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
    /// The release of the last lease.
    pub(super) releasing: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Known {
    /// The version that was read or written last; 0 where there is none.
    version: i64,
    /// The heads of contents that may have been written, by saves that failed.
    unsure: Vec<Vec<u8>>,
    /// The name of the lease that was taken: nothing is written while another has it.
    holder: Option<String>,
}

/// The content of a record.
pub(super) struct Content {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// When it was written, by the clock of whoever wrote it, and by the clock here.
    written: SystemTime,
    written_here: SystemTime,
    /// True if it is encrypted with the first key.
    pub(super) is_current: bool,
}

impl Record {
    pub(super) fn new(settings: Settings, key: Key) -> Self {
        Self { settings, key, known: Mutex::default(), releasing: Mutex::default() }
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

    /// Replaces the version that is known; `false` where the record has another one, so that nothing was written. While another process has
    /// the lease that was taken here, it is an error, and may succeed later.
    pub(super) async fn save(&self, text: &[u8]) -> Result<bool, Error> {
        let now = self.settings.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut content = Zeroizing::new(u64::try_from(now.as_millis()).unwrap_or_default().to_be_bytes().to_vec());
        content.extend(text);
        let sealed = self.settings.keys.seal(&self.key, &content)?;
        // Until it is known better: an error and a caller that goes away tell nothing of what is written.
        self.known().unsure.push(sealed[..HEAD].to_vec());
        loop {
            let (version, holder) = {
                let known = self.known();
                (known.version, known.holder.clone())
            };
            if let Some(version) = self.settings.engine.swap(&self.key, version, holder.as_deref(), &sealed).await? {
                *self.known() = Known { version, unsure: Vec::new(), holder };
                return Ok(true);
            }
            // The stored record may come from our own save that reported a failure and was written all the same.
            let stored = self.settings.engine.load(&self.key).await?;
            let mut known = self.known();
            if stored.as_ref().is_some_and(|stored| stored.version == version) {
                // Nobody has written, and the one that has the lease may find nothing that it can go on with.
                return Err(self.key.failed("written", "another process has its lease at the moment"));
            }
            let ours = stored.filter(|stored| {
                let head = stored.sealed.as_ref().and_then(|sealed| sealed.get(..HEAD));
                head.is_some_and(|head| known.unsure.iter().any(|unsure| unsure == head))
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
            *self.known() = Known { version, unsure: Vec::new(), holder: Some(holder.to_owned()) };
        }
        Ok(taken.is_some())
    }

    /// The lease of this name is over.
    pub(super) fn without_lease(&self, holder: &str) {
        self.known().holder.take_if(|held| held == holder);
    }

    /// Returns whether a save has failed, so that the content of the record is not known.
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
    pub(super) fn written_here(&self) -> SystemTime {
        self.written_here
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_core::future::BoxFuture;
    use secrecy::SecretString;

    use super::*;
    use crate::auth::source::MemorySource;
    use crate::auth::store::engine::{Kind, Stored};
    use crate::error::SystemClock;

    /// One record in memory, of which answers can be lost.
    #[derive(Debug, Default)]
    struct Memory(Mutex<Held>);

    #[derive(Debug, Default)]
    struct Held {
        version: i64,
        sealed: Vec<u8>,
        /// True if the next writes succeed and report an error.
        loses_answers: bool,
    }

    impl Engine for Memory {
        fn load<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, Error>> {
            let held = self.0.lock().expect("no panic");
            let stored = Stored { version: held.version, sealed: Some(held.sealed.clone()), age: Duration::ZERO };
            Box::pin(std::future::ready(Ok(Some(stored).filter(|stored| stored.version > 0))))
        }

        fn swap<'a>(
            &'a self,
            key: &'a Key,
            known: i64,
            _: Option<&'a str>,
            sealed: &'a [u8],
        ) -> BoxFuture<'a, Result<Option<i64>, Error>> {
            let mut held = self.0.lock().expect("no panic");
            let is_known = held.version == known;
            if is_known {
                (held.version, held.sealed) = (known + 1, sealed.to_vec());
            }
            let answer = Ok(is_known.then_some(held.version));
            let answer = if held.loses_answers { Err(key.failed("written", "the answer is lost")) } else { answer };
            Box::pin(std::future::ready(answer))
        }

        fn lease<'a>(&'a self, _: &'a Key, _: &'a str, _: Duration) -> BoxFuture<'a, Result<Option<i64>, Error>> {
            Box::pin(std::future::ready(Ok(Some(self.0.lock().expect("no panic").version))))
        }

        fn renew<'a>(&'a self, _: &'a Key, _: &'a str, _: Duration) -> BoxFuture<'a, Result<bool, Error>> {
            Box::pin(std::future::ready(Ok(true)))
        }

        fn release<'a>(&'a self, _: &'a Key, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }

    async fn records() -> (Arc<Memory>, [Record; 2]) {
        let engine = Arc::new(Memory::default());
        let key = MemorySource::new(SecretString::from("Zml4dHVyZS1rZXktMDAwMS1maXh0dXJlLWtleS0wMDE=")); // not-a-secret
        let keys = EncryptionKeys::from_source(key).await.expect("a key");
        let settings = Settings {
            engine: Arc::clone(&engine) as Arc<dyn Engine>,
            keys: Arc::new(keys),
            lease: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        };
        let record = || Record::new(settings.clone(), Key::new(Kind::Session, "alice"));
        (engine, [record(), record()])
    }

    #[tokio::test]
    async fn a_save_that_was_done_without_an_answer_is_not_taken_for_that_of_another_process() {
        let (engine, [record, other]) = records().await;
        assert!(record.save(b"one").await.expect("saved"));
        engine.0.lock().expect("no panic").loses_answers = true;
        for text in ["two", "three"] {
            record.save(text.as_bytes()).await.expect_err("the answer is lost");
            assert!(record.is_unsure(), "its lease is kept");
        }
        engine.0.lock().expect("no panic").loses_answers = false;
        assert!(record.save(b"four").await.expect("saved"), "it was this record that has written");
        assert!(!record.is_unsure());
        assert_eq!(&**other.load().await.expect("read").expect("a content").text, b"four");
        assert!(other.save(b"five").await.expect("saved"));
        assert!(!record.save(b"six").await.expect("an answer"), "another has written");
        assert!(!record.is_unsure(), "nothing was written");
        assert_eq!(&**other.load().await.expect("read").expect("a content").text, b"five");
    }

    #[tokio::test]
    async fn what_another_process_has_written_is_not_replaced_after_an_answer_that_was_lost() {
        let (engine, [record, other]) = records().await;
        engine.0.lock().expect("no panic").loses_answers = true;
        record.save(b"one").await.expect_err("the answer is lost");
        engine.0.lock().expect("no panic").loses_answers = false;
        other.load().await.expect("read").expect("a content");
        assert!(other.save(b"two").await.expect("saved"));
        assert!(!record.save(b"three").await.expect("an answer"));
        assert_eq!(&**other.load().await.expect("read").expect("a content").text, b"two");
    }
}
