//! Bytes that come in chunks, cut where lines end. A chunk may end anywhere, within a character too.

use memchr::{memchr, memchr2};

/// Where one line ends and the next begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ends {
    /// LF, CR, or both (event streams).
    AnyNewline,
    /// LF alone; a CR in front of it is white space of JSON.
    Newline,
    /// The record separator in front of each text (RFC 7464).
    Separator,
}

const RECORD_SEPARATOR: u8 = 0x1e;

/// What has come and was not taken.
pub(super) struct Lines {
    ends: Ends,
    buffer: Vec<u8>,
    /// Where the line at hand begins.
    start: usize,
    /// Up to where no end was found.
    looked: usize,
    /// Whether the last line ended with a CR, so that an LF after it belongs to that.
    after_cr: bool,
}

impl Lines {
    pub(super) fn new(ends: Ends) -> Self {
        Self { ends, buffer: Vec::new(), start: 0, looked: 0, after_cr: false }
    }

    /// Adds what came.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.looked -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        if let Some(first) = self.buffer.get(self.start)
            && std::mem::take(&mut self.after_cr)
            && *first == b'\n'
        {
            self.start += 1;
            self.looked = self.looked.max(self.start);
        }
        let bytes = &self.buffer[self.looked..];
        let length = match self.ends {
            Ends::AnyNewline => memchr2(b'\n', b'\r', bytes),
            Ends::Newline => memchr(b'\n', bytes),
            Ends::Separator => memchr(RECORD_SEPARATOR, bytes),
        };
        let Some(length) = length else {
            self.looked = self.buffer.len();
            return None;
        };
        let (start, end) = (self.start, self.looked + length);
        self.after_cr = self.buffer[end] == b'\r';
        self.start = end + 1;
        self.looked = self.start;
        Some(&self.buffer[start..end])
    }

    /// What came behind the last end.
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(ends: Ends, chunks: &[&str]) -> (Vec<String>, String) {
        let mut lines = Lines::new(ends);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.feed(chunk.as_bytes());
            while let Some(line) = lines.next() {
                found.push(String::from_utf8_lossy(line).into_owned());
            }
        }
        (found, String::from_utf8_lossy(lines.rest()).into_owned())
    }

    #[test]
    fn each_way_to_end_a_line_ends_one() {
        let (lines, rest) = cut(Ends::AnyNewline, &["a\rb\nc\r\nd\n\re"]);
        assert_eq!((lines.join("|").as_str(), rest.as_str()), ("a|b|c|d|", "e"));
        let (lines, rest) = cut(Ends::AnyNewline, &["a\r", "\nb\r", "\r", "\n", "c"]);
        assert_eq!((lines.join("|").as_str(), rest.as_str()), ("a|b|", "c"));
        let (lines, _) = cut(Ends::AnyNewline, &["a\r", "\n", "\n", "b\n"]);
        assert_eq!(lines.join("|"), "a||b");
        let (lines, _) = cut(Ends::Newline, &["a\rb\n", "c\n"]);
        assert_eq!(lines, ["a\rb", "c"]);
        let (texts, rest) = cut(Ends::Separator, &["\u{1e}{\n", "}\n\u{1e}1"]);
        assert_eq!((texts.join("|").as_str(), rest.as_str()), ("|{\n}\n", "1"));
    }
}
