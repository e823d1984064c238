//! Bodies that are one item after another: events, and JSON texts. What such a body is called, and what an item of it is, is read
//! here for client, mock, check and diff alike.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::misfit::Misfit;
use crate::normalize::essence;
use crate::schema::{Direction, Judgement, Mismatch};
use crate::{Api, example, pointer, walk};

/// The members of an event, as documents describe one.
const EVENT: [&str; 4] = ["data", "event", "id", "retry"];

/// How items follow each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// `text/event-stream`.
    Events,
    /// A JSON text a line: `application/x-ndjson`, `application/jsonl` and their kin.
    Lines,
    /// JSON texts behind record separators: `application/json-seq` (RFC 7464).
    Sequence,
}

/// A body of items.
#[derive(Clone, Debug, Serialize)]
pub struct Streamed {
    /// The media type, as the document has it.
    pub media_type: String,
    /// How items follow each other.
    pub framing: Framing,
    /// The schema of an item: of a JSON text, or of the data of an event.
    pub schema: Value,
    /// Whether the data of an event is text and no JSON.
    pub is_text: bool,
    /// The schema of a whole event, where the document has one.
    pub event: Option<Value>,
    /// Whether that schema has the data as the text that stands in the event (`itemSchema` of OpenAPI 3.2), and not as what is in it.
    pub holds_text: bool,
}

/// How an operation answers with items.
#[derive(Clone, Debug, Serialize)]
pub struct Streaming {
    /// The body of the success.
    pub body: Streamed,
    /// Whether it has no other body.
    pub is_only: bool,
    /// The text of the item that ends the stream and is none itself.
    pub end: Option<String>,
    /// The JSON pointer of the member of the request's body that asks for it by being `true`.
    pub switch: Option<String>,
}

/// What an overlay says of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Hint {
    end: Option<String>,
    switch: Option<String>,
}

impl Hint {
    /// With what stands at the root for all operations, as far as it fits this one.
    pub(crate) fn over(self, root: &Self, document: &Value, body: Option<&Value>) -> Self {
        let switch = || root.switch.clone().filter(|at| is_switch(document, body, at));
        Self { end: self.end.or_else(|| root.end.clone()), switch: self.switch.or_else(switch) }
    }

    /// What is wrong with it at an operation.
    pub(crate) fn check(&self, document: &Value, body: Option<&Value>, has_stream: bool) -> Result<(), Misfit> {
        if (self.end.is_some() || self.switch.is_some()) && !has_stream {
            return Err(Misfit {
                key: "",
                problem: "no success of the operation is a stream of items".to_owned(),
                help: "take it out, or document the media type of the stream",
            });
        }
        match &self.switch {
            Some(at) if !is_switch(document, body, at) => Err(Misfit {
                key: "switch",
                problem: format!("`{at}` leads to no boolean member of the body"),
                help: "give the JSON pointer of the member that asks for the stream: `/stream`",
            }),
            _ => Ok(()),
        }
    }

    /// How an operation with such a success answers.
    pub(crate) fn settle(self, body: Streamed, is_only: bool) -> Streaming {
        Streaming { body, is_only, end: self.end, switch: self.switch }
    }
}

/// Whether a pointer leads to a member of a body that may be `true`.
fn is_switch(document: &Value, body: Option<&Value>, at: &str) -> bool {
    let mut schemas: Vec<&Value> = body.into_iter().collect();
    for name in pointer::names(at) {
        schemas = schemas.iter().flat_map(|schema| members(document, schema, &name, DEPTH)).collect();
    }
    let is_boolean = |schema: &&Value| may_be_boolean(document, schema, DEPTH);
    at.starts_with('/') && schemas.iter().any(is_boolean)
}

/// How many schemas are looked through on the way to a member.
const DEPTH: usize = 8;

/// The schemas of a member, in all that a schema is composed of.
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

/// How a body of this media type is cut into items; `None` where it is a whole.
pub fn framing(media_type: &str) -> Option<Framing> {
    match essence(media_type).as_str() {
        "text/event-stream" => Some(Framing::Events),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonl"
        | "application/jsonlines"
        | "application/x-jsonlines"
        | "application/json-lines"
        | "application/x-json-lines"
        | "application/stream+json"
        | "application/x-json-stream"
        | "text/jsonl"
        | "text/x-ndjson" => Some(Framing::Lines),
        "application/json-seq" => Some(Framing::Sequence),
        other if other.ends_with("+json-seq") => Some(Framing::Sequence),
        _ => None,
    }
}

/// The body that a media type of `content` describes, where it is one of items: not where it is one text of
/// them, or says nothing.
pub(crate) fn streamed(document: &Value, media_type: &str, media: &Value) -> Option<Streamed> {
    let framing = framing(media_type)?;
    let of_item = media.get("itemSchema").filter(|schema| !schema.is_null());
    let whole = media.get("schema").filter(|schema| !schema.is_null());
    // What is described as a whole is a list of items; documents of older versions mean one of them.
    if framing != Framing::Events && of_item.is_none() && whole.is_none_or(|schema| is_untyped(document, schema)) {
        return None;
    }
    let list = whole.map(|schema| walk::resolve(document, schema)).filter(|schema| schema["type"] == "array");
    let item = of_item.or_else(|| list.and_then(|list| list.get("items"))).or(whole.filter(|_| list.is_none()));
    let media_type = media_type.to_owned();
    let plain = |schema: Value, is_text| Streamed {
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
    let Some(data) = envelope(document, item, DEPTH) else {
        return Some(match data(document, item, false) {
            Data::Json(schema) => plain(schema, false),
            Data::Text => plain(text(), true),
        });
    };
    let read: Vec<Data> = data.iter().map(|schema| self::data(document, schema, of_item.is_some())).collect();
    let whole = match joined(read) {
        Data::Json(schema) => plain(schema, false),
        Data::Text => plain(text(), true),
    };
    Some(Streamed { event: Some(item.clone()), ..whole })
}

/// Whether JSON texts are left to their reader or writer: described as one text, or not at all.
pub(crate) fn is_untyped(document: &Value, schema: &Value) -> bool {
    let schema = walk::resolve(document, schema);
    walk::kind(schema) == Some("string") || schema.as_object().is_none_or(Map::is_empty)
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// What the data of an event is.
enum Data {
    Json(Value),
    Text,
}

/// The schemas of the data in the schema of an event; `None` where it is no such schema: it has other members, or no data.
fn envelope<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> Option<Vec<&'a Value>> {
    let depth = depth.checked_sub(1)?;
    let mut own = Vec::new();
    let mut choices = Vec::new();
    for part in walk::composed(document, schema) {
        for (name, member) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !EVENT.contains(&name.as_str()) {
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
    // An alternative that says nothing of the data leaves it as it is said beside them.
    let says_all = choices.iter().all(Option::is_some);
    let chosen: Vec<&Value> = choices.into_iter().flatten().flatten().collect();
    let data: Vec<&Value> = if says_all { chosen } else { own.into_iter().chain(chosen).collect() };
    (!data.is_empty()).then_some(data)
}

/// What data of this schema is. In an `itemSchema` it is text, of which its content says what it holds.
fn data(document: &Value, schema: &Value, holds_text: bool) -> Data {
    let known = walk::resolve(document, schema);
    let content = known.get("contentMediaType").and_then(Value::as_str);
    if content.is_some_and(crate::normalize::is_json) {
        return Data::Json(known.get("contentSchema").cloned().unwrap_or_else(|| json!({})));
    }
    let is_open = holds_text && known.get("type").is_none() && alternatives(known).next().is_none();
    if walk::kind(known) == Some("string") || (is_open && known.get("allOf").is_none()) {
        Data::Text
    } else {
        Data::Json(schema.clone())
    }
}

/// One schema of all that data may be; where some of it is no JSON, all of it is text.
fn joined(read: Vec<Data>) -> Data {
    let mut schemas: Vec<Value> = Vec::new();
    for data in read {
        match data {
            Data::Text => return Data::Text,
            Data::Json(schema) if !schemas.contains(&schema) => schemas.push(schema),
            Data::Json(_) => {}
        }
    }
    match schemas.len() {
        1 => Data::Json(schemas.remove(0)),
        _ => Data::Json(json!({ "oneOf": schemas })),
    }
}

impl Streamed {
    /// What is wrong with an item: `data` is the text of a JSON text or of the data of an event, `event` and `id` what the event
    /// says besides. `None` where it fits.
    pub fn mismatch(
        &self,
        (api, judge): (&Api, Judgement),
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

    /// An item that fits, as [`written`](Self::written) takes it.
    pub fn example(&self, api: &Api) -> Value {
        let data = example::value(api, Direction::Answer, &self.schema);
        let Some(whole) = &self.event else { return data };
        let mut whole = example::value(api, Direction::Answer, whole);
        if let Some(members) = whole.as_object_mut() {
            members.insert("data".to_owned(), data);
        }
        whole
    }

    /// The bytes of a body of these items. An item of events whose document describes whole ones is an object with its members.
    pub fn written(&self, items: &[Value]) -> String {
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
