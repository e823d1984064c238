//! Patterns over ids: `*` matches anything within a segment, `**` anything.

pub(crate) use keyfit_openapi::matches_pattern as matches;

/// Returns whether a text matches one of the patterns, if there are any, and none of `left_out`.
pub(crate) fn selects(patterns: &[String], left_out: &[String], text: &str) -> bool {
    let fits = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, text));
    (patterns.is_empty() || fits(patterns)) && !fits(left_out)
}
