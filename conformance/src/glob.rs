//! Patterns over ids: `*` stands for anything within a segment, `**` for anything at all.

pub(crate) use keyfit_openapi::fits_pattern as matches;

/// Whether a text fits one of the patterns, if there are any, and none of those to be left out.
pub(crate) fn selects(patterns: &[String], left_out: &[String], text: &str) -> bool {
    let fits = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, text));
    (patterns.is_empty() || fits(patterns)) && !fits(left_out)
}
