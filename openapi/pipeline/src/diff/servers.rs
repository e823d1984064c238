//! Servers: those of the document, and those that a path or an operation has for itself.

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
            inheriting.push(pair.number);
            continue;
        }
        cx.concerns(&[pair.number]);
        lists(cx, own_old.as_ref().or(before.as_ref()), own_new.as_ref().or(after.as_ref()), &pair.new.node, true);
    }
    cx.concerns(&inheriting);
    lists(cx, before.as_ref(), after.as_ref(), &new, false);
}

/// `is_own` where they are an operation's own ones.
fn lists<'a>(cx: &mut Comparison<'_>, old: Option<&Node<'a>>, new: Option<&Node<'a>>, here: &Node<'_>, is_own: bool) {
    let (before, after) = (urls(old), urls(new));
    let by_url = |urls: &[(String, Node<'a>)]| -> HashMap<String, Node<'a>> { urls.iter().cloned().collect() };
    let (had, has) = (by_url(&before), by_url(&after));
    let rust = |of_document: &'static str| {
        if is_own { "an operation has a method only where its server is that of the document" } else { of_document }
    };
    for (url, node) in &before {
        if let Some(other) = has.get(url) {
            variables(cx, url, node, other);
        } else {
            let rust = rust("the base URL, where it is this one");
            cx.report(&surf::SERVER_REMOVED, node, format!("`{url}` went"), rust);
        }
    }
    for (url, node) in &after {
        if !had.contains_key(url) {
            cx.report(&surf::SERVER_ADDED, node, format!("`{url}` is new"), rust("a base URL that may be set"));
        }
    }
    if let (Some((was, _)), Some((is, _))) = (before.first(), after.first())
        && was != is
        // Otherwise it came or went, which was said.
        && has.contains_key(was)
        && had.contains_key(is)
    {
        let detail = format!("`{is}` stands first, no longer `{was}`");
        cx.report(&surf::SERVER_ORDER_CHANGED, new.unwrap_or(here), detail, "the base URL is another one");
    }
}

/// Compares what the variables of a server can be.
fn variables(cx: &mut Comparison<'_>, url: &str, old: &Node<'_>, new: &Node<'_>) {
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
    let rust = "the base URL, where it is this one";
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

/// The URLs in their order, without a slash at the end, variables replaced by their defaults.
fn urls<'a>(list: Option<&Node<'a>>) -> Vec<(String, Node<'a>)> {
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
        let url = url.trim_end_matches('/').to_owned();
        if known.insert(url.clone()) {
            urls.push((url, server));
        }
    }
    urls
}

fn own<'a>(operation: &Operation<'a>) -> Option<Node<'a>> {
    operation.node.get("servers").or_else(|| operation.item.get("servers"))
}
