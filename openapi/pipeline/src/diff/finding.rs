//! The findings of a comparison.

use serde::Serialize;

use super::node::Revision;
use super::rules::Rule;
use crate::SourceLocation;

/// One change.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule of the change.
    pub rule: &'static Rule,
    /// A description of the change, in one sentence.
    pub detail: String,
    /// The document that contains the changed part: the old one for a removed part.
    pub revision: Revision,
    /// The part itself: file, line, column and JSON pointer in that document.
    pub place: SourceLocation,
    /// The same part in the new document, or its nearest ancestor.
    pub nearest: SourceLocation,
    /// The affected operations, in the document's order: several if they share the part.
    pub operations: Vec<OperationRef>,
    /// The statuses of the affected responses, if there are any: `404`, `4XX`, `default`.
    pub statuses: Vec<String>,
    /// The effect on the Rust client, in a short phrase.
    pub rust: String,
}

/// An operation, with all of its names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct OperationRef {
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template; of two, that of the new document.
    pub path: String,
    /// The operationId, published or synthesized; of two, that of the new document.
    pub id: String,
    /// The Rust method's name.
    pub function: String,
}
