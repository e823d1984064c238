//! Finds the values at some places of a JSON text, in one pass that keeps nothing else of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize as _, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON pointer for each value that is looked for.
pub(super) type Pointers<'p, const N: usize> = [Option<&'p str>; N];

/// The values that were found, as they are written.
pub(super) type Found<'de, const N: usize> = [Option<&'de RawValue>; N];

/// The values at some pointers. Where a member stands twice, the last one counts.
///
/// # Errors
/// Returns an error if the text is not JSON.
pub(super) fn find<'de, const N: usize>(
    text: &'de [u8],
    pointers: Pointers<'_, N>,
) -> Result<Found<'de, N>, serde_json::Error> {
    let mut found = [None; N];
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    Walk { left: pointers, found: &mut found }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// Shows each entry of a list, or each member of an object, by its values at some pointers. `None` where the text is of neither.
pub(super) fn each<'de, const N: usize>(
    text: &'de RawValue,
    pointers: Pointers<'_, N>,
    show: impl FnMut(Found<'de, N>),
) -> Option<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text.get());
    deserializer.deserialize_any(Each { pointers, show }).ok()
}

/// One value, from which these pointers are left to go.
struct Walk<'p, 'f, 'de, const N: usize> {
    left: Pointers<'p, N>,
    found: &'f mut Found<'de, N>,
}

impl<'p, const N: usize> Walk<'p, '_, '_, N> {
    /// The pointers that lead on through a member or an entry, without its name.
    fn through(left: Pointers<'p, N>, name: &str) -> Pointers<'p, N> {
        left.map(|pointer| {
            let rest = pointer?.strip_prefix('/')?;
            let end = rest.find('/').unwrap_or(rest.len());
            let (first, rest) = rest.split_at(end);
            (unescaped(first) == name).then_some(rest)
        })
    }

    /// Forgets what a member of the same name had before.
    fn forget(&mut self, through: &Pointers<'_, N>) {
        for (found, _) in self.found.iter_mut().zip(through).filter(|(_, pointer)| pointer.is_some()) {
            *found = None;
        }
    }
}

fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains('~') { name.replace("~1", "/").replace("~0", "~").into() } else { name.into() }
}

impl<'de, const N: usize> DeserializeSeed<'de> for Walk<'_, '_, 'de, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.left.iter().all(Option::is_none) {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        if !self.left.contains(&Some("")) {
            return deserializer.deserialize_any(self);
        }
        let Self { mut left, found } = self;
        let text = <&RawValue>::deserialize(deserializer)?;
        for (pointer, found) in left.iter_mut().zip(&mut *found) {
            if pointer.take_if(|pointer| pointer.is_empty()).is_some() {
                *found = Some(text);
            }
        }
        // Some end here, and others lead on.
        let mut inner = serde_json::Deserializer::from_str(text.get());
        Walk { left, found }.deserialize(&mut inner).map_err(de::Error::custom)
    }
}

impl<'de, const N: usize> Visitor<'de> for Walk<'_, '_, 'de, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(left) = map.next_key_seed(Through(self.left))? {
            self.forget(&left);
            map.next_value_seed(Walk { left, found: &mut *self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let left = Self::through(self.left, &index.to_string());
            if list.next_element_seed(Walk { left, found: &mut *self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member, as the pointers that lead on through it.
struct Through<'p, const N: usize>(Pointers<'p, N>);

impl<'p, 'de, const N: usize> DeserializeSeed<'de> for Through<'p, N> {
    type Value = Pointers<'p, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'p, const N: usize> Visitor<'_> for Through<'p, N> {
    type Value = Pointers<'p, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Walk::through(self.0, name))
    }
}

/// The entries of a list, or the members of an object.
struct Each<'p, F, const N: usize> {
    pointers: Pointers<'p, N>,
    show: F,
}

impl<'de, F: FnMut(Found<'de, N>), const N: usize> Visitor<'de> for Each<'_, F, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            let mut found = [None; N];
            map.next_value_seed(Walk { left: self.pointers, found: &mut found })?;
            (self.show)(found);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut found = [None; N];
        while list.next_element_seed(Walk { left: self.pointers, found: &mut found })?.is_some() {
            (self.show)(found);
            found = [None; N];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn found<const N: usize>(text: &str, pointers: [&str; N]) -> [Option<Value>; N] {
        let found = find(text.as_bytes(), pointers.map(Some)).expect("JSON");
        found.map(|value| value.map(|value| serde_json::from_str(value.get()).expect("JSON")))
    }

    #[test]
    fn values_are_found_within_each_other_and_by_escaped_names() {
        let text = r#"{"a":{"b/c":[1,{"~x":2}]},"":3}"#;
        let pointers = ["", "/a", "/a/b~1c/1/~0x", "/a/b~1c/0", "/", "/a/b~1c/01", "a"];
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(found(text, pointers), pointers.map(|pointer| value.pointer(pointer).cloned()));
    }

    #[test]
    fn of_members_of_one_name_the_last_counts_whole() {
        assert_eq!(found(r#"{"a":{"b":1,"c":2},"a":{"b":3}}"#, ["/a/b", "/a/c"]), [Some(json!(3)), None]);
    }

    #[test]
    fn what_is_passed_over_may_be_as_deep_as_it_likes() {
        let text = format!(r#"{{"deep":{}{},"b":1}}"#, "[".repeat(4000), "]".repeat(4000));
        assert_eq!(found(&text, ["/b"]), [Some(json!(1))]);
    }

    #[test]
    fn what_is_not_json_is_an_error_wherever_it_stands() {
        for text in ["", "{", r#"{"a":1}x"#, r#"{"b":tru,"a":1}"#] {
            assert!(find(text.as_bytes(), [Some("/a")]).is_err(), "{text}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), any::<i32>().prop_map(|number| json!(number)), Just(json!("text"))];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab~/0]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn they_are_those_of_the_whole_value(value in json(), pointers in prop::array::uniform4("(/(a|b|~0|~1|0|1)){0,3}")) {
            let pointers: [&str; 4] = std::array::from_fn(|index| pointers[index].as_str());
            let whole = pointers.map(|pointer| value.pointer(pointer).cloned());
            prop_assert_eq!(found(&value.to_string(), pointers), whole);
        }
    }
}
