//! An answer to a probe.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn media_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn holds(&self, token: &str) -> bool {
        if token.is_empty() {
            return false;
        }
        let in_headers = self.headers.values().any(|value| value.to_str().is_ok_and(|value| value.contains(token)));
        in_headers || String::from_utf8_lossy(&self.body).contains(token)
    }
}
