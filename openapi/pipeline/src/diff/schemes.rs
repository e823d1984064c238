//! Security schemes: the place of a credential, and the endpoints for OAuth tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Document;
use super::comparison::Comparison;
use super::node::{Node, Revision};
use super::operation::Operation;
use super::operations::Pair;
use super::rules::{Rule, security as sec};

const SENT_EFFECT: &str = "the client must send its token in another way";
const OBTAINED_EFFECT: &str = "the settings of the source of tokens in `auth::oauth`";

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, pairs: &[Pair<'a>], old: &'a Document, new: &'a Document) {
    let renamed = renamed(old, new);
    let (before, after) = (all(old, Revision::Old), all(new, Revision::New));
    let named: Vec<(usize, BTreeSet<&str>, BTreeSet<&str>)> =
        pairs.iter().map(|pair| (pair.number, names(&pair.old), names(&pair.new))).collect();
    let naming = |old: &str, new: &str| -> Vec<usize> {
        named
            .iter()
            .filter(|(_, had, has)| had.contains(old) || has.contains(new))
            .map(|(number, ..)| *number)
            .collect()
    };
    for (name, scheme) in &before {
        let now = renamed.get(*name).map_or(*name, String::as_str);
        cx.set_operations(&naming(name, now));
        if let Some(other) = after.get(now) {
            if now != *name {
                let detail = format!("`{name}` becomes `{now}`");
                cx.report(&sec::SCHEME_RENAMED, other, detail, "no change");
            }
            if naming(name, now).is_empty() {
                unused(cx, now, scheme, other);
            } else {
                scheme_pair(cx, now, scheme, other);
            }
        } else if named.iter().any(|(.., has)| has.contains(name)) {
            let detail = format!("`{name}` went, and is still named");
            cx.report(&sec::SCHEME_REMOVED, scheme, detail, "none can be told");
        } else {
            cx.report(&sec::SCHEME_REMOVED_UNUSED, scheme, format!("`{name}` went"), "no change");
        }
    }
    for (name, scheme) in &after {
        if !before.contains_key(name) && !renamed.values().any(|renamed| renamed == name) {
            cx.set_operations(&naming(name, name));
            cx.report(&sec::SCHEME_ADDED, scheme, format!("`{name}` is new"), "no change");
        }
    }
}

/// Compares a scheme that no operation uses.
fn unused(cx: &mut Comparison<'_>, name: &str, old: &Node<'_>, new: &Node<'_>) {
    if normalized(old) != normalized(new) {
        cx.report(&sec::SCHEME_CHANGED_UNUSED, new, format!("`{name}` says something else"), "no change");
    }
}

/// Returns the members of a scheme, independent of their order.
fn normalized(scheme: &Node<'_>) -> BTreeMap<String, String> {
    let keys = scheme.members().filter(|(key, _)| *key != "description");
    keys.map(|(key, node)| (key.to_owned(), node.value.to_string())).collect()
}

/// Returns the new names of schemes that were renamed but not changed.
pub(super) fn renamed(old: &Document, new: &Document) -> BTreeMap<String, String> {
    let (before, after) = (all(old, Revision::Old), all(new, Revision::New));
    let mut came: HashMap<_, &str> = HashMap::new();
    for (name, scheme) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        came.entry(normalized(scheme)).or_insert(name);
    }
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    gone.filter_map(|(name, scheme)| Some(((*name).to_owned(), came.remove(&normalized(scheme))?.to_owned()))).collect()
}

fn scheme_pair(cx: &mut Comparison<'_>, name: &str, old: &Node<'_>, new: &Node<'_>) {
    let (before, after) = (old.text("type").unwrap_or_default(), new.text("type").unwrap_or_default());
    if before != after {
        let at = new.get("type").unwrap_or_else(|| new.clone());
        let detail = format!("`{name}` is of type `{after}`, no longer `{before}`");
        cx.report(&sec::SCHEME_TYPE_CHANGED, &at, detail, SENT_EFFECT);
        return;
    }
    if before == "http" {
        // RFC 9110: scheme names are case-insensitive.
        let scheme = |node: &Node<'_>| node.text("scheme").unwrap_or_default().to_ascii_lowercase();
        if scheme(old) == scheme(new) {
            text(cx, name, "bearerFormat", &sec::BEARER_FORMAT_CHANGED, "what its tokens are", old, new);
        } else {
            text(cx, name, "scheme", &sec::HTTP_SCHEME_CHANGED, SENT_EFFECT, old, new);
        }
    }
    text(cx, name, "in", &sec::TOKEN_MOVED, SENT_EFFECT, old, new);
    // RFC 9110: header names are case-insensitive.
    let header = |node: &Node<'_>| {
        (node.text("in") == Some("header")).then(|| node.text("name").unwrap_or_default().to_ascii_lowercase())
    };
    if header(old).is_none() || header(old) != header(new) {
        text(cx, name, "name", &sec::TOKEN_MOVED, SENT_EFFECT, old, new);
    }
    text(cx, name, "openIdConnectUrl", &sec::OPENID_URL_CHANGED, OBTAINED_EFFECT, old, new);
    let (before, after) = (old.get("flows"), new.get("flows"));
    for (flow, node) in before.iter().flat_map(Node::members) {
        match after.as_ref().and_then(|flows| flows.get(flow)) {
            Some(other) => flow_pair(cx, &format!("{name}, {flow}"), &node, &other),
            None => {
                cx.report(&sec::FLOW_REMOVED, &node, format!("the flow `{flow}` of `{name}` went"), OBTAINED_EFFECT);
            }
        }
    }
    for (flow, node) in after.iter().flat_map(Node::members) {
        if before.as_ref().and_then(|flows| flows.get(flow)).is_none() {
            cx.report(&sec::FLOW_ADDED, &node, format!("the flow `{flow}` of `{name}` is new"), OBTAINED_EFFECT);
        }
    }
}

fn flow_pair(cx: &mut Comparison<'_>, name: &str, old: &Node<'_>, new: &Node<'_>) {
    text(cx, name, "authorizationUrl", &sec::AUTHORIZATION_URL_CHANGED, OBTAINED_EFFECT, old, new);
    text(cx, name, "tokenUrl", &sec::TOKEN_URL_CHANGED, OBTAINED_EFFECT, old, new);
    text(cx, name, "refreshUrl", &sec::REFRESH_URL_CHANGED, OBTAINED_EFFECT, old, new);
    let (before, after) = (old.get("scopes"), new.get("scopes"));
    for (scope, node) in before.iter().flat_map(Node::entries) {
        if after.as_ref().and_then(|scopes| scopes.get(scope)).is_none() {
            let rust = format!("`{scope}` may not be asked for");
            cx.report(&sec::OAUTH_SCOPE_REMOVED, &node, format!("`{scope}` of `{name}` went"), rust);
        }
    }
    for (scope, node) in after.iter().flat_map(Node::entries) {
        if before.as_ref().and_then(|scopes| scopes.get(scope)).is_none() {
            let rust = format!("`{scope}` may be asked for");
            cx.report(&sec::OAUTH_SCOPE_ADDED, &node, format!("`{scope}` of `{name}` is new"), rust);
        }
    }
}

/// Reports a key whose text has changed.
fn text(
    cx: &mut Comparison<'_>,
    name: &str,
    key: &str,
    rule: &'static Rule,
    rust: &str,
    old: &Node<'_>,
    new: &Node<'_>,
) {
    let (before, after) = (old.text(key), new.text(key));
    if before != after {
        let shown = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`"));
        let at = new.get(key).unwrap_or_else(|| new.clone());
        cx.report(rule, &at, format!("`{key}` of `{name}`: {} becomes {}", shown(before), shown(after)), rust);
    }
}

fn all(document: &Document, revision: Revision) -> BTreeMap<&str, Node<'_>> {
    let schemes = document.root(revision).get("components").and_then(|components| components.get("securitySchemes"));
    schemes.iter().flat_map(Node::entries).map(|(name, scheme)| (name, scheme.resolved())).collect()
}

/// Returns the schemes that the requirements of an operation name.
fn names<'a>(operation: &Operation<'a>) -> BTreeSet<&'a str> {
    let requirements = operation.node.get("security").or_else(|| operation.node.root().get("security"));
    let alternatives = requirements.iter().flat_map(Node::items);
    alternatives.flat_map(|alternative| alternative.entries().map(|(name, _)| name).collect::<Vec<_>>()).collect()
}
