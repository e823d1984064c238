//! An operation of one of the documents.

use heck::ToSnakeCase as _;

use super::Document;
use super::finding::OperationRef;
use super::node::{Node, Revision};
use super::servers;
use crate::normalize::ids;
use crate::walk;

/// An operation of one of the documents.
#[derive(Clone, Debug)]
pub(super) struct Operation<'a> {
    pub(super) node: Node<'a>,
    /// The path item of the operation.
    pub(super) item: Node<'a>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) id: String,
    /// The path of its server's URL, without a trailing slash.
    base: String,
}

impl<'a> Operation<'a> {
    /// Returns all operations of a document.
    pub(super) fn all(document: &'a Document, revision: Revision) -> Vec<Self> {
        let root = document.root(revision);
        let shared = servers::base_path(root.get("servers").as_ref());
        let mut operations = Vec::new();
        for (path, place) in root.get("paths").iter().flat_map(Node::members) {
            let item = place.resolved();
            for (method, node) in item.members() {
                let is_method = walk::METHODS.contains(&method) || walk::is_other_method(method);
                if is_method && node.value.is_object() {
                    let id = document
                        .id(&node.at)
                        .or_else(|| node.text("operationId"))
                        .map_or_else(|| ids::derive(method, path), str::to_owned);
                    let (method, path) = (method.to_owned(), path.to_owned());
                    let own = node.get("servers").or_else(|| item.get("servers"));
                    let base = own.map_or_else(|| shared.clone(), |own| servers::base_path(Some(&own)));
                    operations.push(Self { node, item: item.clone(), method, path, id, base });
                }
            }
        }
        operations
    }

    /// Returns the name of the Rust method.
    pub(super) fn function(&self) -> String {
        self.id.to_snake_case()
    }

    /// Returns the path of its URL: that of the server, then its own.
    pub(super) fn address(&self) -> String {
        format!("{}{}", self.base, self.path)
    }

    /// Returns a path template without the names of its parameters.
    pub(super) fn shape(path: &str) -> String {
        let mut shape = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((_, behind)) = after.split_once('}') else { break };
            shape.push_str(before);
            shape.push_str("{}");
            rest = behind;
        }
        shape + rest
    }

    /// Returns the operation as findings name it.
    pub(super) fn named(&self) -> OperationRef {
        OperationRef {
            method: self.method.to_uppercase(),
            path: self.path.clone(),
            id: self.id.clone(),
            function: self.function(),
        }
    }
}
