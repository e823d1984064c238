//! Reads of a JSON body the places that are named, and passes over the rest: a long answer is counted for a fraction of what a
//! value of all of it would take.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::json::names;
use crate::error::operation::Partial;

/// What is kept of a value. What is not is null; a scalar in place of an object or a list is `true`.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    /// All of it.
    is_whole: bool,
    /// It, if it is a scalar.
    is_scalar_whole: bool,
    /// Each entry, if it is a list or an object; of the entries, what this keeps.
    entries: Option<Box<Self>>,
    /// Members of it.
    members: Vec<(String, Self)>,
}

impl Sieve {
    /// The places that the descriptions name, with what tells the items apart: by the field `id` where items are repeated.
    pub(super) fn of(descriptions: &[Partial], id: Option<&str>) -> Self {
        let mut sieve = Self::default();
        for told in descriptions {
            for place in [told.received, told.accepted, told.rejected].into_iter().flatten() {
                sieve.at(place).is_whole = true;
            }
            for place in [told.accepted_items, told.rejected_items, told.outcomes].into_iter().flatten() {
                let entries = sieve.at(place).entries.get_or_insert_default();
                entries.is_scalar_whole = true;
                let outcome = told.outcome.filter(|_| told.outcomes == Some(place));
                for inner in [outcome, told.reason, told.position].into_iter().flatten() {
                    entries.at(inner).is_whole = true;
                }
                if let Some(item) = told.item {
                    let item = entries.at(item);
                    item.is_scalar_whole = true;
                    if let Some(id) = id {
                        item.members.push((id.to_owned(), Self { is_whole: true, ..Self::default() }));
                    }
                }
            }
        }
        sieve
    }

    /// What is kept at a place, with the way to it.
    fn at(&mut self, pointer: &str) -> &mut Self {
        names(pointer).fold(self, |sieve, name| {
            let place = sieve.members.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                sieve.members.push((name, Self::default()));
                sieve.members.len() - 1
            });
            &mut sieve.members[place].1
        })
    }

    fn scalar(&self, value: impl Into<Value>) -> Value {
        if self.is_scalar_whole { value.into() } else { Value::Bool(true) }
    }

    /// What is kept of an entry or a member.
    fn below(&self, name: &str) -> Option<&Self> {
        let member = self.members.iter().find(|(known, _)| known == name).map(|(_, sieve)| sieve);
        member.or(self.entries.as_deref())
    }
}

impl<'de> DeserializeSeed<'de> for &Sieve {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.is_whole {
            return Value::deserialize(deserializer);
        }
        if self.entries.is_none() && self.members.is_empty() && !self.is_scalar_whole {
            return IgnoredAny::deserialize(deserializer).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Sieve {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            match self.below(&name) {
                Some(sieve) => drop(kept.insert(name, map.next_value_seed(sieve)?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let nothing = Sieve::default();
        let mut kept = Vec::new();
        while let Some(entry) = list.next_element_seed(self.below(&kept.len().to_string()).unwrap_or(&nothing))? {
            kept.push(entry);
        }
        Ok(Value::Array(kept))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(self.scalar(value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(descriptions: &[Partial], body: &Value) -> Value {
        let text = body.to_string();
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        Sieve::of(descriptions, None).deserialize(&mut deserializer).expect("JSON")
    }

    #[test]
    fn what_is_named_is_kept_and_nothing_else() {
        let told = Partial::new()
            .with_rejected("/sum/a~1b")
            .with_rejected_items("/errors")
            .with_outcomes("/rows")
            .with_outcome("/state/code", &["1"]);
        let body = json!({
            "sum": {"a/b": 2, "more": {"x": 1}},
            "errors": {"one": {"long": "text"}, "two": "text"},
            "rows": [{"state": {"code": 1, "text": "x"}, "item": {"a": 1}}, {"item": 2}, 7],
            "rest": [1, 2, {"deep": true}],
        });
        let expected = json!({
            "sum": {"a/b": 2},
            "errors": {"one": {}, "two": "text"},
            "rows": [{"state": {"code": 1}}, {}, 7],
        });
        assert_eq!(kept(&[told], &body), expected);
    }

    #[test]
    fn a_list_that_is_the_body_and_an_outcome_that_is_the_entry_are_kept() {
        let told = Partial::new().with_outcomes("").with_outcome("", &["ok"]);
        assert_eq!(kept(&[told], &json!(["ok", "late"])), json!(["ok", "late"]));
        assert_eq!(
            kept(&[Partial::new().with_rejected("/1/bad")], &json!([5, {"bad": 3, "x": 1}])),
            json!([null, {"bad": 3}])
        );
    }

    #[test]
    fn something_else_in_place_of_a_list_is_seen_and_null_stays_null() {
        let lists = Partial::new().with_rejected_items("/errors");
        for (errors, expected) in [(json!("none"), json!(true)), (json!(0), json!(true)), (json!(null), json!(null))] {
            assert_eq!(kept(&[lists], &json!({ "errors": errors })), json!({ "errors": expected }));
        }
        assert_eq!(kept(&[lists], &json!(1.5)), json!(true));
    }

    #[test]
    fn what_is_passed_over_may_be_as_deep_as_it_likes() {
        let text = format!(r#"{{"errors":[1],"deep":{}{}}}"#, "[".repeat(4000), "]".repeat(4000));
        let sieve = Sieve::of(&[Partial::new().with_rejected_items("/errors")], None);
        let kept = sieve.deserialize(&mut serde_json::Deserializer::from_str(&text)).expect("JSON");
        assert_eq!(kept, json!({"errors": [1]}));
    }
}
