//! Checks whether webhook deliveries match the document and the contract.

use std::time::{Duration, UNIX_EPOCH};

use keyfit::redact::Redactor as Finder;
use keyfit::webhook::{Verifier, VerifyError};
use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Webhook};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::Instant;

use super::receiver::Delivery;
use crate::contract::DeliveryCheck;
use crate::credential::secret::{Redactor, Secret};
use crate::document::body::{essence, is_json};
use crate::judgement::verdict::{Exchange, cut};
use crate::webhook::Hook;

/// The documented deliveries of a webhook.
#[derive(Clone, Copy)]
pub(super) struct DocumentedWebhook<'a> {
    pub(super) api: &'a Api,
    pub(super) hook: &'a Hook<'a>,
    /// The URL to which they have to be sent, if it is known.
    pub(super) url: Option<&'a Url>,
}

/// The deliveries that arrived for a webhook.
pub(super) struct Deliveries<'a> {
    pub(super) documented: DocumentedWebhook<'a>,
    pub(super) received: Vec<Delivery>,
    pub(super) since: Instant,
    /// Verifies their signatures.
    pub(super) verifier: Option<&'a Verifier>,
    /// The secrets of the calls, which deliveries must not contain.
    pub(super) secrets: &'a [Secret],
    /// Masks all other secrets.
    pub(super) redactor: &'a Redactor,
}

/// The checks that compare a delivery with the document.
const DOCUMENT_CHECKS: [DeliveryCheck; 4] =
    [DeliveryCheck::RequestLine, DeliveryCheck::MediaType, DeliveryCheck::Body, DeliveryCheck::Headers];

impl Deliveries<'_> {
    /// Returns the violation of this check.
    pub(super) fn finding(&self, check: DeliveryCheck) -> Option<String> {
        let Some((delivery, documented)) = self.matched_delivery() else {
            let seconds = self.documented.hook.terms.map_or(super::DEFAULT_DEADLINE, |terms| terms.within_seconds);
            return (check == DeliveryCheck::Arrives)
                .then(|| format!("no delivery came within {seconds} s of the call"));
        };
        let signature = self.documented.hook.terms.and_then(|terms| terms.signature.as_ref());
        match check {
            DeliveryCheck::Arrives => None,
            DeliveryCheck::RequestLine | DeliveryCheck::MediaType | DeliveryCheck::Body | DeliveryCheck::Headers => {
                self.documented.breach(check, delivery, documented)
            }
            DeliveryCheck::Signed => {
                self.verifier?.verify_signature(&delivery.headers, &delivery.body).err().map(|error| error.to_string())
            }
            DeliveryCheck::Recent => {
                let arrived = UNIX_EPOCH + Duration::from_secs(delivery.epoch);
                match signature?.check_time(&delivery.headers, arrived) {
                    // A missing signature header has a check of its own.
                    Ok(_)
                    | Err(VerifyError::Missing { .. } | VerifyError::NotText { .. } | VerifyError::NoPart { .. }) => {
                        None
                    }
                    Err(error) => Some(error.to_string()),
                }
            }
            DeliveryCheck::NoCredential => self.received.iter().find_map(|delivery| self.leak(delivery)),
            DeliveryCheck::Once => {
                let after = repeated(&self.received, self.since, self.id_header())?;
                Some(format!("a delivery that was answered 200 came again after {} ms", after.as_millis()))
            }
            DeliveryCheck::Repeated => {
                // Without an id header, a repeated delivery may have another body each time.
                let is_repeated = self.received.iter().any(|one| one.at > delivery.at);
                let seconds = self.documented.hook.terms?.repeated_within_seconds?;
                (!is_repeated)
                    .then(|| format!("the delivery that was answered 503 did not come again within {seconds} s"))
            }
        }
    }

    /// Returns the delivery that is judged, with its documented call: the first one that matches the document, or else the first one. Other
    /// events may be delivered to the same URL.
    fn matched_delivery(&self) -> Option<(&Delivery, &Webhook)> {
        let DocumentedWebhook { hook, .. } = &self.documented;
        let kept = self.received.iter().find_map(|one| Some((one, self.documented.matched_call(one)?)));
        let own = hook.documented.iter().find(|one| one.name == hook.name).or(hook.documented.first());
        kept.or_else(|| Some((self.received.first()?, own?)))
    }

    fn leak(&self, delivery: &Delivery) -> Option<String> {
        let body = String::from_utf8_lossy(&delivery.body);
        let own = Finder::new(self.secrets.iter().map(Secret::reveal));
        let headers =
            delivery.headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
        let places = headers.map(|(name, value)| (format!("in its header `{name}`"), value));
        let places = places
            .chain([("in its URL".to_owned(), delivery.target.as_str().into()), ("in its body".to_owned(), body)]);
        for (place, text) in places {
            if own.finds(&text) {
                return Some(format!("the delivery holds the credential of who called, {place}"));
            }
            if self.redactor.knows(&text) {
                return Some(format!("the delivery holds a secret of somebody, {place}"));
            }
        }
        None
    }

    fn id_header(&self) -> Option<&str> {
        self.documented.hook.terms?.signature.as_ref()?.id_header.as_deref()
    }

    /// Returns the first few deliveries for a report. They are not requests that a reader can repeat.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        let shown = |delivery: &Delivery| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let headers = delivery.headers.iter();
            Exchange {
                method: delivery.method.clone(),
                url: delivery.target.clone(),
                headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
                body: cut(&self.redactor.mask(&text(&delivery.body))),
                status: Some(delivery.status),
                ..Exchange::default()
            }
        };
        self.received.iter().take(2).map(shown).collect()
    }
}

impl<'a> DocumentedWebhook<'a> {
    /// Returns whether a delivery matches the document.
    pub(super) fn fits(&self, delivery: &Delivery) -> bool {
        self.matched_call(delivery).is_some()
    }

    /// Returns the documented call that a delivery matches.
    fn matched_call(&self, delivery: &Delivery) -> Option<&'a Webhook> {
        let keeps =
            |one: &&&Webhook| DOCUMENT_CHECKS.into_iter().all(|check| self.breach(check, delivery, one).is_none());
        self.hook.documented.iter().find(keeps).copied()
    }

    /// Returns the first violation of the document by a delivery.
    fn breach(&self, check: DeliveryCheck, delivery: &Delivery, documented: &Webhook) -> Option<String> {
        match check {
            DeliveryCheck::RequestLine => self.request_line(delivery, documented),
            DeliveryCheck::MediaType => media_type(delivery, documented),
            DeliveryCheck::Body => self.body(delivery, documented),
            DeliveryCheck::Headers => {
                let mut due = documented.headers.iter();
                let missing = due.find(|name| !delivery.headers.contains_key(name.as_str()))?;
                Some(format!("the delivery has no header `{missing}`, which the document demands"))
            }
            _ => None,
        }
    }

    fn request_line(&self, delivery: &Delivery, documented: &Webhook) -> Option<String> {
        if delivery.method != documented.method {
            return Some(format!("the delivery is a {}, and documented as a {}", delivery.method, documented.method));
        }
        let url = self.url?;
        let due = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let plain = |target: &str| percent_decode_str(target).decode_utf8_lossy().into_owned();
        // A prefix of the path may belong to a proxy, which removes it.
        let is_there = plain(&due).ends_with(&plain(&delivery.target));
        (!is_there).then(|| format!("the delivery goes to {}, and is documented to go to {due}", delivery.target))
    }

    fn body(&self, delivery: &Delivery, documented: &Webhook) -> Option<String> {
        if delivery.body.is_empty() {
            return documented.requires_body.then(|| "the delivery has no body".to_owned());
        }
        // The body is compared only if it is JSON. If there are several media types, the schema of the sent one applies.
        let named = documented.bodies.iter().filter(|(known, _)| is_json(known));
        let own = named.clone().find(|(known, _)| essence(known) == essence(sent_as(delivery)));
        let (_, schema) = own.or_else(|| named.clone().next().filter(|_| documented.bodies.len() == 1))?;
        let Ok(value) = serde_json::from_slice::<Value>(&delivery.body) else {
            return Some("the body of the delivery is not JSON".to_owned());
        };
        let schema = schema.as_ref()?;
        // A delivery is a request that a server sends: documents may use either direction for `readOnly` and `writeOnly`.
        let fits = |direction| schema::mismatch(self.api, direction, schema, &value);
        let mismatch = fits(Direction::Answer)?;
        fits(Direction::Request).map(|_| format!("the body of the delivery: {mismatch}"))
    }
}

fn media_type(delivery: &Delivery, documented: &Webhook) -> Option<String> {
    if delivery.body.is_empty() || documented.bodies.is_empty() {
        return None;
    }
    let sent = essence(sent_as(delivery));
    let fits = |range: &String| match essence(range).split_once('*') {
        Some((before, _)) => sent.starts_with(before),
        None => essence(range) == sent,
    };
    let known: Vec<&str> = documented.bodies.keys().map(String::as_str).collect();
    (!documented.bodies.keys().any(fits)).then(|| match sent.as_str() {
        "" => format!("the delivery does not say its media type, which is documented as {}", known.join(" or ")),
        sent => format!("the media type of the delivery is `{sent}`, not {}", known.join(" or ")),
    })
}

fn sent_as(delivery: &Delivery) -> &str {
    delivery.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Returns the time after which the first delivery was repeated: the same call with the same body, and the same id if there is one.
pub(super) fn repeated(received: &[Delivery], since: Instant, id: Option<&str>) -> Option<Duration> {
    let received: Vec<&Delivery> = received.iter().filter(|one| one.at >= since).collect();
    let id_of = |one: &Delivery| id.and_then(|id| one.headers.get(id).cloned());
    received.iter().enumerate().find_map(|(place, first)| {
        let is_same = |other: &&&Delivery| {
            (&other.method, &other.target, &other.body) == (&first.method, &first.target, &first.body)
                && id_of(other) == id_of(first)
        };
        received[place + 1..].iter().find(is_same).map(|again| again.at - first.at)
    })
}
