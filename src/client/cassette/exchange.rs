//! A request and its answer, as a line of a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrets::Secrets;
use crate::http_client::Body;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) url: String,
    /// Missing where it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<Content>,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) answer: Content,
}

/// A body.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Json(Value),
    Text(String),
    Base64(String),
}

/// A request, as far as exchanges are told apart by it.
pub(super) struct Asked {
    method: String,
    url: String,
    /// None where it has a boundary of its own each time.
    sent: Option<Bytes>,
}

impl Asked {
    pub(super) fn of(parts: &Parts, body: &Bytes) -> Self {
        let sent = (!is_form_in_parts(&parts.headers)).then(|| body.clone());
        Self { method: parts.method.to_string(), url: parts.uri.to_string(), sent }
    }

    /// Method, URL and body, as a line has them.
    pub(super) fn masked(self, secrets: &Secrets) -> (String, String, Option<Content>) {
        let sent = self.sent.map(|sent| Content::of(&sent, secrets));
        (self.method, secrets.mask(&self.url), sent)
    }
}

impl Exchange {
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }

    pub(super) fn into_answer(self) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let mut answer = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        let body = match self.answer {
            Content::Json(value) => value.to_string().into(),
            Content::Text(text) => text.into(),
            Content::Base64(text) => STANDARD.decode(text)?.into(),
        };
        Ok(answer.body(body)?)
    }
}

impl Content {
    /// Without secrets. What is neither JSON nor text is kept as it is: nobody can tell what it holds.
    pub(super) fn of(body: &[u8], secrets: &Secrets) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => match serde_json::from_str(text) {
                Ok(value) => Self::Json(secrets.mask_json(value)),
                Err(_) => Self::Text(secrets.mask(text)),
            },
            Err(_) => Self::Base64(STANDARD.encode(body)),
        }
    }
}

/// The headers of an answer, without those on how its body was sent, which is told anew.
pub(super) fn headers(headers: &HeaderMap, secrets: &Secrets) -> Vec<(String, String)> {
    let kept = headers.iter().filter(|(name, _)| ![CONTENT_LENGTH, TRANSFER_ENCODING].contains(name));
    let text = |value: &http::HeaderValue| secrets.mask(&String::from_utf8_lossy(value.as_bytes()));
    kept.map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// Returns whether the body has a new boundary each time.
fn is_form_in_parts(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/")
}
