//! Servers: those of the document, and those that a path or an operation declares for itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Document;
use super::comparison::Comparison;
use super::node::{Node, Revision};
use super::operation::Operation;
use super::operations::Pair;
use super::rules::surface as surf;
use super::values::plain;

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, pairs: &[Pair<'a>], old: &'a Document, new: &'a Document) {
    let (old, new) = (old.root(Revision::Old), new.root(Revision::New));
    let (before, after) = (old.get("servers"), new.get("servers"));
    let mut inheriting = Vec::new();
    for pair in pairs {
        let (own_old, own_new) = (own(&pair.old), own(&pair.new));
        if own_old.is_none() && own_new.is_none() {
            inheriting.push(pair);
            continue;
        }
        cx.set_operations(&[pair.number]);
        let lists = ServerLists {
            old: own_old.as_ref().or(before.as_ref()),
            new: own_new.as_ref().or(after.as_ref()),
            here: &pair.new.node,
            is_own: true,
            moved: MovedPath::of(pair),
        };
        lists.compare(cx);
    }
    let numbers: Vec<usize> = inheriting.iter().map(|pair: &&Pair<'_>| pair.number).collect();
    cx.set_operations(&numbers);
    let mut each = inheriting.into_iter().map(MovedPath::of);
    let first = each.next().unwrap_or_default();
    // If the operations do not agree, some have other URLs.
    let moved = if each.all(|other| other == first) { first } else { MovedPath::default() };
    ServerLists { old: before.as_ref(), new: after.as_ref(), here: &new, is_own: false, moved }.compare(cx);
}

/// The part of the URLs that moved between the paths and the ends of the servers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct MovedPath {
    /// The part at the end of the old servers.
    from_servers: String,
    /// The part at the end of the new servers.
    to_servers: String,
}

impl MovedPath {
    fn of(pair: &Pair<'_>) -> Self {
        let (old, new) = (Operation::shape(&pair.old.path), Operation::shape(&pair.new.path));
        let part = |longer: &str, shorter: &str| longer.strip_suffix(shorter).unwrap_or_default().to_owned();
        Self { from_servers: part(&new, &old), to_servers: part(&old, &new) }
    }
}

/// The servers of an operation, or of all operations without their own.
struct ServerLists<'a, 'b> {
    old: Option<&'b Node<'a>>,
    new: Option<&'b Node<'a>>,
    here: &'b Node<'a>,
    /// True if they are an operation's own servers.
    is_own: bool,
    moved: MovedPath,
}

impl<'a> ServerLists<'a, '_> {
    fn compare(&self, cx: &mut Comparison<'_>) {
        let Self { old, new, here, is_own, ref moved } = *self;
        let (before, after) = (urls(old, &moved.from_servers), urls(new, &moved.to_servers));
        let by_url = |urls: &[(String, Node<'a>)]| -> HashMap<String, Node<'a>> { urls.iter().cloned().collect() };
        let (had, has) = (by_url(&before), by_url(&after));
        // The client sends an operation to the first of its own servers, or else to the base URL.
        let (named, may_be_set, is_another) = if is_own {
            (
                "the server of the call, where it is this one",
                "a server of the call that may be set",
                "the call has another server",
            )
        } else {
            ("the base URL, where it is this one", "a base URL that may be set", "the base URL is another one")
        };
        for (url, node) in &before {
            if let Some(other) = has.get(url) {
                variables(cx, url, node, other, named);
            } else {
                cx.report(&surf::SERVER_REMOVED, node, format!("`{url}` went"), named);
            }
        }
        for (url, node) in &after {
            if !had.contains_key(url) {
                cx.report(&surf::SERVER_ADDED, node, format!("`{url}` is new"), may_be_set);
            }
        }
        if let (Some((was, _)), Some((is, _))) = (before.first(), after.first())
            && was != is
            // Otherwise it was added or removed, which is reported already.
            && has.contains_key(was)
            && had.contains_key(is)
        {
            let detail = format!("`{is}` stands first, no longer `{was}`");
            cx.report(&surf::SERVER_ORDER_CHANGED, new.unwrap_or(here), detail, is_another);
        }
        let said = [(&moved.from_servers, "the paths", "the servers"), (&moved.to_servers, "the servers", "the paths")];
        for (part, to, from) in said.into_iter().filter(|(part, ..)| !part.is_empty()) {
            let detail = format!("`{part}` stands in {to}, no longer in {from}");
            cx.report(&surf::BASE_PATH_MOVED, new.unwrap_or(here), detail, is_another);
        }
    }
}

/// Compares the values of a server's variables. `rust` is the effect on the client.
fn variables(cx: &mut Comparison<'_>, url: &str, old: &Node<'_>, new: &Node<'_>, rust: &'static str) {
    let all = |server: &Node<'_>| -> BTreeMap<String, Option<BTreeSet<String>>> {
        let values = |variable: &Node<'_>| {
            let list = variable.get("enum").filter(|list| list.value.is_array())?;
            Some(list.items().map(|value| plain(value.value)).collect())
        };
        let variables = server.get("variables");
        let variables = variables.iter().flat_map(Node::entries);
        variables.map(|(name, variable)| (name.to_owned(), values(&variable))).collect()
    };
    let (before, after) = (all(old), all(new));
    for (name, had) in &before {
        let Some(has) = after.get(name) else { continue };
        match (had, has) {
            (Some(had), Some(has)) => {
                for value in had.difference(has) {
                    let detail = format!("`{name}` of `{url}` can no longer be `{value}`");
                    cx.report(&surf::SERVER_REMOVED, new, detail, rust);
                }
                for value in has.difference(had) {
                    cx.report(&surf::SERVER_ADDED, new, format!("`{name}` of `{url}` can be `{value}`"), rust);
                }
            }
            (None, Some(_)) => {
                let detail = format!("`{name}` of `{url}` can only be what is listed");
                cx.report(&surf::SERVER_REMOVED, new, detail, rust);
            }
            (Some(_), None) => {
                cx.report(&surf::SERVER_ADDED, new, format!("`{name}` of `{url}` can be anything"), rust);
            }
            (None, None) => {}
        }
    }
}

/// Returns the path of the first URL, without a trailing slash.
pub(super) fn base_path(list: Option<&Node<'_>>) -> String {
    let Some((url, _)) = urls(list, "").into_iter().next() else { return String::new() };
    let behind = url
        .split_once("//")
        .map_or(url.as_str(), |(_, authority)| authority.find('/').map_or("", |slash| &authority[slash..]));
    behind.strip_prefix('/').map_or_else(String::new, |path| format!("/{path}"))
}

/// Returns the URLs in their order, with variables replaced by their defaults. A trailing slash and then the given suffix are
/// removed.
fn urls<'a>(list: Option<&Node<'a>>, without: &str) -> Vec<(String, Node<'a>)> {
    let mut urls: Vec<(String, Node<'a>)> = Vec::new();
    let mut known = HashSet::new();
    for server in list.iter().flat_map(|list| list.items()) {
        let Some(template) = server.text("url") else { continue };
        let mut url = template.to_owned();
        for (name, variable) in server.get("variables").iter().flat_map(Node::entries) {
            if let Some(default) = variable.text("default") {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        let url = url.trim_end_matches('/');
        // A URL without this suffix is another server now, and compared unchanged.
        let url = url.strip_suffix(without).unwrap_or(url).to_owned();
        if known.insert(url.clone()) {
            urls.push((url, server));
        }
    }
    urls
}

fn own<'a>(operation: &Operation<'a>) -> Option<Node<'a>> {
    operation.node.get("servers").or_else(|| operation.item.get("servers"))
}
