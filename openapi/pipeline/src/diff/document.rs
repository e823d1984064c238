//! A document that is to be compared.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread;

use super::node::{Node, Revision};
use crate::load::Located;
use crate::normalize::ids;
use crate::repair::Repairs;
use crate::{Failure, Operation, SourcePlace, Text, anchors, generate, versions};

/// A document that is to be compared: read, but neither overlaid nor repaired.
#[derive(Clone, Debug)]
pub struct Document {
    located: Located,
    /// The ids of operations that have no published one, by JSON pointer.
    ids: HashMap<String, String>,
}

impl Document {
    /// Reads an OpenAPI document of any version, YAML or JSON. Schemas of 3.1 are compared in the words of 3.0: what those
    /// cannot say, such as `if`, is compared as a whole, tuples place by place.
    ///
    /// # Errors
    /// Text that is no YAML, a duplicate key, and another version. What is missing in a document, or is not as
    /// OpenAPI says, is no failure: documents that are broken can be compared too.
    pub fn read(text: &Text) -> Result<Self, Failure> {
        let mut located = Located::read(text)?;
        let mut value = located.value.take();
        versions::settle(&mut located, &mut value, &mut Repairs::default())?;
        located.value = value;
        anchors::settle(&mut located.value, &mut Repairs::default());
        if located.value["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")) {
            generate::translate(&mut located.value);
        }
        let ids = ids::missing(&located.value).into_iter().map(|named| (named.at, named.id)).collect();
        Ok(Self { located, ids })
    }

    /// Reads two documents at the same time: reading takes longer than comparing.
    ///
    /// # Errors
    /// As [`read`](Self::read), of the first document that cannot be read.
    pub fn read_two(old: &Text, new: &Text) -> Result<(Self, Self), Failure> {
        thread::scope(|scope| {
            let new = scope.spawn(|| Self::read(new));
            let old = Self::read(old);
            let new = new.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok((old?, new?))
        })
    }

    /// Gives operations that have no published id the one that an operation table has for the same method and path, as
    /// an overlay would.
    pub fn name_operations(&mut self, table: &[Operation]) {
        for operation in table {
            if let Some(id) = self.ids.get_mut(&operation.pointer()) {
                id.clone_from(&operation.id);
            }
        }
    }

    pub(super) fn root(&self, revision: Revision) -> Node<'_> {
        Node::of(revision, &self.located.value)
    }

    /// The id that stands in for one that is missing or cannot be used.
    pub(super) fn id(&self, pointer: &str) -> Option<&str> {
        self.ids.get(pointer).map(String::as_str)
    }

    /// The place of a node, or of what is left around it.
    pub(super) fn place(&self, pointer: &str) -> SourcePlace {
        self.located.place(pointer)
    }
}
