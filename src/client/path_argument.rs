//! A value that becomes one segment of a request's path.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// One segment of a path: an id, a phone number, an address. It is percent-encoded when it is sent.
///
/// An empty segment, backslashes and dot segments are refused when the value is made, before anything is sent: URL
/// parsers resolve dot segments, so that `/sms/..` would go out as `/`, with the credential. Servers resolve more than URL
/// parsers do: `a/../b`, `..;x=1`, `%2e%2e` and what looks like that after percent-decoding are dot segments too.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathArgument(String);

/// The reason why a value cannot be a path segment.
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
        let is_refused = value.is_empty() || value.contains('\\') || has_dot_segment(&value);
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

/// The maximum number of times that a path is decoded in search of dot segments: by a client that encodes it, a proxy, and the server.
const DECODINGS: usize = 3;

/// Returns whether a server may take a part of a path for `.` or `..`, and so the request for one to another path. A part ends at
/// `/` or `\`, percent-encoded or not, and servers such as Tomcat and Jetty cut it at `;` before they resolve it.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    // Hardly a path has a dot, encoded or not, and every request is looked at.
    if !path.contains('.') && !path.contains('%') {
        return false;
    }
    let mut path = Cow::Borrowed(path.as_bytes());
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

/// The characters that are encoded in a path segment: the path percent-encode set of the WHATWG URL standard, the slash, and the percent
/// sign, which would be taken for an encoded character.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'%');

/// A value of a path, percent-encoded; generated code puts it into URLs. Most ids stay as they are.
pub fn encode(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, SEGMENT).into()
}

/// A value of a path, which is shown percent-encoded.
pub(crate) struct Encoded<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Encoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Encoder(f), "{}", self.0)
    }
}

/// Encodes what is written to it.
struct Encoder<'f, 'a>(&'f mut fmt::Formatter<'a>);

impl fmt::Write for Encoder<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        utf8_percent_encode(text, SEGMENT).try_for_each(|piece| self.0.write_str(piece))
    }
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
    fn a_value_stays_one_segment() {
        for (text, wanted) in [
            ("user-1", "user-1"),
            ("a/b", "a%2Fb"),
            ("a b", "a%20b"),
            ("ñ", "%C3%B1"),
            ("+34600", "+34600"),
            ("100%", "100%25"),
            ("a?b#c", "a%3Fb%23c"),
            ("ada@example.com", "ada@example.com"),
            ("~._-:{}", "~._-:%7B%7D"),
        ] {
            assert_eq!((&*encode(text), Encoded(text).to_string().as_str()), (wanted, wanted));
            let url = url::Url::parse(&format!("http://h/x/{}/y", encode(text))).expect("a URL");
            assert_eq!(url.path_segments().expect("a path").count(), 3, "{text}");
        }
    }
}
