//! Texts that match a pattern. What is made is held to the pattern by the engine that the clients use: a pattern for which
//! nothing is found has no example, and is never given a wrong one.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};
use regress::Regex;

use crate::normalize::{PATH_GUARD, unguarded};
use crate::pattern_cost::excess;

/// How often what may be repeated is, at most, to reach a length.
const REPETITIONS: u32 = 300;
/// How many alternatives are tried.
const CHOICES: usize = 4;
/// The longest text that is made, and how many bytes are written at most to find it.
const MAX_LENGTH: usize = 10_000;
const WRITTEN: usize = 200_000;
/// What is tried where a pattern cannot be taken apart: one with a look ahead, say.
const GUESSES: [&str; 6] = ["text", "1", "A1", "Text-1234", "2026-01-22", "00000000-0000-4000-8000-000000000000"];
/// What is taken of a class, in this order, where it has it.
const LIKED: [u8; 6] = [b'a', b'A', b'1', b'0', b'-', b' '];

/// How many patterns a thread keeps compiled, and how long they may be: a mock holds each request to the same few.
const MAX_CACHED: usize = 64;
const MAX_CACHED_LENGTH: usize = 1_000;

thread_local! {
    static KEPT: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// Whether a text matches; a pattern that is none of JavaScript's binds nobody, and neither does one that takes for ever.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if is_guard(pattern) {
        return is_name(text);
    }
    let own = unguarded(pattern);
    let fits_guard = own == pattern || is_name(text);
    let fits = |regex: &Option<Regex>| regex.as_ref().is_none_or(|regex| fits_guard && regex.find(text).is_some());
    if own.len() > MAX_CACHED_LENGTH {
        return fits(&compiled(own));
    }
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MAX_CACHED && !kept.contains_key(own) {
            kept.clear();
        }
        fits(kept.entry(own.to_owned()).or_insert_with(|| compiled(own)))
    })
}

/// What texts are held to; `None` where nobody is.
fn compiled(own: &str) -> Option<Regex> {
    if excess(own).is_some() { None } else { Regex::new(own).ok() }
}

/// What the guard of paths says, read here: each request of a mock is held to it, and beside it a pattern would begin anew at every
/// character.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains('\\')
}

/// A text that matches, of a length within the bounds; `None` where none is found.
pub(crate) fn example(pattern: &str, least: usize, most: usize) -> Option<String> {
    let own = unguarded(pattern);
    if excess(pattern).is_some() {
        return None;
    }
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(own).ok();
    let made = hir.iter().flat_map(|hir| (0..CHOICES).filter_map(|choice| long_enough(hir, choice, least)));
    let guessed = GUESSES.iter().map(|guess| (*guess).to_owned());
    made.chain(guessed).find(|text| (least..=most).contains(&text.chars().count()) && matches(pattern, text))
}

/// Whether it is the guard of paths alone, which any name matches.
pub(crate) fn is_guard(pattern: &str) -> bool {
    pattern == PATH_GUARD
}

/// The shortest text that is long enough, among those in which everything is repeated equally often.
fn long_enough(hir: &Hir, choice: usize, least: usize) -> Option<String> {
    let mut written = 0;
    for more in 0..REPETITIONS {
        let mut bytes = Vec::new();
        write(hir, choice, more, &mut bytes)?;
        written += bytes.len();
        let text = String::from_utf8(bytes).ok()?;
        if text.chars().count() >= least {
            return Some(text);
        }
        if written > WRITTEN {
            break;
        }
    }
    None
}

fn write(hir: &Hir, choice: usize, more: u32, text: &mut Vec<u8>) -> Option<()> {
    // A pattern may repeat a repetition: what is longer than that is no example.
    if text.len() > MAX_LENGTH {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(Class::Bytes(class)) => text.push(of_class(class)?),
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

fn of_class(class: &ClassBytes) -> Option<u8> {
    let has = |byte: u8| class.iter().any(|range| (range.start()..=range.end()).contains(&byte));
    LIKED.into_iter().find(|byte| has(*byte)).or_else(|| (b' '..=b'~').find(|byte| has(*byte)))
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
