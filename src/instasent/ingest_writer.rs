//! The rules for contacts and events before a [writer](crate::batch_writer) sends them: one wrong item can have a whole batch
//! refused.
//!
//! ```no_run
//! use keyfit::batch_writer::Outcome;
//! use keyfit::instasent::ingest::{Client, types::Contact};
//! use keyfit::instasent::ingest_writer;
//!
//! # async fn example(client: Client, contacts: Vec<Contact>) -> Result<(), Box<dyn std::error::Error>> {
//! let call = client.stream_contacts_push().project("proj_xxx").datasource("ds_xxx");
//! let writer = ingest_writer::contacts(call).start(|delivery| match delivery.outcome() {
//!     Outcome::Accepted => {}
//!     Outcome::Rejected(reasons) => println!("{}: {reasons:?}", delivery.sequence()),
//!     Outcome::Unknown(why) => println!("{}: {why}", delivery.sequence()),
//! })?;
//! for contact in &contacts {
//!     writer.write(contact).await?;
//! }
//! println!("{}", writer.close().await?);
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::batch_writer::{Builder, Reason};
use crate::instasent::ingest::{builder, types};

/// A writer of contacts, which checks each before it is sent. Those of one `_user_id` reach the server in order, each in a batch
/// of its own.
pub fn contacts(call: builder::StreamContactsPush<'_>) -> Builder<types::Contact> {
    let check = ItemCheck::contacts();
    call.writer().check(move |item| check.reasons(item))
}

/// A writer of events, which checks each before it is sent. Those of one `_user_id` reach the server in order.
pub fn events(call: builder::StreamEventsPush<'_>) -> Builder<types::Event> {
    let check = ItemCheck::events();
    call.writer().check(move |item| check.reasons(item))
}

/// The items that a stream takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Contacts,
    Events,
}

/// The attributes of contacts that are known to be reserved.
const CONTACT_KEYS: [&str; 21] = [
    "_user_id",
    "_email",
    "_phone_mobile",
    "_first_name",
    "_last_name",
    "_full_name",
    "_country_code",
    "_client_tags",
    "_client_lists",
    "_accepts_marketing_sms",
    "_accepts_marketing_email",
    "_accepts_marketing_whatsapp",
    "_is_subscribed_sms",
    "_is_subscribed_email",
    "_is_subscribed_whatsapp",
    "_date_imported",
    "_date_registered",
    "_date_seen",
    "_date_updated",
    "_email_verified",
    "_phone_mobile_verified",
];

/// The keys of an event.
const EVENT_KEYS: [&str; 5] = ["_user_id", "_event_id", "_event_type", "_event_date", "_event_parameters"];

/// The check that an item is fit to be sent, for [`Builder::check`].
#[derive(Clone, Debug)]
pub struct ItemCheck {
    kind: Kind,
    /// Reserved keys that the caller knows of.
    allowed: BTreeSet<String>,
}

impl ItemCheck {
    /// That of contacts: a `_user_id`, and no reserved attribute that the API does not have.
    pub fn contacts() -> Self {
        Self { kind: Kind::Contacts, allowed: BTreeSet::new() }
    }

    /// That of events: `_user_id`, `_event_id` and `_event_type`, and no other key than those of events.
    pub fn events() -> Self {
        Self { kind: Kind::Events, allowed: BTreeSet::new() }
    }

    /// Lets a key through that begins with an underscore and that this library does not know. Such keys are rejected
    /// otherwise, because a misspelt one is refused by the server.
    #[must_use]
    pub fn allow_key(mut self, key: impl Into<String>) -> Self {
        self.allowed.insert(key.into());
        self
    }

    /// The flaws of an item, which is JSON. Empty where it is fit to be sent.
    pub fn reasons(&self, item: &[u8]) -> Vec<Reason> {
        let mut found = Found::default();
        let mut deserializer = serde_json::Deserializer::from_slice(item);
        let scan = Scan { check: self, found: &mut found };
        // The error's own words would quote the item.
        if let Err(error) = scan.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            return vec![Reason::of_json(&error)];
        }
        let Found { user, event, event_type, mut reasons } = found;
        let needed: &[_] = match self.kind {
            Kind::Contacts => &[("_user_id", user)],
            Kind::Events => &[("_user_id", user), ("_event_id", event), ("_event_type", event_type)],
        };
        for (key, value) in needed {
            let problem = match value.map(|value| serde_json::from_str::<Text>(value.get())) {
                None => "is missing",
                Some(Err(_)) => "is no text: put it in quotes",
                Some(Ok(Text(text))) if text.is_empty() => "is empty",
                Some(Ok(_)) => continue,
            };
            reasons.push(Reason::of_field(*key, problem));
        }
        reasons
    }

    fn is_known(&self, key: &str) -> bool {
        match self.kind {
            Kind::Contacts => !key.starts_with('_') || CONTACT_KEYS.contains(&key) || self.allowed.contains(key),
            // An event has no attributes of its own.
            Kind::Events => EVENT_KEYS.contains(&key) || self.allowed.contains(key),
        }
    }
}

/// A text of JSON, copied only if it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Default)]
struct Found<'a> {
    user: Option<&'a RawValue>,
    event: Option<&'a RawValue>,
    event_type: Option<&'a RawValue>,
    reasons: Vec<Reason>,
}

struct Scan<'s, 'a> {
    check: &'s ItemCheck,
    found: &'s mut Found<'a>,
}

impl<'a> DeserializeSeed<'a> for Scan<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Scan<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let Found { user, event, event_type, reasons } = self.found;
        while let Some(Text(key)) = map.next_key()? {
            let slot = match (&*key, self.check.kind) {
                ("_user_id", _) => &mut *user,
                ("_event_id", Kind::Events) => &mut *event,
                ("_event_type", Kind::Events) => &mut *event_type,
                _ => {
                    if !self.check.is_known(&key) {
                        // A key can be as long as an item.
                        let field: String = key.chars().take(64).collect();
                        let message = "is no known reserved key: leave it out, or allow it if the API has it";
                        reasons.push(Reason::of_field(field, message));
                    }
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value()?;
            if slot.replace(value).is_some() {
                return Err(M::Error::custom("twice"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(check: &ItemCheck, item: &str) -> Vec<String> {
        let reasons = check.reasons(item.as_bytes());
        reasons.into_iter().map(|reason| format!("{}: {}", reason.field.unwrap_or_default(), reason.message)).collect()
    }

    #[test]
    fn a_fit_item_has_no_reasons_against_it() {
        let contact = r#" {"_user_id":"\u0041da","_email":null,"color":"red"} "#;
        assert_eq!(reasons(&ItemCheck::contacts(), contact), [""; 0]);
        let event = r#"{"_user_id":"u","_event_id":"e","_event_type":"create","_event_parameters":{"_x":1}}"#;
        assert_eq!(reasons(&ItemCheck::events(), event), [""; 0]);
    }

    #[test]
    fn what_is_missing_or_no_text_is_named() {
        let contacts = ItemCheck::contacts();
        assert_eq!(reasons(&contacts, "{}"), ["_user_id: is missing"]);
        assert_eq!(reasons(&contacts, r#"{"_user_id":7}"#), ["_user_id: is no text: put it in quotes"]);
        assert_eq!(
            reasons(&ItemCheck::events(), r#"{"_user_id":"","_event_id":null}"#),
            ["_user_id: is empty", "_event_id: is no text: put it in quotes", "_event_type: is missing"]
        );
    }

    #[test]
    fn an_unknown_reserved_key_is_refused_unless_it_is_allowed() {
        let item = r#"{"_user_id":"u","_emial":"a@example.com"}"#;
        assert!(reasons(&ItemCheck::contacts(), item)[0].starts_with("_emial: is no known reserved key"));
        let event = r#"{"_user_id":"u","_event_id":"e","_event_type":"t","x":1}"#;
        assert!(reasons(&ItemCheck::events(), event)[0].starts_with("x:"));
        assert_eq!(reasons(&ItemCheck::contacts().allow_key("_emial"), item), [""; 0]);
    }

    #[test]
    fn what_is_no_object_is_refused_without_quoting_it() {
        for item in ["", "[]", "\"hunter2\"", "{", r#"{"_user_id":"u"} hunter2"#, r#"{"_user_id":"u","_user_id":"v"}"#]
        {
            let reasons = reasons(&ItemCheck::contacts(), item);
            assert!(reasons[0].contains("is no JSON object") && !reasons[0].contains("hunter2"), "{reasons:?}");
        }
    }

    #[test]
    fn every_attribute_of_the_document_is_known() {
        let typed = crate::instasent::ingest::types::Contact::builder().user_id("u");
        let mut contact: crate::instasent::ingest::types::Contact = typed.try_into().expect("a contact");
        for key in CONTACT_KEYS.iter().filter(|key| **key != "_user_id") {
            let empty = if key.starts_with("_client") { serde_json::json!([]) } else { serde_json::Value::Null };
            let item = serde_json::json!({"_user_id": "u", *key: empty});
            contact = serde_json::from_value(item).expect(key);
            assert!(contact.extra.is_empty(), "{key} is not in the document");
        }
        drop(contact);
    }
}
