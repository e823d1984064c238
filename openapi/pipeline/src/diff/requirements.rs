//! Security requirements: alternatives, each with schemes that are needed together, and their scopes.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::Comparison;
use super::node::Node;
use super::rules::{Rule, security as sec};

/// The rules for an operation's own requirements, or for those of the document.
pub(super) struct RequirementRules {
    required: &'static Rule,
    dropped: &'static Rule,
    scope_added: &'static Rule,
    scope_removed: &'static Rule,
    alternative_added: &'static Rule,
    alternative_removed: &'static Rule,
    joined: &'static Rule,
    spared: &'static Rule,
}

pub(super) static OF_OPERATION: RequirementRules = RequirementRules {
    required: &sec::LOGIN_REQUIRED,
    dropped: &sec::LOGIN_DROPPED,
    scope_added: &sec::SCOPE_ADDED,
    scope_removed: &sec::SCOPE_REMOVED,
    alternative_added: &sec::ALTERNATIVE_ADDED,
    alternative_removed: &sec::ALTERNATIVE_REMOVED,
    joined: &sec::JOINED,
    spared: &sec::SPARED,
};

pub(super) static OF_DOCUMENT: RequirementRules = RequirementRules {
    required: &sec::GLOBAL_LOGIN_REQUIRED,
    dropped: &sec::GLOBAL_LOGIN_DROPPED,
    scope_added: &sec::GLOBAL_SCOPE_ADDED,
    scope_removed: &sec::GLOBAL_SCOPE_REMOVED,
    alternative_added: &sec::GLOBAL_ALTERNATIVE_ADDED,
    alternative_removed: &sec::GLOBAL_ALTERNATIVE_REMOVED,
    joined: &sec::GLOBAL_JOINED,
    spared: &sec::GLOBAL_SPARED,
};

/// An alternative of a security requirement.
struct Alternative<'a> {
    node: Node<'a>,
    /// Scopes by scheme.
    schemes: BTreeMap<String, BTreeSet<&'a str>>,
}

/// Compares two lists of requirements; without a list, no credential is needed. `here` is the place of a new list, `renamed`
/// holds the new names of schemes.
pub(super) fn compare(
    cx: &mut Comparison<'_>,
    rules: &RequirementRules,
    [old, new]: [Option<&Node<'_>>; 2],
    here: &Node<'_>,
    renamed: &BTreeMap<String, String>,
) {
    let (was_open, before) = read(old, renamed);
    let (is_open, after) = read(new, &BTreeMap::new());
    let at = new.unwrap_or(here);
    let is_all = match (was_open, is_open) {
        (true, false) => {
            let detail = format!("a login is needed: {}", list(&after));
            cx.report(rules.required, at, detail, "the client must be built with a token");
            before.is_empty()
        }
        (false, true) => {
            let detail = if after.is_empty() {
                format!("a login is no longer needed, which was {}", list(&before))
            } else {
                format!("a login is no longer needed; {} will still do", list(&after))
            };
            cx.report(rules.dropped, at, detail, "no change: the token is still sent");
            after.is_empty()
        }
        _ => false,
    };
    if !is_all {
        compare_alternatives(cx, rules, before, after);
    }
}

fn compare_alternatives<'a>(
    cx: &mut Comparison<'_>,
    rules: &RequirementRules,
    mut before: Vec<Alternative<'a>>,
    mut after: Vec<Alternative<'a>>,
) {
    // First unchanged alternatives, then those with other scopes, then those with one scheme more or less.
    let is_same = |old: &Alternative<'_>, new: &Alternative<'_>| old.schemes == new.schemes;
    take_matching(&mut before, &mut after, is_same);
    let are_equal = |old: &Alternative<'_>, new: &Alternative<'_>| old.names() == new.names();
    for (old, new) in take_matching(&mut before, &mut after, are_equal) {
        scopes(cx, rules, &old, &new);
    }
    let is_one_more = |old: &Alternative<'_>, new: &Alternative<'_>| old.names().is_subset(&new.names());
    for (old, new) in take_matching(&mut before, &mut after, is_one_more) {
        let detail = format!("{} is needed, no longer {} alone", new.text(), old.text());
        cx.report(rules.joined, &new.node, detail, "the client must send a second credential");
        scopes(cx, rules, &old, &new);
    }
    let is_one_less = |old: &Alternative<'_>, new: &Alternative<'_>| new.names().is_subset(&old.names());
    for (old, new) in take_matching(&mut before, &mut after, is_one_less) {
        let detail = format!("{} will do, no longer {}", new.text(), old.text());
        cx.report(rules.spared, &new.node, detail, "no change");
        scopes(cx, rules, &old, &new);
    }
    for old in before {
        let detail = format!("{} will no longer do", old.text());
        cx.report(
            rules.alternative_removed,
            &old.node,
            detail,
            "a client with such a token must be built with another",
        );
    }
    for new in after {
        let detail = format!("{} will do as well", new.text());
        cx.report(rules.alternative_added, &new.node, detail, "the client may be built with another token");
    }
}

/// Compares the scopes of the schemes that both alternatives name.
fn scopes(cx: &mut Comparison<'_>, rules: &RequirementRules, old: &Alternative<'_>, new: &Alternative<'_>) {
    for (scheme, has) in &new.schemes {
        let Some(had) = old.schemes.get(scheme) else { continue };
        let at = new.node.get(scheme).unwrap_or_else(|| new.node.clone());
        for scope in has.difference(had) {
            let detail = format!("the scope `{scope}` of `{scheme}` is needed as well");
            cx.report(rules.scope_added, &at, detail, format!("no change: the token must hold `{scope}`"));
        }
        for scope in had.difference(has) {
            let detail = format!("the scope `{scope}` of `{scheme}` is no longer needed");
            cx.report(rules.scope_removed, &at, detail, format!("no change: the token need not hold `{scope}`"));
        }
    }
}

/// Removes matching pairs from both lists and returns them.
fn take_matching<'a>(
    before: &mut Vec<Alternative<'a>>,
    after: &mut Vec<Alternative<'a>>,
    belong: impl Fn(&Alternative<'a>, &Alternative<'a>) -> bool,
) -> Vec<(Alternative<'a>, Alternative<'a>)> {
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    for old in before.drain(..) {
        match after.iter().position(|new| belong(&old, new)) {
            Some(place) => pairs.push((old, after.remove(place))),
            None => left.push(old),
        }
    }
    *before = left;
    pairs
}

/// Returns the alternatives that need a credential, and true if there is one that needs none.
fn read<'a>(list: Option<&Node<'a>>, renamed: &BTreeMap<String, String>) -> (bool, Vec<Alternative<'a>>) {
    let mut alternatives: Vec<Alternative<'a>> = Vec::new();
    let mut has_free = false;
    for node in list.iter().flat_map(|list| list.items()) {
        let schemes: BTreeMap<String, BTreeSet<&'a str>> = node
            .entries()
            .map(|(name, scopes)| {
                let scopes = scopes.value.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
                (renamed.get(name).cloned().unwrap_or_else(|| name.to_owned()), scopes.collect())
            })
            .collect();
        if schemes.is_empty() {
            has_free = true;
        } else {
            alternatives.push(Alternative { node, schemes });
        }
    }
    (has_free || alternatives.is_empty(), alternatives)
}

fn list(alternatives: &[Alternative<'_>]) -> String {
    alternatives.iter().map(Alternative::text).collect::<Vec<_>>().join(" or ")
}

impl Alternative<'_> {
    fn names(&self) -> BTreeSet<&str> {
        self.schemes.keys().map(String::as_str).collect()
    }

    /// Returns a description: "`login` with `read`, `write` and `key`".
    fn text(&self) -> String {
        let components = self.node.root().get("components");
        let known = components.and_then(|components| components.get("securitySchemes"));
        // This reveals a misspelled name.
        let is_unknown = |name: &str| known.as_ref().is_some_and(|known| known.get(name).is_none());
        let scheme = |(name, scopes): (&String, &BTreeSet<&str>)| {
            let unknown = if is_unknown(name) { " (no such scheme is described)" } else { "" };
            if scopes.is_empty() {
                return format!("`{name}`{unknown}");
            }
            let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            format!("`{name}`{unknown} with {}", scopes.join(", "))
        };
        self.schemes.iter().map(scheme).collect::<Vec<_>>().join(" and ")
    }
}
