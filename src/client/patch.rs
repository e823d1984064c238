//! Members of a change: left as they are, emptied, or set.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A member of a body that changes a resource: what is absent stays as it is, null empties it, a value replaces it.
///
/// Generated types have it where a document lets both absent and null mean something. Builders set it by the member's name, by
/// `maybe_<name>`, which leaves it out for `None`, and by `null_<name>`.
///
/// ```
/// use keyfit::Patch;
///
/// #[derive(serde::Serialize)]
/// struct Change {
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     nickname: Patch<String>,
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     note: Patch<String>,
///     #[serde(skip_serializing_if = "Patch::is_absent")]
///     phone: Patch<String>,
/// }
/// let change = Change { nickname: "Ada".to_owned().into(), note: Patch::Null, phone: Patch::Absent };
/// assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"nickname":"Ada","note":null}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Patch<T> {
    /// It is not sent.
    #[default]
    Absent,
    /// It is sent as null.
    Null,
    /// It is sent.
    Value(T),
}

impl<T> Patch<T> {
    /// Returns true if the member is not sent. With serde: `skip_serializing_if = "Patch::is_absent"`.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(change(value)),
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// The type around it has to leave out an absent value; if it does not, the value is null.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// A member that is present is null or a value. With `default` at the member, a missing one is absent.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Change {
        #[serde(default, skip_serializing_if = "Patch::is_absent")]
        note: Patch<Vec<u8>>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things_both_ways() {
        for (note, json) in [
            (Patch::Absent, "{}"),
            (Patch::Null, r#"{"note":null}"#),
            (Patch::Value(Vec::new()), r#"{"note":[]}"#),
            (vec![1].into(), r#"{"note":[1]}"#),
        ] {
            let change = Change { note };
            assert_eq!(serde_json::to_string(&change).ok().as_deref(), Some(json));
            assert_eq!(serde_json::from_str::<Change>(json).ok(), Some(change));
        }
        assert_eq!(Patch::Value(1).map(|value| value + 1).value(), Some(&2));
        assert!(Patch::<u8>::default().is_absent() && Patch::<u8>::Null.map(u16::from) == Patch::Null);
    }
}
