//! What an answer says of each item of its batch. What it does not say for certain is unknown: an item is never taken for
//! accepted because nothing contradicts it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::check::Text;
use super::{Outcome, Unknown};
use crate::instasent::batch::Reason;

/// The documented envelopes, without what is not needed: an answer echoes the whole batch.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    entity: Option<Entity<'a>>,
    #[serde(rename = "entitiesSuccess")]
    successes: Option<u64>,
    #[serde(rename = "entitiesFailures")]
    failures: Option<u64>,
    #[serde(borrow)]
    accepted: Option<Vec<Listed<'a>>>,
    #[serde(borrow)]
    errors: Option<Vec<Listed<'a>>>,
}

/// `{successful, failed, items: [..]}`: the place in the list is the place in the batch.
#[derive(Deserialize)]
struct Entity<'a> {
    successful: Option<u64>,
    failed: Option<u64>,
    #[serde(borrow)]
    items: Vec<InOrder<'a>>,
}

#[derive(Deserialize)]
struct InOrder<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow, rename = "_user_id")]
    user: Option<&'a RawValue>,
    errors: Option<Value>,
}

/// An element of `accepted` or `errors`: the place is named.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    position: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Echo<'a>,
    error: Option<Value>,
}

/// The `_user_id` of an item that is echoed, or that is echoed as the id alone.
#[derive(Default)]
struct Echo<'a>(Option<Cow<'a, str>>);

/// The outcome of each item; `None` where the body is none of the documented envelopes. `users` are the `_user_id`s as
/// sent, in order.
pub(super) fn read(body: &[u8], users: &[&str]) -> Option<Vec<Outcome>> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let mut slots = Slots { users, said: users.iter().map(|_| Said::Nothing).collect() };
    if let Some(entity) = envelope.entity {
        slots.in_order(&entity);
    } else if envelope.successes.is_some() || envelope.accepted.is_some() {
        slots.listed(&envelope);
    } else {
        return None;
    }
    Some(slots.said.into_iter().map(Said::outcome).collect())
}

struct Slots<'a> {
    users: &'a [&'a str],
    said: Vec<Said>,
}

enum Said {
    Nothing,
    Contradiction,
    Outcome(Outcome),
}

impl Said {
    fn outcome(self) -> Outcome {
        match self {
            Self::Outcome(outcome) => outcome,
            Self::Nothing => Outcome::Unknown(Unknown::sent("the answer says nothing of this item")),
            Self::Contradiction => Outcome::Unknown(Unknown::sent("the answer contradicts itself")),
        }
    }
}

impl Slots<'_> {
    fn in_order(&mut self, entity: &Entity) {
        let is_whole = entity.items.len() == self.users.len();
        let statuses: Vec<Option<bool>> = entity.items.iter().map(InOrder::is_accepted).collect();
        let count = |wanted| statuses.iter().filter(|status| **status == Some(wanted)).count();
        if differs(entity.successful, count(true)) || differs(entity.failed, count(false)) {
            return self.contradiction();
        }
        for (position, (item, is_accepted)) in entity.items.iter().zip(statuses).enumerate().take(self.users.len()) {
            let user = item.user.and_then(|user| serde_json::from_str::<Text>(user.get()).ok());
            let is_here = match user {
                Some(Text(user)) => user == self.users[position] && (is_whole || self.is_only(position)),
                // Of a list that lacks something, nobody knows where.
                None => is_whole,
            };
            self.said[position] = match is_accepted {
                Some(true) if is_here => Said::Outcome(Outcome::Accepted),
                Some(false) if is_here => Said::Outcome(Outcome::Rejected(by_field(item.errors.as_ref()))),
                _ => Said::Nothing,
            };
        }
    }

    fn listed(&mut self, envelope: &Envelope) {
        let lists = [(true, envelope.accepted.as_deref()), (false, envelope.errors.as_deref())];
        let [accepted, rejected] = lists.map(|(_, list)| list.unwrap_or_default().len());
        // More may be counted than is listed, and then nothing is known of the rest.
        let is_more = |count: Option<u64>, listed: usize| count.is_some_and(|count| count < listed as u64);
        let total = envelope.successes.unwrap_or_default().saturating_add(envelope.failures.unwrap_or_default());
        if is_more(envelope.successes, accepted)
            || is_more(envelope.failures, rejected)
            || total > self.users.len() as u64
        {
            return self.contradiction();
        }
        for (is_accepted, list) in lists {
            for item in list.unwrap_or_default() {
                self.place(is_accepted, item);
            }
        }
    }

    fn place(&mut self, is_accepted: bool, item: &Listed) {
        let position = item.position.and_then(|position| position.get().parse::<usize>().ok());
        let Some(position) = position.filter(|position| *position < self.said.len()) else { return };
        let is_another = item.item.0.as_deref().is_some_and(|user| user != self.users[position]);
        self.said[position] = match self.said[position] {
            Said::Nothing if is_another => Said::Contradiction,
            Said::Nothing if is_accepted => Said::Outcome(Outcome::Accepted),
            Said::Nothing => Said::Outcome(Outcome::Rejected(vec![Reason {
                field: None,
                message: item.error.as_ref().map_or_else(|| "no reason is given".to_owned(), words),
            }])),
            Said::Outcome(_) | Said::Contradiction => Said::Contradiction,
        };
    }

    /// Whether no other item has this one's user.
    fn is_only(&self, position: usize) -> bool {
        self.users.iter().filter(|user| **user == self.users[position]).count() == 1
    }

    fn contradiction(&mut self) {
        self.said.fill_with(|| Said::Contradiction);
    }
}

impl InOrder<'_> {
    fn is_accepted(&self) -> Option<bool> {
        match self.status.map(RawValue::get) {
            Some("\"success\"") => Some(true),
            Some("\"error\"") => Some(false),
            _ => None,
        }
    }
}

fn differs(count: Option<u64>, listed: usize) -> bool {
    count.is_some_and(|count| count != listed as u64)
}

/// `{field: [message, ..]}`, or whatever comes in its place.
fn by_field(errors: Option<&Value>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    match errors {
        Some(Value::Object(fields)) => {
            for (field, messages) in fields {
                let messages = messages.as_array().map_or(std::slice::from_ref(messages), Vec::as_slice);
                let reason = |message| Reason { field: Some(field.clone()), message: words(message) };
                reasons.extend(messages.iter().map(reason));
            }
        }
        Some(Value::Null) | None => {}
        Some(other) => reasons.push(Reason { field: None, message: words(other) }),
    }
    if reasons.is_empty() {
        reasons.push(Reason { field: None, message: "no reason is given".to_owned() });
    }
    reasons
}

fn words(message: &Value) -> String {
    message.as_str().map_or_else(|| message.to_string(), str::to_owned)
}

impl<'de: 'a, 'a> Deserialize<'de> for Echo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EchoVisitor)
    }
}

struct EchoVisitor;

impl<'de> Visitor<'de> for EchoVisitor {
    type Value = Echo<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Echo<'de>, E> {
        Ok(Echo(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Echo<'de>, E> {
        Ok(Echo(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Echo<'de>, M::Error> {
        let mut user = None;
        while let Some(Text(key)) = map.next_key()? {
            if key == "_user_id" {
                let value: &RawValue = map.next_value()?;
                user = serde_json::from_str(value.get()).ok().map(|Text(user)| user);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Echo(user))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Echo<'de>, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Echo(None))
    }

    fn visit_unit<E>(self) -> Result<Echo<'de>, E> {
        Ok(Echo(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Echo<'de>, E> {
        Ok(Echo(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Echo<'de>, E> {
        Ok(Echo(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Echo<'de>, E> {
        Ok(Echo(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Echo<'de>, E> {
        Ok(Echo(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One letter an item: accepted, rejected or unknown.
    fn letters(body: &Value, users: &[&str]) -> String {
        let outcomes = read(body.to_string().as_bytes(), users).expect("a documented envelope");
        assert_eq!(outcomes.len(), users.len());
        let letter = |outcome: &Outcome| match outcome {
            Outcome::Accepted => 'a',
            Outcome::Rejected(reasons) if reasons.is_empty() => '!',
            Outcome::Rejected(_) => 'r',
            Outcome::Unknown(_) => 'u',
        };
        outcomes.iter().map(letter).collect()
    }

    #[test]
    fn both_envelopes_are_matched_by_position() {
        let items = json!({"entity": {"successful": 1, "failed": 1, "items": [
            {"status": "error", "_user_id": "x", "errors": {"_email": ["is no address", "is too long"]}},
            {"status": "success", "_user_id": "y"},
        ]}});
        let lists = json!({"entitiesSuccess": 1, "entitiesFailures": 1,
            "accepted": [{"position": 1, "item": {"_user_id": "y"}}],
            "errors": [{"position": 0, "item": {"_user_id": "x"}, "error": "is no address"}]});
        for body in [items, lists] {
            assert_eq!(letters(&body, &["x", "y"]), "ra", "{body}");
        }
    }

    #[test]
    fn what_the_lists_leave_out_is_unknown() {
        for (accepted, letters_of) in [
            (json!([]), "uu"),
            (json!(null), "uu"),
            (json!([{"position": 1}]), "ua"),
            (json!([{"item": {"_user_id": "x"}}]), "uu"),
            (json!([{"position": 2}, {"position": -1}]), "uu"),
            (json!([{"position": "0"}]), "uu"),
            // Said twice, or of somebody else.
            (json!([{"position": 0}, {"position": 0}]), "uu"),
            (json!([{"position": 0, "item": "y"}, {"position": 1, "item": 7}]), "ua"),
        ] {
            let body = json!({"entitiesSuccess": 2, "entitiesFailures": 0, "accepted": accepted});
            assert_eq!(letters(&body, &["x", "y"]), letters_of, "{body}");
        }
    }

    #[test]
    fn counts_that_contradict_the_list_leave_nothing_certain() {
        let item = |user: &str| json!({"status": "success", "_user_id": user});
        let items = json!({"entity": {"successful": 0, "failed": 2, "items": [item("x"), item("y")]}});
        let fewer = json!({"entitiesSuccess": 0, "entitiesFailures": 0, "accepted": [{"position": 0}]});
        let more = json!({"entitiesSuccess": 3, "accepted": [{"position": 0}]});
        let both = json!({"entitiesSuccess": 1, "entitiesFailures": 1,
            "accepted": [{"position": 0}], "errors": [{"position": 0, "error": "no"}]});
        for body in [items, fewer, more, both] {
            assert_eq!(letters(&body, &["x", "y"]), "uu", "{body}");
        }
    }

    #[test]
    fn a_list_that_lacks_an_item_counts_where_it_proves_its_place() {
        let list = |users: &[&str]| {
            let items: Vec<Value> = users.iter().map(|user| json!({"status": "success", "_user_id": user})).collect();
            json!({"entity": {"items": items}})
        };
        assert_eq!(letters(&list(&["x", "y"]), &["x", "y", "z"]), "aau");
        assert_eq!(letters(&list(&["x", "z"]), &["x", "y", "z"]), "auu");
        // Which of a user's events is missing cannot be told.
        assert_eq!(letters(&list(&["x", "x"]), &["x", "x", "x"]), "uuu");
        assert_eq!(letters(&json!({"entity": {"items": [{"status": "success"}]}}), &["x", "y"]), "uu");
        assert_eq!(
            letters(&json!({"entity": {"items": [{"status": "success"}, {"status": "odd"}]}}), &["x", "y"]),
            "au"
        );
    }

    #[test]
    fn another_body_is_no_envelope() {
        for body in ["", "[]", "{}", "null", r#"{"message":"no"}"#, r#"{"entity":{"id":1}}"#, r#"{"accepted":1}"#] {
            assert!(read(body.as_bytes(), &["x"]).is_none(), "{body}");
        }
    }
}
