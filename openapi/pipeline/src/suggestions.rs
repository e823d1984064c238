//! Suggestions for mistyped names.

/// The maximum number of names that a message suggests.
const MAX_SUGGESTIONS: usize = 3;
/// The Jaro-Winkler similarity above which a name is suggested.
const MIN_SIMILARITY: f64 = 0.75;

/// Returns the known names that are similar to the typed one, the most similar first. Case is ignored.
pub fn similar_names<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&typed, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > MIN_SIMILARITY)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, known)| known).collect()
}

/// Returns the help text for a mistyped name: up to three similar names, then `otherwise`.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let near: Vec<String> =
        similar_names(typed, known).into_iter().take(MAX_SUGGESTIONS).map(|known| format!("`{known}`")).collect();
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}? {otherwise}", near.join(" or ")) }
}
