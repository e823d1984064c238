//! The reader of YAML and JSON text: a JSON value with the line of every node.

use serde_json::Value;

use crate::error::SourceLocation;
use crate::files::{File, join, without_secrets};
use crate::overlay::AppliedOverlay;
use crate::positions::Positions;
use crate::versions::Moves;
use crate::{Error, Text, flow, yaml};

/// The maximum nesting depth of a document.
pub(crate) const MAX_DEPTH: usize = 128;

/// A document as read, with the position of each node.
#[derive(Clone, Debug)]
pub(crate) struct LocatedDocument {
    /// The document.
    pub(crate) value: Value,
    /// The path of the file, followed by the paths of the other files if the document consists of several.
    paths: Vec<String>,
    positions: Positions,
    /// The overlay that was applied to the document.
    pub(crate) overlay: Option<Box<AppliedOverlay>>,
    /// The pointers of the nodes before the document was converted to another version.
    pub(crate) moves: Moves,
}

impl LocatedDocument {
    /// Reads YAML 1.2 (of which JSON is a part). A plain scalar keeps its text unless JSON itself would read it as
    /// null, boolean or number: `NO` and `08001` stay strings.
    ///
    /// # Errors
    /// Returns an error if the text is not YAML, has a duplicate key, several documents, or a number too large for JSON.
    pub(crate) fn read(source: &Text) -> Result<Self, Error> {
        let read = |text: &str| yaml::read(&source.path, text);
        let (mut value, mut positions) = read(&source.text).or_else(|_| {
            let text = without_surrogates(&source.text);
            let set_in = || flow::set_in(&text).and_then(|text| read(&text).ok());
            read(&text).or_else(|error| set_in().ok_or(error))
        })?;
        let mut paths = vec![source.path.clone()];
        if !source.referenced.is_empty() {
            let mut files = vec![File { path: source.path.clone(), value, positions }];
            for other in &source.referenced {
                let Self { value, positions, .. } = Self::read(other)?;
                files.push(File { path: other.path.clone(), value, positions });
                paths.push(other.path.clone());
            }
            (value, positions) = join(&files)?;
        }
        Ok(Self { value, paths, positions, overlay: None, moves: Moves::default() })
    }

    /// Returns the place of a node, or of its nearest ancestor that is in the file or was added by an action of the overlay.
    /// The pointer of the place is valid in that file.
    pub(crate) fn place(&self, node: &str) -> SourceLocation {
        // The overlay is replayed only now: places are needed for failures only.
        self.nearest(node, |overlay, node| overlay.place(&self.value, node))
    }

    /// Returns the path of the file; of several, that of the document.
    pub(crate) fn path(&self) -> &str {
        self.paths.first().map_or("", String::as_str)
    }

    /// Returns the document as read, and its state after each action of the overlay.
    pub(crate) fn states(&self) -> Vec<Value> {
        match &self.overlay {
            Some(overlay) => overlay.states(&self.value),
            None => vec![self.value.clone()],
        }
    }

    /// Returns the same place as [`place`](Self::place), from states that are computed already.
    pub(crate) fn place_in(&self, states: &[Value], node: &str) -> SourceLocation {
        self.nearest(node, |overlay, node| overlay.place_in(states, node))
    }

    fn nearest(&self, node: &str, put_in: impl Fn(&AppliedOverlay, &str) -> Option<SourceLocation>) -> SourceLocation {
        let node = self.moves.origin(node);
        let mut known = node.as_str();
        loop {
            if let Some(place) = self.overlay.as_ref().and_then(|overlay| put_in(overlay, known)) {
                return SourceLocation { pointer: node, ..place };
            }
            if let Some(found) = self.positions.get(known) {
                let (line, column) = found.line_and_column();
                let path = self.paths.get(found.file()).map(|path| without_secrets(path)).unwrap_or_default();
                return SourceLocation { path, line, column, pointer: node };
            }
            known = match known.rsplit_once('/') {
                Some((parent, _)) => parent,
                None => {
                    return SourceLocation { path: self.path().to_owned(), pointer: node, ..SourceLocation::default() };
                }
            };
        }
    }

    /// Drops the document and the positions of its nodes: from now on, every place is the beginning of the document.
    pub(crate) fn drop_source(&mut self) {
        self.value = Value::Null;
        self.positions.drop_children();
        self.overlay = None;
        self.moves.clear();
    }

    /// Creates a failure at a node.
    pub(crate) fn error_at(&self, node: &str, problem: impl Into<String>, help: impl Into<String>) -> Error {
        Error { location: self.place(node), problem: problem.into(), help: help.into() }
    }
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
