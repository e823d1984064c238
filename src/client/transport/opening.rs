//! What a request is opened with: the credential of the client where the operation takes it, nothing where it takes none, and
//! no request at all where it takes another.

use crate::error::{Api, Error, Operation};

/// Whether no operation of an API names this kind.
pub(super) fn is_foreign(api: &Api, kind: Option<&str>) -> bool {
    let named = api.operations.iter().filter_map(|operation| operation.security).flatten().copied().flatten();
    kind.is_some_and(|kind| named.into_iter().all(|name| *name != kind))
}

/// Whether an operation takes the client's credential, which is of this kind. Of the alternatives the first counts that needs it and nothing else,
/// before a call without any.
///
/// # Errors
/// Returns an error if it takes others alone, with their names.
pub(super) fn takes(operation: &Operation, kind: Option<&str>, is_foreign: bool) -> Result<bool, Error> {
    let Some(alternatives) = operation.security else { return Ok(true) };
    let takes = |names: &&[&str]| match (*names, kind) {
        ([name], Some(kind)) => *name == kind || is_foreign,
        _ => false,
    };
    if alternatives.iter().any(takes) {
        return Ok(true);
    }
    if alternatives.iter().any(|names| names.is_empty()) {
        return Ok(false);
    }
    let needed: Vec<String> = alternatives.iter().map(|names| quoted(names, " with ")).collect();
    let held = kind.map_or_else(|| "no credential".to_owned(), |kind| format!("`{kind}`"));
    Err(Error::credential(format!("it takes {}, and this client holds {held}", needed.join(", or "))))
}

fn quoted(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}
