//! The documented answers of an operation, as probes judge them and the mock sends them.

use keyfit_openapi::{Api, Operation};
use serde_json::{Map, Value};

use crate::document::body::essence;

/// The documented response for one status.
pub(crate) struct DocumentedResponse<'a> {
    api: &'a Api,
    /// The status, its class, or `default`, in the notation of the document.
    key: &'a str,
    response: &'a Value,
}

/// Headers that response objects do not describe: OpenAPI has other places for them.
const UNDESCRIBED_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

impl<'a> DocumentedResponse<'a> {
    /// Finds the response for a status by its number, its class, or `default`. If successes are documented, `default` only applies to
    /// refusals.
    pub(crate) fn find(api: &'a Api, operation: &Operation, status: u16) -> Option<Self> {
        let item = api.document.get("paths")?.get(&operation.key)?;
        let responses = item.get(operation.method.to_lowercase())?.get("responses")?.as_object()?;
        let class = format!("{}XX", status / 100);
        let named = |key: &str| responses.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        let is_left_open = status >= 400 || !names_success(operation);
        let left_open = || named("default").filter(|_| is_left_open);
        let (key, response) = named(&status.to_string()).or_else(|| named(&class)).or_else(left_open)?;
        Some(Self { api, key, response: api.resolve(response) })
    }

    /// Returns the media types of the body with their descriptions; `None` if no body is described.
    pub(crate) fn content(&self) -> Option<&'a Map<String, Value>> {
        self.response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty())
    }

    /// Returns the headers with their descriptions.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let api = self.api;
        let headers = self.response.get("headers").and_then(Value::as_object).into_iter().flatten();
        let own = headers.filter(|(name, _)| !UNDESCRIBED_HEADERS.contains(&name.to_ascii_lowercase().as_str()));
        own.map(move |(name, header)| (name.as_str(), api.resolve(header)))
    }

    /// Returns whether the status is documented by its number.
    pub(crate) fn is_exact(&self) -> bool {
        self.key.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Returns the status in the notation of the operation table.
    pub(crate) fn status(&self) -> String {
        self.key.to_uppercase().replace("DEFAULT", "default")
    }

    /// Returns whether the document only infers this response.
    pub(crate) fn is_unverified(&self) -> bool {
        is_unverified(self.response)
    }
}

/// Returns whether a transcription only infers this part.
pub(crate) fn is_unverified(part: &Value) -> bool {
    part.get("x-unverified").is_some()
}

/// Returns whether an operation documents any status that is not a refusal.
pub(crate) fn names_success(operation: &Operation) -> bool {
    operation.responses.keys().any(|status| status.starts_with(['2', '3']))
}

/// Returns whether a media type matches a documented range. Parameters, such as a character set, are ignored.
pub(crate) fn covers(range: &str, named: &str) -> bool {
    let (range, named) = (essence(range), essence(named));
    let (Some((kind, name)), Some((known, rest))) = (range.split_once('/'), named.split_once('/')) else {
        return range == named || range == "*";
    };
    let is_of_kind = kind == "*" || kind == known;
    // `application/*+json` matches a suffix.
    is_of_kind && (name == "*" || name == rest || name.strip_prefix('*').is_some_and(|suffix| rest.ends_with(suffix)))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn ranges_cover_media_types_without_regard_to_case_and_parameters() {
        for (range, named) in [
            ("application/json", "Application/JSON; charset=utf-8"),
            ("application/json; version=2", "application/json"),
            ("application/*", "application/pdf"),
            ("*/*", "image/png"),
            ("*", "text/plain"),
            ("application/*+json", "application/problem+json"),
        ] {
            assert!(covers(range, named), "{range}: {named}");
        }
        for (range, named) in [
            ("application/json", "application/problem+json"),
            ("application/json", "text/html"),
            ("text/*", "application/json"),
            ("application/*+json", "application/xml"),
            ("application/json", ""),
        ] {
            assert!(!covers(range, named), "{range}: {named}");
        }
    }
}
