//! An item before it is sent: the fields that it is known by, and why it cannot be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Reason;
use crate::error::Operation;
use crate::error::json::names;
use crate::error::operation::Retry;

/// Looks at an item, as JSON, before it is sent, and says what is wrong with it.
pub(super) type Check = Arc<dyn Fn(&[u8]) -> Vec<Reason> + Send + Sync>;

/// The fields that items are known by.
#[derive(Clone)]
pub(super) struct Fields {
    /// The members that are read.
    members: Vec<String>,
    /// The owner of an item: the place of its member, and the way on from there.
    key: Option<(usize, String)>,
    /// By which an item is known again in the answer.
    id: Option<usize>,
    /// Which makes a repetition harmless.
    repeat: Option<usize>,
    /// Whether any item may be sent twice.
    is_harmless: bool,
    /// The most bytes of JSON that an item may have.
    pub(super) most_bytes: usize,
    pub(super) check: Option<Check>,
}

/// The facts about an item that a batch needs.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Identity<'a> {
    /// Items of one key stay in order.
    pub(super) key: Option<Cow<'a, str>>,
    /// By which it is known again in the answer.
    pub(super) id: Option<Cow<'a, str>>,
    /// Which no other item of its batch may have.
    pub(super) unique: Option<Cow<'a, str>>,
    /// Whether it may be sent twice, by this run and a later one.
    pub(super) is_harmless: bool,
}

/// The identity of an item, or why it cannot be sent.
pub(super) type Checked<'a> = Result<Identity<'a>, Vec<Reason>>;

impl Fields {
    /// By what the table says of an operation. `key`: a pointer of the caller's choice.
    pub(super) fn of(operation: &Operation, key: Option<&str>, is_harmless: bool, most_bytes: usize) -> Self {
        let mut members: Vec<String> = Vec::new();
        let mut place = |name: &str| {
            members.iter().position(|known| known == name).unwrap_or_else(|| {
                members.push(name.to_owned());
                members.len() - 1
            })
        };
        let keyed = operation.retry_key.filter(|_| operation.retry == Retry::Keyed);
        let (id, repeat) = (operation.batching.and_then(|known| known.id_field).map(&mut place), keyed.map(&mut place));
        let key = match key {
            Some(pointer) => names(pointer).next().map(|first| {
                let rest = pointer.get(1..).and_then(|rest| rest.find('/').map(|at| rest[at..].to_owned()));
                (place(&first), rest.unwrap_or_default())
            }),
            None => id.or(repeat).map(|place| (place, String::new())),
        };
        let is_harmless = is_harmless || matches!(operation.retry, Retry::Safe | Retry::Idempotent);
        Self { members, key, id, repeat, is_harmless, most_bytes, check: None }
    }

    /// Whether a batch holds one item of a key at most: a second one is a newer state of the same thing.
    pub(super) fn is_single(&self) -> bool {
        let own = self.repeat.or(self.id);
        self.key.as_ref().is_some_and(|(key, rest)| rest.is_empty() && Some(*key) == own)
    }

    /// The member that a server ignores the second time, where it has another item of the batch already.
    pub(super) fn refuses_twice(&self) -> Option<&str> {
        self.repeat.filter(|_| !self.is_single()).map(|place| &*self.members[place])
    }

    /// Reads the identity of an item.
    pub(super) fn identity<'a>(&self, item: &'a [u8]) -> Checked<'a> {
        if item.len() > self.most_bytes {
            let text = format!("takes more than the {} bytes of a batch: leave something out", self.most_bytes);
            return Err(vec![Reason::new(text)]);
        }
        let reasons = self.check.as_ref().map(|check| check(item)).unwrap_or_default();
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let mut found = vec![None; self.members.len()];
        let mut deserializer = serde_json::Deserializer::from_slice(item);
        let scan = Scan { members: &self.members, found: &mut found };
        // The error's own words would quote the item.
        if let Err(error) = scan.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            return Err(vec![Reason::of_json(&error)]);
        }
        let member = |place: Option<usize>| place.and_then(|place| found[place]).and_then(text);
        let key = self.key.as_ref().and_then(|(place, rest)| match rest.as_str() {
            "" => found[*place].and_then(text),
            rest => deeper(found[*place]?, rest),
        });
        let (id, repeat) = (member(self.id), member(self.repeat));
        let is_harmless = self.is_harmless || repeat.is_some();
        let unique = if self.is_single() { None } else { repeat.or_else(|| id.clone()) };
        Ok(Identity { key, id, unique, is_harmless })
    }
}

/// A text, or a number as its text. What is empty, or anything else, is nothing to know an item by.
fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'"' => {
            let inner = raw.get(1..raw.len() - 1)?;
            if inner.contains('\\') {
                return serde_json::from_str::<String>(raw).ok().filter(|text| !text.is_empty()).map(Cow::Owned);
            }
            Some(Cow::Borrowed(inner)).filter(|text| !text.is_empty())
        }
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

fn deeper<'a>(value: &RawValue, pointer: &str) -> Option<Cow<'a, str>> {
    let value: Value = serde_json::from_str(value.get()).ok()?;
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()).map(Cow::Owned),
        number @ Value::Number(_) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

struct Scan<'s, 'a> {
    members: &'s [String],
    found: &'s mut [Option<&'a RawValue>],
}

impl<'a> DeserializeSeed<'a> for Scan<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A name of JSON, copied only if it holds escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for Scan<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let Some(place) = self.members.iter().position(|known| *known == name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.found[place].replace(map.next_value()?).is_some() {
                return Err(M::Error::custom("twice"));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("members", &self.members).field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::operation::Batching;

    const PLAIN: Operation = Operation::new("push", "push", "POST", "/items");
    const UPSERT: Operation =
        PLAIN.with_retry(Retry::Keyed).with_retry_key("id").with_batching(Batching::new("").with_id_field("id"));
    const EVENTS: Operation =
        PLAIN.with_retry(Retry::Keyed).with_retry_key("event").with_batching(Batching::new("").with_id_field("user"));

    fn identity<'a>(operation: &Operation, key: Option<&str>, item: &'a str) -> Identity<'a> {
        Fields::of(operation, key, false, 200).identity(item.as_bytes()).expect("an item")
    }

    #[test]
    fn items_are_known_by_what_the_table_says() {
        let fields = Fields::of(&UPSERT, None, false, 200);
        assert!(fields.is_single() && fields.refuses_twice().is_none());
        let found = identity(&UPSERT, None, r#" {"id":"\u0041da","x":{"id":1}} "#);
        assert_eq!((found.key.as_deref(), found.id.as_deref(), found.is_harmless), (Some("Ada"), Some("Ada"), true));
        assert!(!identity(&UPSERT, None, r#"{"id":null}"#).is_harmless);
        assert_eq!(identity(&UPSERT, None, r#"{"id":7}"#).key.as_deref(), Some("7"));
        let fields = Fields::of(&EVENTS, None, false, 200);
        assert_eq!((fields.is_single(), fields.refuses_twice()), (false, Some("event")));
        let found = identity(&EVENTS, None, r#"{"user":"u","event":"e"}"#);
        assert_eq!((found.key.as_deref(), found.unique.as_deref()), (Some("u"), Some("e")));
    }

    #[test]
    fn a_key_of_the_caller_may_stand_deep_in_the_item() {
        let found = identity(&UPSERT, Some("/owner/a~1b"), r#"{"id":"1","owner":{"a/b":"x"}}"#);
        assert_eq!((found.key.as_deref(), found.unique.as_deref()), (Some("x"), Some("1")));
        assert_eq!(identity(&UPSERT, Some("/owner/id"), r#"{"id":"1","owner":5}"#).key, None);
        assert_eq!(identity(&PLAIN, None, "{}"), Identity::default());
    }

    #[test]
    fn what_is_no_object_is_refused_without_quoting_it() {
        let fields = Fields::of(&UPSERT, None, false, 200);
        for item in ["", "[]", "\"hunter2\"", "{", r#"{"id":"u"} hunter2"#, r#"{"id":"u","id":"v"}"#] {
            let reasons = fields.identity(item.as_bytes()).expect_err(item);
            assert!(reasons[0].message.contains("is no JSON object") && !reasons[0].message.contains("hunter2"));
        }
        let long = format!("{{\"id\":\"{}\"}}", "u".repeat(200));
        let reasons = fields.identity(long.as_bytes()).expect_err("it is too long");
        assert!(reasons[0].message.contains("more than the 200 bytes"));
    }
}
