//! Bodies that are sequences of items: events, and JSON texts. Client, mock, check and diff all use this reading of their
//! media types and item schemas.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::hint_error::HintError;
use crate::media_type::{Framing, framing};
use crate::schema::{Direction, Mismatch, ValueCheck};
use crate::{Api, example, pointer, walk};

/// The members of a documented event.
const EVENT_MEMBERS: [&str; 4] = ["data", "event", "id", "retry"];

/// A body that is a sequence of items.
#[derive(Clone, Debug, Serialize)]
pub struct StreamedBody {
    /// The media type, as in the document.
    pub media_type: String,
    /// The framing of its items.
    pub framing: Framing,
    /// The schema of an item: of a JSON text, or of the data of an event.
    pub schema: Value,
    /// True if the data of an event is plain text, not JSON.
    pub is_text: bool,
    /// The schema of a whole event, if the document has one.
    pub event: Option<Value>,
    /// True if that schema describes the data as the text in the event (`itemSchema` of OpenAPI 3.2), false if it describes
    /// the decoded value.
    pub holds_text: bool,
}

/// The streamed response of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct StreamedResponse {
    /// The body of the success.
    pub body: StreamedBody,
    /// True if the operation has no other body.
    pub is_only: bool,
    /// The text of the item that ends the stream; it is not an item itself.
    pub end: Option<String>,
    /// The JSON pointer of the request body's member that requests the stream if it is `true`.
    pub switch: Option<String>,
}

/// The overlay's hint for streams.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct StreamHint {
    end: Option<String>,
    switch: Option<String>,
}

impl StreamHint {
    /// Returns the hint with the defaults of the root, as far as they fit this operation.
    pub(crate) fn with_defaults(self, root: &Self, document: &Value, body: Option<&Value>) -> Self {
        let switch = || root.switch.clone().filter(|at| is_switch(document, body, at));
        Self { end: self.end.or_else(|| root.end.clone()), switch: self.switch.or_else(switch) }
    }

    /// Checks the hint at an operation.
    pub(crate) fn check(&self, document: &Value, body: Option<&Value>, has_stream: bool) -> Result<(), HintError> {
        if (self.end.is_some() || self.switch.is_some()) && !has_stream {
            return Err(HintError {
                key: "",
                problem: "no success of the operation is a stream of items".to_owned(),
                help: "take it out, or document the media type of the stream",
            });
        }
        match &self.switch {
            Some(at) if !is_switch(document, body, at) => Err(HintError {
                key: "switch",
                problem: format!("`{at}` leads to no boolean member of the body"),
                help: "give the JSON pointer of the member that asks for the stream: `/stream`",
            }),
            _ => Ok(()),
        }
    }

    /// Returns the streamed response of an operation with such a success.
    pub(crate) fn into_response(self, body: StreamedBody, is_only: bool) -> StreamedResponse {
        StreamedResponse { body, is_only, end: self.end, switch: self.switch }
    }
}

/// Returns whether a pointer refers to a member of a body that may be `true`.
fn is_switch(document: &Value, body: Option<&Value>, at: &str) -> bool {
    let mut schemas: Vec<&Value> = body.into_iter().collect();
    for name in pointer::names(at) {
        schemas = schemas.iter().flat_map(|schema| members(document, schema, &name, MAX_DEPTH)).collect();
    }
    let is_boolean = |schema: &&Value| may_be_boolean(document, schema, MAX_DEPTH);
    at.starts_with('/') && schemas.iter().any(is_boolean)
}

/// The maximum number of nested schemas on the path to a member.
const MAX_DEPTH: usize = 8;

/// Returns the schemas of a member, in all parts and alternatives of a schema.
fn members<'a>(document: &'a Value, schema: &'a Value, name: &str, depth: usize) -> Vec<&'a Value> {
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    let mut found = Vec::new();
    for part in walk::composed(document, schema) {
        found.extend(part.get("properties").and_then(|properties| properties.get(name)));
        for alternative in alternatives(part) {
            found.extend(members(document, alternative, name, depth));
        }
    }
    found
}

fn may_be_boolean(document: &Value, schema: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    walk::composed(document, schema).iter().any(|part| {
        let kind = &part["type"];
        kind == "boolean"
            || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("boolean")))
            || alternatives(part).any(|alternative| may_be_boolean(document, alternative, depth))
    })
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    lists.flatten()
}

/// Returns the streamed body that a media type of `content` describes; `None` if it is described as a single text, or not at
/// all.
pub(crate) fn streamed(document: &Value, media_type: &str, media: &Value) -> Option<StreamedBody> {
    let framing = framing(media_type)?;
    let of_item = media.get("itemSchema").filter(|schema| !schema.is_null());
    let whole = media.get("schema").filter(|schema| !schema.is_null());
    // A `schema` describes a list of items. In documents of older versions it describes a single item.
    if framing != Framing::Events && of_item.is_none() && whole.is_none_or(|schema| is_untyped(document, schema)) {
        return None;
    }
    let list = whole.map(|schema| walk::resolve(document, schema)).filter(|schema| schema["type"] == "array");
    let item = of_item.or_else(|| list.and_then(|list| list.get("items"))).or(whole.filter(|_| list.is_none()));
    let media_type = media_type.to_owned();
    let plain = |schema: Value, is_text| StreamedBody {
        media_type: media_type.clone(),
        framing,
        schema,
        is_text,
        event: None,
        holds_text: of_item.is_some(),
    };
    if framing != Framing::Events {
        return Some(plain(item.cloned().unwrap_or_else(|| json!({})), false));
    }
    let Some(item) = item else { return Some(plain(text(), true)) };
    let Some(data) = envelope(document, item, MAX_DEPTH) else {
        return Some(match data(document, item, false) {
            EventData::Json(schema) => plain(schema, false),
            EventData::Text => plain(text(), true),
        });
    };
    let read: Vec<EventData> = data.iter().map(|schema| self::data(document, schema, of_item.is_some())).collect();
    let whole = match joined(read) {
        EventData::Json(schema) => plain(schema, false),
        EventData::Text => plain(text(), true),
    };
    Some(StreamedBody { event: Some(item.clone()), ..whole })
}

/// Returns whether JSON texts are left to their reader or writer: they are described as one text, or not at all.
pub(crate) fn is_untyped(document: &Value, schema: &Value) -> bool {
    let schema = walk::resolve(document, schema);
    walk::kind(schema) == Some("string") || schema.as_object().is_none_or(Map::is_empty)
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// The type of an event's data.
enum EventData {
    Json(Value),
    Text,
}

/// Returns the schemas of the data in the schema of an event; `None` if it is not such a schema: it has other members, or no
/// data.
fn envelope<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> Option<Vec<&'a Value>> {
    let depth = depth.checked_sub(1)?;
    let mut own = Vec::new();
    let mut choices = Vec::new();
    for part in walk::composed(document, schema) {
        for (name, member) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !EVENT_MEMBERS.contains(&name.as_str()) {
                return None;
            }
            own.extend((name == "data").then_some(member));
        }
        for alternative in alternatives(part) {
            choices.push(envelope(document, alternative, depth));
        }
    }
    if choices.is_empty() {
        return (!own.is_empty()).then_some(own);
    }
    // An alternative without data keeps the data that is described beside the alternatives.
    let says_all = choices.iter().all(Option::is_some);
    let chosen: Vec<&Value> = choices.into_iter().flatten().flatten().collect();
    let data: Vec<&Value> = if says_all { chosen } else { own.into_iter().chain(chosen).collect() };
    (!data.is_empty()).then_some(data)
}

/// Returns the type of data with this schema. In an `itemSchema` the data is text, and its content keywords describe the
/// value.
fn data(document: &Value, schema: &Value, holds_text: bool) -> EventData {
    let known = walk::resolve(document, schema);
    let content = known.get("contentMediaType").and_then(Value::as_str);
    if content.is_some_and(crate::media_type::is_json) {
        return EventData::Json(known.get("contentSchema").cloned().unwrap_or_else(|| json!({})));
    }
    let is_open = holds_text && known.get("type").is_none() && alternatives(known).next().is_none();
    if walk::kind(known) == Some("string") || (is_open && known.get("allOf").is_none()) {
        EventData::Text
    } else {
        EventData::Json(schema.clone())
    }
}

/// Returns one schema for all types of the data. If one of them is not JSON, all of it is text.
fn joined(read: Vec<EventData>) -> EventData {
    let mut schemas: Vec<Value> = Vec::new();
    for data in read {
        match data {
            EventData::Text => return EventData::Text,
            EventData::Json(schema) if !schemas.contains(&schema) => schemas.push(schema),
            EventData::Json(_) => {}
        }
    }
    match schemas.len() {
        1 => EventData::Json(schemas.remove(0)),
        _ => EventData::Json(json!({ "oneOf": schemas })),
    }
}

impl StreamedBody {
    /// Validates an item: `data` is a JSON text or the data of an event, `event` and `id` are the event's other fields.
    /// Returns `None` if it fits.
    pub fn mismatch(
        &self,
        (api, judge): (&Api, ValueCheck),
        data: &str,
        event: Option<&str>,
        id: Option<&str>,
    ) -> Option<Mismatch> {
        let value = if self.is_text { Ok(json!(data)) } else { serde_json::from_str::<Value>(data) };
        let Ok(value) = value else { return Some(Mismatch { at: String::new(), problem: "it is no JSON".to_owned() }) };
        let Some(whole) = self.event.as_ref() else {
            return judge(api, Direction::Answer, &self.schema, &value);
        };
        let data = if self.holds_text { json!(data) } else { value.clone() };
        let members = [("data", Some(data)), ("event", event.map(Value::from)), ("id", id.map(Value::from))];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let said = Value::Object(members.collect::<Map<_, _>>());
        judge(api, Direction::Answer, whole, &said).or_else(|| judge(api, Direction::Answer, &self.schema, &value))
    }

    /// Returns an item that fits, as [`serialized`](Self::serialized) takes it.
    pub fn example(&self, api: &Api) -> Value {
        let data = example::value(api, Direction::Answer, &self.schema);
        let Some(whole) = &self.event else { return data };
        let mut whole = example::value(api, Direction::Answer, whole);
        if let Some(members) = whole.as_object_mut() {
            members.insert("data".to_owned(), data);
        }
        whole
    }

    /// Returns a body of these items. If the document describes whole events, an item is an object with the event's members.
    pub fn serialized(&self, items: &[Value]) -> String {
        items.iter().map(|item| self.item(item)).collect()
    }

    fn item(&self, item: &Value) -> String {
        match self.framing {
            Framing::Lines => format!("{item}\n"),
            Framing::Sequence => format!("\u{1e}{item}\n"),
            Framing::Events => {
                let whole = item.as_object().filter(|_| self.event.is_some());
                let member = |name: &str| whole.and_then(|whole| whole.get(name));
                let data = member("data").unwrap_or(item);
                let data = data.as_str().filter(|_| self.is_text).map_or_else(|| data.to_string(), str::to_owned);
                let line = |name: &str| {
                    let value = member(name)?;
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    Some(format!("{name}: {}\n", value.replace(['\n', '\r', '\0'], " ")))
                };
                let said: String = ["event", "id"].into_iter().filter_map(line).collect();
                let lines = data.split('\n').map(|line| format!("data: {line}\n"));
                format!("{said}{}\n", lines.collect::<String>())
            }
        }
    }
}
