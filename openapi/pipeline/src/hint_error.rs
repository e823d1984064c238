//! Overlay hints that contradict the document.

/// An error in a hint: the key at fault (empty for the hint as a whole), the problem, and the remedy.
#[derive(Debug)]
pub(crate) struct HintError {
    pub(crate) key: &'static str,
    pub(crate) problem: String,
    pub(crate) help: &'static str,
}

/// Creates the error for a wrong key of a hint.
pub(crate) fn hint_error(key: &'static str, problem: impl Into<String>, help: &'static str) -> HintError {
    HintError { key, problem: problem.into(), help }
}

/// Creates the error for a place that the document does not have in a body.
pub(crate) fn no_such_member(key: &'static str, pointer: &str, what: &str) -> HintError {
    let problem = format!("the document has no `{}`, which is to be {what}", display_pointer(pointer));
    hint_error(key, problem, "a place is a JSON pointer into the body, such as `/data/items`; empty is the body itself")
}

/// Returns a pointer as messages show it: the empty pointer is "the body".
pub(crate) fn display_pointer(pointer: &str) -> &str {
    if pointer.is_empty() { "the body" } else { pointer }
}
