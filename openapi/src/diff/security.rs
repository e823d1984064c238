//! Which logins the operations need: their own ones, and those that the document says for all others.

use super::Document;
use super::alternatives::{self, OF_DOCUMENT, OF_OPERATION};
use super::comparison::Comparison;
use super::node::Revision;
use super::operations::Pair;
use super::schemes;

pub(super) fn compare<'a>(cx: &mut Comparison<'a>, pairs: &[Pair<'a>], old: &'a Document, new: &'a Document) {
    let renamed = schemes::renamed(old, new);
    let (old, new) = (old.root(Revision::Old), new.root(Revision::New));
    let (before, after) = (old.get("security"), new.get("security"));
    let mut inheriting = Vec::new();
    for pair in pairs {
        let (own_old, own_new) = (pair.old.node.get("security"), pair.new.node.get("security"));
        if own_old.is_none() && own_new.is_none() {
            inheriting.push(pair.number);
            continue;
        }
        cx.concerns(&[pair.number]);
        let requirements = [own_old.as_ref().or(before.as_ref()), own_new.as_ref().or(after.as_ref())];
        alternatives::compare(cx, &OF_OPERATION, requirements, &pair.new.node, &renamed);
    }
    // Where every operation has its own word, the document's concerns nobody.
    if !inheriting.is_empty() {
        cx.concerns(&inheriting);
        alternatives::compare(cx, &OF_DOCUMENT, [before.as_ref(), after.as_ref()], &new, &renamed);
    }
}
