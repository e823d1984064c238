//! Keys of `paths`: a path template, with the additions by which some documents document a path more than once.

use serde_json::{Value, json};

use crate::normalize::{percent_decoded, template_names};
use crate::repair::Repairs;
use crate::{pointer, walk};

/// A key of `paths`, split into its parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PathKey<'a> {
    /// The template of the path: `/responses/{id}`.
    pub(crate) path: &'a str,
    /// The query of every request, as written: `beta=true`. Empty if there is none.
    pub(crate) query: &'a str,
    /// The part that distinguishes the key from others and is not sent. Empty if there is none.
    pub(crate) fragment: &'a str,
}

impl<'a> PathKey<'a> {
    pub(crate) fn of(key: &'a str) -> Self {
        let (sent, fragment) = key.split_once('#').unwrap_or((key, ""));
        let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
        Self { path, query, fragment }
    }

    /// Returns the decoded query pairs that are the same in each request. A pair without a value has an empty one.
    pub(crate) fn pairs(self) -> Vec<(String, String)> {
        self.written_pairs().filter(|pair| !pair.contains('{')).map(split).collect()
    }

    /// Returns the parameters in the query, with their names there.
    fn parameters(self) -> Vec<(String, String)> {
        let given = self.written_pairs().map(split);
        given.filter_map(|(name, value)| Some((name, parameter(&value)?.to_owned()))).collect()
    }

    fn written_pairs(self) -> impl Iterator<Item = &'a str> {
        self.query.split('&').filter(|pair| !pair.is_empty())
    }

    /// Returns the path of an operation for the client generator: the key itself, unless there are braces after the path.
    pub(crate) fn for_generator(key: &'a str, function: &str) -> String {
        let parts = Self::of(key);
        if !parts.query.contains(['{', '}']) && !parts.fragment.contains(['{', '}']) {
            return key.to_owned();
        }
        let query: Vec<&str> = parts.written_pairs().filter(|pair| !pair.contains('{')).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}#{function}", parts.path, query.join("&"))
    }

    /// Returns the reason why no request can be made with the query.
    pub(crate) fn unusable_reason(self) -> Option<String> {
        if let Some(odd) = self.query.chars().find(|letter| !letter.is_ascii_graphic() || *letter == '\\') {
            return Some(format!("the query of the path holds {odd:?}: percent-encode what is no plain ASCII"));
        }
        let is_whole = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !name.contains(['{', '}']) && (!value.contains(['{', '}']) || parameter(value).is_some())
        };
        let odd = self.written_pairs().find(|pair| !is_whole(pair))?;
        Some(format!(
            "the query of the path has `{odd}`, where a parameter can only be a whole value: declare it as a parameter"
        ))
    }
}

/// Returns the decoded name and value of a pair.
fn split(pair: &str) -> (String, String) {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decoded(&spaced).unwrap_or(spaced)
    };
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(name), decoded(value))
}

/// Returns the name in `{name}`.
fn parameter(value: &str) -> Option<&str> {
    value.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.is_empty() && !name.contains(['{', '}']))
}

/// Creates parameters for `name={parameter}` in the query of a path, and removes parameters whose value the path determines.
pub(crate) fn convert_queries(document: &mut Value, repairs: &mut Repairs) {
    for at in walk::operation_pointers(document) {
        let (_, key) = walk::method_and_path(&at);
        let key = PathKey::of(&key);
        if key.query.is_empty() {
            continue;
        }
        let in_path = template_names(key.path);
        let Some(parameters) = document.pointer_mut(&pointer::join(&at, "parameters")).and_then(Value::as_array_mut)
        else {
            continue;
        };
        let is_called =
            |parameter: &Value, place: &str, name: &str| parameter["in"] == place && parameter["name"] == name;
        for (name, parameter) in key.parameters() {
            let of_path = parameters.iter().position(|known| is_called(known, "path", &parameter));
            let moved = of_path.filter(|_| !in_path.contains(&parameter)).map(|index| parameters.remove(index));
            if let Some(known) = parameters.iter_mut().find(|known| is_called(known, "query", &name)) {
                known["required"] = json!(true);
            } else {
                parameters.push(in_query(moved, &name));
            }
            repairs.note("path-query", &at, format!("`{name}` of the path is a parameter of the query"));
        }
        for (name, value) in key.pairs() {
            parameters.retain(|known| !is_called(known, "query", &name));
            repairs.note("path-query", &at, format!("the path has a query: each request has `{name}={value}`"));
        }
    }
}

/// Creates a required query parameter, from the declared path parameter if there is one.
fn in_query(of_path: Option<Value>, name: &str) -> Value {
    let mut parameter = of_path.unwrap_or_else(|| json!({ "schema": { "type": "string" } }));
    if let Some(parameter) = parameter.as_object_mut() {
        // The styles of paths do not apply to queries.
        parameter.shift_remove("style");
        parameter.shift_remove("explode");
        parameter.extend(
            [("name", json!(name)), ("in", json!("query")), ("required", json!(true))]
                .map(|(key, value)| (key.to_owned(), value)),
        );
    }
    parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_path_a_query_and_a_fragment() {
        for (key, path, query, fragment) in [
            ("/a/{b}", "/a/{b}", "", ""),
            ("/a#one", "/a", "", "one"),
            ("/a?b=c&d#one?two#three", "/a", "b=c&d", "one?two#three"),
            ("/a?", "/a", "", ""),
            ("/a#", "/a", "", ""),
        ] {
            assert_eq!(PathKey::of(key), PathKey { path, query, fragment }, "{key}");
        }
    }

    #[test]
    fn pairs_are_decoded_and_parameters_are_not_among_them() {
        let key = PathKey::of("/a?b=c+d&e&f=%26&&g={h}");
        let pairs = [("b", "c d"), ("e", ""), ("f", "&")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((key.pairs(), key.unusable_reason()), (pairs.to_vec(), None));
        assert_eq!(key.parameters(), [("g".to_owned(), "h".to_owned())]);
        assert_eq!(PathKey::for_generator("/a?b=c&g={h}#x", "list"), "/a?b=c#list");
        for key in ["/a?b={c}{d}", "/a?b=x{c}", "/a?{b}=c", "/a?b={}", "/a?b=}", "/a?b=\u{e9}", "/a?b=c d", "/a?b=c\\"]
        {
            assert!(PathKey::of(key).unusable_reason().is_some(), "{key}");
        }
    }
}
