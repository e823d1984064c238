//! Reads JSON as JSON Schema means it, and without telling what it holds: serde's messages quote values, which may be secrets or
//! personal. And the names that lead to a place in it.

use serde::de::DeserializeOwned;

use super::whole_numbers;

/// The text as a type. Where it does not fit, whole numbers such as `3.0` are tried as the integers that they are.
///
/// # Errors
/// Returns the error of the text as it stands.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| {
        let integers = whole_numbers::as_integers(text).filter(|_| error.is_data());
        integers.and_then(|text| serde_json::from_slice(&text).ok()).ok_or(error)
    })
}

/// The body as a type of the caller's. The error quotes nothing of the body, which may hold secrets that nobody knows of.
pub(crate) fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let unquoted = |error: serde_json::Error| {
        if error.is_data() { serde::de::Error::custom(without_values(&error.to_string())) } else { error }
    };
    read(body).map_err(unquoted)
}

/// The names on the way of a JSON pointer (RFC 6901).
pub(crate) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// serde's message without what it quotes from the body: texts in quotes, numbers and names in backticks.
pub(crate) fn without_values(reason: &str) -> String {
    // `invalid type: integer `34600000000`, expected a string`: the value is between the first quote and the comma.
    if let Some(end) = reason.rfind(", expected ") {
        let start = reason[..end].find(['"', '`']).unwrap_or(end);
        let mark = if start < end { "…" } else { "" };
        return format!("{}{mark}{}", &reason[..start], &reason[end..]);
    }
    match (reason.find('"'), reason.rfind('"')) {
        (Some(start), Some(end)) if start < end => format!("{}\"…\"{}", &reason[..start], &reason[end + 1..]),
        _ => reason.to_owned(),
    }
}
