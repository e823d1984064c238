//! One post to the webhook, as it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::DlrStatus;
use crate::error::Timestamp;

/// The largest body that is read: 64 KiB. A report has a few hundred bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// A delivery report or an inbound message. A report is never lost to what else it holds: a member that is not of its type is kept as it
/// came, among those that are not known.
///
/// Its `Debug` form shows neither the text of the message nor members that are not known.
#[derive(Clone, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DlrEvent {
    /// The id of the message, as the API gave it when it was made.
    pub id: String,
    /// The reference that was given with the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Where the message stands.
    pub status: DlrStatus,
    /// 0 on success; it narrows `error` and `failed` down. Its values are not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// When it happened, at the carrier and not when it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_at: Option<Timestamp>,
    /// The inbound text, where two-way messaging is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The members that are not known here, and those that are not of their type, as they came: `code` is here where it is a text.
    /// A value that JSON's own types cannot hold, such as a number beyond all bounds, is a text.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The reason why a body is not a valid event.
///
/// # Troubleshooting
/// Answer 400, and 413 to a body that is too large: the sender posts it again, and shows the failure to its owner. If it
/// came from Instasent, its form has changed: report the member that is named.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDlr {
    /// The body is larger than [`MAX_BODY`].
    #[error("the body has more than {limit} bytes: a delivery report has a few hundred")]
    TooLarge {
        /// The most bytes that are read.
        limit: usize,
    },
    /// The body is no JSON object.
    #[error("the body is no JSON object: {reason}")]
    NoObject {
        /// The defect, or the position at which it stops being JSON.
        reason: String,
    },
    /// A member that every event has is missing.
    #[error("`{member}` is missing: every event names its message by `id` and says its `status`")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// `id` or `status` is not of its type.
    #[error("`{member}` is {found}, not {expected}")]
    WrongType {
        /// The member.
        member: &'static str,
        /// The type it should have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// The connection broke before the body was whole.
    #[error("the body could not be read: {reason}")]
    Unreadable {
        /// The reason.
        reason: String,
    },
}

impl DlrEvent {
    /// Reads a body by its `id` and `status`; nothing else in it is a reason to refuse it. `null` is as good as absent, and a text that is
    /// not UTF-8 has replacement characters (U+FFFD), but in `id` and `status`.
    ///
    /// # Errors
    /// Returns an error if the body has more than [`MAX_BODY`] bytes or is not a JSON object, or `id` or `status` is missing or not a
    /// text.
    pub fn from_slice(body: &[u8]) -> Result<Self, InvalidDlr> {
        if body.len() > MAX_BODY {
            return Err(InvalidDlr::TooLarge { limit: MAX_BODY });
        }
        let text = String::from_utf8_lossy(body);
        let mut members = Members::read(text.strip_prefix('\u{feff}').unwrap_or(&text))?;
        let is_changed = matches!(text, Cow::Owned(_));
        let mut named = |member| {
            let value = members.take(member, "a string", text_of)?.ok_or(InvalidDlr::Missing { member })?;
            if is_changed && value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(InvalidDlr::WrongType { member, expected: "UTF-8", found: "in another encoding" });
            }
            Ok(value)
        };
        let id = named("id")?;
        if id.is_empty() {
            return Err(InvalidDlr::Missing { member: "id" });
        }
        let status = named("status")?.into();
        Ok(Self {
            id,
            status,
            client_id: members.keep("clientId", text_of),
            code: members.keep("code", |value| value.as_i64().ok_or(value)),
            // A date in another form only cannot be ordered by time, if at all.
            event_at: members.keep("eventAt", |value| match value {
                Value::String(text) => Ok(timestamp(&text)),
                Value::Number(seconds) => Ok(timestamp(&seconds.to_string())),
                other => Err(other),
            }),
            message: members.keep("message", text_of),
            extra: members.rest(),
        })
    }
}

/// The members of a body that are not read yet.
struct Members {
    read: Map<String, Value>,
    /// Those whose values JSON's own types cannot hold, as they came.
    odd: Map<String, Value>,
}

impl Members {
    fn read(text: &str) -> Result<Self, InvalidDlr> {
        // Each value by itself, so that an odd one costs itself alone.
        let members: BTreeMap<String, &RawValue> = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(error) => {
                let reason = match serde_json::from_str::<Value>(text) {
                    Ok(other) => format!("it is {}", kind(&other)),
                    Err(_) => error.to_string(),
                };
                return Err(InvalidDlr::NoObject { reason });
            }
        };
        let mut known = Self { read: Map::new(), odd: Map::new() };
        for (name, raw) in members {
            match serde_json::from_str(raw.get()) {
                Ok(value) => known.read.insert(name, value),
                Err(_) => known.odd.insert(name, raw.get().into()),
            };
        }
        Ok(known)
    }

    /// Takes a member out; `None` where it is absent or null.
    fn take<T>(
        &mut self,
        member: &'static str,
        expected: &'static str,
        read: impl FnOnce(Value) -> Result<T, Value>,
    ) -> Result<Option<T>, InvalidDlr> {
        match self.read.remove(member) {
            None if self.odd.contains_key(member) => {
                Err(InvalidDlr::WrongType { member, expected, found: "a value beyond the bounds of JSON" })
            }
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                read(value).map(Some).map_err(|value| InvalidDlr::WrongType { member, expected, found: kind(&value) })
            }
        }
    }

    /// Takes a member out, unless it is not of its type.
    fn keep<T>(&mut self, member: &str, read: impl FnOnce(Value) -> Result<T, Value>) -> Option<T> {
        match read(self.read.remove(member).filter(|value| !value.is_null())?) {
            Ok(value) => Some(value),
            Err(odd) => {
                self.read.insert(member.to_owned(), odd);
                None
            }
        }
    }

    fn rest(mut self) -> Map<String, Value> {
        self.read.append(&mut self.odd);
        self.read
    }
}

impl fmt::Debug for DlrEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DlrEvent")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .field("status", &self.status)
            .field("code", &self.code)
            .field("event_at", &self.event_at)
            .finish_non_exhaustive()
    }
}

fn text_of(value: Value) -> Result<String, Value> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(other),
    }
}

fn timestamp(text: &str) -> Timestamp {
    let Ok(timestamp) = text.parse();
    timestamp
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number that is not whole",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<DlrEvent, InvalidDlr> {
        DlrEvent::from_slice(body.to_string().as_bytes())
    }

    #[test]
    fn a_report_is_read_and_written_as_it_came() {
        let wire = json!({
            "id": "sms_1", "clientId": "order-1", "status": "delivered", "code": 0, "eventAt": "2026-01-22T10:00:00Z",
            "parts": 2, "nested": {"a": [1]},
        });
        let event = read(&wire).expect("an event");
        assert_eq!((event.id.as_str(), event.client_id.as_deref()), ("sms_1", Some("order-1")));
        assert_eq!((&event.status, event.code), (&DlrStatus::Delivered, Some(0)));
        assert_eq!(event.event_at.as_ref().and_then(Timestamp::to_utc).map(|at| at.timestamp()), Some(1_769_076_000));
        assert_eq!(event.extra.len(), 2);
        assert_eq!(serde_json::to_value(&event).ok(), Some(wire));
    }

    #[test]
    fn an_inbound_message_has_its_text_which_debug_does_not_show() {
        let event =
            read(&json!({"id": "a", "status": "stop", "message": "STOP please", "from": "+34600"})).expect("an event");
        assert_eq!(event.message.as_deref(), Some("STOP please"));
        assert!(event.status.is_inbound());
        let debug = format!("{event:?}");
        assert!(!debug.contains("STOP please") && !debug.contains("+34600"), "{debug}");
    }

    #[test]
    fn absent_null_and_odd_are_taken_where_they_do_no_harm() {
        let event =
            read(&json!({"id": "a", "status": "news", "code": null, "eventAt": "yesterday"})).expect("an event");
        assert_eq!((event.code, event.client_id.as_deref()), (None, None));
        assert_eq!(event.status, DlrStatus::Other("news".to_owned()));
        assert_eq!(event.event_at.as_ref().map(Timestamp::as_str), Some("yesterday"));
        let event = read(&json!({"id": "a", "status": "sent", "eventAt": 1_769_076_000})).expect("an event");
        assert_eq!(event.event_at.as_ref().and_then(Timestamp::to_utc).map(|at| at.timestamp()), Some(1_769_076_000));
    }

    #[test]
    fn a_report_is_not_lost_to_what_else_it_holds() {
        for (member, kept) in [
            (r#""code": "0""#, json!({"code": "0"})),
            (r#""code": 1.5"#, json!({"code": 1.5})),
            (r#""eventAt": {}"#, json!({"eventAt": {}})),
            (r#""clientId": 7"#, json!({"clientId": 7})),
            (r#""message": ["x"]"#, json!({"message": ["x"]})),
            (r#""parts": 1e999"#, json!({"parts": "1e999"})),
            (r#""from": "\ud800""#, json!({"from": r#""\ud800""#})),
            (r#""code": null, "clientId": null"#, json!({})),
        ] {
            let body = format!(r#"{{"id": "a", "status": "sent", {member}}}"#);
            let event = DlrEvent::from_slice(body.as_bytes()).expect(member);
            assert_eq!((event.id.as_str(), &event.status), ("a", &DlrStatus::Sent), "{member}");
            assert_eq!(Value::Object(event.extra), kept, "{member}");
        }
        let deep = format!(r#"{{"id": "a", "status": "sent", "deep": {}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert!(DlrEvent::from_slice(deep.as_bytes()).expect("deep").extra["deep"].is_string());
        let marked = b"\xef\xbb\xbf{\"id\": \"a\", \"status\": \"sent\"}";
        assert!(DlrEvent::from_slice(marked).is_ok(), "a byte order mark");
    }

    #[test]
    fn a_text_that_is_not_utf_8_costs_its_characters_and_an_id_of_the_kind_is_refused() {
        let event = DlrEvent::from_slice(b"{\"id\": \"a\", \"status\": \"stop\", \"message\": \"se\xf1al\"}")
            .expect("an event");
        assert_eq!(event.message.as_deref(), Some("se\u{fffd}al"));
        let error = DlrEvent::from_slice(b"{\"id\": \"\xf1\", \"status\": \"sent\"}").expect_err("which message?");
        assert_eq!(error.to_string(), "`id` is in another encoding, not UTF-8");
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        let large = format!("{{\"id\": \"{}\"}}", "a".repeat(MAX_BODY));
        let bodies = [
            "",
            "x",
            "{\"id\":",
            "[]",
            "null",
            "{}",
            r#"{"id": "a"}"#,
            r#"{"id": "", "status": "sent"}"#,
            r#"{"id": 7, "status": "sent"}"#,
            r#"{"id": "a", "status": null}"#,
            r#"{"id": "a", "status": {}}"#,
            r#"{"id": 1e999, "status": "sent"}"#,
            &large,
        ];
        let lines: Vec<_> =
            bodies.map(|body| DlrEvent::from_slice(body.as_bytes()).expect_err(body).to_string()).into();
        insta::assert_snapshot!(lines.join("\n"));
    }

    proptest! {
        #[test]
        fn no_body_whatever_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            let _ = DlrEvent::from_slice(&body);
            let event = read(&json!({"id": "a", "status": text, "message": text})).expect("an event");
            prop_assert_eq!(event.status.as_str(), &text);
        }
    }
}
