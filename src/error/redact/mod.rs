//! Keeps secrets, and characters that command a terminal, out of what people and programs read: errors, logs, reports.
//!
//! A [`Redactor`] finds secrets however a server writes them: plain, in another case, percent-encoded, with the escapes of
//! JSON and HTML, in Base64 and hexadecimal digits, alone or inside a longer text such as `user:secret`, reversed, in UTF-16
//! or broken by line breaks, and with one such encoding inside another. [`plain`] writes control characters as escapes.
//!
//! ```
//! use keyfit::redact::{MASK, Redactor, plain};
//!
//! let redactor = Redactor::new(["correct/horse+staple"]); // not-a-secret
//! for text in ["correct/horse+staple", "CORRECT%2Fhorse%2bstaple", r"correct\/horse\u002Bstaple", "Y29ycmVjdC9ob3JzZStzdGFwbGU="] {
//!     assert!(redactor.mask(&format!("no such key: {text}")).starts_with(&format!("no such key: {MASK}")));
//! }
//! assert_eq!(plain("\u{1b}[2Jgone"), r"\u{1b}[2Jgone");
//! ```

mod decode;
mod escape;
mod layer;
mod patterns;
mod plain;
mod shapes;
mod word;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde_json::{Map, Value};

use decode::Marks;
use layer::{Ends, Layer};
use patterns::Patterns;
pub(crate) use plain::OneLine;
pub use plain::{plain, plain_json, plain_lines};

/// The text that replaces a secret.
pub const MASK: &str = "[redacted]";

/// The maximum number of nested encodings.
const DEPTH: usize = 2;

/// Finds and masks a set of secrets.
///
/// - A secret is masked wherever it stands, also inside a word, also where it equals a public value such as a client id: who
///   makes a common word a secret loses that word in messages.
/// - A secret of fewer than [`SHORTEST`](Self::SHORTEST) bytes would mask everything. It is masked only as it is, and where
///   no letter or digit is next to it.
/// - White space around a secret is not part of it. An empty secret is none.
///
/// It is built once for a set of secrets; [`learn`](Self::learn) adds more. A text is searched in time that is
/// proportional to its length.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The larger ones first, each more than twice as large as the next.
    sets: Vec<Patterns>,
    /// The prefixes of secrets that were not given. `None` if text that looks like a secret is not masked.
    prefixes: Option<&'static [&'static str]>,
}

impl Redactor {
    /// The length in bytes from which on a secret is searched for in every encoding.
    pub const SHORTEST: usize = word::SHORTEST;

    /// Takes the secrets.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut redactor = Self::default();
        redactor.learn(secrets);
        redactor
    }

    /// The same, which masks what looks like a secret too: a server may repeat that of another caller.
    pub(crate) fn of_client<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        Self { prefixes: Some(&[]), ..Self::new(secrets) }
    }

    /// The same, which also masks what begins in one of these ways.
    pub(crate) fn with_prefixes(self, prefixes: &'static [&'static str]) -> Self {
        Self { prefixes: Some(prefixes), ..self }
    }

    /// Adds secrets.
    pub fn learn<S: AsRef<str>>(&mut self, secrets: impl IntoIterator<Item = S>) {
        let mut secrets = patterns::variants(secrets);
        // Sets of about one size are made one: each secret is built into few automata, and each text searched by few.
        while self.sets.last().is_some_and(|last| last.len() <= 2 * secrets.len()) && !secrets.is_empty() {
            secrets.extend(self.sets.pop().into_iter().flat_map(Patterns::into_variants));
        }
        if let Some(patterns) = Patterns::new(secrets) {
            self.sets.push(patterns);
        }
    }

    /// Returns whether the text contains one of the secrets.
    pub fn finds(&self, text: &str) -> bool {
        !self.ranges(text, Ends::WHOLE).is_empty()
    }

    /// The text with every secret masked.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, Ends::WHOLE)
    }

    /// The same for a text whose beginning or end may be cut off: part of a secret at either end, of
    /// [`SHORTEST`](Self::SHORTEST) bytes or more, is masked too. Where you cut the text yourself, mask first.
    pub fn mask_cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, Ends::CUT)
    }

    /// The value with every text in it masked, names of members and numbers too.
    #[must_use]
    pub fn mask_json(&self, value: Value) -> Value {
        map_json(value, &|text| self.mask(text))
    }

    fn replace<'t>(&self, text: &'t str, ends: Ends) -> Cow<'t, str> {
        let mut ranges = self.ranges(text, ends);
        if let Some(prefixes) = self.prefixes {
            ranges.extend(shapes::ranges(text, prefixes));
            ranges = apart(ranges);
        }
        replace(text, ranges)
    }

    /// Where secrets stand, in order and apart from each other.
    fn ranges(&self, text: &str, ends: Ends) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for set in &self.sets {
            set.find_short(text.as_bytes(), &mut found);
        }
        self.find(text.as_bytes(), ends, DEPTH, &mut found);
        for range in &mut found {
            while !text.is_char_boundary(range.start) {
                range.start -= 1;
            }
            while !text.is_char_boundary(range.end) {
                range.end += 1;
            }
        }
        apart(found)
    }

    /// Searches the text, and below that what it is the encoding of.
    fn find(&self, text: &[u8], ends: Ends, depth: usize, found: &mut Vec<Range<usize>>) {
        for set in &self.sets {
            set.find(text, found);
            if ends != Ends::WHOLE {
                set.find_parts(text, ends, found);
            }
        }
        let Some(shortest) = self.sets.iter().filter_map(Patterns::shortest).min() else { return };
        if depth == 0 {
            return;
        }
        let shortest = if ends == Ends::WHOLE { shortest } else { Self::SHORTEST };
        let has_space = self.sets.iter().any(Patterns::has_space);
        for decoding in Marks::of(text).decodings(shortest, has_space) {
            if let Some(Layer { bytes, origin, ends }) = decoding.decode(text, ends, shortest) {
                let mut inside = Vec::new();
                self.find(&bytes, ends, depth - 1, &mut inside);
                found.extend(inside.into_iter().map(|range| origin.of(range, bytes.len(), text.len(), ends)));
            }
        }
    }
}

/// Without the secrets: not even their number is told.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor([redacted])")
    }
}

/// The ranges in order, those that meet as one.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The value with another text in place of each; a number stays one unless its digits are replaced.
fn map_json(value: Value, change: &impl for<'t> Fn(&'t str) -> Cow<'t, str>) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(|item| map_json(item, change)).collect(),
        Value::Object(members) => {
            let mut changed = Map::new();
            for (name, member) in members {
                let mut name = change(&name).into_owned();
                // Two names that were secrets are two members still.
                while changed.contains_key(&name) {
                    name.push('\'');
                }
                changed.insert(name, map_json(member, change));
            }
            Value::Object(changed)
        }
        Value::Number(number) => {
            let text = number.to_string();
            match change(&text) {
                Cow::Owned(masked) => Value::String(masked),
                Cow::Borrowed(_) => Value::Number(number),
            }
        }
        other => other,
    }
}

fn replace(text: &str, ranges: Vec<Range<usize>>) -> Cow<'_, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        masked.push_str(&text[end..range.start]);
        masked.push_str(MASK);
        end = range.end;
    }
    masked.push_str(&text[end..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests;
