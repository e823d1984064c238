//! Operations: their pairs in both documents, the added and removed ones, and their names.

use std::collections::HashMap;

use super::Document;
use super::comparison::Comparison;
use super::node::Revision;
use super::operation::Operation;
use super::rules::surface as surf;
use super::{bodies, hints, parameters, responses};

/// An operation that both documents have, with its number.
pub(super) struct Pair<'a> {
    pub(super) number: usize,
    pub(super) old: Operation<'a>,
    pub(super) new: Operation<'a>,
}

/// Compares all operations, and returns those that both documents have.
pub(super) fn compare<'a>(cx: &mut Comparison<'a>, old: &'a Document, new: &'a Document) -> Vec<Pair<'a>> {
    let mut old_operations: Vec<Option<Operation<'a>>> =
        Operation::all(old, Revision::Old).into_iter().map(Some).collect();
    let new_operations = Operation::all(new, Revision::New);
    let partners = matches(&mut old_operations, &new_operations);
    let mut pairs = Vec::new();
    for (operation, partner) in new_operations.into_iter().zip(partners) {
        let number = cx.add_operation(operation.named());
        cx.set_operations(&[number]);
        match partner {
            Some(old) => pairs.push(Pair { number, old, new: operation }),
            None => cx.report(
                &surf::OPERATION_ADDED,
                &operation.node,
                "the operation is new",
                format!("the method `{}` is new", operation.function()),
            ),
        }
    }
    for operation in old_operations.into_iter().flatten() {
        let number = cx.add_operation(operation.named());
        cx.set_operations(&[number]);
        cx.report(
            &surf::OPERATION_REMOVED,
            &operation.node,
            "the operation went",
            format!("the method `{}` is gone", operation.function()),
        );
    }
    for pair in &pairs {
        cx.set_operations(&[pair.number]);
        compare_pair(cx, pair);
    }
    pairs
}

fn compare_pair<'a>(cx: &mut Comparison<'a>, pair: &Pair<'a>) {
    let Pair { old, new, .. } = pair;
    if old.id != new.id {
        let (before, after) = (old.function(), new.function());
        let rust = if before == after {
            "no change: both ids give one name".to_owned()
        } else {
            format!("the method `{before}` becomes `{after}`")
        };
        let at = new.node.get("operationId").unwrap_or_else(|| new.node.clone());
        cx.report(&surf::OPERATION_RENAMED, &at, format!("`{}` becomes `{}`", old.id, new.id), rust);
    }
    let rust = "no change";
    match (old.node.is_true("deprecated"), new.node.is_true("deprecated")) {
        (false, true) => {
            cx.report(&surf::OPERATION_DEPRECATED, &new.node, "the operation is now deprecated", rust);
        }
        (true, false) => {
            cx.report(&surf::OPERATION_UNDEPRECATED, &new.node, "the operation is no longer deprecated", rust);
        }
        _ => {}
    }
    let has_same = |cx: &Comparison<'_>, key| cx.unchanged.is_same_member(&old.node, &new.node, key);
    let has_same_shared = cx.unchanged.is_same_member(&old.item, &new.item, "parameters");
    if old.path != new.path || !has_same_shared || !has_same(cx, "parameters") {
        parameters::compare(cx, old, new);
    }
    if !has_same(cx, "requestBody") {
        bodies::compare(cx, old, new);
    }
    if !has_same(cx, "responses") {
        responses::compare(cx, old, new);
    }
    hints::compare(cx, old, new);
}

/// Returns the old operation for each new one. They are paired by method and path: first by the path of the whole URL, since a
/// part may have moved from the server to the paths, and then without the names of parameters.
fn matches<'a>(
    old_operations: &mut [Option<Operation<'a>>],
    new_operations: &[Operation<'a>],
) -> Vec<Option<Operation<'a>>> {
    let mut partners = vec![None; new_operations.len()];
    let keys: [fn(&Operation<'_>) -> String; 4] = [
        |operation| operation.address(),
        |operation| operation.path.clone(),
        |operation| Operation::shape(&operation.address()),
        |operation| Operation::shape(&operation.path),
    ];
    for key in keys {
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for (place, operation) in old_operations.iter().enumerate() {
            if let Some(operation) = operation {
                places.entry((operation.method.clone(), key(operation))).or_insert(place);
            }
        }
        for (partner, operation) in partners.iter_mut().zip(new_operations) {
            if partner.is_none()
                && let Some(place) = places.remove(&(operation.method.clone(), key(operation)))
            {
                *partner = old_operations[place].take();
            }
        }
    }
    partners
}
