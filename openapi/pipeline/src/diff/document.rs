//! A document for a comparison.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;

use super::node::{Node, Revision};
use crate::load::LocatedDocument;
use crate::normalize::ids;
use crate::repair::Repairs;
use crate::{Error, Operation, SourceLocation, Text, anchors, generate, versions};

/// A document for a comparison: as read, without overlay and repairs.
#[derive(Clone, Debug)]
pub struct Document {
    located: LocatedDocument,
    /// The synthesized ids of operations without a published one, by JSON pointer.
    ids: HashMap<String, String>,
}

impl Document {
    /// Reads an OpenAPI document of any version, YAML or JSON. Schemas of 3.1 are converted to 3.0. Keywords that 3.0 lacks,
    /// such as `if`, are compared as a whole; tuples are compared by position.
    ///
    /// # Errors
    /// Returns an error if the text is not YAML, has a duplicate key, or declares an unsupported version. Missing parts and
    /// parts that are not valid OpenAPI are not errors: broken documents can be compared too.
    pub fn read(text: &Text) -> Result<Self, Error> {
        let mut located = LocatedDocument::read(text)?;
        let mut value = located.source.value.take();
        versions::convert_document(&mut located, &mut value, &mut Repairs::default())?;
        located.source.value = value;
        anchors::resolve_anchors(&mut located.source.value, &mut Repairs::default());
        if located.source.value["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")) {
            generate::convert_for_comparison(&mut located.source.value);
        }
        let ids = ids::missing(&located.source.value).into_iter().map(|named| (named.at, named.id)).collect();
        Ok(Self { located, ids })
    }

    /// Reads two documents in parallel: reading takes longer than comparing.
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) does, for the first document that cannot be read.
    pub fn read_two(old: &Text, new: &Text) -> Result<(Self, Self), Error> {
        thread::scope(|scope| {
            let new = scope.spawn(|| Self::read(new));
            let old = Self::read(old);
            let new = new.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok((old?, new?))
        })
    }

    /// Gives operations without a published id the id that an operation table has for the same method and path, as an overlay
    /// would.
    pub fn name_operations(&mut self, table: &[Operation]) {
        for operation in table {
            if let Some(id) = self.ids.get_mut(&operation.pointer()) {
                id.clone_from(&operation.id);
            }
        }
    }

    pub(super) fn root(&self, revision: Revision) -> Node<'_> {
        Node::of(revision, &self.located.source.value)
    }

    /// Returns the id that replaces a missing or unusable one.
    pub(super) fn id(&self, pointer: &str) -> Option<&str> {
        self.ids.get(pointer).map(String::as_str)
    }

    /// Returns the place of a node, or of its nearest ancestor.
    pub(super) fn location(&self, pointer: &str) -> SourceLocation {
        self.located.location(pointer)
    }
}
