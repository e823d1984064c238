//! Bodies of admin requests.

use hyper::body::Bytes;
use serde::de::DeserializeOwned;

use super::super::error::MockError;

/// Parses a body; an empty one is read as `{}`. Errors name the place but not the sent values, which may be tokens.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, MockError> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        let problem = match error.classify() {
            serde_json::error::Category::Data => format!("the body does not fit: {}", without_values(&error)),
            _ => format!("the body is no JSON, at line {} column {}", error.line(), error.column()),
        };
        let help = "send a JSON object; GET /_keyfit/ names its members, conformance/README.md describes them";
        MockError { status: 400, ..MockError::value(problem, help) }
    })
}

/// Returns serde's message about the wrong member or type, without the sent value that it may quote.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quotes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !quotes.iter().any(|start| text.starts_with(start)) {
        return text;
    }
    let expected = text.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
    format!("expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_values() {
        let problem = |text: &'static str| read::<Vec<u64>>(&Bytes::from(text)).expect_err("it does not fit").problem;
        assert_eq!(problem("[1,"), "the body is no JSON, at line 1 column 3");
        assert_eq!(problem("[\"swordfish\"]"), "the body does not fit: expected u64 at line 1 column 12");
        let state = read::<crate::credential::identity::State>(&Bytes::from("\"swordfish\""))
            .expect_err("it is no state")
            .problem;
        assert!(state.contains("`valid`") && !state.contains("swordfish"), "{state}");
    }
}
