//! Parts of a secret at the ends of a text that was cut.

use super::Redactor;

/// How much of an escape may be left at the beginning: `u002B` of `\u002B`, `percnt;` of `&percnt;`.
const LONGEST_REST: usize = 7;

/// How many bytes at the end of the text are the beginning of the secret.
pub(super) fn at_end(text: &[u8], secret: &[u8]) -> usize {
    let tail = text.len().saturating_sub(secret.len());
    overlap(text[tail..].iter().copied(), secret.len(), |at| secret[at])
}

/// How many bytes at the beginning of the text are the end of the secret, with what is left of an escape before them.
pub(super) fn at_start(text: &[u8], secret: &[u8]) -> usize {
    let skips = 0..=LONGEST_REST.min(text.len());
    skips
        .filter_map(|skip| {
            let head = &text[skip..text.len().min(skip + secret.len())];
            let length = overlap(head.iter().rev().copied(), secret.len(), |at| secret[secret.len() - 1 - at]);
            (length >= Redactor::SHORTEST).then_some(skip + length)
        })
        .max()
        .unwrap_or_default()
}

/// The longest beginning of the pattern that ends the text, in any case: the state that the matcher of Knuth, Morris and
/// Pratt is left in, so that no pair of text and secret takes quadratic time.
fn overlap(text: impl Iterator<Item = u8>, length: usize, pattern: impl Fn(usize) -> u8) -> usize {
    let pattern: Vec<u8> = (0..length).map(|at| pattern(at).to_ascii_lowercase()).collect();
    let advance = |borders: &[usize], mut state: usize, byte: u8| {
        while state > 0 && pattern.get(state) != Some(&byte) {
            state = borders[state - 1];
        }
        if pattern.get(state) == Some(&byte) { state + 1 } else { 0 }
    };
    let mut borders = vec![0; length];
    for at in 1..length {
        borders[at] = advance(&borders, borders[at - 1], pattern[at]);
    }
    text.fold(0, |state, byte| advance(&borders, state, byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_part_at_either_end_counts() {
        assert_eq!(at_end(b"x aabaa", b"aabaab"), 5);
        assert_eq!(at_end(b"x AABA", b"aabaab"), 4);
        assert_eq!(at_end(b"aaaaab", b"aaaaaa"), 0);
        assert_eq!(at_start(b"baab x", b"aabaab"), 4);
        assert_eq!(at_start(b"2Fbaab x", b"a/baab"), 6);
        assert_eq!(at_start(b"aab x", b"aabaab"), 0);
    }
}
