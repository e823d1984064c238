//! The `x-keyfit` hints of the two documents, defaults of the document included.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;

use super::comparison::Comparison;
use super::node::Node;
use super::operation::Operation;
use super::rules::{Rule, keyfit as hint};
use crate::{Retry, walk};

/// The keys with rules of their own.
const KNOWN: [&str; 6] = ["credentials", "scopes", "resource", "retry", "retry-key", "errors"];

pub(super) fn compare(cx: &mut Comparison<'_>, old: &Operation<'_>, new: &Operation<'_>) {
    let (before, after) = (EffectiveHints::of(old), EffectiveHints::of(new));
    let lists = [
        ("scopes", "the scope", &hint::SCOPE_REMOVED, &hint::SCOPE_ADDED),
        ("credentials", "the kind of token", &hint::CREDENTIAL_REMOVED, &hint::CREDENTIAL_ADDED),
    ];
    for (key, what, removed, added) in lists {
        list(cx, key, what, removed, added, [&before, &after]);
    }
    retry(cx, old, new, &before, &after);
    let all: BTreeSet<&str> = before.keys().chain(after.keys()).collect();
    for key in all {
        let (was, is) = (before.get(key), after.get(key));
        if was.as_ref().map(|node| node.value) == is.as_ref().map(|node| node.value) {
            continue;
        }
        let rule = match key {
            "resource" => &hint::RESOURCE_CHANGED,
            "errors" => &hint::ERRORS_CHANGED,
            "retry-key" => &hint::RETRY_KEY_CHANGED,
            key if KNOWN.contains(&key) => continue,
            _ => &hint::HINT_CHANGED,
        };
        let text = |node: &Option<Node<'_>>| node.as_ref().map_or_else(|| "nothing".to_owned(), |it| plain(it.value));
        let detail = format!("`{key}`: {} becomes {}", text(&was), text(&is));
        if let Some(at) = is.or(was) {
            cx.report(rule, &at, detail, format!("`Operation` in the table: {}", key.replace('-', "_")));
        }
    }
}

fn list(
    cx: &mut Comparison<'_>,
    key: &str,
    what: &str,
    removed: &'static Rule,
    added: &'static Rule,
    [before, after]: [&EffectiveHints<'_>; 2],
) {
    let (was, is) = (before.get(key), after.get(key));
    let texts = |node: &Option<Node<'_>>| -> BTreeSet<String> {
        node.iter().flat_map(Node::items).map(|item| plain(item.value)).collect()
    };
    let (had, has) = (texts(&was), texts(&is));
    if key == "credentials" && (was.is_none() || is.is_none()) {
        // Without the hint, the kinds are not known.
        return;
    }
    let rust = format!("`Operation::{key}`");
    if let Some(at) = was.as_ref() {
        for text in had.difference(&has) {
            cx.report(removed, is.as_ref().unwrap_or(at), format!("{what} `{text}` is gone"), rust.clone());
        }
    }
    if let Some(at) = &is {
        for text in has.difference(&had) {
            cx.report(added, at, format!("{what} `{text}` is new"), rust.clone());
        }
    }
}

fn retry(
    cx: &mut Comparison<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    before: &EffectiveHints<'_>,
    after: &EffectiveHints<'_>,
) {
    let class = |hints: &EffectiveHints<'_>, operation: &Operation<'_>| {
        let said = hints.get("retry").and_then(|node| Retry::deserialize(node.value).ok());
        let is_safe = walk::is_safe(&operation.method);
        said.unwrap_or(if is_safe { Retry::Safe } else { Retry::Never })
    };
    let (was, is) = (class(before, old), class(after, new));
    if was == is {
        return;
    }
    let rule = if rank(is) < rank(was) { &hint::RETRY_NARROWED } else { &hint::RETRY_WIDENED };
    let at = after.get("retry").unwrap_or_else(|| new.node.clone());
    let detail = format!("`retry`: {} becomes {}", label(was), label(is));
    cx.report(rule, &at, detail, "`Operation::retry`: what the attempt loop repeats");
}

/// Returns the rank of a retry class: the more cases allow a retry, the higher.
fn rank(retry: Retry) -> u8 {
    match retry {
        Retry::Never => 0,
        Retry::Keyed => 1,
        Retry::Idempotent => 2,
        Retry::Safe => 3,
    }
}

fn label(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "never",
        Retry::Keyed => "keyed",
        Retry::Idempotent => "idempotent",
        Retry::Safe => "safe",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The keys of an operation, and those of the document that it does not override.
struct EffectiveHints<'a> {
    own: Option<Node<'a>>,
    shared: Option<Node<'a>>,
}

impl<'a> EffectiveHints<'a> {
    fn of(operation: &Operation<'a>) -> Self {
        Self { own: operation.node.get("x-keyfit"), shared: operation.node.root().get("x-keyfit") }
    }

    fn get(&self, key: &str) -> Option<Node<'a>> {
        let shared = || self.shared.as_ref().filter(|_| is_shared(key))?.get(key);
        self.own.as_ref().and_then(|own| own.get(key)).or_else(shared)
    }

    fn keys(&self) -> impl Iterator<Item = &'a str> {
        let keys = |node: &Option<Node<'a>>| {
            node.as_ref().and_then(|node| node.value.as_object()).into_iter().flat_map(serde_json::Map::keys)
        };
        let shared = keys(&self.shared).filter(|key| is_shared(key));
        keys(&self.own).chain(shared).map(String::as_str)
    }
}

/// Returns whether a key can have a default at the root of the document.
fn is_shared(key: &str) -> bool {
    matches!(key, "credentials" | "errors" | "rate-limit-by" | "idempotency-key")
}
