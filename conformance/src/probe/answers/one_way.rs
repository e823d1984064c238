//! Checks whether an answer contains data of requests alone: `writeOnly` members, and passwords that were sent.

use keyfit_openapi::Api;
use keyfit_openapi::schema::{self, Direction};
use serde_json::Value;

use super::document::DocumentedAnswer;
use super::hashes::is_password;
use super::{AnswerContext, AnswerFlaw};
use crate::contract::Level;
use crate::credential::secret::Secret;
use crate::text::pointer::join;

/// The length in bytes of the shortest text that is compared with the passwords that were sent.
const LEAST: usize = 6;

/// Returns a finding if an answer contains such data.
pub(super) fn finding(seen: &AnswerContext<'_>) -> Option<AnswerFlaw> {
    let body = seen.value()?;
    if let Some((at, password)) = echoed(body, seen.draft.body.as_deref()) {
        seen.redactor.learn(&Secret::new(password));
        return Some(AnswerFlaw::new(format!("{at} repeats a password that was sent")));
    }
    let is_call = seen.draft.operation.is_some() && seen.draft.method == seen.operation.method;
    let schema = DocumentedAnswer { seen }.schema().filter(|_| is_call)?;
    let (at, name) = unsent(seen.api, body, schema, "")?;
    let finding = format!("{at} is in the answer, and the document has it for requests alone (`writeOnly`)");
    // The specification says SHOULD NOT, and not MUST NOT.
    Some(AnswerFlaw { finding, at_most: if is_password(&name) { Level::Must } else { Level::Should } })
}

/// Returns the place and the name of the first member with a value that the document excludes from answers.
fn unsent(api: &Api, value: &Value, schema: &Value, at: &str) -> Option<(String, String)> {
    match value {
        Value::Array(items) => {
            let each = api.entries(schema)?;
            items.iter().enumerate().find_map(|(index, item)| unsent(api, item, each, &format!("{at}/{index}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let pointer = join("", name);
            if !schema::is_sent(api, Direction::Answer, schema, name) && is_shown(member) {
                return Some((format!("{at}{pointer}"), name.clone()));
            }
            unsent(api, member, api.member(schema, &pointer)?, &format!("{at}{pointer}"))
        }),
        _ => None,
    }
}

/// Returns whether a value is really shown: an empty value, or one character repeated, is a placeholder for a hidden value.
fn is_shown(member: &Value) -> bool {
    match member {
        Value::Null => false,
        Value::String(text) => text.chars().any(|letter| !text.starts_with(letter) && letter.is_alphanumeric()),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

/// Returns the member of an answer whose name denotes a password and whose value is a password that was sent.
fn echoed(answer: &Value, sent: Option<&[u8]>) -> Option<(String, String)> {
    let sent: Value = serde_json::from_slice(sent?).ok()?;
    let mut known = Vec::new();
    passwords(&sent, "", &mut known);
    let mut shown = Vec::new();
    passwords(answer, "", &mut shown);
    shown.into_iter().find(|(_, text)| text.len() >= LEAST && known.iter().any(|(_, known)| known == text))
}

fn passwords(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| passwords(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{at}{}", join("", name));
                match member {
                    Value::String(text) if is_password(name) => found.push((place, text.clone())),
                    member => passwords(member, &place, found),
                }
            }
        }
        _ => {}
    }
}
