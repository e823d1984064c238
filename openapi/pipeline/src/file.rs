//! The one place that reads files that a user names: documents, overlays, contracts, lists, reports.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read, in bytes: 64 MiB.
pub const MAX_FILE_SIZE: u64 = 64 << 20;

/// Reads a regular file of at most [`MAX_FILE_SIZE`] bytes.
///
/// # Errors
/// Returns an error if the file cannot be read, is larger, or is not a regular file: a device or a pipe may have no end, and
/// opening a pipe waits for a writer. Links to regular files are followed.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    // The type is checked before the file is opened, because of pipes, and once more afterwards, because the file may have
    // been replaced.
    check_regular(&path.metadata()?)?;
    let file = File::open(path)?;
    check_regular(&file.metadata()?)?;
    read_to_limit(file)
}

/// Reads a file as [`read_file`] does, as text.
///
/// # Errors
/// Returns an error if [`read_file`] does, and if the text is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_file(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Reads a stream to its end, or up to [`MAX_FILE_SIZE`] bytes.
///
/// # Errors
/// Returns an error if the stream cannot be read or is larger.
pub fn read_to_limit(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", MAX_FILE_SIZE >> 20),
        ));
    }
    Ok(bytes)
}

fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let kind = if metadata.is_dir() { "a folder" } else { "a device, a pipe or a socket" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {kind}, not a regular file")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_not_a_regular_file_is_refused_by_its_kind() {
        let refusal = |path: &str| read_file(Path::new(path)).expect_err(path).to_string();
        assert_eq!(refusal("src"), "it is a folder, not a regular file");
        assert_eq!(read_file(Path::new("nowhere")).expect_err("no file").kind(), io::ErrorKind::NotFound);
        #[cfg(unix)]
        for device in ["/dev/zero", "/dev/null"] {
            assert_eq!(refusal(device), "it is a device, a pipe or a socket, not a regular file");
        }
    }

    #[test]
    fn what_has_no_end_is_left_off_at_the_limit() {
        let error = read_to_limit(io::repeat(b'x')).expect_err("no end");
        assert_eq!(error.to_string(), "it is larger than 64 MiB");
        assert_eq!(read_to_limit(io::repeat(b'x').take(3)).expect("a text"), b"xxx");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_regular_file_is_followed_and_one_to_a_device_is_not() {
        let folder = std::env::temp_dir().join(format!("keyfit-links-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (good, bad) = (folder.join("good"), folder.join("bad"));
        std::os::unix::fs::symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"), &good).expect("a link");
        std::os::unix::fs::symlink("/dev/zero", &bad).expect("a link");
        let read = (read_text(&good).map(|text| text.contains("keyfit-openapi")).ok(), read_text(&bad).is_err());
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(read, (Some(true), true));
    }
}
