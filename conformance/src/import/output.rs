//! The files that an import writes rows and reasons to. No content is lost: only a file that is new, empty, or known to the checkpoint is
//! written to, and by one run at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use keyfit_conformance::UserError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::import::input::hex;
use crate::terminal::console::print_message;

/// A file, as far as the checkpoint covers it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct CoveredFile {
    path: PathBuf,
    bytes: u64,
    sha256: String,
    /// True if the run that wrote it was completed: content after the covered part is then not of the import.
    is_complete: bool,
    /// Its device and inode: its content does not identify it as long as none of it is covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<(u64, u64)>,
}

/// A file that is open for the import.
pub(crate) struct Output {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    digest: Sha256,
    node: Option<(u64, u64)>,
}

impl Output {
    /// Opens a file after the content of an earlier run.
    pub(crate) fn open(role: &str, path: &Path, known: Option<&CoveredFile>) -> Result<Self, UserError> {
        let refused = |problem: &str| UserError::new(format!("{role} {problem}")).at(path.display());
        let failed = |error: io::Error| refused(&format!("cannot be written: {error}"));
        // Before it is opened: opening a pipe would wait for who reads it.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(refused("is not a regular file").help("name another"));
        }
        let mut file = private(OpenOptions::new().read(true).write(true).create(true)).open(path).map_err(failed)?;
        lock(&file, role, path)?;
        let whole = fs::canonicalize(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let (length, node) = (metadata.len(), node(&metadata));
        // A run that was killed before its first save has left rows here of which the checkpoint knows nothing yet.
        let is_same = |known: &CoveredFile| !known.is_complete && known.node.is_some() && known.node == node;
        let known = known.filter(|known| known.path == whole && (known.bytes > 0 || is_same(known)));
        let mut digest = Sha256::new();
        let covered = match known {
            None if length == 0 => 0,
            None => {
                return Err(refused("exists and is not of this import").help("move it away, or name a new file"));
            }
            Some(known) => {
                digest_of(&mut file, known.bytes, &mut digest).map_err(failed)?;
                let has_changed = length < known.bytes || hex(&digest.clone().finalize()) != known.sha256;
                if has_changed || (known.is_complete && length > known.bytes) {
                    return Err(
                        refused("has changed since this import wrote it").help("move it away, or name a new file")
                    );
                }
                known.bytes
            }
        };
        // One that was there, empty, may be open to others; one of somebody else stays as it is.
        #[cfg(unix)]
        drop(file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)));
        // The rows after the checkpoint of a killed run are written again.
        file.set_len(covered).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self { path: whole, file: BufWriter::new(file), bytes: covered, digest, node })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
        Ok(())
    }

    /// Writes everything to the disk, and returns the entry for the checkpoint.
    pub(crate) fn sync(&mut self, is_complete: bool) -> io::Result<CoveredFile> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        let sha256 = hex(&self.digest.clone().finalize());
        Ok(CoveredFile { path: self.path.clone(), bytes: self.bytes, sha256, is_complete, node: self.node })
    }
}

/// Returns the device and inode of a file, which identify it whatever its name.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere files have no number")]
pub(crate) fn node(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(crate) fn node(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Restricts a new file to its owner: rows are personal data.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Locks a file against a second run as long as it is open.
///
/// # Errors
/// Returns an error if another run has the lock, or if it cannot be locked.
pub(crate) fn lock(file: &File, role: &str, path: &Path) -> Result<(), UserError> {
    let refused = |problem: &str| UserError::new(format!("{role} {problem}")).at(path.display());
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(()),
        Err(fs4::TryLockError::WouldBlock) => {
            Err(refused("is in use by another run").help("wait for its end, or name another file"))
        }
        Err(fs4::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            print_message("note: this file system has no locks: let one run at a time use these files");
            Ok(())
        }
        Err(fs4::TryLockError::Error(error)) => Err(refused(&format!("cannot be locked: {error}"))),
    }
}

fn digest_of(file: &mut File, bytes: u64, digest: &mut Sha256) -> io::Result<()> {
    let mut rest = file.take(bytes);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(()),
            length => digest.update(&buffer[..length]),
        }
    }
}
