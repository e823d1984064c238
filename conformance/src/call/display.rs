//! Requests for humans: the content without its secrets.

use keyfit::http_client::Request;
use keyfit::redact::{MASK, plain};
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::SelectedCredential;
use super::json::{self, JsonStyle};
use crate::credential::secret::{Redactor, names_secret};
use crate::document::body::essence;

/// Returns method, URL, and headers of a request without credentials, one per line, followed by the masked credentials. Known secrets, and
/// values whose names denote a secret, are masked.
pub fn head(request: &Request, credentials: &[SelectedCredential], redactor: &Redactor) -> Vec<String> {
    let mut lines = vec![format!("{} {}", request.method(), redactor.mask(&url(request)))];
    lines.extend(headers(request.headers(), redactor));
    lines.extend(credentials.iter().map(|chosen| {
        let (name, scheme) = chosen.header();
        format!("{name}: {scheme}{MASK}")
    }));
    lines
}

/// Returns masked headers, one per line.
pub fn headers(headers: &HeaderMap, redactor: &Redactor) -> Vec<String> {
    let line = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        if names_secret(name.as_str()) {
            return format!("{name}: {MASK}");
        }
        format!("{name}: {}", plain(&redactor.mask(&String::from_utf8_lossy(value.as_bytes()))))
    };
    headers.iter().map(line).collect()
}

/// Returns the body: JSON and forms are masked by the names of their members, other texts only by known secrets, and bytes are shown as
/// their number. Returns `None` if there is no body.
pub fn body(request: &Request, redactor: &Redactor) -> Option<String> {
    let bytes = request.body()?.as_bytes().unwrap_or_default();
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(format!("[{} bytes of {}]", bytes.len(), plain(&essence(media_type))));
    };
    let style = JsonStyle { is_pretty: true, redactor: Some(redactor), hides_secrets: true };
    Some(match essence(media_type).as_str() {
        "application/x-www-form-urlencoded" => redactor.mask(&pairs(text)),
        _ => json::format_json(text, style).unwrap_or_else(|| redactor.mask(text)),
    })
}

fn url(request: &Request) -> String {
    let url = request.url().as_str();
    match url.split_once('?') {
        Some((before, query)) => format!("{before}?{}", pairs(query)),
        None => url.to_owned(),
    }
}

/// Returns a query or a form without the values whose names denote a secret.
fn pairs(text: &str) -> String {
    let shown = |pair: &str| {
        let Some((name, _)) = pair.split_once('=') else { return pair.to_owned() };
        let decoded = url::form_urlencoded::parse(name.as_bytes()).next();
        let is_secret = decoded.is_some_and(|(name, _)| names_secret(&name));
        if is_secret { format!("{name}={MASK}") } else { pair.to_owned() }
    };
    text.split('&').map(shown).collect::<Vec<_>>().join("&")
}
