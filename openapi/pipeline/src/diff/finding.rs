//! What a comparison found.

use serde::Serialize;

use super::node::Revision;
use super::rules::Rule;
use crate::SourcePlace;

/// One change.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that it falls under.
    pub rule: &'static Rule,
    /// What has changed here, in one sentence.
    pub detail: String,
    /// The document in which the changed part stands: the old one where it went.
    pub revision: Revision,
    /// The part itself: file, line, column and JSON pointer in that document.
    pub place: SourcePlace,
    /// The same part in the new document, or what is left around it.
    pub nearest: SourcePlace,
    /// The operations that it concerns, in the document's order: more than one where they share the part.
    pub operations: Vec<OperationRef>,
    /// The statuses of the answers that it concerns, where it concerns some: `404`, `4XX`, `default`.
    pub statuses: Vec<String>,
    /// What changes in the Rust client, in a short phrase.
    pub rust: String,
}

/// An operation, by all of its names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct OperationRef {
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template, that of the new document where there are two.
    pub path: String,
    /// The operationId, published or synthesised, that of the new document where there are two.
    pub id: String,
    /// The Rust method's name.
    pub function: String,
}
