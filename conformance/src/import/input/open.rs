//! Opens a file or standard input, finds out whether it is compressed, and refuses what holds no text.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;
use keyfit_conformance::UserError;

use super::decode::Utf8Decoder;
use crate::terminal::console::place;

const BUFFER_BYTES: usize = 1 << 16;

/// The source of the rows.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    File {
        path: PathBuf,
        /// Stays open, so that another file with the same name does not replace it.
        file: Arc<File>,
        /// Its length, in bytes.
        length: u64,
        /// The number of bytes that were read.
        read: Arc<AtomicU64>,
    },
    Standard,
}

impl Input {
    pub(crate) fn of(path: &Path) -> Result<Self, UserError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Standard);
        }
        if path.as_os_str().is_empty() {
            return Err(UserError::new("no FILE with rows is given").help("name one, or `-` for standard input"));
        }
        let refused = |problem: String| UserError::new(problem).at(path.display());
        let failed = |error: io::Error| refused(format!("the file cannot be read: {error}")).help("check the path");
        // Before it is opened: opening a pipe would wait for a writer.
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(refused("this is a folder".to_owned()).help("name a file"));
        }
        if !metadata.is_file() {
            return Err(refused("not a regular file".to_owned()).help("give `-`, and the rows on standard input"));
        }
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_or(metadata.len(), |metadata| metadata.len());
        Ok(Self::File { path: path.to_owned(), file: Arc::new(file), length, read: Arc::default() })
    }

    /// The text of the input in UTF-8.
    pub(crate) fn open(&self, encoding: Option<&'static Encoding>) -> Result<Box<dyn BufRead + Send>, UserError> {
        let failed = |error: io::Error| self.failure(&error);
        let mut raw: Box<dyn BufRead + Send> = match self {
            Self::File { file, read, .. } => {
                read.store(0, Ordering::Relaxed);
                let counted = CountingReader { file: Arc::clone(file), place: 0, read: Arc::clone(read) };
                Box::new(BufReader::with_capacity(BUFFER_BYTES, counted))
            }
            Self::Standard => Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin())),
        };
        if raw.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]) {
            raw = Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(raw)));
        }
        let start = raw.fill_buf().map_err(failed)?;
        if let Some((problem, help)) = is_not_text(start, encoding.is_some()) {
            return Err(UserError::new(problem).at(self.name()).help(help));
        }
        Ok(Box::new(Utf8Decoder::new(raw, encoding.unwrap_or(UTF_8))))
    }

    /// An error with the name of the input.
    pub(crate) fn failure(&self, error: &io::Error) -> UserError {
        let user_error = match error.kind() {
            // It says line and remedy.
            io::ErrorKind::InvalidData => UserError::new(error.to_string()),
            io::ErrorKind::InvalidInput => {
                UserError::new(format!("the file is damaged: {error}")).help("fetch it anew")
            }
            io::ErrorKind::UnexpectedEof => UserError::new("the file breaks off in its middle").help("fetch it anew"),
            _ => UserError::new(format!("it cannot be read to its end: {error}")),
        };
        user_error.at(self.name())
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => place(path),
            Self::Standard => "standard input".to_owned(),
        }
    }

    /// Returns whether it has grown since it was opened.
    pub(crate) fn has_grown(&self) -> bool {
        match self {
            Self::File { file, length, .. } => file.metadata().is_ok_and(|metadata| metadata.len() > *length),
            Self::Standard => false,
        }
    }

    /// Returns its length and the number of bytes that were read; `None` for the standard input.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        match self {
            Self::File { length, read, .. } => Some((*length, read.load(Ordering::Relaxed))),
            Self::Standard => None,
        }
    }
}

/// A reader of a file that counts the bytes.
struct CountingReader {
    file: Arc<File>,
    /// Its own position, since others read the same file.
    place: u64,
    read: Arc<AtomicU64>,
}

impl Read for CountingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.place))?;
        let length = file.read(into)?;
        self.place += length as u64;
        self.read.store(self.place, Ordering::Relaxed);
        Ok(length)
    }
}

/// Returns the problem and the help text if the bytes are not text.
fn is_not_text(start: &[u8], has_encoding: bool) -> Option<(&'static str, &'static str)> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\xD0\xCF\x11\xE0") {
        return Some(("this is a workbook or an archive", "save the sheet as CSV UTF-8"));
    }
    if has_encoding {
        return None;
    }
    let is_marked = start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF");
    (is_marked || start.iter().take(1000).any(|byte| *byte == 0))
        .then_some(("the text looks like UTF-16", "save the file as CSV UTF-8, or give --encoding utf-16"))
}
