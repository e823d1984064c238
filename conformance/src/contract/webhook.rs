//! What a document does not say of the calls that a server makes: how they are brought about, and how they are signed.

use std::collections::BTreeMap;

use keyfit_openapi::{Webhook, did_you_mean};
use reqwest::header::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Citation;

/// What a document does not say of a webhook or a callback.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookTerms {
    /// The id of the operation by which a URL is registered. Left out for callbacks, of which the document says it.
    pub registered_by: Option<String>,
    /// Where the body of that operation has the URL, as a JSON pointer.
    pub url_at: Option<String>,
    /// Members of that body with their values, by JSON pointers: which events are wanted, a switch that is on.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// The id of the operation whose success makes the server deliver: for webhooks the one that registers, where left out. Of
    /// callbacks it is that which declares them, and named all the same where each success of it brings a delivery at once: a
    /// delivery that does not come is only reported without it.
    pub triggered_by: Option<String>,
    /// Seconds within which a delivery arrives.
    #[serde(default = "five")]
    pub within_seconds: u64,
    /// Seconds within which a delivery comes again that was answered with 503; left out where nobody says that it does.
    pub repeated_within_seconds: Option<u64>,
    /// How deliveries are signed.
    pub signature: Option<Signature>,
    /// Where this is said.
    pub source: Citation,
}

/// How a delivery is signed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// The header with the signature. It may have several, with commas or spaces between them: one has to be right.
    pub header: String,
    /// By what it is made.
    pub algorithm: SignatureAlgorithm,
    /// How its bytes are written.
    pub encoding: SignatureEncoding,
    /// What stands before it: `sha256=`, `v1=`, `v1,`.
    #[serde(default)]
    pub prefix: String,
    /// What is signed.
    pub signs: Signed,
    /// What stands between the parts of that.
    #[serde(default = "dot")]
    pub separator: String,
    /// The header with the time at which it was signed: seconds or milliseconds since the Unix epoch, or a date of RFC 3339.
    pub timestamp_header: Option<String>,
    /// What stands before that time, among other parts of its header: `t=`.
    #[serde(default)]
    pub timestamp_prefix: String,
    /// The header with the id of the delivery.
    pub id_header: Option<String>,
    /// Seconds by which that time may be off.
    #[serde(default = "five_minutes")]
    pub tolerance_seconds: u64,
    /// What a secret begins with that is no part of the key: `whsec_`.
    #[serde(default)]
    pub secret_prefix: String,
    /// How the rest of the secret is made into the key.
    #[serde(default)]
    pub secret_encoding: SecretEncoding,
}

/// By what a signature is made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// In hexadecimal, lower or upper case.
    Hex,
    /// In Base64.
    Base64,
}

/// How a secret is made into a key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretEncoding {
    /// Its bytes are the key.
    #[default]
    Text,
    /// It is the key in Base64.
    Base64,
    /// It is the key in hexadecimal.
    Hex,
}

/// What is signed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// The body.
    Body,
    /// The time, the separator, the body.
    TimestampBody,
    /// The id, the separator, the time, the separator, the body: as the Standard Webhooks specification has it.
    IdTimestampBody,
}

/// What a delivery is held to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryCheck {
    /// It arrives, within the time that the contract gives it.
    Arrives,
    /// Method and path are the documented ones.
    RequestLine,
    /// The media type is one that the document names.
    MediaType,
    /// The body fits the schema that the document has for it.
    Body,
    /// The headers that the document demands are there.
    Headers,
    /// The signature is right.
    Signed,
    /// The time that is signed is that of the delivery.
    Recent,
    /// No credential that the check knows stands in it.
    NoCredential,
    /// What was answered with 2xx does not come again.
    Once,
    /// What was answered with 503 comes again.
    Repeated,
}

impl DeliveryCheck {
    /// Whether it is judged by a delivery that was answered as if the receiver were out of order.
    pub(crate) fn is_of_refused(self) -> bool {
        self == Self::Repeated
    }

    /// Whether there is something to hold a delivery to: what neither document nor contract says cannot be broken.
    pub(crate) fn is_promised(self, documented: &[&Webhook], terms: Option<&WebhookTerms>) -> bool {
        let signature = terms.and_then(|terms| terms.signature.as_ref());
        match self {
            Self::Arrives | Self::RequestLine | Self::NoCredential | Self::Once => true,
            Self::MediaType => documented.iter().all(|one| !one.bodies.is_empty()),
            Self::Body => documented.iter().any(|one| one.bodies.values().any(Option::is_some)),
            Self::Headers => documented.iter().all(|one| !one.headers.is_empty()),
            Self::Signed => signature.is_some(),
            Self::Recent => signature.is_some_and(|one| one.timestamp_header.is_some()),
            Self::Repeated => terms.is_some_and(|terms| terms.repeated_within_seconds.is_some()),
        }
    }
}

/// What is wrong with the terms: the text at which it is, what it is, and what to do.
pub(super) struct Misfit {
    pub(super) quoted: String,
    pub(super) problem: String,
    pub(super) help: String,
}

impl Misfit {
    fn new(quoted: &str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { quoted: quoted.to_owned(), problem: problem.into(), help: help.into() }
    }
}

impl WebhookTerms {
    /// What its types cannot express.
    pub(super) fn misfit(&self, name: &str) -> Option<Misfit> {
        let pointers = self.url_at.iter().chain(self.with.keys());
        if let Some(odd) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
            return Some(Misfit::new(odd, format!("`{odd}` is no JSON pointer"), "start it with a slash"));
        }
        match (&self.registered_by, &self.url_at) {
            (Some(id), None) => {
                let problem = format!("the webhook `{name}` does not say where `{id}` has its URL");
                Some(Misfit::new(id, problem, "add `url-at`, the JSON pointer of that member of its body"))
            }
            (None, Some(at)) => {
                let problem = format!("the webhook `{name}` does not say which operation has its URL at `{at}`");
                Some(Misfit::new(at, problem, "add `registered-by`, the id of that operation"))
            }
            _ if self.within_seconds == 0 || self.repeated_within_seconds == Some(0) => {
                let problem = format!("the webhook `{name}` leaves no time for a delivery");
                Some(Misfit::new(name, problem, "give it a second at least"))
            }
            _ => self.signature.as_ref()?.misfit(),
        }
    }

    /// What it names and the document does not have. `operations` are the ids of the document, `webhooks` the names, `callbacks` those
    /// of its operations.
    pub(crate) fn unknown(
        &self,
        name: &str,
        operations: &[&str],
        webhooks: &[&str],
        callbacks: &[&str],
    ) -> Option<(String, String, String)> {
        let known: Vec<&str> = webhooks.iter().chain(callbacks).copied().collect();
        if !known.contains(&name) {
            let problem = format!("`{name}` is neither a webhook nor a callback of the document");
            return Some((name.to_owned(), problem, did_you_mean(name, known, "write a name that the document has")));
        }
        let ids = [&self.registered_by, &self.triggered_by].into_iter().flatten();
        if let Some(unknown) = ids.into_iter().find(|id| !operations.contains(&id.as_str())) {
            let problem = format!("`{unknown}` of the webhook `{name}` is no operation of the document");
            let help = did_you_mean(unknown, operations.iter().copied(), "write the id of an operation");
            return Some((unknown.clone(), problem, help));
        }
        match &self.registered_by {
            None if !callbacks.contains(&name) => {
                let problem = format!("the document does not say how the URL of the webhook `{name}` is registered");
                let help = "name the operation in `registered-by`, and the place in its body in `url-at`".to_owned();
                Some((name.to_owned(), problem, help))
            }
            Some(id) if !webhooks.contains(&name) => {
                let problem = format!("the document says itself how the URL of the callback `{name}` is handed over");
                Some((id.clone(), problem, "leave `registered-by` and `url-at` out".to_owned()))
            }
            _ => None,
        }
    }
}

impl Signature {
    /// What its types cannot express.
    fn misfit(&self) -> Option<Misfit> {
        let headers = [Some(&self.header), self.timestamp_header.as_ref(), self.id_header.as_ref()];
        if let Some(odd) = headers.into_iter().flatten().find(|name| name.parse::<HeaderName>().is_err()) {
            let problem = format!("`{odd}` is no name of a header");
            return Some(Misfit::new(odd, problem, "use letters, digits and hyphens, such as X-Signature"));
        }
        let needs_time = self.signs != Signed::Body;
        let needs_id = self.signs == Signed::IdTimestampBody;
        let lacks = |what: &str, key: &str| {
            Some(Misfit::new(&self.header, format!("a signature of the {what} needs `{key}`"), "add it to `signature`"))
        };
        match (&self.timestamp_header, &self.id_header) {
            (None, _) if needs_time => lacks("time", "timestamp-header"),
            (_, None) if needs_id => lacks("id", "id-header"),
            _ => None,
        }
    }
}

fn five() -> u64 {
    5
}

fn five_minutes() -> u64 {
    300
}

fn dot() -> String {
    ".".to_owned()
}
