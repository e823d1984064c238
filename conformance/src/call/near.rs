//! What somebody who mistyped a name may have meant.

use crate::secret::shown;

/// How many names are offered.
const MOST: usize = 3;
/// How alike two names are that may be one.
const LIKENESS: f64 = 0.75;

/// The known names that are like the one that was typed, and what else to do.
pub(super) fn told<'a>(typed: &str, known: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let near: Vec<String> = near(typed, known).into_iter().take(MOST).map(|known| format!("`{known}`")).collect();
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}? {otherwise}", near.join(" or ")) }
}

/// What was typed, for a message: one of words that is like no name may be a secret in the wrong place.
pub(super) fn repeated<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    if near(typed, known).is_empty() { "...".to_owned() } else { shown(typed) }
}

/// The names that are like it, the likest first.
fn near<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(&typed, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, known)| known).collect()
}
