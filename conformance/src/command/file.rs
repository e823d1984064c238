//! Files that the user names.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

pub(super) use keyfit_conformance::file::{read, read_or};

/// Writes a report into a file that only its owner may read, since it contains exchanges, masked or not. A file that is not regular, such as
/// a pipe, keeps its mode.
pub(super) fn write_report(path: &Path, report: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One that was there may be open to others; one of somebody else stays as it is.
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        use std::os::unix::fs::PermissionsExt as _;
        drop(file.set_permissions(fs::Permissions::from_mode(0o600)));
    }
    file.write_all(report.as_bytes())
}

/// Writes a file that is not there yet. One that is for its owner alone holds, or will hold, credentials.
pub(super) fn write_new(path: &Path, text: &str, is_private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}
