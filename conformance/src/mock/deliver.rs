//! Webhooks and callbacks of the document, which the mock sends only to receivers on the local machine. Only a mock that a check started
//! for itself delivers: requests of other clients never cause a mock to send anything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use keyfit::webhook::{SecretEncoding, SignatureAlgorithm, SignatureScheme, Signer};
use keyfit::{Clock as _, SystemClock};
use keyfit_openapi::schema::Direction;
use keyfit_openapi::{Operation, Webhook, example};
use reqwest::{Client, Method, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::call::{Answer, Call};
use super::core::Core;
use super::mutant::Mutant;
use super::token::token_text;
use crate::clock;
use crate::contract::Contract;
use crate::credential::secret::Secret;
use crate::document::body::{is_json, plain};
use crate::probe::is_loopback;
use crate::webhook::{CallContext, Hook, MessagePart, hooks, member};

/// The seed of the secret that signs deliveries, disjoint from those of tokens and clients.
const SEED: u64 = 1 << 41;
/// The pause before the mock repeats a delivery.
const PAUSE: Duration = Duration::from_millis(20);
/// The age of the timestamp in a stale delivery, in seconds.
const STALE: u64 = 24 * 60 * 60;

/// Sends the deliveries of the mock.
pub(super) struct Deliverer {
    http: Client,
    /// Deliveries that are sent when an operation succeeds, by its id: each once.
    pending_deliveries: Mutex<HashMap<String, Vec<PreparedDelivery>>>,
    number: AtomicU64,
}

/// A delivery before it is signed.
#[derive(Clone)]
struct PreparedDelivery {
    url: Url,
    method: String,
    headers: Vec<(String, HeaderValue)>,
    body: Vec<u8>,
    signer: Option<Arc<Signer>>,
    /// The number of times that it is sent if it is accepted, and if it is not.
    attempts: (usize, usize),
}

/// Returns the signer of the mock for a scheme; `None` if the scheme of the contract is inconsistent.
fn signer(scheme: &SignatureScheme, seed: u64) -> Option<Signer> {
    Signer::new(scheme.clone(), signing_secret(scheme, seed)).ok()
}

fn signing_secret(scheme: &SignatureScheme, seed: u64) -> String {
    let text = token_text(seed);
    let bytes = Sha256::digest(&text);
    let text = match scheme.secret_encoding {
        SecretEncoding::Text => text,
        SecretEncoding::Base64 => STANDARD.encode(bytes),
        SecretEncoding::Hex => format!("{bytes:x}"),
    };
    // The prefix is that of the public key; a private key has none.
    let prefix = if scheme.algorithm == SignatureAlgorithm::Ed25519 { "" } else { &scheme.secret_prefix };
    format!("{prefix}{text}")
}

/// Returns the secret or the public key that verifies the mock's signatures.
pub(super) fn secret(scheme: &SignatureScheme) -> Secret {
    let public = signer(scheme, SEED).and_then(|signer| signer.public_key());
    Secret::new(public.unwrap_or_else(|| signing_secret(scheme, SEED)))
}

impl Deliverer {
    pub(super) fn new(http: Client) -> Self {
        Self { http, pending_deliveries: Mutex::default(), number: AtomicU64::default() }
    }

    fn enqueue(&self, trigger: &str, prepared: PreparedDelivery) {
        let mut pending_deliveries = self.pending_deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        pending_deliveries.entry(trigger.to_owned()).or_default().push(prepared);
    }

    fn take_due(&self, trigger: &str) -> Vec<PreparedDelivery> {
        self.pending_deliveries.lock().unwrap_or_else(PoisonError::into_inner).remove(trigger).unwrap_or_default()
    }

    fn send(&self, prepared: PreparedDelivery, is_stale: bool) {
        let http = self.http.clone();
        let id = format!("delivery{}", self.number.fetch_add(1, Ordering::Relaxed));
        let time = clock::epoch_seconds() - if is_stale { STALE } else { 0 };
        tokio::spawn(async move {
            let (taken, refused) = prepared.attempts;
            for attempt in 1.. {
                let is_taken = prepared.post(&http, &id, time).await;
                if attempt >= if is_taken { taken } else { refused } {
                    return;
                }
                SystemClock.sleep(PAUSE).await;
            }
        });
    }
}

impl PreparedDelivery {
    /// Sends the delivery once; returns whether it was accepted.
    async fn post(&self, http: &Client, id: &str, time: u64) -> bool {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or(Method::POST);
        let mut request = http.request(method, self.url.clone()).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let at = UNIX_EPOCH + Duration::from_secs(time);
        if let Some(signed) = self.signer.as_ref().and_then(|signer| signer.sign(id, at, &self.body).ok()) {
            request = request.headers(signed);
        }
        request.send().await.is_ok_and(|answer| answer.status().is_success())
    }
}

impl Core {
    /// Sends the deliveries that a success causes.
    pub(super) fn deliver(&self, call: &Call, operation: &Operation, answer: &Answer) {
        let Some(deliverer) = self.deliverer.as_ref().filter(|_| !self.has(Mutant::DeliversNothing)) else { return };
        let is_stale = self.has(Mutant::DeliversLate);
        deliverer.take_due(&operation.id).into_iter().for_each(|prepared| deliverer.send(prepared, is_stale));
        let called = CallbackContext { call, operation, answer };
        for hook in hooks(&self.api, &self.contract, operation) {
            let url = match &hook.url {
                Some(url) => url.of(&called),
                None => called.request(&hook.given_by),
            };
            let url = url.and_then(|url| Url::parse(&url).ok());
            let Some(url) = url.filter(|url| url.scheme() == "http" && is_loopback(url)) else { continue };
            let Some(prepared) = self.prepared(&hook, url, call) else { continue };
            match hook.trigger(operation) {
                Some(trigger) => deliverer.enqueue(trigger, prepared),
                None => deliverer.send(prepared, is_stale),
            }
        }
    }

    fn prepared(&self, hook: &Hook<'_>, url: Url, call: &Call) -> Option<PreparedDelivery> {
        let documented = hook.documented.iter().find(|one| one.name == hook.name)?;
        let scheme = hook.terms.and_then(|terms| terms.signature.as_ref());
        let seed = if self.has(Mutant::MissignsDeliveries) { SEED + 1 } else { SEED };
        let signer = scheme.and_then(|scheme| signer(scheme, seed)).map(Arc::new);
        let (media_type, body) = self.payload(documented);
        let mut headers: Vec<(String, HeaderValue)> = Vec::new();
        if !self.has(Mutant::OmitsDeliveryHeaders) {
            let is_signed = |name: &&String| {
                let own = scheme
                    .iter()
                    .flat_map(|one| [Some(&one.header), one.timestamp_header.as_ref(), one.id_header.as_ref()]);
                own.flatten().any(|own| own.eq_ignore_ascii_case(name))
            };
            let due = documented.headers.iter().filter(|name| !is_signed(name));
            headers.extend(due.map(|name| (name.clone(), HeaderValue::from_static("keyfit"))));
        }
        headers.extend(media_type.map(|value| (CONTENT_TYPE.to_string(), value)));
        if let (Some(token), true) = (call.headers.get(AUTHORIZATION), self.has(Mutant::DeliversCredential)) {
            headers.push(("x-presented".to_owned(), token.clone()));
        }
        let method = match documented.method.as_str() {
            "PUT" if self.has(Mutant::DeliversByOtherMethod) => "POST",
            _ if self.has(Mutant::DeliversByOtherMethod) => "PUT",
            method => method,
        };
        let attempts = (
            if self.has(Mutant::DeliversTwice) { 2 } else { 1 },
            if self.has(Mutant::DeliversOnlyOnce) { 1 } else { 3 },
        );
        Some(PreparedDelivery { url, method: method.to_owned(), headers, body, signer, attempts })
    }

    /// Returns a body that matches the document, with its media type; JSON if possible.
    fn payload(&self, documented: &Webhook) -> (Option<HeaderValue>, Vec<u8>) {
        let json = documented.bodies.iter().find(|(media_type, _)| is_json(media_type));
        let Some((media_type, schema)) = json.or_else(|| documented.bodies.iter().next()) else {
            return (None, Vec::new());
        };
        let value = schema.as_ref().map_or(Value::Null, |schema| example::value(&self.api, Direction::Answer, schema));
        let body = match is_json(media_type) {
            true if self.has(Mutant::MisshapesDeliveries) => "[[]]".to_owned(),
            true => value.to_string(),
            false => plain(&value),
        };
        let named = if self.has(Mutant::MislabelsDeliveries) { "text/x-mislabelled" } else { media_type };
        (HeaderValue::from_str(named).ok(), body.into_bytes())
    }
}

/// Returns whether an API has any webhooks or callbacks.
pub(super) fn is_due(api: &keyfit_openapi::Api, contract: &Contract) -> bool {
    !contract.webhooks.is_empty() || api.operations.iter().any(|operation| !operation.callbacks.is_empty())
}

/// A call, for the expressions of a callback.
struct CallbackContext<'a> {
    call: &'a Call,
    operation: &'a Operation,
    answer: &'a Answer,
}

impl CallContext for CallbackContext<'_> {
    fn url(&self) -> String {
        self.operation.path.clone()
    }

    fn method(&self) -> String {
        self.call.method.clone()
    }

    fn status(&self) -> Option<u16> {
        Some(self.answer.status)
    }

    fn request(&self, part: &MessagePart) -> Option<String> {
        match part {
            MessagePart::Body(at) => member(&self.call.body, at),
            MessagePart::Query(name) => self.call.query(name).map(str::to_owned),
            MessagePart::Header(name) => self.call.headers.get(name)?.to_str().ok().map(str::to_owned),
            MessagePart::Path(name) => {
                let marked = format!("{{{name}}}");
                let place =
                    self.operation.path.split('/').filter(|one| !one.is_empty()).position(|one| one == marked)?;
                self.call.segments.get(place).cloned()
            }
        }
    }

    fn response(&self, part: &MessagePart) -> Option<String> {
        match part {
            MessagePart::Body(at) => member(&self.answer.body, at),
            MessagePart::Header(name) => {
                let known = self.answer.headers.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))?;
                known.1.to_str().ok().map(str::to_owned)
            }
            MessagePart::Query(_) | MessagePart::Path(_) => None,
        }
    }
}
