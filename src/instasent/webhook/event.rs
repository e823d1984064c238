//! One post to the webhook, as it is read.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::DlrStatus;
use crate::error::Timestamp;

/// The largest body that is read: 64 KiB. A report has a few hundred bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// A delivery report or an inbound message.
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
    /// The members that are not known here, as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a body is no event.
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
        /// What it is, or where it stops being JSON.
        reason: String,
    },
    /// A member that every event has is missing.
    #[error("`{member}` is missing: every event names its message by `id` and says its `status`")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// A member is not of its type.
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
        /// Why.
        reason: String,
    },
}

impl DlrEvent {
    /// Reads a body. Members that are not known are kept in `extra`; `null` is as good as absent, but for `id` and
    /// `status`.
    ///
    /// # Errors
    /// More than [`MAX_BODY`] bytes; what is no JSON object; no `id` or `status`; a member of another type.
    pub fn from_slice(body: &[u8]) -> Result<Self, InvalidDlr> {
        if body.len() > MAX_BODY {
            return Err(InvalidDlr::TooLarge { limit: MAX_BODY });
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Self::from_members(members),
            Ok(other) => Err(InvalidDlr::NoObject { reason: format!("it is {}", kind(&other)) }),
            Err(error) => Err(InvalidDlr::NoObject { reason: error.to_string() }),
        }
    }

    fn from_members(mut members: Map<String, Value>) -> Result<Self, InvalidDlr> {
        let id = text(&mut members, "id")?.filter(|id| !id.is_empty()).ok_or(InvalidDlr::Missing { member: "id" })?;
        let status = text(&mut members, "status")?.ok_or(InvalidDlr::Missing { member: "status" })?.into();
        let code = take(&mut members, "code", "a whole number", |value| value.as_i64().ok_or(value))?;
        // A date in another form is no reason to lose a report: it only cannot be ordered by time, if at all.
        let event_at = take(&mut members, "eventAt", "a string", |value| match value {
            Value::String(text) => Ok(timestamp(&text)),
            Value::Number(seconds) => Ok(timestamp(&seconds.to_string())),
            other => Err(other),
        })?;
        Ok(Self {
            id,
            client_id: text(&mut members, "clientId")?,
            status,
            code,
            event_at,
            message: text(&mut members, "message")?,
            extra: members,
        })
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

fn text(members: &mut Map<String, Value>, member: &'static str) -> Result<Option<String>, InvalidDlr> {
    take(members, member, "a string", |value| match value {
        Value::String(text) => Ok(text),
        other => Err(other),
    })
}

/// Takes a member out; `None` where it is absent or null.
fn take<T>(
    members: &mut Map<String, Value>,
    member: &'static str,
    expected: &'static str,
    read: impl FnOnce(Value) -> Result<T, Value>,
) -> Result<Option<T>, InvalidDlr> {
    match members.remove(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            read(value).map(Some).map_err(|value| InvalidDlr::WrongType { member, expected, found: kind(&value) })
        }
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
            r#"{"id": "a", "status": "sent", "code": "0"}"#,
            r#"{"id": "a", "status": "sent", "code": 1.5}"#,
            r#"{"id": "a", "status": "sent", "eventAt": {}}"#,
            r#"{"id": "a", "status": "sent", "message": ["x"]}"#,
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
