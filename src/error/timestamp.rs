//! An instant in an answer, kept as the server wrote it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An instant as the server wrote it. Decoding never fails on it, however odd the text: an answer to a paid request
/// must not be lost to a date.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant: RFC 3339, also with `+0000` or with a space for the `T`; a text without a zone is read as UTC,
    /// a bare number as seconds since 1970. `None` for anything else.
    pub fn to_utc(&self) -> Option<DateTime<Utc>> {
        let text = self.0.trim();
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(instant.to_utc());
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"] {
            if let Ok(instant) = DateTime::parse_from_str(text, format) {
                return Some(instant.to_utc());
            }
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
            if let Ok(instant) = NaiveDateTime::parse_from_str(text, format) {
                return Some(instant.and_utc());
            }
        }
        text.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }
}

impl FromStr for Timestamp {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.to_rfc3339())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Timestamp {
        serde_json::from_str(json).expect("a timestamp never fails to decode")
    }

    #[test]
    fn the_spellings_that_servers_use_are_one_instant() {
        for text in [
            "\"2026-01-22T10:00:00Z\"",
            "\"2026-01-22T11:00:00+0100\"",
            "\"2026-01-22 10:00:00\"",
            "\"2026-01-22 10:00:00Z\"",
            "\"2026-01-22 10:00:00.000+00:00\"",
            "\"2026-01-22T10:00:00\"",
            "1769076000",
        ] {
            assert_eq!(read(text).to_utc().map(|instant| instant.timestamp()), Some(1_769_076_000), "{text}");
        }
    }

    #[test]
    fn an_odd_text_is_kept() {
        for text in ["\"\"", "\"yesterday\"", "true", "{\"a\":1}"] {
            assert_eq!(read(text).to_utc(), None, "{text}");
        }
        assert_eq!(read("\"yesterday\"").as_str(), "yesterday");
    }
}
