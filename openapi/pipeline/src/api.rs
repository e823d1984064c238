//! An API as read: its repaired document, its operation table, and the record of its repairs.

use std::collections::HashMap;

use serde_json::Value;

use crate::contract::Contract;
use crate::load::LocatedDocument;
use crate::normalize::base_urls::{self, BaseUrl};
use crate::normalize::{Unsupported, normalize, servers};
use crate::operation::Operation;
use crate::pagination::PaginationGuess;
use crate::path_key::PathKey;
use crate::repair::Repairs;
use crate::template::without_parameter_names;
use crate::webhook::Webhook;
use crate::{
    Error, Source, batching, body_members, hints, operation_table, overlay, remarks, schemes, select, versions, walk,
    webhook,
};

/// An API whose document was read, overlaid, repaired and linted.
#[derive(Clone, Debug)]
pub struct Api {
    /// The API's name: `instasent-ingest`.
    pub name: String,
    /// The document's title.
    pub title: String,
    /// The document's version.
    pub version: String,
    /// The first server's URL, without a trailing slash.
    pub base_url: String,
    /// Every base URL of the document that has a host, the first server included: a sandbox, other regions.
    pub base_urls: Vec<BaseUrl>,
    /// The servers that operations declare for themselves, without the first server of the document.
    pub servers: Vec<BaseUrl>,
    /// The repaired document, error responses included.
    pub document: Value,
    /// Every operation that clients can call, in the document's order.
    pub operations: Vec<Operation>,
    /// The operations that look paged and have no hint in the overlay, by operation id. A guess that is certain is applied.
    pub guesses: Vec<(String, PaginationGuess)>,
    /// The calls that the server makes, without the callbacks of operations.
    pub webhooks: Vec<Webhook>,
    /// The operations that were set aside, with the reason.
    pub unsupported: Vec<Unsupported>,
    /// Every change that was made while the API was read.
    pub repairs: Repairs,
    pub(crate) located: LocatedDocument,
    /// The methods of each path template, with the names of its parameters removed. Operations that were set aside are
    /// included.
    methods: HashMap<String, Vec<String>>,
    has_secrets: bool,
}

/// The maximum number of nodes of a document whose client is generated within 5 s and 500 MB.
const MAX_NODES: usize = 60_000;
/// The maximum number of entries of the document's longest list or map for the same limits.
const MAX_WIDTH: usize = 2_000;

impl Api {
    /// Reads an API.
    ///
    /// # Errors
    /// Returns an error if a problem cannot be repaired, for the first such problem: malformed text, an unsupported version,
    /// an overlay target that matches nothing, a reference into another file.
    pub fn read(source: &Source) -> Result<Self, Error> {
        Self::read_only(source, &[])
    }

    /// Reads a part of an API: the operations that one of the selectors matches, with the components that they need. A
    /// selector is `tag:name`, `GET /path`, the id of an operation, or a path in which `*` matches a segment and `**` any
    /// number of segments. Without selectors, reads the whole API.
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) does, or if a selector matches no operation.
    pub fn read_only(source: &Source, selectors: &[String]) -> Result<Self, Error> {
        let mut located = LocatedDocument::read(&source.document)?;
        let mut repairs = Repairs::default();
        remarks::note_text(&source.document, &mut repairs);
        // Before the overlay is applied: its hints count.
        hints::remove_from_published(&mut located.source.value, &mut repairs);
        let mut document = match &source.overlay {
            Some(text) => {
                let (document, applied) = overlay::apply(&located.source.value, text, &mut repairs)?;
                located.overlay = Some(Box::new(applied));
                document
            }
            None => located.source.value.clone(),
        };
        let set_aside = versions::convert_document(&mut located, &mut document, &mut repairs)?;
        hints::check_schemas(&located, &document)?;
        let mut unsupported = versions::remove(set_aside, &mut document, &mut repairs);
        unsupported.extend(normalize(&located, &mut document, &mut repairs)?);
        select::select(&located, &mut document, selectors, &mut unsupported, &mut repairs)?;
        remarks::note_document(&document, &mut repairs);
        let base_url = servers::base_url(&located, &document, &mut repairs)?;
        schemes::note(&document, &base_url, &mut repairs);
        unsupported.extend(servers::set_aside(&mut document, &base_url, &mut repairs));
        let mut guesses = Vec::new();
        let mut operations = Vec::new();
        for (operation, guess) in operation_table::operations(&located, &document, &base_url)? {
            if let Some(guess) = guess {
                remarks::note_pages(&operation, &guess, &mut repairs);
                guesses.push((operation.id.clone(), guess));
            }
            operations.push(operation);
        }
        let mut methods: HashMap<String, Vec<String>> = HashMap::new();
        let set_aside = unsupported.iter().filter_map(|unsupported| unsupported.operation.split_once(' '));
        let kept = operations.iter().map(|operation| (operation.method.as_str(), operation.path.as_str()));
        for (method, path) in kept.chain(set_aside) {
            methods.entry(without_parameter_names(PathKey::of(path).path)).or_default().push(method.to_owned());
        }
        let mut api = Self {
            name: source.name.clone(),
            title: document["info"]["title"].as_str().unwrap_or_default().to_owned(),
            version: document["info"]["version"].as_str().unwrap_or_default().to_owned(),
            base_urls: base_urls::of(&document),
            servers: base_urls::of_operations(&document, &operations, &base_url),
            base_url,
            operations,
            guesses,
            webhooks: webhook::webhooks(&document),
            unsupported,
            repairs,
            has_secrets: has_secrets(&document),
            document,
            located,
            methods,
        };
        // An error in the contract is reported where the contract is needed.
        let contract = source.contract.as_ref().and_then(|text| Contract::read(text).ok());
        batching::assign(&mut api, contract.as_ref().map_or(&[], |contract| &contract.batches));
        Ok(api)
    }

    /// Returns an operation's hint under a key of `x-keyfit`; `None` if the overlay has no such hint.
    pub fn hint(&self, operation: &Operation, key: &str) -> Option<&Value> {
        self.document.get("paths")?.get(&operation.key)?.get(operation.method.to_lowercase())?.get("x-keyfit")?.get(key)
    }

    /// Returns the reason why a client of the API takes too long to generate for an interactive request; `None` if it does
    /// not. The number of nodes and the longest list decide: some steps are quadratic in the length of a list.
    pub fn generation_warning(&self) -> Option<String> {
        let nodes = walk::size(&self.document);
        let widest = walk::widest(&self.document);
        match (nodes > MAX_NODES, widest > MAX_WIDTH) {
            (true, _) => Some(format!("the document has {nodes} nodes, more than {MAX_NODES}")),
            (_, true) => Some(format!("a list or map of the document has {widest} entries, more than {MAX_WIDTH}")),
            _ => None,
        }
    }

    /// Drops the source text of the document and the overlay, which take as much memory as all the rest. Afterwards every
    /// place is the beginning of the document.
    pub fn drop_source(&mut self) {
        self.located.drop_source();
    }

    /// Returns the methods, in upper case, of a path template and of templates that differ only in the names of their
    /// parameters, in the document's order.
    pub fn methods(&self, path: &str) -> &[String] {
        self.methods.get(&without_parameter_names(path)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether the document names the server. If it does not, [`base_url`](Self::base_url) has a host that cannot
    /// exist, and the path of the document.
    pub fn names_server(&self) -> bool {
        servers::is_named(&self.base_url)
    }

    /// Returns whether a schema marks a secret, by `format: password`.
    pub(crate) fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// Returns the operation with this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Returns a message that names the ignored `x-keyfit` hints of a published document; `None` if there are no ignored
    /// hints.
    pub fn ignored_hints(&self) -> Option<String> {
        let mut ignored = self.repairs.iter().filter(|repair| repair.rule == hints::RULE);
        let first = &ignored.next()?.pointer;
        let more = match ignored.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("`x-keyfit` of a published document is ignored, write it into overlay.yaml: #{first}{more}"))
    }

    /// Returns the schema itself, or the component that its `$ref` names.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        crate::walk::resolve(&self.document, schema)
    }

    /// Returns the schema of the value at a JSON pointer within a value of a schema; `None` if the document does not describe
    /// it.
    pub fn member<'a>(&'a self, schema: &'a Value, pointer: &str) -> Option<&'a Value> {
        body_members::member(&self.document, schema, pointer).map(|member| member.schema)
    }

    /// Returns the schema of a list's items.
    pub fn entries<'a>(&'a self, list: &'a Value) -> Option<&'a Value> {
        body_members::items(&self.document, list)
    }

    /// Returns the type of a schema or of the schema that it refers to: the first type except `null`, or the type that its
    /// other keywords imply; `None` if they imply no type.
    pub fn kind<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        crate::walk::kind(self.resolve(schema))
    }
}

/// Returns whether a node of the document has the format of secrets, `password`.
fn has_secrets(node: &Value) -> bool {
    match node {
        Value::Object(members) => {
            members.get("format").is_some_and(|format| format == "password") || members.values().any(has_secrets)
        }
        Value::Array(items) => items.iter().any(has_secrets),
        _ => false,
    }
}
