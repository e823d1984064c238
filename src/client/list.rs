//! A list in an answer whose envelope the document does not settle.

use std::ops::Deref;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A list, and what came beside it, for answers whose form nobody documents: every likely one is read, a bare array, or an
/// object with one array in it (`{"data": [...]}`, `{"keys": [...]}`, ...).
///
/// It derefs to the items. Written as JSON it is `{"data": [...]}` with the other members beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct List<T> {
    /// The items, in the server's order.
    #[serde(rename = "data")]
    pub items: Vec<T>,
    /// The other members of the envelope, such as a cursor; empty where the answer was a bare array.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (items, extra) = match Value::deserialize(deserializer)? {
            Value::Array(items) => (items, Map::new()),
            Value::Object(mut extra) => match array(&extra).and_then(|name| extra.remove(&name)) {
                Some(Value::Array(items)) => (items, extra),
                // The document requires no member: an object without a list holds none.
                _ => (Vec::new(), extra),
            },
            _ => return Err(D::Error::custom("expected a list, or an object that holds one")),
        };
        let items = items.into_iter().map(|item| serde_json::from_value(item).map_err(D::Error::custom));
        Ok(Self { items: items.collect::<Result<_, _>>()?, extra })
    }
}

/// The member that holds the list: `data` where there is one, else the only array.
fn array(object: &Map<String, Value>) -> Option<String> {
    if object.get("data").is_some_and(Value::is_array) {
        return Some("data".to_owned());
    }
    let mut arrays = object.iter().filter(|(_, member)| member.is_array());
    match (arrays.next(), arrays.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<List<u8>, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn every_likely_envelope_is_read() {
        for text in ["[1,2]", r#"{"data":[1,2]}"#, r#"{"keys":[1,2]}"#, r#"{"data":[1,2],"errors":[]}"#] {
            assert_eq!(*read(text).expect(text), [1, 2]);
        }
        let list = read(r#"{"data":[1],"pagination":{"next":"abc"}}"#).expect("a list");
        assert_eq!(list.extra["pagination"]["next"], "abc");
        assert_eq!(serde_json::to_string(&list).ok().as_deref(), Some(r#"{"data":[1],"pagination":{"next":"abc"}}"#));
    }

    #[test]
    fn what_holds_no_list_is_empty_and_keeps_its_members() {
        let list = read(r#"{"a":[1],"b":[2]}"#).expect("an object");
        assert!(list.is_empty() && list.extra.len() == 2);
        assert!(read("7").is_err());
        assert!(read("[\"x\"]").is_err());
    }
}
