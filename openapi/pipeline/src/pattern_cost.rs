//! Patterns that a backtracking engine may need exponential time for. JavaScript patterns require such an engine: they have
//! look-ahead and back-references.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::normalize::unguarded;

/// The maximum length of a pattern, in bytes.
const MAX_LENGTH: usize = 20_000;
/// The maximum number of letters and classes of a pattern, with repetitions written out.
const MAX_SIZE: usize = 100_000;
/// The maximum number of adjacent parts that can match the same letters: each may try every length for every length of the
/// others.
const MAX_OVERLAPS: usize = 4;
/// The repetition count that is treated as unbounded.
const UNBOUNDED_FROM: u32 = 16;

/// Returns the reason why a text cannot be matched against a pattern in acceptable time; `None` if it can.
pub(crate) fn excess(pattern: &str) -> Option<&'static str> {
    const TOO_LARGE: &str = "its pattern is too large";
    let pattern = unguarded(pattern);
    if pattern.len() > MAX_LENGTH {
        return Some(TOO_LARGE);
    }
    let Some(hir) = parsed(pattern) else {
        let is_nested = has_nested_repetition(pattern);
        return is_nested.then_some("its pattern repeats what repeats itself, which can take for ever");
    };
    if size(&hir) > MAX_SIZE {
        return Some(TOO_LARGE);
    }
    is_explosive(&hir).then_some("its pattern can match a text in more ways than can be tried")
}

/// Parses the pattern into a tree; look-around is parsed as an ordinary group.
fn parsed(pattern: &str) -> Option<Hir> {
    let mut plain = pattern.to_owned();
    for look in ["(?=", "(?!", "(?<=", "(?<!"] {
        plain = plain.replace(look, "(?:");
    }
    ParserBuilder::new().unicode(false).utf8(false).build().parse(&with_separate_alternatives(&plain)).ok()
}

/// Returns the pattern with a word boundary at the beginning of each alternative: the parser would merge `a|a` into one
/// class, where a backtracking engine tries both.
fn with_separate_alternatives(pattern: &str) -> String {
    let mut apart = String::with_capacity(pattern.len());
    let mut is_class = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        apart.push(letter);
        match letter {
            '\\' => apart.extend(letters.next()),
            '[' => is_class = true,
            ']' => is_class = false,
            '|' if !is_class => apart.push_str(r"\b"),
            _ => {}
        }
    }
    apart
}

fn size(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 1,
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            size(&repetition.sub).max(1).saturating_mul(times as usize)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(0, |sum, part| sum.saturating_add(size(part)))
        }
    }
}

/// Returns whether the number of ways to match some part grows without limit: a repetition of parts that are not delimited,
/// or many overlapping parts in a row.
fn is_explosive(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Capture(capture) => is_explosive(&capture.sub),
        HirKind::Repetition(repetition) => {
            let is_many = repetition.max.is_none_or(|max| max >= UNBOUNDED_FROM);
            is_explosive(&repetition.sub) || (is_many && !is_delimited(&repetition.sub))
        }
        HirKind::Alternation(parts) => parts.iter().any(is_explosive),
        HirKind::Concat(parts) => parts.iter().any(is_explosive) || overlaps(parts) > MAX_OVERLAPS,
    }
}

/// Returns whether the rounds of a repetition are delimited: each has one fixed length, or begins or ends with a letter that
/// occurs nowhere else in it.
fn is_delimited(body: &Hir) -> bool {
    if has_one_way(body) {
        return true;
    }
    let parts = match body.kind() {
        HirKind::Capture(capture) => return is_delimited(&capture.sub),
        HirKind::Concat(parts) => parts,
        _ => return false,
    };
    let told_by = |mark: &Hir, others: &[Hir]| {
        has_one_way(mark)
            && mark.properties().minimum_len().is_some_and(|least| least > 0)
            && !others.iter().fold(ByteSet::none(), |all, part| all.with(&ByteSet::of(part))).meets(&ByteSet::of(mark))
    };
    match parts.as_slice() {
        [first, others @ ..] if told_by(first, others) => true,
        [others @ .., last] => told_by(last, others),
        [] => true,
    }
}

/// Returns whether a text matches in at most one way, of one length, by distinct letters.
fn has_one_way(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => true,
        HirKind::Capture(capture) => has_one_way(&capture.sub),
        HirKind::Repetition(repetition) => Some(repetition.min) == repetition.max && has_one_way(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().all(has_one_way),
        HirKind::Alternation(parts) => {
            let length = hir.properties().minimum_len();
            let mut seen = ByteSet::none();
            length == hir.properties().maximum_len()
                && parts.iter().all(|part| {
                    let first = ByteSet::of(first_part(part));
                    let is_new = !seen.meets(&first);
                    seen = seen.with(&first);
                    is_new && has_one_way(part)
                })
        }
    }
}

/// Returns the part that a match begins with.
fn first_part(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => first_part(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().find(|part| !matches!(part.kind(), HirKind::Look(_))).map_or(hir, first_part)
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => first_part(&repetition.sub),
        _ => hir,
    }
}

/// Returns the maximum number of adjacent parts of varying length that can each match what the part before it matches.
fn overlaps(parts: &[Hir]) -> usize {
    let (mut most, mut row) = (0, 0);
    let mut before = ByteSet::none();
    for part in parts {
        let own = ByteSet::of(part);
        let is_fixed = part.properties().minimum_len() == part.properties().maximum_len();
        if matches!(part.kind(), HirKind::Look(_)) {
            continue;
        }
        if !before.meets(&own) {
            row = 0;
        }
        row += usize::from(!is_fixed);
        most = most.max(row);
        before = own;
    }
    most
}

/// A set of bytes.
#[derive(Clone, Copy)]
struct ByteSet([bool; 256]);

impl ByteSet {
    fn none() -> Self {
        Self([false; 256])
    }

    /// Returns all bytes that a part can match.
    fn of(hir: &Hir) -> Self {
        let mut letters = Self::none();
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|byte| letters.0[usize::from(*byte)] = true),
            HirKind::Class(Class::Bytes(class)) => {
                let bytes = class.iter().flat_map(|range| range.start()..=range.end());
                bytes.for_each(|byte| letters.0[usize::from(byte)] = true);
            }
            HirKind::Class(Class::Unicode(_)) => letters.0 = [true; 256],
            HirKind::Capture(capture) => return Self::of(&capture.sub),
            HirKind::Repetition(repetition) => return Self::of(&repetition.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                return parts.iter().fold(letters, |all, part| all.with(&Self::of(part)));
            }
        }
        letters
    }

    fn with(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
        self
    }

    fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(own, other)| *own && other)
    }
}

/// Returns whether a group that contains a repetition or an alternative is repeated. For patterns without a tree: nested too
/// deep, or with syntax that only JavaScript has.
fn has_nested_repetition(pattern: &str) -> bool {
    let mut open: Vec<bool> = Vec::new();
    let (mut is_class, mut has_inner) = (false, false);
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            ']' => is_class = false,
            _ if is_class => {}
            '[' => is_class = true,
            '(' => {
                open.push(std::mem::take(&mut has_inner));
                // `(?:`, `(?=`
                let _ = letters.next_if_eq(&'?');
                if open.len() > 200 {
                    return true;
                }
            }
            ')' => {
                let is_repeated = letters.peek().is_some_and(|next| matches!(next, '*' | '+' | '{'));
                if is_repeated && has_inner {
                    return true;
                }
                has_inner |= is_repeated | open.pop().unwrap_or_default();
            }
            '*' | '+' | '{' | '|' | '?' => has_inner = true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_real_documents_are_taken() {
        for pattern in [
            "^ord_[a-zA-Z0-9]{24}$",
            r"^[A-Z]{3}-\d{4}$",
            r"^(\+|00)[1-9]\d{1,14}$",
            r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
            r"^([a-z]+\.)+[a-z]{2,}$",
            r"^[\w.+-]+@[\w-]+\.[\w.-]+$",
            r"^(?=.*[A-Z])(?=.*\d).{8,}$",
            r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$",
            r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$",
            "^#([0-9a-fA-F]{3}){1,2}$",
            r"^/([^/]+/)*[^/]*$",
            "^(a|b|c)+$",
            "^(GET|PUT|POST)$",
            r"^https?://.+$",
            r"^[^\\/]+$",
            r"^(\w)-\1\1$",
            crate::normalize::PATH_GUARD,
        ] {
            assert_eq!(excess(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_take_for_ever_are_named() {
        for pattern in [
            "^(a+)+$",
            "(a*)*b",
            "^(a|a)*b$",
            r"^(\d+|\d+)+x$",
            r"^(\w+\s?)*$",
            r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*$",
            "^((a*)*)*b$",
            "^(.*)*$",
            "^(a{1,20}){1,20}b$",
            "^a?a?a?a?a?a?a?a?aaaaaaaa$",
            ".*.*.*.*.*x",
            r"^(?=(.*)*c).+$",
            r"^(\w+)+\1$",
            "((a{1000}){1000}){1000}",
            "a{1000000}",
        ] {
            assert!(excess(pattern).is_some(), "{pattern}");
        }
        assert!(excess(&"(".repeat(5000)).is_some());
        assert!(excess(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000))).is_some());
        assert!(excess(&"[ab]".repeat(6000)).is_some());
    }
}
