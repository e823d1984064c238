//! The safe repetition of a mistyped name.

use keyfit_openapi::similar_names;

use crate::credential::secret::name_for_message;

/// Returns the typed name for a message, or `...` if it is similar to no known name and may be a misplaced secret.
pub(super) fn quoted_if_similar<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    if similar_names(typed, known).is_empty() { "...".to_owned() } else { name_for_message(typed) }
}
