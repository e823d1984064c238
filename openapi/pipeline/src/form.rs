//! Form bodies: the members that are files, and the serialization of each member by OpenAPI's `encoding`.

use std::collections::HashSet;

use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use crate::media_type::essence;
use crate::normalize::{STYLE, delimited};
use crate::operation::ListStyle;
use crate::walk;

/// A member of a form body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormMember {
    /// Its name on the wire.
    pub name: String,
    /// The style of a list or an object that is written as one field, or with names in brackets. `None`: a list is one field
    /// for each item, an object is JSON.
    pub style: Option<ListStyle>,
    /// True if the members of an object are fields of their own.
    pub is_spread: bool,
    /// The media types of its part, separated by commas, if the document names any.
    pub media_type: Option<String>,
    /// True if reserved characters (the delimiters of a URL) are not escaped.
    pub allows_reserved: bool,
    /// True if its values are files.
    pub is_file: bool,
    /// Its JSON schema, possibly a `$ref` into the document.
    pub schema: Value,
}

impl FormMember {
    /// Returns true if the document does not change the default serialization of the member.
    pub(crate) fn is_usual(&self) -> bool {
        self.style.is_none() && !self.is_spread && self.media_type.is_none() && !self.allows_reserved
    }
}

/// Returns the members of a form of this media type.
pub(crate) fn members(document: &Value, media_type: &str, schema: &Value, encoding: &Value) -> Vec<FormMember> {
    let is_urlencoded = !is_multipart(media_type);
    // Before 3.1, `style` does not apply to multipart bodies.
    let is_styled = is_urlencoded || document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1"));
    let mut found: Vec<FormMember> = Vec::new();
    for (name, member) in properties(document, schema) {
        if found.iter().any(|known| known.name == name) {
            continue;
        }
        let said = walk::resolve(document, &encoding[name]);
        let written = member;
        let member = walk::resolve(document, member);
        let own = ListStyle::deserialize(&said[STYLE]).ok();
        let (style, is_spread) = if own.is_some() || !is_styled { (own, false) } else { style(said, member) };
        let media_type = said["contentType"].as_str().map(str::trim).filter(|text| !text.is_empty());
        found.push(FormMember {
            name: name.to_owned(),
            style,
            is_spread,
            media_type: media_type
                .map(str::to_owned)
                .or_else(|| inner_type(document, member).filter(|_| !is_urlencoded)),
            allows_reserved: is_urlencoded && said["allowReserved"] == true,
            is_file: !is_urlencoded && files(document, member).is_some(),
            schema: written.clone(),
        });
    }
    found
}

/// Returns whether a media type is multipart.
pub(crate) fn is_multipart(media_type: &str) -> bool {
    essence(media_type).starts_with("multipart/")
}

/// Returns the members of a schema and its parts, those of one of several alternatives included.
pub(crate) fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let mut found = Vec::new();
    collect(document, schema, &mut HashSet::new(), &mut found);
    found
}

/// Collects the members. `seen` holds the schemas that were visited: nested compositions can reach one schema in
/// exponentially many ways.
fn collect<'a>(
    document: &'a Value,
    schema: &'a Value,
    seen: &mut HashSet<*const Value>,
    found: &mut Vec<(&'a str, &'a Value)>,
) {
    for part in walk::composed(document, schema) {
        if !seen.insert(part) {
            continue;
        }
        let properties = part.get("properties").and_then(Value::as_object).into_iter().flatten();
        found.extend(properties.map(|(name, member)| (name.as_str(), member)));
        for variant in variants(part) {
            collect(document, variant, seen, found);
        }
    }
}

/// Returns the alternatives of a schema.
pub(crate) fn variants(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().flat_map(|key| schema.get(key).and_then(Value::as_array).into_iter().flatten())
}

/// The files of a member of a multipart form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileKind {
    One,
    Several,
}

/// Returns whether a schema is a file or a list of files; `None` if it is neither. All notations for bytes count, base64 text
/// included.
pub(crate) fn files(document: &Value, schema: &Value) -> Option<FileKind> {
    file(document, schema).map(|(files, _)| files)
}

/// Returns the same as [`files`], with the schema of a file.
fn file<'a>(document: &'a Value, schema: &'a Value) -> Option<(FileKind, &'a Value)> {
    let schema = walk::resolve(document, schema);
    if is_bytes(schema) {
        return Some((FileKind::One, schema));
    }
    if walk::kind(schema) == Some("array") {
        let items = walk::resolve(document, schema.get("items")?);
        return is_bytes(items).then_some((FileKind::Several, items));
    }
    let parts = schema.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1);
    let parts: Vec<&Value> = variants(schema).chain(parts.into_iter().flatten()).collect();
    let mut found: Option<(FileKind, &Value)> = None;
    for part in parts {
        let part = walk::resolve(document, part);
        if *part == json!({ "type": "null" }) {
            continue;
        }
        // A union of a file and a list of files is a list of files.
        found = match (found, file(document, part)?) {
            (None | Some((FileKind::One, _)), (FileKind::One, file)) => Some((FileKind::One, file)),
            (_, (_, file)) => Some((FileKind::Several, file)),
        };
    }
    found
}

/// Returns whether a schema is a file whose bytes are sent unencoded, which a text cannot hold.
pub(crate) fn is_binary(document: &Value, schema: &Value) -> bool {
    let schema = walk::resolve(document, schema);
    let items = walk::resolve(document, &schema["items"]);
    [schema, items].iter().any(|schema| schema["format"] == "binary" || walk::kind(schema) == Some("file"))
}

/// Returns whether a schema describes bytes: `binary` and `byte` of 3.0, or `contentEncoding` and `contentMediaType` of 3.1,
/// which may omit the type.
fn is_bytes(schema: &Value) -> bool {
    let is_text = walk::kind(schema) == Some("string");
    let format = schema["format"].as_str();
    let is_of_bytes = |media_type: &str| {
        let essence = essence(media_type);
        !essence.starts_with("text/") && !crate::media_type::is_json(&essence)
    };
    let says_media_type = schema["contentMediaType"].as_str().is_some_and(is_of_bytes);
    match walk::kind(schema) {
        _ if schema["enum"].is_array() => false,
        Some("file") => true,
        Some("string") | None if says_media_type => true,
        _ => is_text && (matches!(format, Some("binary" | "byte")) || schema["contentEncoding"].is_string()),
    }
}

/// Returns the media type that the schema of a part names. A text that holds JSON is written by the caller.
fn inner_type(document: &Value, member: &Value) -> Option<String> {
    let said = match file(document, member) {
        Some((_, file)) => file["contentMediaType"].as_str()?,
        None => member["contentMediaType"].as_str().filter(|said| essence(said).starts_with("text/"))?,
    };
    Some(said.to_owned())
}

/// Returns the style of a list or an object, if the document states it.
fn style(said: &Value, member: &Value) -> (Option<ListStyle>, bool) {
    if !["style", "explode"].iter().any(|key| said.get(*key).is_some()) {
        return (None, false);
    }
    let style = said["style"].as_str().unwrap_or("form");
    let explode = said["explode"].as_bool().unwrap_or(style == "form");
    match walk::kind(member) {
        Some("array" | "object") | None if style == "deepObject" => (Some(ListStyle::Brackets), false),
        Some("array" | "object") if !explode => (Some(delimited(style)), false),
        Some("object") => (None, style == "form"),
        _ => (None, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bytes_in_whatever_words() {
        let document = json!({ "components": { "schemas": { "Photo": { "type": "string", "format": "binary" } } } });
        let photo = json!({ "$ref": "#/components/schemas/Photo" });
        for (schema, expected) in [
            (json!({ "type": "string", "format": "binary" }), Some(FileKind::One)),
            (json!({ "type": "string", "format": "byte" }), Some(FileKind::One)),
            (json!({ "type": "file" }), Some(FileKind::One)),
            (json!({ "contentMediaType": "image/png" }), Some(FileKind::One)),
            (json!({ "type": "string", "contentMediaType": "application/octet-stream" }), Some(FileKind::One)),
            (json!({ "type": "string", "contentEncoding": "base64" }), Some(FileKind::One)),
            (json!({ "type": ["string", "null"], "format": "binary" }), Some(FileKind::One)),
            (json!({ "anyOf": [photo, { "type": "null" }] }), Some(FileKind::One)),
            (json!({ "allOf": [photo] }), Some(FileKind::One)),
            (json!({ "type": "array", "items": photo }), Some(FileKind::Several)),
            (json!({ "anyOf": [photo, { "type": "array", "items": photo }] }), Some(FileKind::Several)),
            (json!({ "anyOf": [photo, { "type": "string" }] }), None),
            (json!({ "type": "string", "contentMediaType": "text/html" }), None),
            (json!({ "type": "string", "contentMediaType": "application/json" }), None),
            (json!({ "type": "object", "properties": { "a": photo } }), None),
            (json!({ "type": "string" }), None),
            (json!({}), None),
        ] {
            assert_eq!(files(&document, &schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_member_is_written_as_its_encoding_says() {
        let object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let list = json!({ "type": "array", "items": { "type": "string" } });
        let schema = json!({ "type": "object", "properties": { "o": object, "l": list, "t": { "type": "string" } } });
        let read = |version: &str, media_type: &str, encoding: &Value| {
            let document = json!({ "openapi": version });
            let members = members(&document, media_type, &schema, encoding);
            members.into_iter().map(|known| (known.style, known.is_spread, known.media_type)).collect::<Vec<_>>()
        };
        let form = "application/x-www-form-urlencoded";
        let usual = vec![(None, false, None); 3];
        assert_eq!(read("3.0.3", form, &Value::Null), usual);
        let deep = json!({ "o": { "style": "deepObject", "explode": true }, "l": { "style": "deepObject" } });
        let brackets = vec![
            (Some(ListStyle::Brackets), false, None),
            (Some(ListStyle::Brackets), false, None),
            (None, false, None),
        ];
        assert_eq!(read("3.0.3", form, &deep), brackets);
        assert_eq!(read("3.1.0", "multipart/form-data", &deep), brackets);
        assert_eq!(read("3.0.3", "multipart/form-data", &deep), usual);
        let joined = json!({ "o": { "style": "form" }, "l": { "style": "pipeDelimited", "explode": false },
                             "t": { "contentType": "text/csv" } });
        let expected =
            vec![(None, true, None), (Some(ListStyle::Pipes), false, None), (None, false, Some("text/csv".to_owned()))];
        assert_eq!(read("3.0.3", form, &joined), expected);
    }
}
