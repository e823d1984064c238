//! Compares a resource as read with the resource as sent or answered, and permits equivalent spellings.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use keyfit_openapi::Api;
use keyfit_openapi::schema::{self, Direction};
use serde_json::Value;

use super::super::live::is_kept_out;
use crate::text::pointer::join;

/// The representation of a resource in an answer: the object, and its place in the body. Many APIs wrap it in one member.
#[derive(Clone, Debug)]
pub(super) struct Representation {
    pub(super) value: Value,
    at: String,
}

impl Representation {
    pub(super) fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let only = body.as_object().filter(|members| members.len() == 1).and_then(|members| members.iter().next());
        match only.filter(|(_, inner)| inner.is_object()) {
            Some((name, inner)) => Self { at: join("", name), value: inner.clone() },
            None => Self::whole(body),
        }
    }

    /// Takes the whole of a body.
    pub(super) fn whole(value: Value) -> Self {
        Self { value, at: String::new() }
    }

    /// Returns its place in the body, as a JSON pointer.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Returns a member, or `None` if it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// Returns whether the document has this member in such answers. Secrets, identities, and permissions are not compared: a server may
    /// treat those as it likes.
    pub(super) fn tells(&self, api: &Api, answer: Option<&Value>, name: &str) -> bool {
        let whole =
            answer.and_then(|answer| if self.at.is_empty() { Some(answer) } else { api.member(answer, &self.at) });
        let (Some(whole), false) = (whole, is_kept_out(name)) else { return false };
        let member = api.member(whole, &join("", name)).map(|member| api.resolve(member));
        member.is_some_and(|member| {
            member["format"] != "password" && schema::is_sent(api, Direction::Answer, whole, name)
        })
    }
}

/// Returns whether a value is empty: many servers omit empty values and the defaults of a type.
pub(super) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(members)) => members.values().all(|member| is_blank(Some(member))),
        Some(Value::Bool(true)) => false,
    }
}

/// Returns whether two values are equivalent. Texts may differ in letter case and in characters other than letters and digits, instants in
/// their notation, lists in their order, and objects in members that only one of them has. Values of different types are not comparable
/// and count as equivalent: an id may be read as the resource that it names.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => is_same_text(one, other),
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            text.trim().parse::<f64>().is_ok_and(|text| number.as_f64() == Some(text)) || text.parse::<f64>().is_err()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().all(|item| other.iter().any(|known| is_same(item, known)))
        }
        (Value::Object(one), Value::Object(other)) => {
            let shared = one.iter().filter_map(|(name, value)| Some((name, value, other.get(name)?)));
            shared.into_iter().all(|(name, value, known)| {
                is_kept_out(name) || (is_blank(Some(value)) && is_blank(Some(known))) || is_same(value, known)
            })
        }
        (Value::Bool(one), Value::Bool(other)) => one == other,
        _ => true,
    }
}

fn is_same_text(one: &str, other: &str) -> bool {
    let plain =
        |text: &str| text.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (instant, known) = (instant(one), instant(other));
    (instant.is_some() && instant == known) || plain(one) == plain(other)
}

/// Parses an instant into Unix seconds. A date is its midnight, and an instant without a time zone is in UTC.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = || DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok();
    let bare = || text.replacen(' ', "T", 1).parse::<NaiveDateTime>().ok().map(|bare| bare.and_utc().timestamp());
    let date = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|date| date.and_utc().timestamp());
    whole().map(|whole| whole.timestamp()).or_else(bare).or_else(date)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_server_may_write_in_another_way_is_the_same() {
        for (one, other) in [
            (json!("Ada Lovelace"), json!(" ada  lovelace")),
            (json!("+44 20 7946"), json!("+44207946")),
            (json!("https://a.example"), json!("https://a.example/")),
            (json!("2026-01-01T01:00:00+01:00"), json!("2026-01-01T00:00:00.000Z")),
            (json!("2026-01-01"), json!("2026-01-01T00:00:00Z")),
            (json!("2026-01-01 00:00:00"), json!("2026-01-01T00:00:00Z")),
            (json!(1), json!(1.0)),
            (json!(12.5), json!("12.50")),
            (json!(["a", "b"]), json!(["b", "a"])),
            (json!("c-1"), json!({ "id": "c-1", "name": "Tea" })),
            (json!({ "name": "Ada" }), json!({ "name": "ada", "added": "now" })),
            (json!({ "name": "Ada", "password": "x" }), json!({ "name": "Ada", "password": "***" })),
            (json!({ "note": "" }), json!({ "note": null })),
        ] {
            assert!(is_same(&one, &other) && is_same(&other, &one), "{one} {other}");
        }
    }

    #[test]
    fn what_says_something_else_is_not() {
        for (one, other) in [
            (json!("Tea"), json!("Coffee")),
            (json!("2026-01-01"), json!("2026-01-02")),
            (json!(1), json!(2)),
            (json!(12.5), json!("12.75")),
            (json!(true), json!(false)),
            (json!(["a"]), json!([])),
            (json!(["a"]), json!(["b"])),
            (json!({ "maker": { "name": "Ada" } }), json!({ "maker": { "name": "Eve" } })),
        ] {
            assert!(!is_same(&one, &other) && !is_same(&other, &one), "{one} {other}");
        }
    }

    #[test]
    fn a_thing_is_read_where_it_is_wrapped_too() {
        let wrapped = Representation::read(br#"{"data":{"id":1,"note":null}}"#);
        assert_eq!((wrapped.at.as_str(), wrapped.get("id"), wrapped.get("note")), ("/data", Some(&json!(1)), None));
        assert_eq!(Representation::read(br#"{"id":1}"#).get("id"), Some(&json!(1)));
        assert_eq!(Representation::read(b"no JSON").get("id"), None);
    }

    #[test]
    fn what_is_empty_says_nothing() {
        for blank in [json!(null), json!(""), json!(0), json!(false), json!([]), json!({ "a": null })] {
            assert!(is_blank(Some(&blank)), "{blank}");
        }
        for said in [json!("a"), json!(1), json!(true), json!([0]), json!({ "a": 1 })] {
            assert!(!is_blank(Some(&said)), "{said}");
        }
    }
}
