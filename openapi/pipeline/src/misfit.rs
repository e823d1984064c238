//! What a hint of an overlay says that the document does not bear out.

/// What is wrong with a hint: the key at fault, empty for the hint as a whole, why, and what to do.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) key: &'static str,
    pub(crate) problem: String,
    pub(crate) help: &'static str,
}

/// A hint that is wrong in a key of its own.
pub(crate) fn misfit(key: &'static str, problem: impl Into<String>, help: &'static str) -> Misfit {
    Misfit { key, problem: problem.into(), help }
}

/// A place in a body that the document does not have.
pub(crate) fn absent(key: &'static str, pointer: &str, what: &str) -> Misfit {
    let problem = format!("the document has no `{}`, which is to be {what}", shown(pointer));
    misfit(key, problem, "a place is a JSON pointer into the body, such as `/data/items`; empty is the body itself")
}

/// A pointer for people: the root has a name.
pub(crate) fn shown(pointer: &str) -> &str {
    if pointer.is_empty() { "the body" } else { pointer }
}
