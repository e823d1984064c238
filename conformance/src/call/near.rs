//! The safe repetition of a mistyped name.

use keyfit_openapi::similar_names;

use crate::secret::shown;

/// Returns the typed name for a message, or `...` if it is similar to no known name and may be a misplaced secret.
pub(super) fn repeated<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    if similar_names(typed, known).is_empty() { "...".to_owned() } else { shown(typed) }
}
