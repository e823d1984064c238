//! Form bodies, URL-encoded or multipart: written and parsed by the document, and compared.

mod parts;
mod value;

use keyfit_openapi::{Api, Body, BodyFormat, FormMember, ListStyle};
use serde_json::Value;
use url::form_urlencoded;

pub(crate) use value::{of as value, of_brackets};

use crate::body::{essence, plain};

/// A field of a form. A URL-encoded one has only a name and a content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) media_type: Option<String>,
    pub(crate) file_name: Option<String>,
}

/// The name of a file without another name.
const UNNAMED: &str = "blob";
const BYTES: &str = "application/octet-stream";
const JSON: &str = "application/json";

impl Field {
    pub(crate) fn text(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: text.into(), ..Self::default() }
    }

    /// Creates a file with the documented media type, if there is exactly one.
    pub(crate) fn file(name: &str, file: &str, content: impl Into<Vec<u8>>, documented: Option<&str>) -> Self {
        let media_type = documented.filter(|listed| !listed.contains(['*', ','])).unwrap_or(BYTES);
        Self { file_name: Some(file.to_owned()), media_type: Some(media_type.to_owned()), ..Self::text(name, content) }
    }

    /// Returns its content as text, for comparison and display.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_json)
    }
}

/// Parses the fields of a body; returns `None` if it is malformed.
pub(crate) fn read(api: &Api, body: &Body, media_type: &str, bytes: &[u8]) -> Option<Vec<Field>> {
    if body.format(api) == BodyFormat::Multipart {
        return parts::read(media_type, bytes);
    }
    let pairs = form_urlencoded::parse(bytes).into_owned();
    Some(pairs.map(|(name, text)| Field::text(name, text)).collect())
}

/// Returns the fields of a form with these members.
pub(crate) fn fields<'a>(
    api: &Api,
    body: &Body,
    members: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Vec<Field> {
    let known = body.form_members(api);
    let mut found = Vec::new();
    for (name, value) in members {
        add(name, value, known.iter().find(|known| known.name == *name), &mut found);
    }
    // A URL-encoded field is only a pair.
    if body.format(api) == BodyFormat::Form {
        for field in &mut found {
            field.media_type = None;
        }
    }
    found
}

/// Returns the bytes of a form with these fields.
pub(crate) fn bytes(api: &Api, body: &Body, fields: &[Field]) -> Vec<u8> {
    if body.format(api) == BodyFormat::Multipart { parts::bytes(fields) } else { in_text(fields) }
}

fn add(name: &str, value: &Value, known: Option<&FormMember>, found: &mut Vec<Field>) {
    let documented = known.and_then(|known| known.media_type.clone());
    let of_json = |value: &Value| Field {
        media_type: documented.clone().or_else(|| Some(JSON.to_owned())),
        ..Field::text(name, value.to_string())
    };
    let style = known.and_then(|known| known.style);
    match value {
        Value::Array(items) if known.is_some_and(|known| known.is_file) => {
            found.extend(items.iter().map(|item| file(name, item, documented.as_deref())));
        }
        value if known.is_some_and(|known| known.is_file) => found.push(file(name, value, documented.as_deref())),
        value if documented.as_deref().is_some_and(is_json) => found.push(of_json(value)),
        Value::Array(_) | Value::Object(_) if style == Some(ListStyle::Brackets) => brackets(name, value, found),
        Value::Array(_) | Value::Object(_) if style.is_some() => {
            let separator = style.and_then(ListStyle::separator).unwrap_or(',').to_string();
            let values = values(value);
            found.extend((!values.is_empty()).then(|| Field::text(name, values.join(&separator))));
        }
        Value::Array(items) => items.iter().for_each(|item| match item {
            Value::Array(_) => found.push(of_json(item)),
            item => add(name, item, known, found),
        }),
        Value::Object(members) if known.is_some_and(|known| known.is_spread) => {
            let given = members.iter().filter(|(_, value)| !value.is_null());
            found.extend(given.map(|(name, value)| Field::text(name, plain(value))));
        }
        Value::Object(_) => found.push(of_json(value)),
        Value::Null => {}
        value => found.push(Field { media_type: documented, ..Field::text(name, plain(value)) }),
    }
}

fn file(name: &str, value: &Value, documented: Option<&str>) -> Field {
    Field::file(name, UNNAMED, plain(value), documented)
}

/// Returns the values of a list, or the names and values of an object alternately.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(plain).collect(),
        Value::Object(members) => {
            let given = members.iter().filter(|(_, value)| !value.is_null());
            given.flat_map(|(name, value)| [name.clone(), plain(value)]).collect()
        }
        value => vec![plain(value)],
    }
}

/// Adds `name[key]=..`, `name[]=..`, and `name[0][key]=..` if an item has members.
fn brackets(name: &str, value: &Value, found: &mut Vec<Field>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| brackets(&format!("{name}[{key}]"), member, found));
        }
        Value::Array(items) => {
            let is_flat = !items.iter().any(|item| item.is_object() || item.is_array());
            for (index, item) in items.iter().enumerate() {
                let key = if is_flat { String::new() } else { index.to_string() };
                brackets(&format!("{name}[{key}]"), item, found);
            }
        }
        Value::Null => {}
        value => found.push(Field::text(name, plain(value))),
    }
}

/// Returns the pairs of a value with bracketed names.
pub(crate) fn in_brackets(name: &str, value: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    brackets(name, value, &mut fields);
    fields.into_iter().map(|field| (field.name.clone(), field.shown())).collect()
}

/// Returns the media type and the bytes of a multipart body, whatever the document has.
pub(crate) fn in_parts(documented: &str, fields: &[Field]) -> (String, Vec<u8>) {
    let bytes = parts::bytes(fields);
    (parts::media_type(documented, &bytes), bytes)
}

/// Returns the media type, with its boundary, of a multipart body that [`bytes`] returned.
pub(crate) fn media_type(documented: &str, bytes: &[u8]) -> String {
    parts::media_type(documented, bytes)
}

/// Returns the `application/x-www-form-urlencoded` text.
fn in_text(fields: &[Field]) -> Vec<u8> {
    let pairs = fields.iter().map(|field| (field.name.clone(), field.shown()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == JSON || essence.ends_with("+json")
}

/// Returns the flaw of the fields that a client sent for these members, or `None`. `is_same` compares contents that are not equal texts.
pub(crate) fn problem(expected: &[Field], sent: &[Field], is_same: impl Fn(&Field, &Field) -> bool) -> Option<String> {
    let of = |fields: &[Field], name: &str| -> Vec<Field> {
        fields.iter().filter(|field| field.name == name).cloned().collect()
    };
    if let Some(extra) = sent.iter().find(|field| !expected.iter().any(|known| known.name == field.name)) {
        return Some(format!("the form has a field `{}`, which was not given", extra.name));
    }
    for field in expected {
        let name = &field.name;
        let (wanted, found) = (of(expected, name), of(sent, name));
        if wanted.len() != found.len() {
            return Some(format!("the form has {} fields `{name}`, not {}", found.len(), wanted.len()));
        }
        for (wanted, found) in wanted.iter().zip(&found) {
            if wanted.content != found.content && !is_same(wanted, found) {
                return Some(format!("the field `{name}` is {}, not {}", found.shown(), wanted.shown()));
            }
            if wanted.file_name.is_some() != found.file_name.is_some() {
                let what = if wanted.file_name.is_some() { "has no file name" } else { "has a file name" };
                return Some(format!("the part `{name}` {what}"));
            }
            if !is_media_type(wanted, found) {
                return Some(format!(
                    "the part `{name}` is sent as {}, not as {}",
                    found.media_type.as_deref().unwrap_or("text"),
                    wanted.media_type.as_deref().unwrap_or("text")
                ));
            }
        }
    }
    None
}

/// Returns whether a part has a permitted media type: without a documented one, a file may have any.
fn is_media_type(wanted: &Field, found: &Field) -> bool {
    let (wanted_type, found_type) = (wanted.media_type.as_deref(), found.media_type.as_deref());
    match wanted_type {
        None => found_type.is_none_or(|found| essence(found) == "text/plain"),
        Some(BYTES) if wanted.file_name.is_some() => found_type.is_some(),
        Some(listed) if listed.contains('*') => true,
        Some(listed) => listed.split(',').any(|one| found_type.is_some_and(|found| essence(found) == essence(one))),
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = include_str!("../../../tests/forms/openapi.yaml");

    fn api() -> Api {
        let document = Text::new("forms.yaml", DOCUMENT);
        Api::read(&Source { name: "forms".to_owned(), document, overlay: None, contract: None }).expect("a document")
    }

    fn body<'a>(api: &'a Api, id: &str) -> &'a Body {
        api.operations
            .iter()
            .find(|operation| operation.id == id)
            .and_then(|operation| operation.body.as_ref())
            .expect(id)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let api = api();
        for (id, value) in [
            (
                "addAttachment",
                json!({
                    "file": "a\r\n--b\r\n", "kind": "photo", "pages": [1, 2], "labels": [{ "name": "a" }, { "name": "b" }],
                    "place": { "shelf": 3 }, "thumbnails": ["x", "y"],
                }),
            ),
            (
                "search",
                json!({
                    "filter": { "state": "open", "price": { "least": 1.5 }, "tags": ["a", "b"], "anything": "else" },
                    "ids": [1, 2], "fields": ["a", "b"], "sort": { "by": "name" }, "text": "a b&c", "lines": [{ "sku": "x" }],
                }),
            ),
        ] {
            let body = body(&api, id);
            let bytes = bytes(&api, body, &fields(&api, body, value.as_object().expect("an object")));
            let fields = read(&api, body, &media_type(&body.media_type, &bytes), &bytes).expect("fields");
            assert_eq!(self::value(&api, body, fields), value, "{id}");
        }
    }

    #[test]
    fn fields_are_compared_in_what_they_hold_and_are() {
        let part = |content: &str, media_type: Option<&str>, file_name: Option<&str>| Field {
            name: "a".to_owned(),
            content: content.as_bytes().to_vec(),
            media_type: media_type.map(str::to_owned),
            file_name: file_name.map(str::to_owned),
        };
        let judge = |expected: Field, sent: Field| problem(&[expected], &[sent], |_, _| false);
        let file = || part("x", Some(BYTES), Some("blob"));
        assert_eq!(judge(file(), part("x", Some("text/csv"), Some("other.csv"))), None);
        assert!(judge(file(), part("x", Some(BYTES), None)).is_some_and(|why| why.contains("file name")));
        assert!(judge(file(), part("y", Some(BYTES), Some("a"))).is_some_and(|why| why.contains("is y")));
        let json = || part("{}", Some(JSON), None);
        assert!(judge(json(), part("{}", None, None)).is_some_and(|why| why.contains("application/json")));
        assert!(judge(json(), part("{}", Some("application/json; charset=utf-8"), None)).is_none());
        assert!(problem(&[], &[json()], |_, _| false).is_some_and(|why| why.contains("not given")));
        assert!(problem(&[json()], &[], |_, _| false).is_some_and(|why| why.contains("0 fields")));
    }
}
