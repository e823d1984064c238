//! Chains: the operations of a document that create, list, read, change, and remove the same kind of resource.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use keyfit_openapi::{Api, BodyFormat, Operation, Retry};
use serde_json::{Map, Value};

use crate::conditional::{is_changed_by_tag, is_read_by_tag};
use crate::contract::{ChainProbe, Contract};
use crate::probe::{item_among, lists_rights, parent_of};

/// The operations on one kind of resource, by their indexes in the API.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// The POST that adds one to a list, with an id that the server assigns.
    pub(crate) creates: Option<usize>,
    /// The GET of that list.
    pub(crate) lists: Option<usize>,
    /// The GET of a single one.
    pub(crate) reads: usize,
    /// The PUT and PATCH of a single one.
    pub(crate) changes: Vec<usize>,
    /// The DELETE of a single one.
    pub(crate) removes: Option<usize>,
    /// The JSON pointer to the id in the answer of `creates`, from a link of the document.
    pub(crate) id_at: Option<String>,
}

/// All chains of an API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chains {
    chains: Vec<Chain>,
    by_operation: HashMap<usize, usize>,
}

impl Chains {
    pub(crate) fn of(api: &Api, contract: &Contract) -> Self {
        let mut chains = Self::default();
        let mut items: HashMap<&str, usize> = HashMap::new();
        for (place, operation) in api.operations.iter().enumerate() {
            if operation.method == "GET" && operation.retry == Retry::Safe && parent_of(&operation.path).is_some() {
                let next = chains.chains.len();
                if *items.entry(&operation.path).or_insert(next) == next {
                    chains.chains.push(Chain::read_by(place));
                    chains.by_operation.insert(place, next);
                }
            }
        }
        let lists = Lists::of(api);
        // Chains whose own list several operations add to: no operation elsewhere is taken for their creation.
        let mut of_several: HashSet<usize> = HashSet::new();
        for (place, operation) in api.operations.iter().enumerate() {
            if let Some(chain) = items.get(operation.path.as_str()).copied() {
                chains.add_to(chain, place, operation);
            } else if let Some((chain, id_at)) = item_made_by(api, contract, &items, &lists, operation) {
                let known = &mut chains.chains[chain];
                if is_answered_by_list(api, operation) {
                    let own = parent_of(&api.operations[known.reads].path);
                    if own == Some(operation.path.trim_end_matches('/')) {
                        (known.creates, known.lists, known.id_at) = (None, None, None);
                        of_several.insert(chain);
                    }
                } else if known.creates.is_none() && !of_several.contains(&chain) {
                    (known.creates, known.id_at) = (Some(place), id_at);
                    known.lists = lists.read(&operation.path);
                    chains.by_operation.insert(place, chain);
                    if let Some(list) = known.lists {
                        chains.by_operation.entry(list).or_insert(chain);
                    }
                }
            }
        }
        chains
    }

    fn add_to(&mut self, chain: usize, place: usize, operation: &Operation) {
        let known = &mut self.chains[chain];
        match operation.method.as_str() {
            "PUT" | "PATCH" => known.changes.push(place),
            "DELETE" => known.removes = Some(place),
            _ => return,
        }
        self.by_operation.insert(place, chain);
    }

    /// Returns the chain of an operation.
    pub(crate) fn with(&self, operation: usize) -> Option<&Chain> {
        self.chains.get(*self.by_operation.get(&operation)?)
    }

    /// Returns whether a probe of chains applies to an operation.
    pub(crate) fn applies(&self, probe: ChainProbe, api: &Api, operation: usize) -> bool {
        let Some(chain) = self.with(operation) else { return false };
        let own = &api.operations[operation];
        let creates = chain.creates == Some(operation);
        let sends_json = own.body.as_ref().is_some_and(|body| body.format(api) == BodyFormat::Json);
        match probe {
            ChainProbe::ReadBack => sends_json && (creates || chain.is_made_by_put(api, operation)),
            ChainProbe::Location => creates && own.documents(201),
            ChainProbe::Listed => creates && chain.lists.is_some(),
            ChainProbe::Changed => sends_json && chain.creates.is_some() && chain.changes.contains(&operation),
            ChainProbe::StaleChange => {
                self.applies(ChainProbe::Changed, api, operation)
                    && is_changed_by_tag(own)
                    && is_read_by_tag(&api.operations[chain.reads])
            }
            ChainProbe::Kept => self.applies(ChainProbe::Changed, api, operation) && own.method == "PATCH",
            ChainProbe::Gone => chain.creates.is_some() && chain.removes == Some(operation),
        }
    }
}

impl Chain {
    fn read_by(reads: usize) -> Self {
        Self { creates: None, lists: None, reads, changes: Vec::new(), removes: None, id_at: None }
    }

    /// Returns whether a PUT creates the resource that it names, and no other operation creates one.
    fn is_made_by_put(&self, api: &Api, operation: usize) -> bool {
        let own = &api.operations[operation];
        self.creates.is_none() && own.method == "PUT" && own.documents(201)
    }
}

/// The item templates and the lists, indexed for lookups: documents may have thousands.
struct Lists<'a> {
    /// Paths that end with a parameter, by the parent path, and by the last segment of that.
    items: HashMap<&'a str, Vec<&'a str>>,
    /// The GET operations by path, without a trailing slash.
    reading: HashMap<&'a str, usize>,
    /// The paths of operations by their `operationId` in the document, which links refer to.
    by_id: OnceCell<HashMap<&'a str, &'a str>>,
}

impl<'a> Lists<'a> {
    fn of(api: &'a Api) -> Self {
        let (mut items, mut reading) = (HashMap::<&str, Vec<&str>>::new(), HashMap::new());
        for (place, operation) in api.operations.iter().enumerate() {
            if let Some(parent) = parent_of(&operation.path) {
                for key in [parent, last_segment(parent)] {
                    items.entry(key).or_default().push(&operation.path);
                }
            }
            if operation.method == "GET" && operation.retry == Retry::Safe {
                reading.entry(operation.path.trim_end_matches('/')).or_insert(place);
            }
        }
        Self { items, reading, by_id: OnceCell::new() }
    }

    fn read(&self, list: &str) -> Option<usize> {
        self.reading.get(list.trim_end_matches('/')).copied()
    }

    fn path_of(&self, api: &'a Api, id: &str) -> Option<&'a str> {
        let known = self.by_id.get_or_init(|| {
            let named = |operation: &'a Operation| {
                Some((documented(api, operation)?["operationId"].as_str()?, operation.path.as_str()))
            };
            api.operations.iter().filter_map(named).collect()
        });
        known.get(id).copied()
    }

    /// Returns the template of the items in a list.
    fn item(&self, list: &str) -> Option<&'a str> {
        let list = list.trim_end_matches('/');
        let name = last_segment(list);
        let keys = [Some(list), Some(name), name.strip_suffix('s')];
        let fitting = keys.into_iter().flatten().filter_map(|key| self.items.get(key)).flatten();
        item_among(&fitting.copied(), list)
    }
}

/// Returns the operation object in the document.
fn documented<'a>(api: &'a Api, operation: &Operation) -> Option<&'a Value> {
    api.document.get("paths")?.get(&operation.key)?.get(operation.method.to_lowercase())
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Returns the chain of the resource that a POST creates, with the pointer to the id in its answer if a link has it.
fn item_made_by<'a>(
    api: &'a Api,
    contract: &Contract,
    items: &HashMap<&str, usize>,
    lists: &Lists<'a>,
    operation: &Operation,
) -> Option<(usize, Option<String>)> {
    let is_minting = contract.key_management.as_ref().is_some_and(|keys| keys.names(&operation.id));
    // A resource of a call that only answers 202 may be created later, or not at all.
    let is_late = operation.success_statuses() == [202];
    if operation.method != "POST"
        || is_minting
        || is_late
        || contract.batch_of(operation).is_some()
        || (operation.path.contains('{') && lists_rights(&operation.path))
    {
        return None;
    }
    let mut by_link = linked(api, lists, operation).into_iter();
    let by_link = by_link.find_map(|(target, id_at)| Some((*items.get(target)?, id_at)));
    let by_path = lists.item(&operation.path).and_then(|item| items.get(item));
    match (by_path, by_link) {
        (Some(chain), link) => Some((*chain, link.filter(|(linked, _)| linked == chain).map(|(_, id_at)| id_at))),
        // A link may lead to any related resource; that of a 201 leads to the created one.
        (None, Some((chain, id_at))) if operation.documents(201) => Some((chain, Some(id_at))),
        (None, _) => None,
    }
}

/// Returns whether a success is a list: which of its items was created is then unknown.
fn is_answered_by_list(api: &Api, operation: &Operation) -> bool {
    let mut successes = operation.responses.iter().filter(|(status, _)| status.starts_with('2'));
    successes.any(|(_, shape)| shape.schema.as_ref().is_some_and(|schema| api.resolve(schema)["type"] == "array"))
}

/// Returns the targets of links that take an id from the body of a success: the path, and the pointer to the id.
fn linked<'a>(api: &'a Api, lists: &Lists<'a>, operation: &Operation) -> Vec<(&'a str, String)> {
    let responses = documented(api, operation).and_then(|known| known.get("responses")?.as_object());
    let successes = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    let links = successes.filter_map(|(_, response)| api.resolve(response).get("links")?.as_object());
    let target = |link: &'a Value| {
        let link = api.resolve(link);
        let path = lists.path_of(api, link.get("operationId")?.as_str()?)?;
        let arguments = link.get("parameters").and_then(Value::as_object).filter(|known| known.len() == 1)?;
        let at = arguments.values().next()?.as_str()?.strip_prefix("$response.body#")?;
        Some((path, at.to_owned()))
    };
    links.flat_map(Map::values).filter_map(target).collect()
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};

    use super::*;

    /// Returns the chains of a document with these operations, by method and path. Each operation has a method, a path, a status, and further
    /// members of the success.
    fn chains(operations: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let mut paths = serde_json::Map::new();
        for (method, path, status, more) in operations {
            let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            let parameters: Vec<Value> = names
                .map(|name| serde_json::json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
                .collect();
            let mut success = serde_json::json!({ "description": "d" });
            if let Ok(Value::Object(more)) = serde_json::from_str(more) {
                success.as_object_mut().expect("an object").extend(more);
            }
            let body = serde_json::json!({ "content": { "application/json": { "schema": { "type": "object" } } } });
            let mut operation = serde_json::json!({
                "operationId": format!("{method} {path}"), "parameters": parameters, "responses": { *status: success },
            });
            if ["post", "put", "patch"].contains(method) {
                operation["requestBody"] = body;
            }
            let item = paths.entry((*path).to_owned()).or_insert_with(|| serde_json::json!({}));
            item[*method] = operation;
        }
        let document = serde_json::json!({
            "openapi": "3.0.3", "info": { "title": "A", "version": "1" }, "servers": [{ "url": "https://a.example" }], "paths": paths,
        });
        let document = Text::new("a.json", document.to_string());
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None });
        let api = api.unwrap_or_else(|failure| panic!("{failure}"));
        let contract = "name = \"a\"\nsources = {}\ncredential = []\nerrors = {}\nrule = []";
        let chains = Chains::of(&api, &toml::from_str(contract).expect("a contract"));
        let name = |place: usize| format!("{} {}", api.operations[place].method, api.operations[place].path);
        let told = |chain: &Chain| {
            let parts = chain.creates.into_iter().chain(chain.lists).chain([chain.reads]);
            let parts = parts.chain(chain.changes.iter().copied()).chain(chain.removes);
            parts.map(name).chain(chain.id_at.clone()).collect::<Vec<_>>().join(", ")
        };
        chains.chains.iter().map(told).collect()
    }

    #[test]
    fn a_chain_is_a_list_and_the_items_below_it() {
        let whole = chains(&[
            ("get", "/books", "200", ""),
            ("post", "/books", "201", ""),
            ("get", "/books/{book}", "200", ""),
            ("patch", "/books/{book}", "200", ""),
            ("put", "/books/{book}", "200", ""),
            ("delete", "/books/{book}", "204", ""),
        ]);
        let expected =
            "POST /books, GET /books, GET /books/{book}, PATCH /books/{book}, PUT /books/{book}, DELETE /books/{book}";
        assert_eq!(whole.len(), 1);
        let sorted = |text: &str| {
            let mut parts: Vec<String> = text.split(", ").map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&whole[0]), sorted(expected));
        let elsewhere = chains(&[("post", "/shops/{shop}/books", "201", ""), ("get", "/books/{book}", "200", "")]);
        assert_eq!(elsewhere, ["POST /shops/{shop}/books, GET /books/{book}"]);
    }

    #[test]
    fn what_makes_nothing_that_is_read_later_begins_no_chain() {
        for (post, status, item) in [
            ("/books", "202", "/books/{book}"),
            ("/books/{book}/lend", "200", "/books/{book}"),
            ("/users/{user}/roles", "201", "/users/{user}/roles/{role}"),
            ("/login", "200", "/books/{book}"),
        ] {
            let found = chains(&[("post", post, status, ""), ("get", item, "200", "")]);
            assert_eq!(found, [format!("GET {item}")], "{post}");
        }
        let list = r#"{"content": {"application/json": {"schema": {"type": "array"}}}}"#;
        let several = chains(&[("post", "/books", "201", list), ("get", "/books/{book}", "200", "")]);
        assert_eq!(several, ["GET /books/{book}"], "which of them it is nobody says");
        let (own, beside) = (("post", "/books", "201", list), ("post", "/shelves/{shelf}/books", "200", ""));
        for both in [[own, beside], [beside, own]] {
            let found = chains(&[both[0], both[1], ("get", "/books/{book}", "200", "")]);
            assert_eq!(found, ["GET /books/{book}"], "it puts there what is made elsewhere");
        }
    }

    #[test]
    fn a_link_says_where_the_id_is_and_what_reads_it() {
        let link = r#"{"links": {"self": {"operationId": "get /people/{person}", "parameters": {"person": "$response.body#/ref"}}}}"#;
        let by_link = chains(&[("post", "/signup", "201", link), ("get", "/people/{person}", "200", "")]);
        assert_eq!(by_link, ["POST /signup, GET /people/{person}, /ref"]);
        let both = chains(&[("post", "/people", "201", link), ("get", "/people/{person}", "200", "")]);
        assert_eq!(both, ["POST /people, GET /people/{person}, /ref"]);
        let loose = chains(&[("post", "/signup", "200", link), ("get", "/people/{person}", "200", "")]);
        assert_eq!(loose, ["GET /people/{person}"], "a link of a 200 may lead to anything");
    }
}
