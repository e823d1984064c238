//! Turns the bytes of a file into UTF-8, and refuses what is not of the encoding.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, WINDOWS_1252};

use super::text::failure;

/// The number of bytes that are decoded at a time.
const CHUNK: usize = 1 << 16;

/// A text in UTF-8 without a byte order mark, decoded from another encoding as it is read.
pub(super) struct Utf8Decoder<R> {
    input: R,
    decoder: Decoder,
    text: Vec<u8>,
    read: usize,
    filled: usize,
    /// The lines that are decoded.
    lines: u64,
    ends_with_cr: bool,
    is_done: bool,
}

impl<R: BufRead> Utf8Decoder<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            // A byte order mark says more than the name that was given.
            decoder: encoding.new_decoder(),
            text: vec![0; CHUNK],
            read: 0,
            filled: 0,
            lines: 1,
            ends_with_cr: false,
            is_done: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.read == self.filled && !self.is_done {
            let input = self.input.fill_buf()?;
            let is_last = input.is_empty();
            let (result, taken, written) =
                self.decoder.decode_to_utf8_without_replacement(input, &mut self.text, is_last);
            let wrong = match result {
                // The bytes at fault may have come with the buffer before.
                DecoderResult::Malformed(length, after) => {
                    let (end, length) = (taken.saturating_sub(after.into()), usize::from(length));
                    Some(input.get(end.saturating_sub(length)..end).unwrap_or_default().to_vec())
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => None,
            };
            self.input.consume(taken);
            self.count_lines(written);
            if let Some(wrong) = wrong {
                return Err(failure(self.lines, self.fault(&wrong)));
            }
            (self.read, self.filled) = (0, written);
            self.is_done = is_last && result == DecoderResult::InputEmpty;
        }
        Ok(())
    }

    fn count_lines(&mut self, written: usize) {
        for byte in &self.text[..written] {
            self.lines += u64::from(*byte == b'\r' || (*byte == b'\n' && !self.ends_with_cr));
            self.ends_with_cr = *byte == b'\r';
        }
    }

    fn fault(&self, wrong: &[u8]) -> String {
        let encoding = self.decoder.encoding();
        if encoding != UTF_8 {
            return format!("the text is not {}: is --encoding the right one?", encoding.name());
        }
        let guess = match wrong {
            [byte, ..] => {
                let (text, ..) = WINDOWS_1252.decode(std::slice::from_ref(byte));
                format!(" (the byte 0x{byte:02X} is `{}` in Windows-1252)", text.escape_debug())
            }
            [] => String::new(),
        };
        format!("the text is not UTF-8{guess}: save the file as CSV UTF-8, or give --encoding windows-1252")
    }
}

impl<R: BufRead> Read for Utf8Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Utf8Decoder<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill()?;
        Ok(&self.text[self.read..self.filled])
    }

    fn consume(&mut self, amount: usize) {
        self.read = (self.read + amount).min(self.filled);
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_16LE;

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding, capacity: usize) -> io::Result<String> {
        let mut text = String::new();
        Utf8Decoder::new(io::BufReader::with_capacity(capacity, bytes), encoding).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn texts_come_out_whole_whatever_the_buffers_hold() {
        let utf_16: Vec<u8> = "\u{feff}José 🙂\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16_be: Vec<u8> = "\u{feff}José 🙂\r\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for capacity in [1, 2, 3, 7, 100] {
            assert_eq!(decoded(&utf_16, UTF_16LE, capacity).expect("text"), "José 🙂\r\n");
            assert_eq!(decoded(&utf_16_be, UTF_16LE, capacity).expect("text"), "José 🙂\r\n", "the mark counts");
            assert_eq!(decoded(b"Jos\xE9 \x80", WINDOWS_1252, capacity).expect("text"), "José €");
            assert_eq!(decoded("\u{feff}José 🙂".as_bytes(), UTF_8, capacity).expect("text"), "José 🙂");
        }
    }

    #[test]
    fn a_text_of_another_encoding_is_refused_with_its_line() {
        for capacity in [1, 2, 100] {
            let error = decoded(b"a\r\nb\rJos\xE9;x\n", UTF_8, capacity).expect_err("not UTF-8").to_string();
            assert!(error.starts_with("line 3: the text is not UTF-8"), "{error}");
            assert!(error.contains("--encoding windows-1252"), "{error}");
            assert!(decoded(b"a\nJos\xC3", UTF_8, capacity).is_err(), "it breaks off in a character");
            let error = decoded(b"a\x00\n\x00\x00\xD8b\x00", UTF_16LE, capacity).expect_err("a half of a pair");
            assert!(error.to_string().contains("line 2: the text is not UTF-16LE"), "{error}");
        }
        assert!(decoded(b"Jos\xE9;", UTF_8, 100).expect_err("not UTF-8").to_string().contains("0xE9 is `é`"));
    }
}
