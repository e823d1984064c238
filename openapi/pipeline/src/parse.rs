//! The parser of YAML and JSON texts: a JSON value with the position of each node.

use serde_json::Value;

use crate::error::SourceLocation;
use crate::files::without_secrets;
use crate::positions::Positions;
use crate::{Error, Text, flow, yaml};

/// A text as parsed.
#[derive(Clone, Debug)]
pub(crate) struct ParsedText {
    /// The value of the whole text.
    pub(crate) value: Value,
    /// The path of the file, followed by the paths of the other files if the value was joined from several.
    pub(crate) paths: Vec<String>,
    pub(crate) positions: Positions,
}

impl ParsedText {
    /// Parses YAML 1.2 (of which JSON is a part), without the files that it refers to. A plain scalar keeps its text unless
    /// JSON itself would read it as null, boolean or number: `NO` and `08001` stay strings.
    ///
    /// # Errors
    /// Returns an error if the text is not YAML, has a duplicate key, several documents, or a number too large for JSON.
    pub(crate) fn read(source: &Text) -> Result<Self, Error> {
        let read = |text: &str| yaml::read(&source.path, text);
        let (value, positions) = read(&source.text).or_else(|_| {
            let text = without_surrogates(&source.text);
            let set_in = || flow::set_in(&text).and_then(|text| read(&text).ok());
            read(&text).or_else(|error| set_in().ok_or(error))
        })?;
        Ok(Self { value, paths: vec![source.path.clone()], positions })
    }

    /// Returns the path of the file; of several, the path of the first.
    pub(crate) fn path(&self) -> &str {
        self.paths.first().map_or("", String::as_str)
    }

    /// Returns the location of a node; `None` if the text has no such node.
    pub(crate) fn location_of(&self, node: &str) -> Option<SourceLocation> {
        let found = self.positions.get(node)?;
        let (line, column) = found.line_and_column();
        let path = self.paths.get(found.file()).map(|path| without_secrets(path)).unwrap_or_default();
        Some(SourceLocation { path, line, column, pointer: node.to_owned() })
    }

    /// Returns the location of a node, or of its nearest ancestor.
    pub(crate) fn location(&self, node: &str) -> SourceLocation {
        let nearest = ancestors(node).find_map(|known| self.location_of(known));
        let nearest =
            nearest.unwrap_or_else(|| SourceLocation { path: self.path().to_owned(), ..SourceLocation::default() });
        SourceLocation { pointer: node.to_owned(), ..nearest }
    }

    /// Creates an error at a node.
    pub(crate) fn error_at(&self, node: &str, problem: impl Into<String>, help: impl Into<String>) -> Error {
        Error { location: self.location(node), problem: problem.into(), help: help.into() }
    }
}

/// Returns the pointer of a node, then those of its ancestors from the nearest to the root.
pub(crate) fn ancestors(node: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(node), |node| node.rsplit_once('/').map(|(parent, _)| parent))
}

/// Decodes surrogate pairs: JSON writes a character beyond the 16 bits of `\u` as two escapes, which are not valid in YAML.
fn without_surrogates(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let pair =
            [rest.get(..6), rest.get(6..12)].map(|escape| u16::from_str_radix(escape?.strip_prefix("\\u")?, 16).ok());
        let letter = match pair {
            [Some(high), Some(low)] => char::decode_utf16([high, low]).next().and_then(Result::ok),
            _ => None,
        };
        // YAML itself decodes escapes of a single character. A backslash may escape another one.
        let (length, letter) = match letter.filter(|letter| u32::from(*letter) > 0xFFFF) {
            Some(letter) => (12, Some(letter)),
            None => (rest.chars().take(2).map(char::len_utf8).sum(), None),
        };
        match letter {
            Some(letter) => whole.push(letter),
            None => whole.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    whole.push_str(rest);
    whole
}
