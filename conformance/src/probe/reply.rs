//! An answer to a probe.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::secret::Secret;

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn media_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether a token stands in it, plain or as it is commonly encoded.
    pub(super) fn holds(&self, token: &Secret) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        let texts = self.headers.values().filter_map(|value| value.to_str().ok()).chain([&*body]);
        let forms = token.forms();
        texts.into_iter().any(|text| forms.iter().any(|form| text.contains(form)))
    }
}
