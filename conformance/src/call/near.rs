//! What of a mistyped name may be repeated.

use keyfit_openapi::near;

use crate::secret::shown;

/// What was typed, for a message: one of words that is like no name may be a secret in the wrong place.
pub(super) fn repeated<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    if near(typed, known).is_empty() { "...".to_owned() } else { shown(typed) }
}
