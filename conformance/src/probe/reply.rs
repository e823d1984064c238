//! An answer to a probe.

use keyfit::redact::Redactor;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use crate::credential::secret::Secret;

/// An answer that was read completely.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Returns whether the answer only asks to wait: for this caller (429), or for all callers (503 with `Retry-After`).
    pub(super) fn asks_to_wait(&self) -> bool {
        self.status == 429 || (self.status == 503 && self.headers.contains_key(RETRY_AFTER))
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn media_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns whether the answer contains one of the tokens in any encoding.
    pub(super) fn holds<'a>(&self, tokens: impl IntoIterator<Item = &'a Secret>) -> bool {
        // One text for all, since each search has a cost.
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        for (name, value) in &self.headers {
            text.extend(["\n", name.as_str(), "\n", value.to_str().unwrap_or_default()]);
        }
        let tokens = Redactor::new(tokens.into_iter().map(Secret::reveal));
        tokens.finds(&text)
    }
}
