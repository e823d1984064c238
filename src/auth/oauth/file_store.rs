//! Tokens in a file that its owner alone can read.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use super::random::{RANDOM, random_text};
use super::{StoreLock, TokenSet, TokenStore};
use crate::auth::secret_file::{self, Role};
use crate::error::{Clock, Error, SystemClock};
use crate::runtime;

/// The largest file that is read, in bytes. An answer with tokens has 1 MiB, and what is in it is written in twice that at
/// most: what is saved can be loaded.
const LIMIT: u64 = 4 << 20;
/// The longest wait for the lock of another process: longer than a refresh takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The interval between two attempts to take the lock.
const TRIED_EVERY: Duration = Duration::from_millis(50);

/// Tokens in a JSON file of up to 4 MiB. It is made with mode 0600, replaced as a whole and written through to the disk: at
/// any moment, and after a crash, the old tokens or the new ones are there, whole. The folder must exist. Cloning names the
/// same file.
///
/// Processes that share the file refresh one after the other: they lock the file with `.lock` behind its name, which
/// stays and is always empty. A lock that another process holds for more than 60 s is an error; that of a process that
/// has ended is free. A file system without locks is warned of, and one process alone should refresh there. Whoever gets
/// the lock removes what a killed process left behind (`NAME.….tmp`).
///
/// # What is refused
/// - A file or lock that is a symbolic link, a pipe, a device: through a link tokens could be read from, or locks set in,
///   another place. A link among the folders above is yours to judge. (A [`FileSource`](crate::auth::source::FileSource),
///   which only reads, follows links.)
/// - A file or lock of another user than the one of this process, or with a mode that lets others use it.
/// - A folder that every user may write to without the sticky bit (`777`, not `1777`): there somebody could put the file
///   of one session in place of another's. In Kubernetes an `emptyDir` is such a folder: make one of mode 700 in it.
///
/// On systems without Unix permissions the folder has to keep others out.
///
/// # A kill in the middle of a refresh
/// See [`TokenStore`](TokenStore#a-kill-in-the-middle-of-a-refresh).
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

impl FileStore {
    /// The file at this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), clock: Arc::new(SystemClock) }
    }

    /// The clock that waits for the lock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Runs on a thread where waiting for a disk holds up nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let path = self.path.clone();
        let done = runtime::spawn_blocking(move || work(&path)).await;
        done.unwrap_or_else(|stopped| Err(io::Error::other(stopped))).map_err(|error| {
            let message = format!("the token file {} cannot be {doing}: {error}", self.path.display());
            Error::credential_from(message, error)
        })
    }
}

impl TokenStore for FileStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        Box::pin(self.blocking("read", read))
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        let text = tokens.to_json();
        Box::pin(self.blocking("written", move |path| write(path, &text)))
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        Box::pin(async {
            // Tried again and again: a thread that waits for the lock in the system could not be called back.
            let mut waited = Duration::ZERO;
            loop {
                if let Some(lock) = self.blocking("locked", try_lock).await? {
                    return Ok(lock);
                }
                if waited >= PATIENCE {
                    return Err(Error::credential(format!(
                        "the token file {} is locked by another process for more than {} s: look for one that hangs",
                        self.path.display(),
                        PATIENCE.as_secs()
                    )));
                }
                self.clock.sleep(TRIED_EVERY).await;
                waited += TRIED_EVERY;
            }
        })
    }
}

/// `None` while another holds the lock. Not the token file itself is locked, because each save puts a new one there.
fn try_lock(path: &Path) -> io::Result<Option<StoreLock>> {
    check_place(path)?;
    let file = secret_file::open_lock(&beside(path, ".lock")?)?;
    // The standard library has a method of this name from Rust 1.89 on.
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => {
            remove_leftovers(path);
            Ok(Some(StoreLock::new(file)))
        }
        Err(fs4::TryLockError::WouldBlock) => Ok(None),
        Err(fs4::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(path = %path.display(), "this file system has no locks: let one process alone refresh");
            Ok(Some(StoreLock::new(())))
        }
        Err(fs4::TryLockError::Error(error)) => Err(error),
    }
}

/// Checks whether tokens can be kept at this path: by its folder, and by an existing file.
fn check_place(path: &Path) -> io::Result<()> {
    secret_file::check_folder(folder(path))?;
    match secret_file::open(path, Role::Store) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes new files of processes that were killed before they could put them in place. The lock is held: nobody is about
/// to.
fn remove_leftovers(path: &Path) {
    let name = path.file_name().unwrap_or_default();
    let Ok(entries) = fs::read_dir(folder(path)) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name(), name)) {
        if let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "a file with old tokens cannot be removed");
        }
    }
}

fn is_temporary(found: &OsStr, name: &OsStr) -> bool {
    let random = found
        .as_encoded_bytes()
        .strip_prefix(name.as_encoded_bytes())
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(b".tmp"));
    random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_graphic))
}

/// A name for a new file beside this one, which nobody can guess.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let random = random_text().map_err(io::Error::other)?;
    beside(path, &format!(".{}.tmp", random.expose_secret()))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in the same folder, with more behind its name.
fn beside(path: &Path, more: &str) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?.to_owned();
    name.push(more);
    Ok(path.with_file_name(name))
}

fn read(path: &Path) -> io::Result<Option<TokenSet>> {
    let file = match secret_file::open(path, Role::Store) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    secret_file::check_folder(folder(path))?;
    let mut text = Zeroizing::new(Vec::new());
    file.take(LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 4 MiB, which tokens are not"));
    }
    let tokens = TokenSet::from_json(&text);
    tokens.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A whole new file takes the place of the old one, so that no reader and no crash sees a half.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    check_place(path)?;
    let temporary = temporary(path)?;
    let replaced = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // The error that is reported is the first one.
        let _ = fs::remove_file(&temporary);
    }
    replaced?;
    sync_folder(path)
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = secret_file::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// The new name is on the disk only when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::auth::AccessToken;
    use crate::error::testing::TestClock;

    fn tokens(access: &str) -> TokenSet {
        let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(5000);
        TokenSet::new(AccessToken::new(access).expiring_at(expires_at)).refresh("r").granting(["read"])
    }

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::new(folder.path().join("tokens.json"));
        (folder, store)
    }

    #[tokio::test]
    async fn what_is_saved_is_loaded() {
        let (folder, store) = store();
        assert!(store.load().await.expect("no file yet").is_none());
        for access in ["one", "two"] {
            store.save(&tokens(access)).await.expect("saved");
            let loaded = store.load().await.expect("loaded").expect("tokens");
            assert!(loaded.has_tokens_of(&tokens(access)));
            assert_eq!((loaded.expires_at(), loaded.scopes()), (tokens("x").expires_at(), tokens("x").scopes()));
        }
        let names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["tokens.json"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_its_owners_alone_and_a_shared_one_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, store) = store();
        store.save(&tokens("one")).await.expect("saved");
        let mode = fs::metadata(&store.path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&store.path, fs::Permissions::from_mode(mode)).expect("set");
            let error = store.load().await.expect_err("shared");
            assert!(error.to_string().contains("chmod 600"), "{error}");
            assert!(store.save(&tokens("two")).await.is_err());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_symbolic_link_is_refused_for_the_file_and_for_its_lock() {
        use std::os::unix::fs::symlink;
        let (folder, store) = store();
        store.save(&tokens("one")).await.expect("saved");
        let link = FileStore::new(folder.path().join("link"));
        symlink(&store.path, &link.path).expect("a link");
        for error in [link.load().await.map(drop), link.save(&tokens("two")).await, link.lock().await.map(drop)]
            .map(Result::unwrap_err)
        {
            assert!(error.to_string().contains("symbolic link"), "{error}");
        }
        assert!(link.path.is_symlink());
        assert!(store.load().await.expect("loaded").expect("tokens").has_tokens_of(&tokens("one")));
        let precious = folder.path().join("precious");
        fs::write(&precious, "precious").expect("written");
        symlink(&precious, folder.path().join("tokens.json.lock")).expect("a link");
        let error = store.lock().await.expect_err("a link in place of the lock");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        let dangling = FileStore::new(folder.path().join("other"));
        symlink(folder.path().join("made"), folder.path().join("other.lock")).expect("a link");
        assert!(dangling.lock().await.is_err() && !folder.path().join("made").exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_everybody_writes_to_is_refused_before_anything_is_read_or_refreshed() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, store) = store();
        store.save(&tokens("one")).await.expect("saved");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("set");
        for error in [store.load().await.map(drop), store.save(&tokens("two")).await, store.lock().await.map(drop)]
            .map(Result::unwrap_err)
        {
            assert!(error.to_string().contains("chmod o-w"), "{error}");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).expect("set");
        assert!(store.load().await.expect("loaded").expect("tokens").has_tokens_of(&tokens("one")));
    }

    #[tokio::test]
    async fn who_gets_the_lock_removes_what_killed_processes_left_and_nothing_else() {
        let (folder, store) = store();
        store.save(&tokens("one")).await.expect("saved");
        let random = "r".repeat(RANDOM);
        let names =
            [format!("tokens.json.{random}.tmp"), format!("other.json.{random}.tmp"), "tokens.json.tmp".to_owned()];
        for name in &names {
            fs::write(folder.path().join(name), "x").expect("written");
        }
        drop(store.lock().await.expect("free"));
        let left = names.map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true]);
        // The tokens, their lock, and the two that are no leftovers.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 4);
        assert!(is_temporary(
            temporary(&store.path).expect("a name").file_name().expect("a name"),
            "tokens.json".as_ref()
        ));
    }

    #[tokio::test]
    async fn the_largest_answer_of_a_server_is_loaded_again_and_a_larger_file_is_refused_by_its_size() {
        let (_folder, store) = store();
        // As it comes, each takes two bytes of the mebibyte.
        let scopes = vec!["a"; (1 << 20) / 2];
        let large = tokens("one").granting(scopes.clone());
        store.save(&large).await.expect("saved");
        assert_eq!(store.load().await.expect("loaded").expect("tokens").scopes(), scopes);
        fs::write(&store.path, vec![b' '; (4 << 20) + 1]).expect("written");
        assert!(store.load().await.expect_err("too large").to_string().contains("larger than 4 MiB"));
    }

    #[tokio::test]
    async fn the_lock_is_held_by_one_until_it_is_dropped() {
        let (_folder, store) = store();
        let store = store.clock(TestClock::default());
        let lock = store.lock().await.expect("free");
        let other = store.clone();
        let waiting = tokio::spawn(async move { other.lock().await.map(drop) });
        assert!(store.blocking("locked", try_lock).await.expect("a lock file").is_none());
        drop(lock);
        waiting.await.expect("no panic").expect("free");
        let _lock = store.lock().await.expect("free");
        let error = store.lock().await.expect_err("it is held for longer than a minute");
        assert!(error.to_string().contains("locked by another process"), "{error}");
        // Tokens can be read all the same.
        assert!(store.load().await.expect("loaded").is_none());
    }

    #[tokio::test]
    async fn a_failed_save_leaves_the_old_tokens_and_no_rubbish() {
        let (folder, _) = store();
        let store = FileStore::new(folder.path().join("missing").join("tokens.json"));
        let error = store.save(&tokens("one")).await.expect_err("no folder");
        assert!(error.to_string().contains("tokens.json"), "{error}");
        // A folder stands where the file should go.
        let store = FileStore::new(folder.path().join("taken"));
        fs::create_dir(&store.path).expect("a folder");
        assert!(store.save(&tokens("one")).await.is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[tokio::test]
    async fn a_damaged_file_is_an_error_that_shows_nothing() {
        let (_folder, store) = store();
        store.save(&tokens("one")).await.expect("saved");
        for text in ["", "{", r#"{"access_token":7,"x":"do-not-print-me"}"#, r#"["do-not-print-me"]"#] {
            fs::write(&store.path, text).expect("written");
            let error = store.load().await.expect_err(text);
            assert!(!format!("{error} {error:?}").contains("do-not-print-me"), "{error:?}");
        }
    }
}
