//! Bodies: given whole, or made of members, and written as the document says.

use std::path::Path;

use bytes::Bytes;
use keyfit_openapi::{Api, Body as Documented, Writing, read_file};
use serde_json::Value;
use serde_json::value::RawValue;

use super::arguments::refused;
use super::value::{self, Kind};
use crate::UserError;
use crate::body::essence;
use crate::form::{self, Field};

/// A body as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// A member of a body.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    pub(super) schema: &'a Value,
    pub(super) is_required: bool,
    /// Whether its values are files.
    is_file: bool,
}

/// A member with its value.
pub(super) struct Filled {
    name: String,
    content: Content,
}

enum Content {
    Json(Box<RawValue>),
    /// Files that are parts of their own, by name.
    Files(Vec<(String, Vec<u8>)>),
}

/// A schema whose members may have any name has no other to show for them.
static ANYTHING: Value = Value::Null;

impl Member<'_> {
    /// Reads what was typed for it. `@FILE` stands for the bytes of a file where the member is one.
    pub(super) fn read(self, api: &Api, typed: &[&str]) -> Result<Filled, UserError> {
        let Self { name, schema, is_file, .. } = self;
        if is_file {
            let files = typed.iter().map(|typed| file(&name, typed)).collect::<Result<_, _>>()?;
            return Ok(Filled { name, content: Content::Files(files) });
        }
        let json = value::json(api, schema, typed).map_err(|why| refused(&name, &why, &value::named(api, schema)))?;
        Ok(Filled { name, content: Content::Json(json) })
    }
}

/// The name and the bytes of a file.
fn file(name: &str, typed: &str) -> Result<(String, Vec<u8>), UserError> {
    let Some(path) = typed.strip_prefix('@') else {
        return Err(UserError::new(format!("the value of `{name}` is not a file")).help("name it: @photo.png"));
    };
    let bytes = read_file(Path::new(path))
        .map_err(|error| UserError::new(format!("the file of `{name}` cannot be read: {error}")).at(path))?;
    let file = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((file, bytes))
}

impl Member<'_> {
    /// What it takes, in words.
    pub(super) fn taken(&self, api: &Api) -> String {
        if self.is_file { "file, as @FILE".to_owned() } else { value::named(api, self.schema) }
    }
}

/// The members that a body is documented to have; none where it is not an object.
pub(super) fn members<'a>(api: &'a Api, body: &'a Documented) -> Vec<Member<'a>> {
    let mut found = Vec::new();
    if is_made_of_members(api, body) {
        collect(api, &body.schema, true, 0, &mut found);
    }
    let known = body.form_members(api);
    for member in &mut found {
        member.is_file |= known.iter().any(|known| known.name == member.name && known.is_file);
    }
    found
}

/// The member of this name. Where no names are documented, and where the caller says that it is one, any name will do.
pub(super) fn member<'a>(api: &'a Api, body: &'a Documented, name: &str, is_said: bool) -> Option<Member<'a>> {
    if !is_made_of_members(api, body) {
        return None;
    }
    let known = members(api, body);
    let is_open = known.is_empty() || is_said;
    known.into_iter().find(|member| member.name == name).or_else(|| {
        is_open.then(|| Member { name: name.to_owned(), schema: &ANYTHING, is_required: false, is_file: false })
    })
}

/// Whether a body with nothing in it says what a required body has to say.
pub(super) fn may_be_empty(api: &Api, body: &Documented) -> bool {
    body.writing(api) == Writing::Json && matches!(value::kind(api, &body.schema), Kind::Object)
}

/// A whole body, as it was given.
pub(super) fn given(api: &Api, body: &Documented, text: Vec<u8>) -> Result<Body, UserError> {
    let is_object = text.trim_ascii_start().starts_with(b"{");
    let is_parts = is_multipart(body);
    if body.writing(api) == Writing::Json || (is_object && (is_parts || body.writing(api) == Writing::Form)) {
        // What is at fault is told without the text: it may hold a secret.
        let checked: Result<&RawValue, _> = serde_json::from_slice(&text);
        if let Err(error) = checked {
            let (line, column) = (error.line(), error.column());
            return Err(UserError::new(format!("the body is not JSON: line {line}, column {column}"))
                .help("give JSON as text, @FILE, or - for the standard input"));
        }
    }
    match body.writing(api) {
        Writing::Form | Writing::Multipart | Writing::Bytes
            if is_object && (is_parts || body.writing(api) == Writing::Form) =>
        {
            let members: std::collections::BTreeMap<String, Box<RawValue>> =
                serde_json::from_slice(&text).map_err(|_| UserError::new("the body is not an object"))?;
            let filled: Vec<Filled> =
                members.into_iter().map(|(name, json)| Filled { name, content: Content::Json(json) }).collect();
            of_members(api, body, &filled)
        }
        Writing::Multipart | Writing::Bytes if is_parts => {
            Err(UserError::new("the body has several parts, which the text is not")
                .help("give its members by name, files as name=@FILE, or an object as JSON"))
        }
        _ => Ok(Body { media_type: body.sent_as().to_owned(), bytes: text.into() }),
    }
}

/// A body of members.
pub(super) fn of_members(api: &Api, body: &Documented, members: &[Filled]) -> Result<Body, UserError> {
    let media_type = body.sent_as().to_owned();
    if is_multipart(body) || body.writing(api) == Writing::Form {
        return form(api, body, members);
    }
    let mut pairs = Vec::new();
    for Filled { name, content } in members {
        match content {
            Content::Json(json) => pairs.push((name, json)),
            Content::Files(..) => return Err(no_file(name, &media_type)),
        }
    }
    let members = pairs.iter().map(|(name, json)| format!("{}:{}", Value::from(name.as_str()), json.get()));
    let bytes = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    Ok(Body { media_type, bytes: bytes.into() })
}

/// A form of members, in one text or in parts.
fn form(api: &Api, body: &Documented, members: &[Filled]) -> Result<Body, UserError> {
    let is_in_parts = is_multipart(body);
    let documented = body.form_members(api);
    let mut fields = Vec::new();
    for Filled { name, content } in members {
        let known = documented.iter().find(|known| known.name == *name);
        match content {
            Content::Json(json) if known.is_some_and(|known| known.is_file) || json.get().starts_with(['{', '[']) => {
                let value: Value = serde_json::from_str(json.get()).unwrap_or_default();
                fields.extend(form::fields(api, body, [(name, &value)]));
            }
            Content::Json(json) if json.get() == "null" => {}
            // As it was typed, because numbers keep their digits there.
            Content::Json(json) => fields.push(Field::text(name, value::plain(json))),
            Content::Files(files) if is_in_parts => {
                let media_type = known.and_then(|known| known.media_type.as_deref());
                fields.extend(files.iter().map(|(file, bytes)| Field::file(name, file, bytes.clone(), media_type)));
            }
            Content::Files(..) => return Err(no_file(name, &body.media_type)),
        }
    }
    let (media_type, bytes) = if is_in_parts {
        form::in_parts(&body.media_type, &fields)
    } else {
        (body.sent_as().to_owned(), form::bytes(api, body, &fields))
    };
    Ok(Body { media_type, bytes: bytes.into() })
}

fn no_file(name: &str, media_type: &str) -> UserError {
    UserError::new(format!("the file of `{name}` cannot stand in {media_type}")).help("give the whole body with --body")
}

fn is_multipart(body: &Documented) -> bool {
    essence(&body.media_type).starts_with("multipart/")
}

fn is_made_of_members(api: &Api, body: &Documented) -> bool {
    let is_object = matches!(value::kind(api, &body.schema), Kind::Object | Kind::Any);
    is_multipart(body) || (is_object && matches!(body.writing(api), Writing::Json | Writing::Form))
}

/// Whether a member is a file: bytes that no JSON holds.
fn is_file(api: &Api, schema: &Value) -> bool {
    let schema = api.resolve(schema);
    schema["format"] == "binary" || schema["contentMediaType"] == "application/octet-stream"
}

/// How deep schemas are put together; ends one that contains itself.
const DEPTH: usize = 8;

/// The members of a schema, of all that it is put together of. Those of one variant of several are not required.
fn collect<'a>(api: &'a Api, schema: &'a Value, is_required: bool, depth: usize, found: &mut Vec<Member<'a>>) {
    let schema = api.resolve(schema);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if api.resolve(member)["readOnly"] == true || found.iter().any(|known| known.name == *name) {
            continue;
        }
        let is_required = is_required && required.contains(&name.as_str());
        found.push(Member { name: name.clone(), schema: member, is_required, is_file: is_file(api, member) });
    }
    for (key, is_required) in [("allOf", is_required), ("anyOf", false), ("oneOf", false)] {
        if depth < DEPTH {
            for part in schema[key].as_array().into_iter().flatten() {
                collect(api, part, is_required, depth + 1, found);
            }
        }
    }
}
