//! The bodies of refusals: their content, and the comparison with a body.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Citation;
use crate::text::pointer::put;

/// The body of an answer with one status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorShape {
    /// The media type, without parameters.
    #[serde(default = "json")]
    pub media_type: String,
    /// The answer has no body.
    #[serde(default)]
    pub empty: bool,
    /// The sources say "when present": an empty body is in order too.
    #[serde(default)]
    pub optional: bool,
    /// The body tells the outcome of each item, as a success does.
    #[serde(default)]
    pub outcome: bool,
    /// What the body holds.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Where this is said.
    pub source: Citation,
}

/// One member of an error body.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Field {
    /// Where it stands, as a JSON pointer.
    pub at: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Its value, where the sources fix one.
    pub equals: Option<String>,
    /// A value such as the mock may give, where none is fixed.
    pub example: Option<String>,
    /// It may be missing.
    #[serde(default)]
    pub optional: bool,
    /// It is another one in each answer.
    #[serde(default)]
    pub varies: bool,
}

/// The type of a member.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number, not negative.
    Integer,
    /// The status of the answer, as a whole number.
    Status,
}

impl ErrorShape {
    /// Returns the flaw of a body with this media type; `None` if it matches.
    pub fn mismatch(&self, status: u16, media_type: &str, body: &[u8]) -> Option<String> {
        if body.is_empty() {
            return (!self.empty && !self.optional).then(|| "the body is empty".to_owned());
        }
        if self.empty {
            return Some(format!("the body should be empty and holds {} bytes", body.len()));
        }
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(&self.media_type) {
            return Some(format!("the media type is `{essence}`, not `{}`", self.media_type));
        }
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Some("the body is not JSON".to_owned());
        };
        self.fields.iter().find_map(|field| field.mismatch(status, &value))
    }
}

impl ErrorShape {
    /// Returns a body of this shape for a status, with the same message in all fields and the wait in seconds; `None` if it is empty.
    pub fn body(&self, status: u16, message: &str, wait: u64) -> Option<Value> {
        if self.empty || self.fields.is_empty() {
            return None;
        }
        let mut body = json!({});
        for field in &self.fields {
            let value = match field.kind {
                FieldType::Integer => json!(wait),
                FieldType::Status => json!(status),
                FieldType::String => json!(field.equals.as_deref().or(field.example.as_deref()).unwrap_or(message)),
            };
            put(&mut body, &field.at, value);
        }
        Some(body)
    }
}

impl ErrorShape {
    /// Sets the members that vary between answers to null.
    pub(crate) fn clear_variable_members(&self, body: &mut Value) {
        for field in self.fields.iter().filter(|field| field.varies) {
            if let Some(value) = body.pointer_mut(&field.at) {
                *value = Value::Null;
            }
        }
    }
}

impl Field {
    fn mismatch(&self, status: u16, body: &Value) -> Option<String> {
        let at = &self.at;
        let Some(value) = body.pointer(at) else {
            return (!self.optional).then(|| format!("`{at}` is missing"));
        };
        let (fits, name) = match self.kind {
            FieldType::String => (value.is_string(), "a string"),
            FieldType::Integer => (value.is_u64(), "a whole number"),
            FieldType::Status => (*value == json!(status), "the status of the answer"),
        };
        if !fits {
            return Some(format!("`{at}` is not {name}"));
        }
        let expected = self.equals.as_deref()?;
        (value.as_str() != Some(expected)).then(|| format!("`{at}` is {value}, not \"{expected}\""))
    }
}

fn json() -> String {
    "application/json".to_owned()
}
