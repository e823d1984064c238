//! Secrets that nobody told us of, by their looks.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

/// The shapes of secrets of the APIs that we speak: keys with a mode, connected apps, SMS tokens, JWTs, 40 hex digits.
/// `rk_` counts at the start of a word only, or `network_error` would be masked.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:sk_(?:live|test)_|\brk_|isoa_|issw_)[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?|\b[0-9A-Fa-f]{40}\b")
        .expect("the pattern is a constant")
});

/// Where something looks like a secret.
pub(super) fn ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    SHAPES.find_iter(text).map(|found| found.range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_shapes_are_masked() {
        let forty = "0123456789abcdef".repeat(3)[..40].to_owned();
        for secret in ["sk_live_x", "sk_test_x1", "rk_x", "isoa_x", "issw_x", "eyJh.eyJi.c", forty.as_str()] {
            let found: Vec<_> = ranges(&format!("a {secret} b")).map(|range| (range.start, range.end)).collect();
            assert_eq!(found, [(2, 2 + secret.len())], "{secret}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["the message sms_1 was not found", "network_error", "mark_as_read"] {
            assert_eq!(ranges(text).count(), 0, "{text}");
        }
    }
}
