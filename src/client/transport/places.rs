//! Counts what a JSON text tells at some places, in one pass that keeps nothing of it.

use std::borrow::Cow;

use serde_json::Value;

use super::json_text::{JsonText, Name};
use crate::error::json::unescaped;
use crate::error::operation::Partial;

/// The names of a pointer.
type Names = Vec<Cow<'static, str>>;

/// A place that is looked at.
pub(super) struct Place {
    /// A JSON pointer, and its names; `None` where there is none that leads anywhere.
    pointer: &'static str,
    names: Option<Names>,
    /// How many of the names lead to the value at hand.
    passed: usize,
    asks: Asks,
    /// `None` where nothing stands there, or null. The error is what it should hold.
    told: Option<Result<Counts, &'static str>>,
}

/// What is asked of a place.
#[derive(Clone, Copy)]
enum Asks {
    /// A number.
    Number,
    /// How many entries a list has, or members an object.
    Length,
    /// How many entries of a list, or members of an object, are outcomes of accepted items, and of others.
    Outcomes(&'static Partial),
}

/// A number, or how many outcomes are of accepted items, and of others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
}

impl Counts {
    fn number(number: u64) -> Self {
        Self { accepted: number, rejected: 0 }
    }
}

impl Place {
    /// A number.
    pub(super) fn number(pointer: Option<&'static str>) -> Self {
        Self::new(pointer, Asks::Number)
    }

    /// A list whose entries are counted, or an object whose members are.
    pub(super) fn length(pointer: Option<&'static str>) -> Self {
        Self::new(pointer, Asks::Length)
    }

    /// The outcomes of a description.
    pub(super) fn outcomes(description: &'static Partial) -> Self {
        Self::new(description.outcomes, Asks::Outcomes(description))
    }

    fn new(pointer: Option<&'static str>, asks: Asks) -> Self {
        Self { pointer: pointer.unwrap_or_default(), names: pointer.and_then(names), passed: 0, asks, told: None }
    }

    /// What it told. The error is what it should hold.
    pub(super) fn told(&self) -> Option<Result<Counts, &'static str>> {
        self.told
    }

    /// The JSON pointer.
    pub(super) fn pointer(&self) -> &'static str {
        self.pointer
    }

    /// The names that lead on from a value behind so many names; `None` where the place is elsewhere.
    fn left(&self, passed: usize) -> Option<&[Cow<'static, str>]> {
        self.names.as_ref()?.get(passed..).filter(|_| self.passed == passed)
    }

    /// Goes on through a member or entry, if it leads there. Of members of one name the last one counts.
    fn enter(&mut self, passed: usize, name: &Name<'_>) -> bool {
        let leads_on = self.left(passed).is_some_and(|left| name.leads_on(left).is_some());
        if leads_on {
            self.passed += 1;
            self.told = None;
        }
        leads_on
    }

    /// Reads the value that stands there.
    fn read(&mut self, text: &mut JsonText<'_>) {
        self.told = match (self.asks, text.peek()) {
            (_, b'n') => {
                text.skip();
                None
            }
            (Asks::Number, _) => {
                let number = str::from_utf8(text.skip()).ok().and_then(|number| number.parse().ok());
                Some(number.map(Counts::number).ok_or("a whole number"))
            }
            (Asks::Length, b'[' | b'{') => {
                let mut entries = 0;
                text.each(|text, _| {
                    text.skip();
                    entries += 1;
                });
                Some(Ok(Counts::number(entries)))
            }
            (Asks::Outcomes(description), b'[' | b'{') => Some(Ok(tally(text, description))),
            (Asks::Length | Asks::Outcomes(_), _) => {
                text.skip();
                Some(Err("a list"))
            }
        };
    }
}

/// How many outcomes are of accepted items, and of others.
fn tally(text: &mut JsonText<'_>, description: &Partial) -> Counts {
    let names = description.outcome.or(description.reason).and_then(names);
    let mut counts = Counts::default();
    text.each(|text, _| {
        let said = if let Some(names) = &names {
            text.find(names)
        } else {
            text.skip();
            None
        };
        *if is_accepted(description, said) { &mut counts.accepted } else { &mut counts.rejected } += 1;
    });
    counts
}

/// Whether an outcome is that of an accepted item, by the value that stands where it says how its item ended, or why it was rejected.
fn is_accepted(description: &Partial, said: Option<&[u8]>) -> bool {
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or_default();
    if description.outcome.is_none() {
        return said.is_none_or(|reason| is_nothing(&value(reason)));
    }
    let Some(said) = said else { return false };
    match said.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        Some(word) if !word.contains(&b'\\') => description.accepted_as.iter().any(|known| known.as_bytes() == word),
        _ => self::said(&value(said)).is_some_and(|word| description.accepted_as.contains(&&*word)),
    }
}

/// A text, or a number or a boolean as its text.
pub(crate) fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a reason says nothing.
pub(crate) fn is_nothing(reason: &Value) -> bool {
    match reason {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Looks at places of a text that is known to be JSON. Of one that is not, what is told means nothing.
pub(super) fn look(text: &[u8], places: &mut [Place]) {
    look_at(&mut JsonText::new(text), places, 0);
}

/// Looks at places within one value, behind so many names.
fn look_at(text: &mut JsonText<'_>, places: &mut [Place], passed: usize) {
    let start = *text;
    let (mut leads_on, mut is_read) = (false, false);
    for place in &mut *places {
        match place.left(passed) {
            None => {}
            Some([]) => {
                *text = start;
                place.read(text);
                is_read = true;
            }
            Some(_) => leads_on = true,
        }
    }
    if !leads_on {
        if !is_read {
            text.skip();
        }
        return;
    }
    *text = start;
    text.each(|text, name| {
        let mut leads_on = false;
        for place in &mut *places {
            leads_on |= place.enter(passed, name);
        }
        if !leads_on {
            text.skip();
            return;
        }
        look_at(text, places, passed + 1);
        for place in &mut *places {
            place.passed = place.passed.min(passed);
        }
    });
}

/// The names of a pointer.
fn names(pointer: &'static str) -> Option<Names> {
    (pointer.is_empty() || pointer.starts_with('/')).then(|| pointer.split('/').skip(1).map(unescaped).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The numbers at some places.
    fn numbers<const N: usize>(text: &str, pointers: [&'static str; N]) -> [Option<u64>; N] {
        let mut places = pointers.map(|pointer| Place::number(Some(pointer)));
        look(text.as_bytes(), &mut places);
        places.map(|place| Some(place.told()?.ok()?.accepted))
    }

    #[test]
    fn values_are_found_within_each_other_and_by_escaped_names() {
        let text = r#"{"a":{"b/c":[1,{"~x":2}]},"":3}"#;
        let pointers = ["", "/a", "/a/b~1c/1/~0x", "/a/b~1c/0", "/", "/a/b~1c/01", "a"];
        assert_eq!(numbers(text, pointers), [None, None, Some(2), Some(1), Some(3), None, None]);
    }

    #[test]
    fn of_members_of_one_name_the_last_counts_whole() {
        assert_eq!(numbers(r#"{"a":{"b":1,"c":2},"a":{"b":3}}"#, ["/a/b", "/a/c"]), [Some(3), None]);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<u32>().prop_map(|number| json!(number)),
            Just(json!("[te\"xt\\")),
            Just(json!(-1.5)),
            Just(json!(false))
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab~/0]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    const POINTERS: [&str; 9] = ["", "/a", "/b", "/a/b", "/~0", "/~1/a", "/0", "/1/a", "/a/b/0"];

    proptest! {
        #[test]
        fn they_are_those_of_the_whole_value(value in json(), is_pretty in any::<bool>()) {
            let mut places: Vec<Place> = POINTERS
                .into_iter()
                .flat_map(|pointer| [Place::number(Some(pointer)), Place::length(Some(pointer))])
                .collect();
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            look(text.expect("a text").as_bytes(), &mut places);
            for place in &places {
                let held = value.pointer(place.pointer).filter(|held| !held.is_null());
                let told = held.map(|held| match (place.asks, held) {
                    (Asks::Number, held) => held.as_u64().ok_or("a whole number"),
                    (_, Value::Array(list)) => Ok(list.len() as u64),
                    (_, Value::Object(members)) => Ok(members.len() as u64),
                    _ => Err("a list"),
                });
                prop_assert_eq!(place.told().map(|told| told.map(|counts| counts.accepted)), told, "{}", place.pointer);
            }
        }
    }
}
