//! What somebody who mistyped a name may have meant.

/// How many names are offered.
const MOST: usize = 3;
/// How alike two names are that may be one.
const LIKENESS: f64 = 0.75;

/// The known names that are like the one that was typed, the likest first.
pub fn near<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&typed, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().map(|(_, known)| known).collect()
}

/// Help for a mistyped name: those that are like it, and what else to do.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let near: Vec<String> = near(typed, known).into_iter().take(MOST).map(|known| format!("`{known}`")).collect();
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}? {otherwise}", near.join(" or ")) }
}
