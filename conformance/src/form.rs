//! Bodies that are forms, in one text or in parts: written as the document says, read by it, and compared.

use keyfit_openapi::{Api, Body, FormMember, ListStyle, Writing, schema};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use crate::body::{essence, plain};

/// A field of a form. One in one text has a name and a content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) media_type: Option<String>,
    pub(crate) file_name: Option<String>,
}

/// The name that a file has where it has no other.
const UNNAMED: &str = "blob";
const BYTES: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// How deep the names of fields may nest.
const DEEPEST: usize = 32;

impl Field {
    pub(crate) fn text(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: text.into(), ..Self::default() }
    }

    /// What it holds as text, to be compared and shown.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    fn is_json(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_json)
    }
}

/// The fields of a body; `None` where they are not written as the media type demands.
pub(crate) fn read(api: &Api, body: &Body, media_type: &str, bytes: &[u8]) -> Option<Vec<Field>> {
    if body.writing(api) == Writing::Multipart {
        return parts(media_type, bytes);
    }
    let pairs = form_urlencoded::parse(bytes).into_owned();
    Some(pairs.map(|(name, text)| Field::text(name, text)).collect())
}

/// The fields of a form with these members.
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
    // Of one text a field is no more than a pair.
    if body.writing(api) != Writing::Multipart {
        found.iter_mut().for_each(|field| field.media_type = None);
    }
    found
}

/// The bytes of a form with these fields.
pub(crate) fn bytes(api: &Api, body: &Body, fields: &[Field]) -> Vec<u8> {
    if body.writing(api) == Writing::Multipart { in_parts(fields) } else { in_text(fields) }
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
            items.iter().for_each(|item| found.push(file(name, item, documented.as_deref())));
        }
        value if known.is_some_and(|known| known.is_file) => found.push(file(name, value, documented.as_deref())),
        value if documented.as_deref().is_some_and(is_json) => found.push(of_json(value)),
        Value::Array(_) | Value::Object(_) if style == Some(ListStyle::Brackets) => brackets(name, value, found),
        Value::Array(_) | Value::Object(_) if style.is_some() => {
            let separator = style.and_then(ListStyle::separator).unwrap_or(',').to_string();
            let values = values(value);
            found.extend((!values.is_empty()).then(|| Field::text(name, values.join(&separator))));
        }
        Value::Array(items) => items.iter().for_each(|item| add(name, item, known, found)),
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
    let media_type = documented.filter(|listed| !listed.contains(['*', ','])).unwrap_or(BYTES);
    Field {
        file_name: Some(UNNAMED.to_owned()),
        media_type: Some(media_type.to_owned()),
        ..Field::text(name, plain(value))
    }
}

/// The values of a list, or the names and values of an object in turn.
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

/// `name[key]=..`, `name[]=..`, and `name[0][key]=..` where an item has members of its own.
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

/// The pairs of a value whose names have brackets.
pub(crate) fn in_brackets(name: &str, value: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    brackets(name, value, &mut fields);
    fields.into_iter().map(|field| (field.name.clone(), field.shown())).collect()
}

/// The value of pairs whose names have brackets behind this one.
pub(crate) fn of_brackets(api: &Api, schema: &Value, name: &str, pairs: &[(String, String)]) -> Value {
    let fields: Vec<Field> = pairs.iter().map(|(name, text)| Field::text(name, text.as_str())).collect();
    nested(api, schema, name, &fields)
}

/// `application/x-www-form-urlencoded`.
fn in_text(fields: &[Field]) -> Vec<u8> {
    let pairs = fields.iter().map(|field| (field.name.clone(), field.shown()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

/// A body of parts (RFC 7578). The text between them is made of their contents, so that a repeated request is the same.
pub(crate) fn in_parts(fields: &[Field]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(field.name.as_bytes());
        hash.update(&field.content);
    }
    let boundary = format!("{:x}", hash.finalize());
    let mut text = Vec::new();
    for field in fields {
        let file = field.file_name.as_deref().map(|name| format!("; filename=\"{}\"", quoted(name)));
        let media_type = field.media_type.as_deref().map(|media_type| format!("\r\nContent-Type: {media_type}"));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"{}{}\r\n\r\n",
            quoted(&field.name),
            file.unwrap_or_default(),
            media_type.unwrap_or_default()
        );
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&field.content);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    text
}

/// The media type of a body that [`bytes`] made of parts: it names what stands between them.
pub(crate) fn media_type(documented: &str, bytes: &[u8]) -> String {
    let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    // What is not one of parts has no boundary, and names one all the same.
    let boundary = String::from_utf8_lossy(first.strip_prefix(b"--").unwrap_or(b"keyfit")).into_owned();
    format!("{}; boundary={}", essence(documented), boundary.trim_end_matches("--"))
}

/// A name in quotes, as HTML has browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn unquoted(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The parts of a body; `None` where it is not one of parts.
fn parts(media_type: &str, bytes: &[u8]) -> Option<Vec<Field>> {
    let boundary = parameter(media_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // What stands before the first part says nothing.
    let mut rest = match bytes.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => bytes.get(find(bytes, &delimiter)? + delimiter.len()..)?,
    };
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, &delimiter)?;
        found.push(self::part(&part[..end])?);
        rest = &part[end + delimiter.len()..];
    }
    Some(found)
}

fn part(bytes: &[u8]) -> Option<Field> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let header = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition")?;
    Some(Field {
        name: unquoted(&parameter(disposition, "name")?),
        content: bytes[end + 4..].to_vec(),
        media_type: header("content-type").map(str::to_owned),
        file_name: parameter(disposition, "filename").map(|name| unquoted(&name)),
    })
}

/// A parameter of a header, in quotes or not.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.trim_start().split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"')?;
                (value, after.split_once(';').map_or("", |(_, after)| after))
            }
            None => value.split_once(';').map_or((value.trim(), ""), |(value, after)| (value.trim(), after)),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == JSON || essence.ends_with("+json")
}

/// The value that these fields are, by the schema of the form. What is not as the schema has it stays text.
pub(crate) fn value(api: &Api, body: &Body, mut fields: Vec<Field>) -> Value {
    let mut value = Map::new();
    for known in body.form_members(api) {
        let schema = api.resolve(&known.schema);
        let is_own = |name: &str| match known.style {
            Some(ListStyle::Brackets) => {
                name.strip_prefix(known.name.as_str()).is_some_and(|rest| rest.starts_with('['))
            }
            _ if known.is_spread => schema["properties"].get(name).is_some(),
            _ => name == known.name,
        };
        let (own, others): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(|field| is_own(&field.name));
        fields = others;
        if !own.is_empty() {
            value.insert(known.name.clone(), of_member(api, &known, schema, own));
        }
    }
    let extra = &api.resolve(&body.schema)["additionalProperties"];
    for field in fields {
        let content = if field.is_json() { json_of(&field) } else { typed(api, extra, field.shown()) };
        value.insert(field.name, content);
    }
    Value::Object(value)
}

fn of_member(api: &Api, known: &FormMember, schema: &Value, own: Vec<Field>) -> Value {
    let kind = api.kind(schema);
    let texts = || own.iter().map(Field::shown);
    match (kind, known.style) {
        (_, Some(ListStyle::Brackets)) => nested(api, schema, &known.name, &own),
        _ if known.is_spread => {
            let members = own
                .iter()
                .map(|field| (field.name.clone(), typed(api, &schema["properties"][&field.name], field.shown())));
            Value::Object(members.collect())
        }
        (Some("array"), Some(style)) => {
            let joined = texts().next().unwrap_or_default();
            let items = joined
                .split(style.separator().unwrap_or(','))
                .map(|item| typed(api, &schema["items"], item.to_owned()));
            Value::Array(items.collect())
        }
        (Some("object"), Some(style)) => {
            let joined = texts().next().unwrap_or_default();
            let parts: Vec<&str> = joined.split(style.separator().unwrap_or(',')).collect();
            let members = parts.chunks(2).filter(|pair| pair.len() == 2);
            let member =
                |pair: &[&str]| (pair[0].to_owned(), typed(api, &schema["properties"][pair[0]], pair[1].to_owned()));
            Value::Object(members.map(member).collect())
        }
        (Some("array"), None) if !known.media_type.as_deref().is_some_and(is_json) => {
            let items = api.resolve(&schema["items"]);
            Value::Array(own.iter().map(|field| one(api, items, field)).collect())
        }
        _ if own.len() > 1 => Value::Array(own.iter().map(|field| one(api, &Value::Null, field)).collect()),
        _ => one(api, schema, &own[0]),
    }
}

/// The value of one field.
fn one(api: &Api, schema: &Value, field: &Field) -> Value {
    let is_json = field.is_json() || matches!(api.kind(schema), Some("object" | "array"));
    if is_json && field.file_name.is_none() { json_of(field) } else { typed(api, schema, field.shown()) }
}

fn json_of(field: &Field) -> Value {
    serde_json::from_slice(&field.content).unwrap_or_else(|_| Value::String(field.shown()))
}

/// A text as its schema has it.
fn typed(api: &Api, schema: &Value, text: String) -> Value {
    let schema = api.resolve(schema);
    match api.kind(schema) {
        Some("integer" | "number" | "boolean") => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Some("string") => Value::String(text),
        // Of a union the alternative that it fits.
        _ => {
            let value = Value::String(text);
            let fits = schema::mismatch(api, schema, &value).is_none();
            match serde_json::from_str::<Value>(value.as_str().unwrap_or_default()) {
                Ok(other) if !fits && schema::mismatch(api, schema, &other).is_none() => other,
                _ => value,
            }
        }
    }
}

/// The value of fields whose names have brackets.
fn nested(api: &Api, schema: &Value, name: &str, fields: &[Field]) -> Value {
    let mut tree = Value::Null;
    for field in fields {
        let keys: Vec<&str> =
            field.name[name.len()..].split('[').skip(1).map(|key| key.trim_end_matches(']')).collect();
        if keys.len() <= DEEPEST {
            put(&mut tree, &keys, field.shown());
        }
    }
    shaped(api, schema, tree)
}

fn put(tree: &mut Value, keys: &[&str], text: String) {
    match keys {
        [] => *tree = Value::String(text),
        ["", rest @ ..] => {
            if !tree.is_array() {
                *tree = Value::Array(Vec::new());
            }
            if let Some(items) = tree.as_array_mut() {
                let mut item = Value::Null;
                put(&mut item, rest, text);
                items.push(item);
            }
        }
        [key, rest @ ..] => {
            if !tree.is_object() {
                *tree = Value::Object(Map::new());
            }
            put(&mut tree[*key], rest, text);
        }
    }
}

/// A tree of texts as its schema has it: numbers for keys are the places of a list.
fn shaped(api: &Api, schema: &Value, tree: Value) -> Value {
    let schema = api.resolve(schema);
    match tree {
        Value::Object(members) if api.kind(schema) == Some("array") => {
            Value::Array(members.into_iter().map(|(_, item)| shaped(api, &schema["items"], item)).collect())
        }
        Value::Object(members) => {
            let known = |name: &str| schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            Value::Object(
                members
                    .into_iter()
                    .map(|(name, member)| {
                        let member = shaped(api, known(&name), member);
                        (name, member)
                    })
                    .collect(),
            )
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| shaped(api, &schema["items"], item)).collect())
        }
        Value::String(text) => typed(api, schema, text),
        other => other,
    }
}

/// What is wrong with the fields that a client sent for these members; `None` where nothing is. `is_same` compares what two fields
/// hold that is not the same text.
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

/// Whether a part says the media type that it has to: where the document leaves it open, a file may have any.
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

    const DOCUMENT: &str = include_str!("../../tests/forms/openapi.yaml");

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
    fn what_is_not_of_parts_is_not_read() {
        for (media_type, bytes) in [
            ("multipart/form-data", "--x\r\n\r\n\r\n--x--"),
            ("multipart/form-data; boundary=", "----"),
            ("multipart/form-data; boundary=x", ""),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na\r\n"),
            ("multipart/form-data; boundary=x", "--xy"),
        ] {
            assert_eq!(parts(media_type, bytes.as_bytes()), None, "{bytes:?}");
        }
        let read = parts(
            "multipart/form-data; charset=utf-8; boundary=\"x y\"",
            b"before\r\n--x y\r\ncontent-disposition: form-data; filename=\"a;b%22.txt\"; name=n\r\n\r\na\r\n--x y--\r\n",
        );
        let expected = Field { file_name: Some("a;b\".txt".to_owned()), ..Field::text("n", "a") };
        assert_eq!(read, Some(vec![expected]));
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
