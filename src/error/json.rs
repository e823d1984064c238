//! Reads JSON as JSON Schema means it, and without telling what it holds: serde's messages quote values, which may be secrets or
//! personal. And the names that lead to a place in it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::whole_numbers;

/// The text as a type. Where it does not fit, whole numbers such as `3.0` are tried as the integers that they are.
///
/// # Errors
/// Returns an error if the text does not parse: the error of the unchanged text.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    match str::from_utf8(text) {
        Ok(text) => read_text(text),
        Err(_) => serde_json::from_slice(text).or_else(|error| read_integers(text, error)),
    }
}

/// As [`read`]: what is known to be UTF-8 as a whole is not looked at string by string.
pub(crate) fn read_text<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| read_integers(text.as_bytes(), error))
}

fn read_integers<T: DeserializeOwned>(text: &[u8], error: serde_json::Error) -> Result<T, serde_json::Error> {
    let integers = whole_numbers::as_integers(text).filter(|_| error.is_data());
    integers.and_then(|text| serde_json::from_slice(&text).ok()).ok_or(error)
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
    pointer.split('/').skip(1).map(|name| unescaped(name).into_owned())
}

/// A name of a JSON pointer as it is meant.
pub(crate) fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains('~') { name.replace("~1", "/").replace("~0", "~").into() } else { name.into() }
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

/// Where the body does not fit, and why. Values are left out: an answer may echo a token.
pub(crate) fn misfit<T: DeserializeOwned>(body: &[u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => "trailing characters after the JSON value".to_owned(),
        Err(error) => {
            let reason = error.inner().to_string();
            format!("at `{}`: {}", error.path(), without_values(&reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_misfit_names_the_place_and_not_the_value() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only decoding is tested")]
        struct Answer {
            entity: Vec<u8>,
        }
        let reason = misfit::<Answer>(br#"{"entity":[1,"hunter2"]}"#);
        assert!(reason.contains("entity[1]"), "{reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
        let reason = misfit::<Answer>(br#"{"entity":[34600000000]}"#);
        assert_eq!(reason, "at `entity[0]`: invalid value: integer …, expected u8 at line 1 column 22");
        let reason = misfit::<Answer>(br#"{"entity":", expected \"hunter2\", expected "}"#);
        assert!(reason.contains("a sequence") && !reason.contains("hunter2"), "{reason}");
        assert!(misfit::<Answer>(b"{}").contains("missing field `entity`"));
    }
}
