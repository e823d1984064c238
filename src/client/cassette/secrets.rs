//! The secrets that a file of exchanges must not contain.

use http::HeaderMap;
use http::header::SET_COOKIE;
use http::request::Parts;
use serde_json::Value;
use url::Url;

use crate::error::redact::Redactor;

/// Parts of the names of members and parameters that hold a secret.
const NAMES: [&str; 9] =
    ["token", "secret", "password", "passwd", "apikey", "assertion", "credential", "signature", "authorization"];
/// The whole names of others.
const WHOLE_NAMES: [&str; 4] = ["key", "code", "codeverifier", "sig"];

/// Secrets that were seen.
#[derive(Default)]
pub(super) struct Secrets(Redactor);

impl Secrets {
    pub(super) fn mask(&self, text: &str) -> String {
        self.0.mask(text).into_owned()
    }

    pub(super) fn mask_json(&self, value: Value) -> Value {
        self.0.mask_json(value)
    }

    /// Learns what a request carries: its credential, its cookies, and what its parameters and members are called.
    pub(super) fn learn_request(&mut self, parts: &Parts, body: &[u8]) {
        for (name, value) in &parts.headers {
            let Some(text) = value.to_str().ok().filter(|_| value.is_sensitive() || is_secret(name.as_str())) else {
                continue;
            };
            // The word before the token is no part of it.
            self.0.learn([text, text.split_once(' ').map_or(text, |(_, token)| token)]);
            self.learn_cookies(text);
        }
        if let Ok(url) = Url::parse(&parts.uri.to_string()) {
            self.learn_pairs(&url);
        }
        self.learn_body(body);
    }

    /// Learns what an answer hands over.
    pub(super) fn learn_answer(&mut self, headers: &HeaderMap, body: &[u8]) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            self.learn_cookies(cookie.split(';').next().unwrap_or_default());
        }
        self.learn_body(body);
    }

    /// The values of `a=1; b=2`.
    fn learn_cookies(&mut self, text: &str) {
        self.0.learn(text.split(';').filter_map(|cookie| cookie.split_once('=')).map(|(_, value)| value.trim()));
    }

    fn learn_body(&mut self, body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else { return };
        match serde_json::from_str(text) {
            Ok(value) => self.learn_members(&value),
            // A form is a query.
            Err(_) => {
                if let Ok(mut url) = Url::parse("http://localhost/") {
                    url.set_query(Some(text));
                    self.learn_pairs(&url);
                }
            }
        }
    }

    fn learn_pairs(&mut self, url: &Url) {
        self.0.learn(url.query_pairs().filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
    }

    fn learn_members(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if is_secret(name) => self.0.learn([text]),
                        member => self.learn_members(member),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_members(item)),
            _ => {}
        }
    }
}

/// Returns whether a member, a parameter or a header has the name of one that holds a secret.
fn is_secret(name: &str) -> bool {
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    NAMES.iter().any(|part| letters.contains(part)) || WHOLE_NAMES.contains(&letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn what_a_request_carries_is_masked_wherever_it_is_repeated() {
        for (url, headers, body) in [
            ("https://a.example/", &[("authorization", "Bearer hunter2-secret")][..], ""),
            ("https://a.example/", &[("x-api-key", "hunter2-secret")], ""),
            ("https://a.example/?access_token=hunter2-secret", &[], ""),
            ("https://a.example/?key=hunter2%2Dsecret", &[], ""),
            ("https://a.example/", &[], "grant_type=x&client_secret=hunter2-secret"),
            ("https://a.example/", &[], r#"{"user":{"password":"hunter2-secret"}}"#),
        ] {
            let mut secrets = Secrets::default();
            secrets.learn_request(&parts(url, headers), body.as_bytes());
            assert!(!secrets.mask("you sent hunter2-secret").contains("hunter2"), "{url} {headers:?} {body}");
        }
    }

    #[test]
    fn what_an_answer_hands_over_is_masked_and_nothing_else() {
        let mut secrets = Secrets::default();
        let headers = [(SET_COOKIE, "session=hunter2-cookie; Path=/".parse().expect("a value"))].into_iter().collect();
        secrets.learn_answer(&headers, br#"{"refresh_token":"hunter2-refresh","name":"Ada"}"#);
        let masked = secrets.mask("hunter2-cookie hunter2-refresh Ada Path");
        assert!(!masked.contains("hunter2") && masked.ends_with("Ada Path"), "{masked}");
    }
}
