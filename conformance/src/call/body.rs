//! Request bodies: given as a whole, or built from members, and written in the documented media type.

use std::path::Path;

use bytes::Bytes;
use keyfit_openapi::{Api, Body as Documented, BodyFormat, read_file};
use serde_json::Value;
use serde_json::value::RawValue;

use super::arguments::refused;
use super::value::{self, Kind};
use crate::UserError;
use crate::body::essence;
use crate::form::{self, Field};

/// A body in its final form.
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
    /// True if its values are files.
    is_file: bool,
}

/// A member with its value.
pub(super) struct Filled {
    name: String,
    content: Content,
}

enum Content {
    Json(Box<RawValue>),
    /// Files that are separate parts, by name.
    Files(Vec<(String, Vec<u8>)>),
}

/// The schema of members with arbitrary names.
static ANYTHING: Value = Value::Null;

impl Member<'_> {
    /// Parses the typed values. `@FILE` reads the bytes of a file if the member is a file.
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

/// Reads the name and the bytes of a file.
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
    /// Returns a description of its type.
    pub(super) fn taken(&self, api: &Api) -> String {
        if self.is_file { "file, as @FILE".to_owned() } else { value::named(api, self.schema) }
    }
}

/// Returns the documented members of a body; empty if it is not an object.
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

/// Returns the member with this name. If no names are documented, or if the caller has marked it as a member, any name is accepted.
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

/// Returns whether an empty body is valid for a required one.
pub(super) fn may_be_empty(api: &Api, body: &Documented) -> bool {
    body.format(api) == BodyFormat::Json && matches!(value::kind(api, &body.schema), Kind::Object)
}

/// Returns a whole body as it was given.
pub(super) fn given(api: &Api, body: &Documented, text: Vec<u8>) -> Result<Body, UserError> {
    let is_object = text.trim_ascii_start().starts_with(b"{");
    let is_parts = is_multipart(body);
    if body.format(api) == BodyFormat::Json || (is_object && (is_parts || body.format(api) == BodyFormat::Form)) {
        // The error position is reported without the text, which may contain a secret.
        let checked: Result<&RawValue, _> = serde_json::from_slice(&text);
        if let Err(error) = checked {
            let (line, column) = (error.line(), error.column());
            return Err(UserError::new(format!("the body is not JSON: line {line}, column {column}"))
                .help("give JSON as text, @FILE, or - for the standard input"));
        }
    }
    match body.format(api) {
        BodyFormat::Form | BodyFormat::Multipart | BodyFormat::Bytes
            if is_object && (is_parts || body.format(api) == BodyFormat::Form) =>
        {
            let members: std::collections::BTreeMap<String, Box<RawValue>> =
                serde_json::from_slice(&text).map_err(|_| UserError::new("the body is not an object"))?;
            let filled: Vec<Filled> =
                members.into_iter().map(|(name, json)| Filled { name, content: Content::Json(json) }).collect();
            of_members(api, body, &filled)
        }
        BodyFormat::Multipart | BodyFormat::Bytes if is_parts => {
            Err(UserError::new("the body has several parts, which the text is not")
                .help("give its members by name, files as name=@FILE, or an object as JSON"))
        }
        _ => Ok(Body { media_type: body.default_media_type().to_owned(), bytes: text.into() }),
    }
}

/// Returns a body with these members.
pub(super) fn of_members(api: &Api, body: &Documented, members: &[Filled]) -> Result<Body, UserError> {
    let media_type = body.default_media_type().to_owned();
    if is_multipart(body) || body.format(api) == BodyFormat::Form {
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

/// Returns a form with these members, URL-encoded or multipart.
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
            // In its typed form, since numbers keep their digits there.
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
        (body.default_media_type().to_owned(), form::bytes(api, body, &fields))
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
    is_multipart(body) || (is_object && matches!(body.format(api), BodyFormat::Json | BodyFormat::Form))
}

/// Returns whether a member is a file: bytes that JSON cannot contain.
fn is_file(api: &Api, schema: &Value) -> bool {
    let schema = api.resolve(schema);
    schema["format"] == "binary" || schema["contentMediaType"] == "application/octet-stream"
}

/// The highest depth of schema composition; it ends recursive schemas.
const DEPTH: usize = 8;

/// Collects the members of a schema and its parts. Those of one of several variants are not required.
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
