//! A value that becomes one segment of a request's path.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode;
use progenitor_client::encode_path;
use serde::{Deserialize, Serialize};

/// One segment of a path: an id, a phone number, an address. It is percent-encoded when it is sent.
///
/// An empty segment, backslashes and dot segments are refused when the value is made, before anything is sent: URL
/// parsers resolve dot segments, so that `/sms/..` would go out as `/`, with the credential. Servers resolve more than URL
/// parsers do: `a/../b`, `..;x=1`, `%2e%2e` and what looks like that after percent-decoding are dot segments too.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathArgument(String);

/// Why a value cannot be a path segment.
///
/// # Troubleshooting
/// The value probably comes from data that holds no id: check it where it is read, not where it is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a path argument must not be empty, nor hold a backslash or a dot segment (`.`, `..`, `..;x`, percent-encoded ones)"
)]
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
        let is_refused = value.is_empty() || value.contains('\\') || has_dot_segment(value.as_bytes());
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

/// How often a path is decoded in search of dot segments: by a client that encodes it, a proxy, and the server.
const DECODINGS: usize = 3;

/// Whether a server may take a part of a path for `.` or `..`, and so the request for one to another path. A part ends at
/// `/` or `\`, percent-encoded or not, and servers such as Tomcat and Jetty cut it at `;` before they resolve it.
pub(crate) fn has_dot_segment(path: &[u8]) -> bool {
    // Hardly a path has a dot, encoded or not, and every request is looked at.
    if !path.iter().any(|byte| matches!(byte, b'.' | b'%')) {
        return false;
    }
    let mut path = Cow::Borrowed(path);
    for _ in 0..DECODINGS {
        if is_resolved(&path) {
            return true;
        }
        match Cow::from(percent_decode(&path)) {
            Cow::Owned(decoded) => path = Cow::Owned(decoded),
            Cow::Borrowed(_) => return false,
        }
    }
    is_resolved(&path)
}

fn is_resolved(path: &[u8]) -> bool {
    path.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| {
        let name = part.split(|byte| *byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    })
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
    fn what_a_server_may_resolve_is_refused_however_it_is_written() {
        let once = |text: &str| text.replace('%', "%25").replace('.', "%2e").replace('/', "%2F").replace(';', "%3b");
        for part in [".", "..", "..;", "..;x=1", ".;v", ".%2e", "%2E."] {
            for around in [part.to_owned(), format!("a/{part}"), format!("{part}/a"), format!("a;b/{part}/c")] {
                for refused in [around.clone(), once(&around), once(&once(&around)), around.replace('/', "%5c")] {
                    assert_eq!(PathArgument::try_from(refused.as_str()), Err(InvalidPathArgument), "{refused}");
                }
            }
        }
    }

    #[test]
    fn ids_numbers_and_dots_inside_are_accepted() {
        for accepted in
            ["proj_1", "+34600000000", "a.b", "...", "..a", "a/b", "a;..", "100%", "%2e%2e%2e", ".git/x", "%zz.."]
        {
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
