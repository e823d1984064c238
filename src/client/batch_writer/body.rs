//! The body of a call: a list of items, and what stands around it.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::error::json::names;

/// The body before its list of items, and after it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Around {
    before: Bytes,
    after: Bytes,
}

impl Around {
    /// The body with a list at a place, and these members beside it. `None` where something else than an object is on the way.
    pub(super) fn of(items_at: &str, beside: Value) -> Option<Self> {
        let mut names: Vec<String> = names(items_at).collect();
        let Some(last) = names.pop() else { return beside.is_null().then(Self::default) };
        let mut body = if beside.is_null() { Value::Object(Map::new()) } else { beside };
        let mut place = &mut body;
        for name in names {
            let inner = place.as_object_mut()?.entry(name).or_insert(Value::Null);
            if inner.is_null() {
                *inner = Value::Object(Map::new());
            }
            place = inner;
        }
        // No text of the caller can hold it: what is looked for is longer than all of the others.
        let mark = "#".repeat(body_length(place) + 1);
        place.as_object_mut()?.insert(last, Value::String(mark.clone()));
        let text = body.to_string();
        let (before, after) = text.split_once(&format!("\"{mark}\""))?;
        Some(Self { before: before.to_owned().into(), after: after.to_owned().into() })
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The whole body; a list that is the body is shared, not copied.
    pub(super) fn enclose(&self, list: Bytes) -> Bytes {
        if self.len() == 0 { list } else { [&self.before[..], &list, &self.after].concat().into() }
    }
}

fn body_length(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn enclosed(items_at: &str, beside: Value) -> Option<String> {
        let body = Around::of(items_at, beside)?.enclose(Bytes::from_static(b"[1]"));
        Some(String::from_utf8(body.to_vec()).expect("text"))
    }

    #[test]
    fn the_list_stands_where_the_pointer_says_and_the_rest_stays() {
        assert_eq!(enclosed("", Value::Null).as_deref(), Some("[1]"));
        assert_eq!(enclosed("/rows", Value::Null).as_deref(), Some(r#"{"rows":[1]}"#));
        let body = enclosed("/data/a~1b", json!({"data": {"x": "##\"##"}, "z": 1.50})).expect("a body");
        let read: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(read, json!({"data": {"x": "##\"##", "a/b": [1]}, "z": 1.5}));
        // What was given in place of the items is replaced.
        assert_eq!(enclosed("/rows", json!({"rows": [7]})).as_deref(), Some(r#"{"rows":[1]}"#));
    }

    #[test]
    fn a_place_that_cannot_be_is_none() {
        assert_eq!(enclosed("/a/b", json!({"a": 1})), None);
        assert_eq!(enclosed("", json!({"a": 1})), None);
        assert_eq!(enclosed("/a", json!([])), None);
    }
}
