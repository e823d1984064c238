//! Patterns: matching, and texts that match. Each text is checked by the engine that clients use, so that a pattern may have no
//! example, but never a wrong one.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};
use regress::Regex;

use crate::normalize::{PATH_GUARD, unguarded};
use crate::pattern_cost::excess;

/// The maximum number of repetitions that are added to reach a length.
const MAX_REPETITIONS: u32 = 300;
/// The maximum number of alternatives that are tried.
const MAX_CHOICES: usize = 4;
/// The maximum length of a text that is made, and the maximum number of bytes that are written to find it.
const MAX_LENGTH: usize = 10_000;
const MAX_WRITTEN: usize = 200_000;
/// The texts that are tried for a pattern that cannot be parsed, such as one with a look-ahead.
const FALLBACK_TEXTS: [&str; 6] =
    ["text", "1", "A1", "Text-1234", "2026-01-22", "00000000-0000-4000-8000-000000000000"];
/// The preferred characters of a class, in this order.
const PREFERRED: [u8; 6] = [b'a', b'A', b'1', b'0', b'-', b' '];

/// The maximum number of compiled patterns that a thread caches, and their maximum length: a mock checks each request against the
/// same few patterns.
const MAX_CACHED: usize = 64;
const MAX_CACHED_LENGTH: usize = 1_000;

thread_local! {
    static CACHE: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// Returns whether a text matches. Any text matches a pattern that is not valid in JavaScript, or that takes too long to match.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if is_guard(pattern) {
        return satisfies_guard(text);
    }
    let own = unguarded(pattern);
    let fits_guard = own == pattern || satisfies_guard(text);
    let fits = |regex: &Option<Regex>| regex.as_ref().is_none_or(|regex| fits_guard && regex.find(text).is_some());
    if own.len() > MAX_CACHED_LENGTH {
        return fits(&compiled(own));
    }
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= MAX_CACHED && !cache.contains_key(own) {
            cache.clear();
        }
        fits(cache.entry(own.to_owned()).or_insert_with(|| compiled(own)))
    })
}

/// Returns the compiled pattern; `None` if texts are not checked against it.
fn compiled(own: &str) -> Option<Regex> {
    if excess(own).is_some() { None } else { Regex::new(own).ok() }
}

/// Returns whether a text satisfies the guard of paths. It is checked without the engine, since a mock checks each request, and
/// the guard in front of a pattern would make the match start again at every character.
fn satisfies_guard(text: &str) -> bool {
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains('\\')
}

/// Returns a text that matches, with a length within the bounds; `None` if none is found.
pub(crate) fn example(pattern: &str, least: usize, most: usize) -> Option<String> {
    let own = unguarded(pattern);
    if excess(pattern).is_some() {
        return None;
    }
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(own).ok();
    let made = hir.iter().flat_map(|hir| (0..MAX_CHOICES).filter_map(|choice| long_enough(hir, choice, least)));
    let guessed = FALLBACK_TEXTS.iter().map(|guess| (*guess).to_owned());
    made.chain(guessed).find(|text| (least..=most).contains(&text.chars().count()) && matches(pattern, text))
}

/// Returns whether the pattern is only the guard of paths, which any name matches.
pub(crate) fn is_guard(pattern: &str) -> bool {
    pattern == PATH_GUARD
}

/// Returns the shortest text that is long enough, of those in which all parts are repeated equally often.
fn long_enough(hir: &Hir, choice: usize, least: usize) -> Option<String> {
    let mut written = 0;
    for more in 0..MAX_REPETITIONS {
        let mut bytes = Vec::new();
        write(hir, choice, more, &mut bytes)?;
        written += bytes.len();
        let text = String::from_utf8(bytes).ok()?;
        if text.chars().count() >= least {
            return Some(text);
        }
        if written > MAX_WRITTEN {
            break;
        }
    }
    None
}

fn write(hir: &Hir, choice: usize, more: u32, text: &mut Vec<u8>) -> Option<()> {
    // A pattern may repeat a repetition, so the length is limited.
    if text.len() > MAX_LENGTH {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(Class::Bytes(class)) => text.push(preferred_of(class)?),
        HirKind::Class(Class::Unicode(class)) => {
            let first = class.iter().next()?.start();
            text.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repetition.min.saturating_add(more).min(most) {
                write(&repetition.sub, choice, more, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, choice, more, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, choice, more, text))?,
        HirKind::Alternation(parts) => write(parts.get(choice % parts.len())?, choice, more, text)?,
    }
    Some(())
}

fn preferred_of(class: &ClassBytes) -> Option<u8> {
    let has = |byte: u8| class.iter().any(|range| (range.start()..=range.end()).contains(&byte));
    PREFERRED.into_iter().find(|byte| has(*byte)).or_else(|| (b' '..=b'~').find(|byte| has(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_matches() {
        for pattern in [
            "^ord_[a-zA-Z0-9]{24}$",
            r"^[A-Z]{3}-\d{4}$",
            r"^\d{10}\.\d{6}$",
            "^/v1/charges",
            r"^(\+|00)[1-9]\d{1,14}$",
            "^(a|b)?$",
            r"^[^\\/]+$",
            r"^(?=.*[A-Z])(?=.*\d).{8,}$",
            "x",
        ] {
            let text = example(pattern, 0, usize::MAX).unwrap_or_else(|| panic!("{pattern}"));
            assert!(regress::Regex::new(pattern).expect("a pattern").find(&text).is_some(), "{pattern}: {text}");
        }
    }

    #[test]
    fn the_guard_is_read_as_the_clients_read_it() {
        let beside = |own: &str| format!(r"(?=[\s\S]*?(?:{own})){PATH_GUARD}");
        let guarded = ["^[a-z]+$", "b", "^a|b$", r"\.", r"(a)\1", "^$"].map(beside);
        for pattern in guarded.iter().map(String::as_str).chain([PATH_GUARD]) {
            assert!(is_guard(pattern) || unguarded(pattern) != pattern, "{pattern}");
            let regex = regress::Regex::new(pattern).expect("a pattern");
            for text in ["", ".", "..", "...", "a", "ab", "aa", "b.", r"a\b", "\n", "a\nb", "é"] {
                assert_eq!(matches(pattern, text), regex.find(text).is_some(), "{pattern}: {text:?}");
            }
        }
    }

    #[test]
    fn the_length_counts_too() {
        assert_eq!(example("^[a-z]+$", 5, 5).as_deref(), Some("aaaaa"));
        assert_eq!(example("^[a-z]{2}$", 5, 9), None);
        assert_eq!(example(r"^(\w)-\1\1$", 0, 9), None, "it cannot be taken apart, and no guess matches");
    }
}
