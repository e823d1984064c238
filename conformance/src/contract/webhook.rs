//! The terms of webhooks that a document lacks: their registration, their trigger, and their signature.

use std::collections::BTreeMap;

use keyfit::webhook::{SetupError, SignatureScheme};
use keyfit_openapi::{Webhook, did_you_mean};
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
    pub signature: Option<SignatureScheme>,
    /// Where this is said.
    pub source: Citation,
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
    /// Returns whether it is judged by a delivery that the receiver refused as if it were unavailable.
    pub(crate) fn is_of_refused(self) -> bool {
        self == Self::Repeated
    }

    /// Returns whether there is an expectation of a delivery: without one in document or contract, nothing can be violated.
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

/// A flaw of the terms: the text with the flaw, the problem, and the help text.
pub(super) struct TermsError {
    pub(super) quoted: String,
    pub(super) problem: String,
    pub(super) help: String,
}

impl TermsError {
    fn new(quoted: &str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { quoted: quoted.to_owned(), problem: problem.into(), help: help.into() }
    }
}

impl WebhookTerms {
    /// Returns a flaw that its types cannot express.
    pub(super) fn misfit(&self, name: &str) -> Option<TermsError> {
        let pointers = self.url_at.iter().chain(self.with.keys());
        if let Some(odd) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
            return Some(TermsError::new(odd, format!("`{odd}` is no JSON pointer"), "start it with a slash"));
        }
        match (&self.registered_by, &self.url_at) {
            (Some(id), None) => {
                let problem = format!("the webhook `{name}` does not say where `{id}` has its URL");
                Some(TermsError::new(id, problem, "add `url-at`, the JSON pointer of that member of its body"))
            }
            (None, Some(at)) => {
                let problem = format!("the webhook `{name}` does not say which operation has its URL at `{at}`");
                Some(TermsError::new(at, problem, "add `registered-by`, the id of that operation"))
            }
            _ if self.within_seconds == 0 || self.repeated_within_seconds == Some(0) => {
                let problem = format!("the webhook `{name}` leaves no time for a delivery");
                Some(TermsError::new(name, problem, "give it a second at least"))
            }
            _ => self.signature.as_ref().and_then(signature_flaw),
        }
    }

    /// Returns the first name that the document lacks. `operations` are the ids of the document, `webhooks` the names of its webhooks, and
    /// `callbacks` those of its operations.
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

/// Returns the flaw of a signature scheme.
fn signature_flaw(scheme: &SignatureScheme) -> Option<TermsError> {
    let error = scheme.check().err()?;
    Some(match &error {
        SetupError::Header { name } => {
            TermsError::new(name, error.to_string(), "use letters, digits and hyphens, such as X-Signature")
        }
        _ => TermsError::new(&scheme.header, error.to_string(), "add it to `signature`"),
    })
}

fn five() -> u64 {
    5
}
