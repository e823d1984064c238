//! One secret, searched for by the matcher of Knuth, Morris and Pratt: no pair of text and secret takes quadratic time, and
//! one secret is ready sooner than an automaton.

use std::ops::Range;

/// The length in bytes from which on a secret is searched for in every encoding.
pub(super) const SHORTEST: usize = 4;

/// The longest rest of an escape at the beginning of a text that was cut: of a pair in JSON, `uD83D\uDE00`.
const LONGEST_REST: usize = 11;

/// A secret in small letters. It is found in any case.
#[derive(Clone)]
pub(super) struct Word {
    bytes: Vec<u8>,
    /// For each beginning of the secret the length of the longest shorter one that ends it.
    borders: Vec<usize>,
}

impl Word {
    pub(super) fn new(bytes: impl Iterator<Item = u8>) -> Self {
        let bytes: Vec<u8> = bytes.map(|byte| byte.to_ascii_lowercase()).collect();
        let mut word = Self { borders: vec![0; bytes.len()], bytes };
        for at in 1..word.bytes.len() {
            word.borders[at] = word.advance(word.borders[at - 1], word.bytes[at]);
        }
        word
    }

    /// Returns the length of the secret's beginning that ends with this byte, given the length that ended with the byte before.
    fn advance(&self, mut matched: usize, byte: u8) -> usize {
        while matched > 0 && self.bytes.get(matched) != Some(&byte) {
            matched = self.borders[matched - 1];
        }
        if self.bytes.get(matched) == Some(&byte) { matched + 1 } else { 0 }
    }

    /// Where the secret stands, also across itself.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        let mut matched = 0;
        for (at, byte) in text.iter().enumerate() {
            matched = self.advance(matched, byte.to_ascii_lowercase());
            if matched == self.bytes.len() {
                found(at + 1 - matched..at + 1);
            }
        }
    }

    /// Returns the length of the secret's beginning that ends the text, in bytes.
    fn ends(&self, text: impl Iterator<Item = u8>) -> usize {
        text.fold(0, |matched, byte| self.advance(matched, byte.to_ascii_lowercase()))
    }
}

/// Returns the number of bytes at the end of the text that are the beginning of the secret.
pub(super) fn at_end(text: &[u8], secret: &[u8]) -> usize {
    let tail = text.len().saturating_sub(secret.len());
    Word::new(secret.iter().copied()).ends(text[tail..].iter().copied())
}

/// Returns the number of bytes at the beginning of the text that are the end of the secret, with the rest of an escape before them.
pub(super) fn at_start(text: &[u8], secret: &[u8]) -> usize {
    let word = Word::new(secret.iter().rev().copied());
    let skips = 0..=LONGEST_REST.min(text.len());
    let lengths = skips.filter_map(|skip| {
        let head = &text[skip..text.len().min(skip + secret.len())];
        let length = word.ends(head.iter().rev().copied());
        (length >= SHORTEST).then_some(skip + length)
    });
    lengths.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_word_is_found() {
        let mut found = Vec::new();
        Word::new(b"AaBaA".iter().copied()).find(b"xaabaabaax", |range| found.push(range));
        assert_eq!(found, [1..6, 4..9]);
    }

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
