//! A set of secrets as one automaton.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use super::layer::Ends;
use super::word::{self, SHORTEST, Word};

/// A set of secrets, searched for all at once and in any case.
#[derive(Clone)]
pub(super) struct Patterns {
    /// The secrets, with what they become where all their letters are made large or small.
    variants: BTreeSet<String>,
    search: Search,
}

/// The search for the secrets that are not short.
#[derive(Clone)]
enum Search {
    /// One by one.
    Few(Vec<Word>),
    /// All at once.
    Many(Box<NFA>),
}

/// As many secrets are searched for one by one: that takes less time than to build an automaton, and to leave it.
const FEW: usize = 4;

/// The secrets as they may be written, letters of ASCII aside.
pub(super) fn variants<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    for secret in secrets {
        let secret = secret.as_ref().trim();
        if secret.is_empty() {
            continue;
        }
        let other_cases = [secret.to_lowercase(), secret.to_uppercase()];
        variants.extend(other_cases.into_iter().filter(|other| is_long(secret) && !other.eq_ignore_ascii_case(secret)));
        variants.insert(secret.to_owned());
    }
    variants
}

fn is_long(secret: &str) -> bool {
    secret.len() >= SHORTEST
}

impl Patterns {
    /// `None` without secrets.
    pub(super) fn new(variants: BTreeSet<String>) -> Option<Self> {
        if variants.is_empty() {
            return None;
        }
        let long: Vec<&String> = variants.iter().filter(|secret| is_long(secret)).collect();
        if long.len() <= FEW {
            let words = long.iter().map(|secret| Word::new(secret.bytes())).collect();
            return Some(Self { variants, search: Search::Few(words) });
        }
        // Of the library's automata this is the one that is built fast and takes little room.
        let automaton = NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&long)
            .expect("secrets are shorter than the 2 GiB of an automaton");
        Some(Self { variants, search: Search::Many(Box::new(automaton)) })
    }

    pub(super) fn len(&self) -> usize {
        self.variants.len()
    }

    pub(super) fn into_variants(self) -> BTreeSet<String> {
        self.variants
    }

    fn long(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(String::as_str).filter(|secret| is_long(secret))
    }

    pub(super) fn has_space(&self) -> bool {
        self.long().any(|secret| secret.contains(' '))
    }

    /// The length of the shortest secret that is searched for everywhere.
    pub(super) fn shortest(&self) -> Option<usize> {
        self.long().map(str::len).min()
    }

    /// Where secrets stand, also across each other.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        let mut hit = |range: Range<usize>| match found.last_mut() {
            // Many hits of one stretch, such as a run of one letter, are one.
            Some(last) if last.start <= range.start && range.start <= last.end => last.end = last.end.max(range.end),
            _ => found.push(range),
        };
        match &self.search {
            Search::Few(words) => words.iter().for_each(|word| word.find(text, &mut hit)),
            Search::Many(automaton) => longest_by_end(automaton, text, hit),
        }
    }

    /// Where short secrets stand alone.
    pub(super) fn find_short(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for secret in self.variants.iter().filter(|secret| !is_long(secret)) {
            let is_part_of_word =
                |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
            for (start, window) in text.windows(secret.len()).enumerate() {
                let end = start + secret.len();
                let before = start.checked_sub(1).and_then(|before| text.get(before));
                if window == secret.as_bytes() && !is_part_of_word(before) && !is_part_of_word(text.get(end)) {
                    found.push(start..end);
                }
            }
        }
    }

    /// Parts of secrets at the ends that are open.
    pub(super) fn find_parts(&self, text: &[u8], ends: Ends, found: &mut Vec<Range<usize>>) {
        if ends.is_end_open {
            let longest = self.long().map(|secret| word::at_end(text, secret.as_bytes())).max().unwrap_or_default();
            if longest >= SHORTEST {
                found.push(text.len() - longest..text.len());
            }
        }
        if ends.is_start_open {
            let longest = self.long().map(|secret| word::at_start(text, secret.as_bytes())).max().unwrap_or_default();
            if longest > 0 {
                found.push(0..longest);
            }
        }
    }
}

/// Where secrets stand: of those that end at one place the longest. The library's own search for hits across each other
/// finds all of them, which for secrets that hold one another takes many times as long.
fn longest_by_end(automaton: &NFA, text: &[u8], mut hit: impl FnMut(Range<usize>)) {
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
    for (at, byte) in text.iter().enumerate() {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            let length = automaton.pattern_len(automaton.match_pattern(state, 0));
            hit(at + 1 - length..at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_secrets_that_end_at_one_place_the_longest_is_found() {
        let secrets = ["word", "a-word", "another-a-word", "sword", "sWord-and-word"];
        let mut found = Vec::new();
        let patterns = Patterns::new(variants(secrets)).expect("they are some");
        let Search::Many(automaton) = &patterns.search else { panic!("they are many") };
        longest_by_end(automaton, b"another-A-word, sword-and-word, password", |range| found.push(range));
        assert_eq!(found, [0..14, 16..21, 16..30, 35..40]);
    }
}
