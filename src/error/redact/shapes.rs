//! Secrets that nobody told us of, by their looks.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// The shapes of secrets of any API: JWTs, and 40 hexadecimal digits.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?|\b[0-9A-Fa-f]{40}\b")
        .expect("the pattern is a constant")
});

/// A prefix of so many bytes counts within a word as well. A shorter one is part of too many: `rk_` of `network_error`.
const LONG: usize = 5;

/// Where something looks like a secret: of any API, or by its prefix.
pub(super) fn ranges<'t>(text: &'t str, prefixes: &'t [&str]) -> impl Iterator<Item = Range<usize>> + 't {
    let begun = prefixes.iter().filter(|prefix| !prefix.is_empty()).flat_map(|prefix| {
        text.match_indices(prefix).filter_map(|(start, _)| {
            let is_in_word = text[..start].bytes().next_back().is_some_and(is_of_secret);
            let rest = start + prefix.len();
            let length = text[rest..].bytes().take_while(|byte| is_of_secret(*byte)).count();
            (length > 0 && (prefix.len() >= LONG || !is_in_word)).then_some(start..rest + length)
        })
    });
    SHAPES.find_iter(text).map(|found| found.range()).chain(begun)
}

fn is_of_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIXES: [&str; 2] = ["sk_live_", "rk_"];

    #[test]
    fn shapes_and_prefixes_are_masked() {
        let forty = "0123456789abcdef".repeat(3)[..40].to_owned();
        for secret in ["sk_live_x", "rk_x1-y", "eyJh.eyJi.c", forty.as_str()] {
            let text = format!("a {secret} b");
            let found: Vec<_> = ranges(&text, &PREFIXES).map(|range| (range.start, range.end)).collect();
            assert_eq!(found, [(2, 2 + secret.len())], "{secret}");
        }
        assert_eq!(ranges("xsk_live_x", &PREFIXES).count(), 1, "a long prefix counts in a word");
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in
            ["the message sms_1 was not found", "network_error", "mark_as_read", "begins with sk_live_ or rk_", "é"]
        {
            assert_eq!(ranges(text, &PREFIXES).count(), 0, "{text}");
        }
        assert_eq!(ranges("a sk_live_x b", &[""]).count(), 0, "of an API that says nothing");
    }
}
