//! Which patterns an engine that goes back and tries again may never be done with. Those of JavaScript have to: they look ahead
//! and refer to what they have matched.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::normalize::unguarded;

/// The longest pattern, in bytes.
const LONGEST: usize = 20_000;
/// How many letters and classes a pattern may have, with what it repeats written out.
const LARGEST: usize = 100_000;
/// How many parts in a row may take letters of each other: each may try every length for every length of the others.
const OVERLAPS: usize = 4;
/// A repetition of so many is as good as one without an end.
const MANY: u32 = 16;

/// Why a text cannot be held against a pattern in a time that anybody waits for; `None` where it can.
pub(crate) fn excess(pattern: &str) -> Option<&'static str> {
    const TOO_LARGE: &str = "its pattern is too large";
    let pattern = unguarded(pattern);
    if pattern.len() > LONGEST {
        return Some(TOO_LARGE);
    }
    let Some(hir) = parsed(pattern) else {
        let is_nested = nests(pattern);
        return is_nested.then_some("its pattern repeats what repeats itself, which can take for ever");
    };
    if size(&hir) > LARGEST {
        return Some(TOO_LARGE);
    }
    is_explosive(&hir).then_some("its pattern can match a text in more ways than can be tried")
}

/// The pattern as a tree; what it looks ahead to and behind is a part like others.
fn parsed(pattern: &str) -> Option<Hir> {
    let mut plain = pattern.to_owned();
    for look in ["(?=", "(?!", "(?<=", "(?<!"] {
        plain = plain.replace(look, "(?:");
    }
    ParserBuilder::new().unicode(false).utf8(false).build().parse(&kept_apart(&plain)).ok()
}

/// The same with a boundary at the beginning of each alternative: the tree would have one class for `a|a`, where an engine that
/// goes back tries both.
fn kept_apart(pattern: &str) -> String {
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

/// Whether some part can be matched in more and more ways: a repetition of parts that are not told apart, or many of them in a
/// row.
fn is_explosive(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Capture(capture) => is_explosive(&capture.sub),
        HirKind::Repetition(repetition) => {
            let is_many = repetition.max.is_none_or(|max| max >= MANY);
            is_explosive(&repetition.sub) || (is_many && !is_delimited(&repetition.sub))
        }
        HirKind::Alternation(parts) => parts.iter().any(is_explosive),
        HirKind::Concat(parts) => parts.iter().any(is_explosive) || overlaps(parts) > OVERLAPS,
    }
}

/// Whether each round of a repetition is told from the next: rounds of one fixed length, or rounds that begin or end with a
/// letter that they do not hold elsewhere.
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
            && !others.iter().fold(Letters::none(), |all, part| all.with(&Letters::of(part))).meets(&Letters::of(mark))
    };
    match parts.as_slice() {
        [first, others @ ..] if told_by(first, others) => true,
        [others @ .., last] => told_by(last, others),
        [] => true,
    }
}

/// Whether a text matches in one way at most, of one length, by letters that are told apart.
fn has_one_way(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => true,
        HirKind::Capture(capture) => has_one_way(&capture.sub),
        HirKind::Repetition(repetition) => Some(repetition.min) == repetition.max && has_one_way(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().all(has_one_way),
        HirKind::Alternation(parts) => {
            let length = hir.properties().minimum_len();
            let mut seen = Letters::none();
            length == hir.properties().maximum_len()
                && parts.iter().all(|part| {
                    let first = Letters::of(first(part));
                    let is_new = !seen.meets(&first);
                    seen = seen.with(&first);
                    is_new && has_one_way(part)
                })
        }
    }
}

/// The part that a match begins with.
fn first(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => first(&capture.sub),
        HirKind::Concat(parts) => parts.iter().find(|part| !matches!(part.kind(), HirKind::Look(_))).map_or(hir, first),
        HirKind::Repetition(repetition) if repetition.min > 0 => first(&repetition.sub),
        _ => hir,
    }
}

/// The most parts of varying length in a row of which each may take what the one before it takes.
fn overlaps(parts: &[Hir]) -> usize {
    let (mut most, mut row) = (0, 0);
    let mut before = Letters::none();
    for part in parts {
        let own = Letters::of(part);
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
struct Letters([bool; 256]);

impl Letters {
    fn none() -> Self {
        Self([false; 256])
    }

    /// All that a part can take.
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

/// Whether a group that holds a repetition or a choice is repeated, for patterns that have no tree: too deep, or with what only
/// JavaScript knows.
fn nests(pattern: &str) -> bool {
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
