//! Request bodies: one parameter for the whole body, or the members of a form.

use serde_json::{Map, Value, json};

use super::operations::{extensions, required};
use super::parameters::{self, CollectionFormat};
use super::{Converter, schemas};
use crate::media_type::essence;
use crate::normalize::STYLE;
use crate::pointer;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A parameter that is part of the body.
#[derive(Clone)]
pub(super) struct BodyParameter<'a> {
    pub(super) node: &'a Value,
    /// The pointer at which it was written.
    pub(super) origin: String,
}

impl<'a> BodyParameter<'a> {
    /// Returns whether it is the whole body.
    pub(super) fn is_body(&self) -> bool {
        self.node["in"] == "body"
    }

    pub(super) fn name(&self) -> Option<&'a str> {
        self.node.get("name")?.as_str()
    }

    fn is_file(&self) -> bool {
        self.node["type"] == "file" || self.node["items"]["type"] == "file"
    }
}

impl<'a> Converter<'a> {
    pub(super) fn whole_body(&mut self, given: &BodyParameter<'a>, consumes: &[String], at: &str) -> Value {
        self.moves.add(at, &given.origin);
        let mut body = given.node.as_object().map(extensions).unwrap_or_default();
        let example = body.shift_remove("x-example");
        let mut media = Map::new();
        if let Some(schema) = given.node.get("schema") {
            media.insert("schema".to_owned(), schemas::converted(schema));
        }
        media.extend(example.map(|example| ("example".to_owned(), example)));
        let mut content = Map::new();
        // Without a media type, all tools assume JSON.
        let json = ["application/json".to_owned()];
        for media_type in if consumes.is_empty() { &json } else { consumes } {
            let at = pointer::join(&pointer::join(at, "content"), media_type);
            self.moves.add(pointer::join(&at, "schema"), pointer::join(&given.origin, "schema"));
            content.insert(media_type.clone(), Value::Object(media.clone()));
        }
        let description = given.node.get("description").cloned();
        body.extend(description.map(|description| ("description".to_owned(), description)));
        body.insert("required".to_owned(), required(given.node));
        body.insert("content".to_owned(), Value::Object(content));
        Value::Object(body)
    }

    /// Creates the form body of the operation at `at`.
    pub(super) fn form(&mut self, members: &[&BodyParameter<'a>], consumes: Vec<String>, at: &str) -> Value {
        let place = pointer::join(at, "requestBody");
        let kinds = self.form_kinds(members, consumes, &place);
        let mut properties = Map::new();
        let mut encoding = Map::new();
        let mut names = Vec::new();
        for given in members {
            let Some(name) = given.name() else {
                self.repairs.narrow("lost-parameter", at, "a member of the form without a name cannot be given");
                continue;
            };
            let label = format!("the member `{name}` of the form");
            let (mut schema, joined) = self.schema_of(given.node, &label, &place);
            let style = match joined {
                CollectionFormat::Not => None,
                CollectionFormat::Spread => Some(json!({ "style": "form", "explode": true })),
                CollectionFormat::Commas => Some(json!({ "style": "form", "explode": false })),
                CollectionFormat::Spaces => Some(json!({ "style": "spaceDelimited", "explode": false })),
                CollectionFormat::Pipes => Some(json!({ "style": "pipeDelimited", "explode": false })),
                CollectionFormat::Tabs => Some(json!({ "style": "tabDelimited", "explode": false })),
            };
            // Parts of a multipart body have no style in 3.0, but do in 2.0.
            let style = style.map(|mut style| {
                if let Some(own) = joined.style() {
                    style[STYLE] = json!(own);
                }
                style
            });
            // File parts are written one by one.
            encoding.extend(style.filter(|_| !given.is_file()).map(|style| (name.to_owned(), style)));
            if let Some(text) = given.node.get("description").filter(|_| schema.get("description").is_none()) {
                schema["description"] = text.clone();
            }
            if given.node["required"] == true {
                names.push(json!(name));
            }
            for kind in &kinds {
                let content = pointer::join(&pointer::join(&place, "content"), kind);
                let now = pointer::join(&format!("{content}/schema/properties"), name);
                self.moves.add(now, &given.origin);
            }
            properties.insert(name.to_owned(), schema);
        }
        self.moves.add(&place, members.first().map_or(at, |given| &given.origin));
        let is_required = !names.is_empty();
        let mut schema = json!({ "type": "object", "properties": properties });
        if is_required {
            schema["required"] = Value::Array(names);
        }
        let mut media = json!({ "schema": schema });
        if !encoding.is_empty() {
            media["encoding"] = Value::Object(encoding);
        }
        let content: Map<String, Value> = kinds.into_iter().map(|kind| (kind, media.clone())).collect();
        json!({ "required": is_required, "content": content })
    }

    /// Returns the media types of a form: files are sent as multipart.
    fn form_kinds(&mut self, members: &[&BodyParameter<'a>], consumes: Vec<String>, at: &str) -> Vec<String> {
        let has_file = members.iter().any(|given| given.is_file());
        let is_form = |kind: &String| essence(kind) == MULTIPART || (essence(kind) == FORM && !has_file);
        let said = consumes.iter().any(|kind| matches!(essence(kind).as_str(), FORM | MULTIPART));
        let kinds: Vec<String> = consumes.into_iter().filter(is_form).collect();
        if !kinds.is_empty() {
            return kinds;
        }
        let kind = if has_file { MULTIPART } else { FORM };
        if said {
            self.repairs.note(
                "form-media-type",
                at,
                format!("a form with a file is sent as {MULTIPART}, whatever `consumes` says"),
            );
        }
        vec![kind.to_owned()]
    }
}

/// Returns whether a key of a parameter is part of its schema in 3.0.
pub(super) fn is_of_schema(key: &str) -> bool {
    parameters::OF_SCHEMA.contains(&key) || key.starts_with("x-enum")
}
