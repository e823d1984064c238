//! Lines of a text with any line ends, and the position in it.

use std::fmt::Write as _;
use std::io::{self, BufRead};

use sha2::{Digest as _, Sha256};

/// The longest row that is read, in bytes. No batch takes one of a sixteenth of it.
const MAX_ROW_BYTES: usize = 16 << 20;

/// A position between two rows, with the hash of the text before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    bytes: u64,
    digest: Sha256,
    /// True if the last line has no end: it may be a part of a line.
    is_open: bool,
}

impl Position {
    /// Returns the number of bytes of text before it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the SHA-256 of the text before it.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.digest.clone().finalize())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A text that is read line by line.
pub(super) struct Text {
    input: Box<dyn BufRead + Send>,
    /// The number of lines that were read.
    lines: u64,
    position: Position,
}

impl Text {
    pub(super) fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self { input, lines: 0, position: Position::default() }
    }

    /// Returns the number of lines that were read.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// Appends the next line with its end, which is LF, CR LF or CR. `false` at the end of the text.
    ///
    /// # Errors
    /// Returns an error if the input cannot be read, or if `raw` would grow beyond what a row may have.
    pub(super) fn line(&mut self, raw: &mut Vec<u8>) -> io::Result<bool> {
        let start = raw.len();
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let length = end.map_or(buffer.len(), |end| end + 1);
            if raw.len() + length > MAX_ROW_BYTES {
                return Err(failure(self.lines + 1, "the row takes more than 16 MiB: is this a file of rows?"));
            }
            raw.extend_from_slice(&buffer[..length]);
            self.input.consume(length);
            if end.is_some() {
                if raw.ends_with(b"\r") && self.input.fill_buf()?.first() == Some(&b'\n') {
                    raw.push(b'\n');
                    self.input.consume(1);
                }
                break;
            }
        }
        let line = &raw[start..];
        if line.is_empty() {
            return Ok(false);
        }
        self.lines += 1;
        self.position.bytes += line.len() as u64;
        self.position.digest.update(line);
        self.position.is_open = !matches!(line.last(), Some(b'\n' | b'\r'));
        Ok(true)
    }
}

/// Returns the text without the end of its last line.
pub(super) fn without_end(raw: &[u8]) -> &[u8] {
    let text = raw.strip_suffix(b"\n").unwrap_or(raw);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Returns the error that ends the reading of an input.
pub(super) fn failure(line: u64, message: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lf_cr_lf_and_cr_end_a_line_across_the_bounds_of_buffers() {
        for capacity in 1..6 {
            let input = io::BufReader::with_capacity(capacity, &b"a\r\nb\rc\n\n\rd"[..]);
            let mut text = Text::new(Box::new(input));
            let mut lines = Vec::new();
            loop {
                let mut raw = Vec::new();
                if !text.line(&mut raw).expect("readable") {
                    break;
                }
                lines.push(String::from_utf8(raw).expect("text"));
            }
            assert_eq!(lines, ["a\r\n", "b\r", "c\n", "\n", "\r", "d"]);
            assert_eq!((text.lines(), text.position().bytes(), text.position().is_open()), (6, 10, true));
            assert_eq!(text.position().sha256(), hex(&Sha256::digest(b"a\r\nb\rc\n\n\rd")));
        }
    }

    #[test]
    fn a_row_without_end_is_not_read_into_memory() {
        let mut text = Text::new(Box::new(io::BufReader::new(io::repeat(b'x'))));
        let mut raw = Vec::new();
        let error = text.line(&mut raw).expect_err("endless");
        assert!(error.to_string().starts_with("line 1: the row takes more than 16 MiB"), "{error}");
        assert!(raw.len() <= MAX_ROW_BYTES);
    }
}
