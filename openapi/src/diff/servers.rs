//! Servers: those of the document, and those that a path or an operation has for itself.

use super::Document;
use super::comparison::Comparison;
use super::node::{Node, Revision};
use super::operation::Operation;
use super::operations::Pair;
use super::rules::surface as surf;

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
        lists(cx, own_old.as_ref().or(before.as_ref()), own_new.as_ref().or(after.as_ref()), &pair.new.node);
    }
    cx.concerns(&inheriting);
    lists(cx, before.as_ref(), after.as_ref(), &new);
}

fn lists(cx: &mut Comparison<'_>, old: Option<&Node<'_>>, new: Option<&Node<'_>>, here: &Node<'_>) {
    let (before, after) = (urls(old), urls(new));
    for (url, node) in &before {
        if !after.iter().any(|(other, _)| other == url) {
            cx.report(&surf::SERVER_REMOVED, node, format!("`{url}` went"), "the base URL, where it is this one");
        }
    }
    for (url, node) in &after {
        if !before.iter().any(|(other, _)| other == url) {
            cx.report(&surf::SERVER_ADDED, node, format!("`{url}` is new"), "a base URL that may be set");
        }
    }
    if let (Some((was, _)), Some((is, _))) = (before.first(), after.first())
        && was != is
        // Otherwise it came or went, which was said.
        && after.iter().any(|(other, _)| other == was)
        && before.iter().any(|(other, _)| other == is)
    {
        let detail = format!("`{is}` stands first, no longer `{was}`");
        cx.report(&surf::SERVER_ORDER_CHANGED, new.unwrap_or(here), detail, "the base URL is another one");
    }
}

/// The URLs in their order, without a slash at the end, variables replaced by their defaults.
fn urls<'a>(list: Option<&Node<'a>>) -> Vec<(String, Node<'a>)> {
    let mut urls: Vec<(String, Node<'a>)> = Vec::new();
    for server in list.iter().flat_map(|list| list.items()) {
        let Some(template) = server.text("url") else { continue };
        let mut url = template.to_owned();
        for (name, variable) in server.get("variables").iter().flat_map(Node::entries) {
            if let Some(default) = variable.text("default") {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        let url = url.trim_end_matches('/').to_owned();
        if !urls.iter().any(|(known, _)| *known == url) {
            urls.push((url, server));
        }
    }
    urls
}

fn own<'a>(operation: &Operation<'a>) -> Option<Node<'a>> {
    operation.node.get("servers").or_else(|| operation.item.get("servers"))
}
