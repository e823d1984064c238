//! Passes over a text that is known to be JSON, because it was read as such before: it looks for the ends of values alone. A text that is
//! no JSON is passed over too, to its end, with anything for its values.

use std::borrow::Cow;

/// A JSON text, and how far it was passed over.
#[derive(Clone, Copy)]
pub(super) struct JsonText<'t> {
    text: &'t [u8],
    at: usize,
}

/// What leads to a value.
pub(super) enum Name<'t> {
    /// The name of a member, which is written as it is.
    Plain(&'t [u8]),
    /// One that is written with escapes, in its quotes.
    Escaped(&'t [u8]),
    /// The index of an entry.
    Entry(usize),
}

impl<'t> JsonText<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no space; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Passes over a value, and returns it.
    pub(super) fn skip(&mut self) -> &'t [u8] {
        let first = self.peek();
        let start = self.at;
        match first {
            b'"' => {
                self.skip_string();
            }
            b'[' | b'{' => self.skip_nested(),
            _ => {
                // Something is passed over whatever it is, so that each step leads to the end.
                self.at += 1;
                while !matches!(self.text.get(self.at), None | Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
                {
                    self.at += 1;
                }
            }
        }
        self.since(start)
    }

    /// Passes over a value, and returns the one behind these names in it. Of members of one name it is the last.
    pub(super) fn find(&mut self, names: &[Cow<'static, str>]) -> Option<&'t [u8]> {
        if names.is_empty() {
            return Some(self.skip());
        }
        let mut found = None;
        self.each(|text, name| match name.leads_on(names) {
            Some(left) => found = text.find(left),
            None => {
                text.skip();
            }
        });
        found
    }

    /// Passes over a list or an object, by a step that passes over each entry or member. Any other value has none.
    pub(super) fn each(&mut self, mut step: impl FnMut(&mut Self, &Name<'t>)) {
        let is_list = match self.peek() {
            b'[' => true,
            b'{' => false,
            _ => {
                self.skip();
                return;
            }
        };
        self.at += 1;
        for index in 0.. {
            self.skip_mark(b',');
            let name = match self.peek() {
                0 => break,
                b']' | b'}' => {
                    self.at += 1;
                    break;
                }
                _ if is_list => Name::Entry(index),
                _ => {
                    let start = self.at;
                    let name = if self.skip_string() {
                        Name::Plain(&self.text[start + 1..self.at - 1])
                    } else {
                        Name::Escaped(self.since(start))
                    };
                    self.skip_mark(b':');
                    name
                }
            };
            step(self, &name);
        }
    }

    fn skip_mark(&mut self, mark: u8) {
        if self.peek() == mark {
            self.at += 1;
        }
    }

    /// Passes over a text in quotes, and returns whether it is written as it is.
    fn skip_string(&mut self) -> bool {
        let mut is_plain = true;
        let mut at = self.at + 1;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    at += 2;
                }
                Some(_) => at += 1,
                None => {
                    self.at = self.text.len();
                    return false;
                }
            }
        }
        self.at = at + 1;
        is_plain
    }

    fn skip_nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.skip_string();
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
    }

    fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }
}

impl Name<'_> {
    /// The names behind the first of these, if that is this one.
    pub(super) fn leads_on<'n>(&self, names: &'n [Cow<'static, str>]) -> Option<&'n [Cow<'static, str>]> {
        let (next, left) = names.split_first()?;
        let is_next = match self {
            Self::Plain(name) => *name == next.as_bytes(),
            Self::Escaped(name) => serde_json::from_slice::<String>(name).is_ok_and(|name| name == *next),
            // Indexes are made where one is asked for.
            Self::Entry(index) => next.starts_with(|first: char| first.is_ascii_digit()) && *next == index.to_string(),
        };
        is_next.then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&'static str]) -> Vec<Cow<'static, str>> {
        names.iter().copied().map(Cow::Borrowed).collect()
    }

    #[test]
    fn texts_hold_whatever_ends_a_value() {
        let text = br#" { "x" : "}],\"\\" , "\u0061" : [ "a]" , {"b":"}"} ] , "n" : -7.5e1 } "#;
        let find = |path: &[&'static str]| {
            JsonText::new(text).find(&names(path)).map(<[u8]>::escape_ascii).map(|found| found.to_string())
        };
        assert_eq!(find(&["n"]).as_deref(), Some("-7.5e1"));
        assert_eq!(find(&["a", "1", "b"]).as_deref(), Some(r#"\"}\""#));
        assert_eq!(find(&["a", "01"]), None);
        let mut whole = JsonText::new(text);
        assert_eq!((whole.skip(), whole.peek()), (text.trim_ascii(), 0));
    }

    #[test]
    fn a_text_that_is_no_json_is_passed_over_to_its_end() {
        let text = br#"{"a":[1,{"b":"x\"y"},tru],"c":{"d":}} "#;
        let cuts = (0..text.len()).flat_map(|start| (start..=text.len()).map(move |end| &text[start..end]));
        let others = ["]", ",", ":", "{:}", "{,}", "[", "\"", "\"\\", "{\"a", "}}", "{\"a\"1}", "[[[[", "\u{0}", "{\""];
        for text in cuts.chain(others.map(str::as_bytes)) {
            JsonText::new(text).find(&names(&["a", "1", "b"]));
            JsonText::new(text).skip();
        }
    }

    #[test]
    fn what_is_passed_over_may_be_as_deep_as_it_likes() {
        let text = format!(r#"{{"deep":{}{},"b":1}}"#, "[".repeat(4000), "]".repeat(4000));
        assert_eq!(JsonText::new(text.as_bytes()).find(&names(&["b"])), Some(&b"1"[..]));
    }
}
