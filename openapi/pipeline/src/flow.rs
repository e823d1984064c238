//! Flow collections (lists and maps in brackets) whose lines are not indented enough. People close a bracket in the column of
//! its key. YAML folds leading blanks within brackets, but the parser requires deeper lines.

/// Returns the text with every line within brackets indented, which does not change its meaning; `None` if no bracket spans
/// several lines. The number of lines stays the same.
pub(crate) fn set_in(text: &str) -> Option<String> {
    let mut lexer = Lexer { text, at: 0, deep: 0, written: String::new(), copied: 0 };
    while lexer.at < text.len() {
        lexer.line();
    }
    if lexer.copied == 0 {
        return None;
    }
    lexer.written.push_str(&text[lexer.copied..]);
    Some(lexer.written)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The indentation of such lines: deeper than the keys of the line in which the brackets or quotes begin.
    deep: usize,
    written: String,
    /// The length of the text that is already in `written`.
    copied: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, is: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&is) {
            self.at += 1;
        }
        self.at - start
    }

    fn rest_of_line(&mut self) {
        self.skip(|byte| byte != b'\n');
        self.at += 1;
    }

    /// Reads one line outside of brackets, with the brackets, quotes and blocks that begin in it.
    fn line(&mut self) {
        let start = self.at;
        let indent = self.skip(|byte| byte == b' ');
        loop {
            self.deep = self.at - start + 1;
            match self.peek() {
                // `- - a`, `? a`, and a colon after a key in quotes or brackets: another node follows.
                Some(b'-' | b'?' | b':') if self.is_blank_at(self.at + 1) => self.at += 1,
                Some(b' ' | b'\t') => self.at += 1,
                // An anchor or a tag.
                Some(b'&' | b'!') => {
                    self.skip(|byte| !byte.is_ascii_whitespace());
                }
                Some(b'{' | b'[') => self.brackets(),
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
                Some(b'|' | b'>') => return self.block(indent),
                None | Some(b'#' | b'\r' | b'\n') => return self.rest_of_line(),
                Some(_) if self.plain_key() => {}
                Some(_) => return self.rest_of_line(),
            }
        }
    }

    fn is_blank_at(&self, at: usize) -> bool {
        self.text.as_bytes().get(at).is_none_or(u8::is_ascii_whitespace)
    }

    /// Moves behind the colon of a plain key, if the line has one.
    fn plain_key(&mut self) -> bool {
        let line = self.text[self.at..].lines().next().unwrap_or_default();
        let is_key = |(at, _): &(usize, &str)| self.is_blank_at(self.at + at + 1);
        let Some((colon, _)) = line.match_indices(':').find(is_key) else { return false };
        if line[..colon].contains(" #") {
            return false;
        }
        self.at += colon + 1;
        true
    }

    /// Skips a block scalar: all following lines that are indented deeper than the line that begins it.
    fn block(&mut self, indent: usize) {
        self.rest_of_line();
        while self.at < self.text.len() {
            let line = self.text[self.at..].lines().next().unwrap_or_default();
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if blanks <= indent && !line.trim().is_empty() {
                return;
            }
            self.rest_of_line();
        }
    }

    fn quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if quote == b'"' => self.at += 1,
                b'\'' if quote == b'\'' && self.peek() == Some(quote) => self.at += 1,
                b'\n' => self.deeper(),
                _ if byte == quote => return,
                _ => {}
            }
        }
    }

    /// Reads a flow list or map.
    fn brackets(&mut self) {
        let (mut depth, mut before) = (0_usize, b' ');
        while let Some(byte) = self.peek() {
            let begins = before.is_ascii_whitespace() || matches!(before, b',' | b'[' | b'{' | b':');
            match byte {
                b'"' | b'\'' if begins => self.quoted(byte),
                b'#' if before.is_ascii_whitespace() => {
                    self.skip(|byte| byte != b'\n');
                }
                _ => self.at += 1,
            }
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return,
                b'}' | b']' => depth -= 1,
                b'\n' => self.deeper(),
                _ => {}
            }
            before = byte;
        }
    }

    /// Indents the line that begins here.
    fn deeper(&mut self) {
        self.written.push_str(&self.text[self.copied..self.at]);
        self.written.extend(std::iter::repeat_n(' ', self.deep));
        self.copied = self.at;
    }
}

#[cfg(test)]
mod tests {
    use super::set_in;

    #[test]
    fn only_what_stands_in_brackets_or_quotes_is_set_in() {
        // `~` marks the lines that are indented.
        let marked = "a: {\n~\"x\": '}',\n~}\npath: /a/{id}\nb: |\n  {\n  x\nc: [1,\n~2 # ]\n~]\n- \"k{\": {y: 1\n~}\n\"two\n~ lines\": &n {z: 'it''s\n~\n~}'\n~}\nd:\n  e: >-\n    [\n  f: plain [ text\n";
        let written = set_in(&marked.replace('~', "")).expect("some are set in");
        assert_eq!(written.lines().count(), marked.lines().count());
        for (line, marked) in written.lines().zip(marked.lines()) {
            match marked.strip_prefix('~') {
                Some(own) => assert!(line.starts_with("  ") || own.is_empty(), "{line}"),
                None => assert_eq!(line, marked),
            }
            assert_eq!(line.trim(), marked.replace('~', "").trim());
        }
    }

    #[test]
    fn what_needs_nothing_stays() {
        for text in ["", "a: 1\n", "a: {b: 1}\nc: |\n  {\n", "a: {", "\"", "'", "{", "a: [", "- - {a: 'b"] {
            assert_eq!(set_in(text), None, "{text}");
        }
    }
}
