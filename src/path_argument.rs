//! A value that becomes one segment of a request's path.

use std::fmt;
use std::str::FromStr;

use progenitor_client::encode_path;
use serde::{Deserialize, Serialize};

/// One segment of a path: an id, a phone number, an address. It is percent-encoded when it is sent.
///
/// An empty segment, `.`, `..` and backslashes are refused when the value is made, before anything is sent: URL
/// parsers resolve dot segments, so that `/sms/..` would go out as `/`, with the credential.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathArgument(String);

/// Why a value cannot be a path segment.
///
/// # Troubleshooting
/// The value probably comes from data that holds no id: check it where it is read, not where it is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a path argument must not be empty, `.` or `..`, nor hold a backslash")]
pub struct InvalidPathArgument;

impl PathArgument {
    /// The value as it was given, not encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PathArgument {
    type Error = InvalidPathArgument;

    fn try_from(value: String) -> Result<Self, InvalidPathArgument> {
        let is_refused = value.is_empty() || value == "." || value == ".." || value.contains('\\');
        if is_refused { Err(InvalidPathArgument) } else { Ok(Self(value)) }
    }
}

impl TryFrom<&str> for PathArgument {
    type Error = InvalidPathArgument;

    fn try_from(value: &str) -> Result<Self, InvalidPathArgument> {
        value.to_owned().try_into()
    }
}

impl TryFrom<&String> for PathArgument {
    type Error = InvalidPathArgument;

    fn try_from(value: &String) -> Result<Self, InvalidPathArgument> {
        value.clone().try_into()
    }
}

impl From<&PathArgument> for PathArgument {
    fn from(value: &PathArgument) -> Self {
        value.clone()
    }
}

impl FromStr for PathArgument {
    type Err = InvalidPathArgument;

    fn from_str(value: &str) -> Result<Self, InvalidPathArgument> {
        value.try_into()
    }
}

impl From<PathArgument> for String {
    fn from(value: PathArgument) -> Self {
        value.0
    }
}

impl fmt::Display for PathArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value of a path, percent-encoded; generated code puts it into URLs. Most ids stay as they are.
#[expect(clippy::allow_attributes, reason = "an API may have no call with a path parameter")]
#[allow(dead_code, reason = "called by generated code, which may be left out")]
pub(crate) fn encode(value: String) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if value.bytes().all(is_plain) { value } else { encode_path(&value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_parser_would_resolve_is_refused() {
        for refused in ["", ".", "..", "a\\b", "..\\.."] {
            assert_eq!(PathArgument::try_from(refused), Err(InvalidPathArgument), "{refused:?}");
        }
    }

    #[test]
    fn ids_numbers_and_dots_inside_are_accepted() {
        for accepted in ["proj_1", "+34600000000", "a.b", "...", "%2e%2e", "a/b"] {
            assert_eq!(PathArgument::try_from(accepted).map(String::from).as_deref(), Ok(accepted));
        }
    }

    #[test]
    fn a_value_is_encoded_as_the_generators_own_code_does_it() {
        for text in ["user-1", "a/b", "a b", "ñ", "+34600", "100%", "a?b#c", "a:b@c", "ada@example.com", "~._-", ""] {
            assert_eq!(encode(text.to_owned()), encode_path(text), "{text}");
        }
    }
}
