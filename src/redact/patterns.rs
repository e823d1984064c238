//! A set of secrets as one automaton.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::Redactor;
use super::layer::Ends;
use super::word::{self, Word};

/// A set of secrets, searched for all at once and in any case.
#[derive(Clone)]
pub(super) struct Patterns {
    /// The secrets, with what they become where all their letters are made large or small.
    variants: BTreeSet<String>,
    search: Search,
}

/// How the secrets that are not short are searched for.
#[derive(Clone)]
enum Search {
    /// One by one.
    Few(Vec<Word>),
    /// All at once.
    Many(AhoCorasick),
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
    secret.len() >= Redactor::SHORTEST
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
        // Built fast, small, and searched in one pass; the faster kinds take longer to build than most texts to search.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&long)
            .expect("secrets are shorter than the 2 GiB of an automaton");
        Some(Self { variants, search: Search::Many(automaton) })
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
            Search::Many(automaton) => automaton.find_overlapping_iter(text).for_each(|found| hit(found.range())),
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
            if longest >= Redactor::SHORTEST {
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
