//! A message that is to be sent, of whichever API.

use serde::{Deserialize, Serialize};

/// A message that is to be sent: the item of the Legacy or of the Transactional API, or a [`Draft`].
pub trait Message {
    /// The sender, `from` on the wire.
    fn sender(&self) -> &str;
    /// The recipient, `to` on the wire.
    fn recipient(&self) -> &str;
    /// The text.
    fn text(&self) -> &str;
    /// Returns whether the text may be sent as UTF-16, `allowUnicode` on the wire.
    fn allows_unicode(&self) -> bool;
    /// Your reference, `clientId` on the wire.
    fn client_id(&self) -> Option<&str>;
}

/// A message as it came from a form, a table or a queue: not checked yet. It becomes the item of an API by `TryFrom`,
/// which checks it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// The sender: 1 to 11 letters and digits.
    pub from: String,
    /// The recipient in E.164: `+`, the country's prefix, the number.
    pub to: String,
    /// The text, not empty.
    pub text: String,
    /// True if the text may be sent as UTF-16, with 70 units a part; `false` if left out.
    #[serde(default)]
    pub allow_unicode: bool,
    /// Your reference, at most 40 characters, another for each message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Draft {
    /// A message without a reference, in the GSM alphabet.
    pub fn new(from: impl Into<String>, to: impl Into<String>, text: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), text: text.into(), allow_unicode: false, client_id: None }
    }

    /// With a reference of yours, by which reports and bulk answers are told apart.
    #[must_use]
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        Self { client_id: Some(client_id.into()), ..self }
    }

    /// Lets the text be sent as UTF-16.
    #[must_use]
    pub fn allow_unicode(self) -> Self {
        Self { allow_unicode: true, ..self }
    }
}

impl Message for Draft {
    fn sender(&self) -> &str {
        &self.from
    }

    fn recipient(&self) -> &str {
        &self.to
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn allows_unicode(&self) -> bool {
        self.allow_unicode
    }

    fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }
}

/// The item of one API. The generated types are alike, but not the same.
macro_rules! item {
    ($feature:literal, $api:ident) => {
        #[cfg(feature = $feature)]
        impl Message for crate::instasent::$api::types::SmsItem {
            fn sender(&self) -> &str {
                &self.from
            }

            fn recipient(&self) -> &str {
                &self.to
            }

            fn text(&self) -> &str {
                &self.text
            }

            fn allows_unicode(&self) -> bool {
                self.allow_unicode.unwrap_or_default()
            }

            fn client_id(&self) -> Option<&str> {
                self.client_id.as_ref().map(|client_id| client_id.as_str())
            }
        }

        #[cfg(feature = $feature)]
        impl TryFrom<&Draft> for crate::instasent::$api::types::SmsItem {
            type Error = super::Refused;

            fn try_from(draft: &Draft) -> Result<Self, super::Refused> {
                use super::{Field, Finding, Refused};

                super::check(draft)?;
                let refused = |field| move |problem: &str| Refused::of(Finding::of_type(field, problem));
                let from = draft.from.parse().map_err(|error| refused(Field::From)(&format!("{error}")))?;
                let client_id = draft.client_id.as_deref().map(str::parse).transpose();
                Ok(Self {
                    allow_unicode: draft.allow_unicode.then_some(true),
                    client_id: client_id.map_err(|error| refused(Field::ClientId)(&format!("{error}")))?,
                    from,
                    text: draft.text.clone(),
                    to: draft.to.clone(),
                })
            }
        }

        #[cfg(feature = $feature)]
        impl TryFrom<Draft> for crate::instasent::$api::types::SmsItem {
            type Error = super::Refused;

            fn try_from(draft: Draft) -> Result<Self, super::Refused> {
                Self::try_from(&draft)
            }
        }
    };
}

item!("instasent-legacy", legacy);
item!("instasent-transactional", transactional);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_draft_reads_and_writes_the_words_of_the_wire() {
        let draft = Draft::new("Keyfit", "+34600000000", "Olá").client_id("order-1").allow_unicode();
        let wire = json!({
            "from": "Keyfit", "to": "+34600000000", "text": "Olá", "allowUnicode": true, "clientId": "order-1",
        });
        assert_eq!(serde_json::to_value(&draft).ok(), Some(wire.clone()));
        assert_eq!(serde_json::from_value::<Draft>(wire).ok(), Some(draft));
        let short: Draft = serde_json::from_value(json!({"from": "a", "to": "b", "text": "c"})).expect("a draft");
        assert_eq!(short, Draft::new("a", "b", "c"));
    }

    #[cfg(all(feature = "instasent-legacy", feature = "instasent-transactional"))]
    #[test]
    fn a_draft_becomes_the_item_of_either_api_or_is_refused_by_the_same_rules() {
        let draft = Draft::new("Keyfit", "+34600000000", "Hello").client_id("order-1");
        let legacy = crate::instasent::legacy::types::SmsItem::try_from(&draft).expect("an item");
        let transactional = crate::instasent::transactional::types::SmsItem::try_from(&draft).expect("an item");
        assert_eq!(serde_json::to_value(&legacy).ok(), serde_json::to_value(&transactional).ok());
        for message in [&legacy as &dyn Message, &transactional] {
            assert_eq!((message.sender(), message.recipient()), ("Keyfit", "+34600000000"));
            assert_eq!((message.text(), message.client_id()), ("Hello", Some("order-1")));
            assert!(!message.allows_unicode());
        }
        let long = Draft::new("Twelve chars", "+34600000000", "Hello");
        let error = crate::instasent::legacy::types::SmsItem::try_from(long).expect_err("too long").to_string();
        assert!(error.starts_with("`from`: it has 12 characters"), "{error}");
    }
}
