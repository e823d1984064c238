//! The security requirements of operations: their own, and the document's default.

use super::Document;
use super::comparison::Comparison;
use super::node::Revision;
use super::operations::Pair;
use super::requirements::{self, OF_DOCUMENT, OF_OPERATION};
use super::rules::security as sec;
use super::schemes;
use crate::vendor_scopes;

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, pairs: &[Pair<'a>], old: &'a Document, new: &'a Document) {
    let renamed = schemes::renamed(old, new);
    let (old, new) = (old.root(Revision::Old), new.root(Revision::New));
    let (before, after) = (old.get("security"), new.get("security"));
    let mut inheriting = Vec::new();
    for pair in pairs {
        cx.set_operations(&[pair.number]);
        scopes_of_vendor(cx, pair);
        let (own_old, own_new) = (pair.old.node.get("security"), pair.new.node.get("security"));
        if own_old.is_none() && own_new.is_none() {
            inheriting.push(pair.number);
            continue;
        }
        let requirements = [own_old.as_ref().or(before.as_ref()), own_new.as_ref().or(after.as_ref())];
        requirements::compare(cx, &OF_OPERATION, requirements, &pair.new.node, &renamed);
    }
    // If every operation has its own requirements, the document's affect none.
    if !inheriting.is_empty() {
        cx.set_operations(&inheriting);
        requirements::compare(cx, &OF_DOCUMENT, [before.as_ref(), after.as_ref()], &new, &renamed);
    }
}

/// Compares the scopes that an operation names under a vendor's extension key.
fn scopes_of_vendor(cx: &mut Comparison<'_>, pair: &Pair<'_>) {
    let (had, has) = (vendor_scopes(pair.old.node.value), vendor_scopes(pair.new.node.value));
    for scope in has.difference(&had) {
        let detail = format!("the scope `{scope}` is needed as well");
        cx.report(&sec::SCOPE_ADDED, &pair.new.node, detail, format!("no change: the token must hold `{scope}`"));
    }
    for scope in had.difference(&has) {
        let detail = format!("the scope `{scope}` is no longer needed");
        cx.report(&sec::SCOPE_REMOVED, &pair.new.node, detail, format!("no change: the token need not hold `{scope}`"));
    }
}
