//! A secret in a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::{SecretSource, text};
use crate::auth::secret_file::{self, Role};
use crate::error::Error;
use crate::runtime;

/// A file that holds the secret and nothing else: a mounted Kubernetes or Docker secret, the token file of an agent. One
/// line break at its end is left out; up to 64 KiB are read.
///
/// A symbolic link is followed, because Kubernetes mounts secrets as links; what it leads to must be a regular file. Pipes and
/// devices are refused and not waited for. On Unix the file must belong to the user of this process, to root, who mounts
/// secrets, or to the one that [`owner`](Self::owner) names: whoever owns the file chooses whose account is used. A file
/// that every user of the machine can write to is refused; one that they can read is warned of, through `tracing`, at the
/// first read.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::FileSource;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = FileSource::new("/run/secrets/no-such-key");
/// let error = source.read().await.expect_err("there is no such file");
/// assert_eq!(error.to_string(), "the file /run/secrets/no-such-key cannot be read: entity not found");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    owner: Option<u32>,
    has_warned: Arc<AtomicBool>,
}

impl FileSource {
    /// The file's path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), owner: None, has_warned: Arc::default() }
    }

    /// Another user that may own the file, by its number: the one of an agent that writes it, or of a bind mount. No effect
    /// on systems other than Unix.
    #[must_use]
    pub fn owner(mut self, user: u32) -> Self {
        self.owner = Some(user);
        self
    }
}

impl SecretSource for FileSource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async {
            let Self { path, owner, has_warned } = self.clone();
            let place = format!("the file {}", path.display());
            // A file system may hang; the calls of this runtime must not hang with it.
            let read = runtime::spawn_blocking(move || read(&path, owner, &has_warned)).await;
            let bytes = read.unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
            text::secret(
                bytes.map_err(|error| {
                    // Our own refusals say more than their kind; those of the system say it with a number.
                    let why = error.get_ref().map_or_else(|| error.kind().to_string(), ToString::to_string);
                    Error::credential_from(format!("{place} cannot be read: {why}"), error)
                })?,
                &place,
            )
        })
    }
}

fn read(path: &Path, owner: Option<u32>, has_warned: &AtomicBool) -> io::Result<Vec<u8>> {
    let file = secret_file::open(path, Role::Source { owner })?;
    if is_open_to_others(&file)? && !has_warned.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            path = %path.display(),
            "the file holds a secret and every user of this machine can read it: set its mode to 600"
        );
    }
    let mut bytes = Vec::with_capacity(text::LIMIT + 1);
    // One byte over the limit is enough to see that there is more.
    file.take(text::LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret as _;

    use super::*;

    /// A file of this process alone, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, content: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("keyfit-{}-{name}", std::process::id()));
            fs::write(&path, content).expect("a temporary file");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn a_file_is_read_again_after_a_rotation() {
        let file = Scratch::new("rotated", b"old\n");
        let source = FileSource::new(&file.0);
        assert_eq!(source.read().await.expect("a secret").expose_secret(), "old");
        fs::write(&file.0, "new\r\n").expect("a temporary file");
        assert_eq!(source.read().await.expect("a secret").expose_secret(), "new");
    }

    #[tokio::test]
    async fn an_error_names_the_path_and_not_the_content() {
        let file = Scratch::new("binary", b"hunter2\xff");
        let error = FileSource::new(&file.0).read().await.expect_err("no text");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(&file.0.display().to_string()) && !shown.contains("hunter2"), "{shown}");
        let error = FileSource::new(std::env::temp_dir()).read().await.expect_err("a folder");
        assert!(error.to_string().contains("cannot be read: it is a folder"), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_mounted_secret_is_read_through_its_links_and_a_device_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        // As Kubernetes does it: file -> ..data/file, ..data -> the folder of now.
        fs::create_dir(folder.path().join("..2026")).expect("a folder");
        fs::write(folder.path().join("..2026/key"), "mounted").expect("written");
        std::os::unix::fs::symlink("..2026", folder.path().join("..data")).expect("a link");
        std::os::unix::fs::symlink("..data/key", folder.path().join("key")).expect("a link");
        let source = FileSource::new(folder.path().join("key"));
        assert_eq!(source.read().await.expect("a secret").expose_secret(), "mounted");
        let error = FileSource::new("/dev/zero").read().await.expect_err("endless");
        assert!(error.to_string().ends_with("it is a pipe, a socket or a device and not a regular file"), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_others_can_read_is_noticed_once() {
        use std::os::unix::fs::PermissionsExt as _;

        let file = Scratch::new("mode", b"secret");
        let source = FileSource::new(&file.0);
        for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true), (0o600, true)] {
            fs::set_permissions(&file.0, fs::Permissions::from_mode(mode)).expect("a mode");
            source.read().await.expect("a secret");
            assert_eq!(source.has_warned.load(Ordering::Relaxed), warned, "{mode:o}");
        }
    }
}
