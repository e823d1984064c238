//! One API, read: its repaired document, its operation table, and the record of what was repaired.

use std::collections::HashMap;

use serde_json::Value;

use crate::contract::Contract;
use crate::load::Located;
use crate::normalize::base_urls::{self, BaseUrl};
use crate::normalize::{Unsupported, normalize, servers};
use crate::operation::Operation;
use crate::pagination::Guess;
use crate::path_key::PathKey;
use crate::repair::Repairs;
use crate::template::nameless;
use crate::webhook::Webhook;
use crate::{
    Failure, Source, batching, hints, overlay, place, remarks, schemes, select, table, versions, walk, webhook,
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
    /// The first server's URL, without a slash at its end.
    pub base_url: String,
    /// Every base URL that the document names with a host, that one included: a sandbox, other regions.
    pub base_urls: Vec<BaseUrl>,
    /// The servers that operations have for themselves, other than that one.
    pub servers: Vec<BaseUrl>,
    /// The repaired document, error answers included.
    pub document: Value,
    /// Every operation that clients can call, in the document's order.
    pub operations: Vec<Operation>,
    /// What looks like pages and has no word from the overlay, by the id of the operation. What is certain of it counts.
    pub guesses: Vec<(String, Guess)>,
    /// The calls that the server makes, but for the callbacks of operations.
    pub webhooks: Vec<Webhook>,
    /// The operations that were set aside, with the reason.
    pub unsupported: Vec<Unsupported>,
    /// Everything that was changed on the way.
    pub repairs: Repairs,
    pub(crate) located: Located,
    /// The methods of each path template without the names of its parameters, those that were set aside included.
    methods: HashMap<String, Vec<String>>,
    has_secrets: bool,
}

/// The nodes that a document has at most whose client is generated within 5 s and 500 MB.
const MOST_NODES: usize = 60_000;
/// The entries of its longest list or map.
const WIDEST: usize = 2_000;

impl Api {
    /// Reads an API.
    ///
    /// # Errors
    /// The first thing that no repair can mend: malformed text, an unsupported version, an overlay target that
    /// matches nothing, a reference into another file.
    pub fn read(source: &Source) -> Result<Self, Failure> {
        Self::read_only(source, &[])
    }

    /// Reads a part of an API: the operations that one of the selectors names, with the components that they need. A selector
    /// is `tag:name`, `GET /path`, the id of an operation, or a path in which `*` stands for a segment and `**` for any number
    /// of them. Without one, all of the API is read.
    ///
    /// # Errors
    /// Returns an error for what [`read`](Self::read) refuses, and if a selector matches no operation.
    pub fn read_only(source: &Source, selectors: &[String]) -> Result<Self, Failure> {
        let mut located = Located::read(&source.document)?;
        let mut repairs = Repairs::default();
        remarks::text(&source.document, &mut repairs);
        // Before the overlay: what that puts in counts.
        hints::ignore(&mut located.value, &mut repairs);
        let mut document = match &source.overlay {
            Some(text) => overlay::apply(&mut located, text, &mut repairs)?,
            None => located.value.clone(),
        };
        let set_aside = versions::settle(&mut located, &mut document, &mut repairs)?;
        hints::check_schemas(&located, &document)?;
        let mut unsupported = versions::remove(set_aside, &mut document, &mut repairs);
        unsupported.extend(normalize(&located, &mut document, &mut repairs)?);
        select::select(&located, &mut document, selectors, &mut unsupported, &mut repairs)?;
        remarks::note(&document, &mut repairs);
        let base_url = servers::base_url(&located, &document, &mut repairs)?;
        schemes::note(&document, &base_url, &mut repairs);
        unsupported.extend(servers::set_aside(&mut document, &base_url, &mut repairs));
        let mut guesses = Vec::new();
        let mut operations = Vec::new();
        for (operation, guess) in table::operations(&located, &document, &base_url)? {
            if let Some(guess) = guess {
                remarks::pages(&operation, &guess, &mut repairs);
                guesses.push((operation.id.clone(), guess));
            }
            operations.push(operation);
        }
        let mut methods: HashMap<String, Vec<String>> = HashMap::new();
        let set_aside = unsupported.iter().filter_map(|unsupported| unsupported.operation.split_once(' '));
        let kept = operations.iter().map(|operation| (operation.method.as_str(), operation.path.as_str()));
        for (method, path) in kept.chain(set_aside) {
            methods.entry(nameless(PathKey::of(path).path)).or_default().push(method.to_owned());
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
        // What is wrong with a contract is said by whoever needs it.
        let contract = source.contract.as_ref().and_then(|text| Contract::read(text).ok());
        batching::settle(&mut api, contract.as_ref().map_or(&[], |contract| &contract.batches));
        Ok(api)
    }

    /// What the overlay says of an operation under a key of `x-keyfit`; none where it is silent.
    pub fn hint(&self, operation: &Operation, key: &str) -> Option<&Value> {
        self.document.get("paths")?.get(&operation.key)?.get(operation.method.to_lowercase())?.get("x-keyfit")?.get(key)
    }

    /// Why a client of the API would take longer to generate than somebody who asks about the document waits; `None` where it
    /// does not. Its nodes and its longest list say how long: some steps go through a list for each of its items.
    pub fn weight(&self) -> Option<String> {
        let nodes = walk::size(&self.document);
        let widest = walk::widest(&self.document);
        match (nodes > MOST_NODES, widest > WIDEST) {
            (true, _) => Some(format!("the document has {nodes} nodes, more than {MOST_NODES}")),
            (_, true) => Some(format!("a list or map of the document has {widest} entries, more than {WIDEST}")),
            _ => None,
        }
    }

    /// Forgets document and overlay as they were written, which are as large as all the rest, for whoever has no more to ask about
    /// places: everything stands where the document begins from now on.
    pub fn forget_source(&mut self) {
        self.located.forget();
    }

    /// The methods, in upper case, of a path template and of those that differ from it in the names of their parameters alone, in
    /// the document's order.
    pub fn methods(&self, path: &str) -> &[String] {
        self.methods.get(&nameless(path)).map_or(&[], Vec::as_slice)
    }

    /// Whether the document names the server. Where it does not, [`base_url`](Self::base_url) has a host that cannot exist,
    /// and the path that the document has.
    pub fn names_server(&self) -> bool {
        servers::is_named(&self.base_url)
    }

    /// Whether a schema marks a secret, by `format: password`.
    pub(crate) fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// The operation of this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// What is said to whoever publishes `x-keyfit`: only an overlay may say it.
    pub fn ignored_hints(&self) -> Option<String> {
        let mut ignored = self.repairs.iter().filter(|repair| repair.rule == hints::RULE);
        let first = &ignored.next()?.pointer;
        let more = match ignored.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("`x-keyfit` of a published document is ignored, write it into overlay.yaml: #{first}{more}"))
    }

    /// The schema itself, or the component that its `$ref` names.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        crate::walk::resolve(&self.document, schema)
    }

    /// The schema of what a JSON pointer leads to in values of a schema; `None` where the document does not have it.
    pub fn member<'a>(&'a self, schema: &'a Value, pointer: &str) -> Option<&'a Value> {
        place::member(&self.document, schema, pointer).map(|member| member.schema)
    }

    /// The schema of the entries of a list.
    pub fn entries<'a>(&'a self, list: &'a Value) -> Option<&'a Value> {
        place::items(&self.document, list)
    }

    /// The type of a schema that may be a reference: the first that it names besides `null`, or the one that its other
    /// words imply; `None` where it leaves that open.
    pub fn kind<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        crate::walk::kind(self.resolve(schema))
    }
}

/// Whether anything in a document has the format of secrets.
fn has_secrets(node: &Value) -> bool {
    match node {
        Value::Object(members) => {
            members.get("format").is_some_and(|format| format == "password") || members.values().any(has_secrets)
        }
        Value::Array(items) => items.iter().any(has_secrets),
        _ => false,
    }
}
