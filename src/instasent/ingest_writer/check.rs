//! What can be said of an item before it is sent. One wrong item can have a whole batch refused.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Kind;
use crate::instasent::batch::Reason;

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

/// What makes an item fit to be sent.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) kind: Kind,
    /// Reserved keys that the caller knows of.
    pub(super) allowed: BTreeSet<String>,
    /// The most bytes of JSON that an item may have.
    pub(super) most_bytes: usize,
}

/// What a batch has to know of an item.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Identity<'a> {
    pub(super) user: Cow<'a, str>,
    /// Of an event.
    pub(super) event: Option<Cow<'a, str>>,
}

/// The identity of an item, or why it cannot be sent.
pub(super) type Checked<'a> = Result<Identity<'a>, Vec<Reason>>;

impl Check {
    /// Reads the identity of an item.
    pub(super) fn identity<'a>(&self, item: &'a [u8]) -> Checked<'a> {
        if item.len() > self.most_bytes {
            let text = format!("takes more than the {} bytes of a batch: leave something out", self.most_bytes);
            return Err(vec![Reason { field: None, message: text }]);
        }
        let mut found = Found::default();
        let mut deserializer = serde_json::Deserializer::from_slice(item);
        let scan = Scan { check: self, found: &mut found };
        // The error's own words would quote the item.
        if let Err(error) = scan.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            let text = format!("is no JSON object (line {}, column {})", error.line(), error.column());
            return Err(vec![Reason { field: None, message: text }]);
        }
        let mut reasons = std::mem::take(&mut found.reasons);
        let mut text = |id: Option<&'a RawValue>, key: &str| {
            let refuse = |message: &str| Reason { field: Some(key.to_owned()), message: message.to_owned() };
            match id.map(|id| serde_json::from_str::<Text>(id.get())) {
                None => reasons.push(refuse("is missing")),
                Some(Err(_)) => reasons.push(refuse("is no text: put it in quotes")),
                Some(Ok(Text(text))) if text.is_empty() => reasons.push(refuse("is empty")),
                Some(Ok(Text(text))) => return text,
            }
            Cow::Borrowed("")
        };
        let user = text(found.user, "_user_id");
        let event = match self.kind {
            Kind::Contacts => None,
            Kind::Events => {
                let event = text(found.event, "_event_id");
                text(found.event_type, "_event_type");
                Some(event)
            }
        };
        if reasons.is_empty() { Ok(Identity { user, event }) } else { Err(reasons) }
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
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Default)]
struct Found<'a> {
    user: Option<&'a RawValue>,
    event: Option<&'a RawValue>,
    event_type: Option<&'a RawValue>,
    reasons: Vec<Reason>,
}

struct Scan<'s, 'a> {
    check: &'s Check,
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
                        let field = key.chars().take(64).collect();
                        let message =
                            "is no known reserved key: leave it out, or allow it if the API has it".to_owned();
                        reasons.push(Reason { field: Some(field), message });
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

    fn check(kind: Kind) -> Check {
        Check { kind, allowed: BTreeSet::new(), most_bytes: 200 }
    }

    fn reasons(kind: Kind, item: &str) -> Vec<String> {
        let reasons = check(kind).identity(item.as_bytes()).expect_err(item);
        reasons
            .into_iter()
            .map(|Reason { field, message }| format!("{}: {message}", field.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_fit_item_has_its_ids_read() {
        let identity = check(Kind::Contacts).identity(br#" {"_user_id":"\u0041da","_email":null,"color":"red"} "#);
        assert_eq!(identity, Ok(Identity { user: "Ada".into(), event: None }));
        let event = br#"{"_user_id":"u","_event_id":"e","_event_type":"create","_event_parameters":{"_x":1}}"#;
        let identity = check(Kind::Events).identity(event);
        assert_eq!(identity, Ok(Identity { user: "u".into(), event: Some("e".into()) }));
    }

    #[test]
    fn what_is_missing_or_no_text_is_named() {
        assert_eq!(reasons(Kind::Contacts, "{}"), ["_user_id: is missing"]);
        assert_eq!(reasons(Kind::Contacts, r#"{"_user_id":7}"#), ["_user_id: is no text: put it in quotes"]);
        assert_eq!(
            reasons(Kind::Events, r#"{"_user_id":"","_event_id":null}"#),
            ["_user_id: is empty", "_event_id: is no text: put it in quotes", "_event_type: is missing"]
        );
    }

    #[test]
    fn an_unknown_reserved_key_is_refused_unless_it_is_allowed() {
        let item = r#"{"_user_id":"u","_emial":"a@example.com"}"#;
        assert!(reasons(Kind::Contacts, item)[0].starts_with("_emial: is no known reserved key"));
        assert!(
            reasons(Kind::Events, r#"{"_user_id":"u","_event_id":"e","_event_type":"t","x":1}"#)[0].starts_with("x:")
        );
        let mut check = check(Kind::Contacts);
        check.allowed.insert("_emial".to_owned());
        assert!(check.identity(item.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_object_is_refused_without_quoting_it() {
        for item in ["", "[]", "\"hunter2\"", "{", r#"{"_user_id":"u"} hunter2"#, r#"{"_user_id":"u","_user_id":"v"}"#]
        {
            let reasons = reasons(Kind::Contacts, item);
            assert!(reasons[0].contains("is no JSON object") && !reasons[0].contains("hunter2"), "{reasons:?}");
        }
        assert!(
            reasons(Kind::Contacts, &format!("{{\"_user_id\":\"{}\"}}", "u".repeat(200)))[0]
                .contains("more than the 200 bytes")
        );
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
