//! Parameters of a query.

use serde::Serialize;
use serde_json::value::RawValue;

/// A parameter of a query: a scalar is one pair, a list a pair for each item, an object a pair for each member under the
/// member's name. Null is no pair.
#[derive(Debug)]
pub struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    /// A parameter of this name.
    pub fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> QueryParam<'_, T> {
    /// Its names and values, not encoded yet.
    pub(super) fn pairs(&self) -> Result<Vec<(String, String)>, serde_json::Error> {
        // As JSON text, because numbers keep their digits there.
        pairs(self.name, &serde_json::to_string(self.value)?)
    }
}

/// The pairs of a parameter whose value is this JSON text.
pub(super) fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, serde_json::Error> {
    let found: Vec<(String, Option<String>)> = match text.as_bytes().first() {
        Some(b'[') => items(text)?
            .into_iter()
            .map(|item| Ok((name.to_owned(), scalar(item.get())?)))
            .collect::<Result<_, serde_json::Error>>()?,
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text)?;
            let pair = |(name, item): (String, &RawValue)| Ok((name, scalar(item.get())?));
            members.0.into_iter().map(pair).collect::<Result<_, serde_json::Error>>()?
        }
        _ => vec![(name.to_owned(), scalar(text)?)],
    };
    Ok(found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// The values of a list, the names and values of an object in turn, or the one of what is neither; null is no value.
pub(super) fn values(text: &str) -> Result<Vec<String>, serde_json::Error> {
    if text.starts_with('{') {
        return Ok(pairs("", text)?.into_iter().flat_map(|(name, value)| [name, value]).collect());
    }
    let items = if text.starts_with('[') { items(text)? } else { vec![serde_json::from_str(text)?] };
    items.into_iter().filter_map(|item| scalar(item.get()).transpose()).collect()
}

/// The items of a list, each as JSON text.
pub(super) fn items(text: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_str(text)
}

/// A scalar as it stands in a query; what is nested is its JSON.
pub(super) fn scalar(text: &str) -> Result<Option<String>, serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(Some),
        Some(b'n') => Ok(None),
        _ => Ok(Some(text.to_owned())),
    }
}

/// The members of an object in their order.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::Requests;

    #[derive(Serialize)]
    struct Filter {
        state: &'static str,
        least: u8,
        most: Option<u8>,
    }

    fn query(value: impl Serialize) -> String {
        let request = Requests.get("http://localhost/").query(&QueryParam::new("q", &value)).build();
        request.expect("a request").url().query().unwrap_or_default().to_owned()
    }

    #[test]
    fn scalars_are_written_as_they_are() {
        assert_eq!(query("a b&c=é"), "q=a+b%26c%3D%C3%A9");
        assert_eq!(query(0.1_f32), "q=0.1");
        assert_eq!(query(9_007_199_254_740_993_i64), "q=9007199254740993");
        assert_eq!(query(true), "q=true");
        assert_eq!(query(None::<u8>), "");
    }

    #[test]
    fn lists_repeat_the_name_and_objects_bring_their_own() {
        assert_eq!(query(["a", "b"]), "q=a&q=b");
        assert_eq!(query(json!([1, null, "x"])), "q=1&q=x");
        assert_eq!(query(Vec::<u8>::new()), "");
        assert_eq!(query(Filter { state: "open", least: 1, most: None }), "state=open&least=1");
    }
}
