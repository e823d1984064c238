//! A document as read, with the location of each node in its files or in its overlay.

use serde_json::Value;

use crate::error::SourceLocation;
use crate::files::{File, join};
use crate::moves::Moves;
use crate::overlay::AppliedOverlay;
use crate::parse::{ParsedText, ancestors};
use crate::{Error, Text};

/// A document as read, with the location of each node.
#[derive(Clone, Debug)]
pub(crate) struct LocatedDocument {
    /// The document as published: the joined text of its files.
    pub(crate) source: ParsedText,
    /// The overlay that was applied to the document.
    pub(crate) overlay: Option<Box<AppliedOverlay>>,
    /// The pointers of the nodes before the document was converted to another version.
    pub(crate) moves: Moves,
}

impl LocatedDocument {
    /// Reads a document, joined with the files that it refers to.
    ///
    /// # Errors
    /// Returns an error if [`ParsedText::read`] does for one of the files, or if they cannot be joined.
    pub(crate) fn read(text: &Text) -> Result<Self, Error> {
        let mut source = ParsedText::read(text)?;
        if !text.referenced.is_empty() {
            let mut files = vec![File { path: text.path.clone(), value: source.value, positions: source.positions }];
            for other in &text.referenced {
                let ParsedText { value, positions, .. } = ParsedText::read(other)?;
                files.push(File { path: other.path.clone(), value, positions });
                source.paths.push(other.path.clone());
            }
            (source.value, source.positions) = join(&files)?;
        }
        Ok(Self { source, overlay: None, moves: Moves::default() })
    }

    /// Returns the location of a node, or of its nearest ancestor that is in the file or was added by an action of the overlay.
    /// The pointer of the location is valid in that file.
    pub(crate) fn location(&self, node: &str) -> SourceLocation {
        // The overlay is replayed only now: locations are needed for errors only.
        self.nearest(node, |overlay, node| overlay.location(&self.source.value, node))
    }

    /// Returns the document as read, and its state after each action of the overlay.
    pub(crate) fn states(&self) -> Vec<Value> {
        match &self.overlay {
            Some(overlay) => overlay.states(&self.source.value),
            None => vec![self.source.value.clone()],
        }
    }

    /// Returns the same location as [`location`](Self::location), from states that are computed already.
    pub(crate) fn location_in(&self, states: &[Value], node: &str) -> SourceLocation {
        self.nearest(node, |overlay, node| overlay.location_in(states, node))
    }

    fn nearest(
        &self,
        node: &str,
        in_overlay: impl Fn(&AppliedOverlay, &str) -> Option<SourceLocation>,
    ) -> SourceLocation {
        let node = self.moves.origin(node);
        let found = ancestors(&node).find_map(|known| {
            let added = self.overlay.as_ref().and_then(|overlay| in_overlay(overlay, known));
            added.or_else(|| self.source.location_of(known))
        });
        let found = found.unwrap_or_else(|| self.source.location(""));
        SourceLocation { pointer: node, ..found }
    }

    /// Drops the document and the positions of its nodes: from now on, every location is the beginning of the document.
    pub(crate) fn drop_source(&mut self) {
        self.source.value = Value::Null;
        self.source.positions.drop_children();
        self.overlay = None;
        self.moves.clear();
    }

    /// Creates an error at a node.
    pub(crate) fn error_at(&self, node: &str, problem: impl Into<String>, help: impl Into<String>) -> Error {
        Error { location: self.location(node), problem: problem.into(), help: help.into() }
    }
}
