//! Patterns for ids: `*` matches any text within a segment, `**` any text at all.

/// Returns whether a pattern matches the whole of a text. `*` matches any text within a segment, `**` any text at all.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some(star) = pattern.find('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(&pattern[..star]) else { return false };
    let (tail, crosses) = match pattern[star..].strip_prefix("**") {
        Some(tail) => (tail, true),
        None => (&pattern[star + 1..], false),
    };
    // Every position where the match of the star can end; a single star stops at the next slash.
    rest.char_indices()
        .map(|(at, character)| (at, !crosses && character == '/'))
        .chain([(rest.len(), true)])
        .scan(false, |stopped, (at, stops)| {
            let open = !*stopped;
            *stopped |= stops;
            open.then_some(at)
        })
        .any(|at| matches_pattern(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::matches_pattern as matches;

    #[test]
    fn a_star_stays_within_its_segment() {
        assert!(matches("ingest/*/no-token/*", "ingest/auth/no-token/stream-get"));
        assert!(matches("stream-*", "stream-get"));
        assert!(!matches("ingest/*", "ingest/auth/no-token"));
        assert!(!matches("*-get", "stream-get/404"));
    }

    #[test]
    fn two_stars_cross_segments() {
        assert!(matches("ingest/**", "ingest/auth/no-token/stream-get"));
        assert!(matches("**/stream-get", "ingest/auth/no-token/stream-get"));
        assert!(matches("**", ""));
        assert!(!matches("scopien/**", "ingest/auth/no-token/stream-get"));
    }

    #[test]
    fn a_pattern_without_stars_is_the_text_itself() {
        assert!(matches("stream-get", "stream-get"));
        assert!(!matches("stream-get", "stream-gets"));
    }
}
