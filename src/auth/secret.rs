//! A credential in the body of a request or an answer.

use std::cell::Cell;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A credential inside a body: a password that is sent, a key that was just made, a token that the server echoes. It is zeroised on
/// drop, and neither printed nor serialised: an answer that is logged or written to a report shows `[redacted]`. Requests of generated
/// clients alone have its text.
///
/// The documents mark such fields with `format: password`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a credential that was just created, for custom key managers.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(secret.into())
    }

    /// Returns the text. Hand it to a secret store or to a token's constructor; do not print it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if IS_SENT.get() { self.expose() } else { "[redacted]" })
    }
}

thread_local! {
    /// True while this thread serialises a request.
    static IS_SENT: Cell<bool> = const { Cell::new(false) };
}

/// Builds a request, in which secrets are written out. Nothing else is serialised meanwhile.
#[doc(hidden)]
pub fn with_secrets<T>(build: impl FnOnce() -> T) -> T {
    /// Ends it, also where the closure panics.
    struct Sent(bool);
    impl Drop for Sent {
        fn drop(&mut self) {
            IS_SENT.set(self.0);
        }
    }
    let _before = Sent(IS_SENT.replace(true));
    build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_into_a_request_alone() {
        let secret = Secret::new("do-not-print-me");
        let written = || serde_json::to_string(&secret).ok();
        assert_eq!(with_secrets(written).as_deref(), Some("\"do-not-print-me\""));
        assert_eq!(written().as_deref(), Some("\"[redacted]\""));
        let panicked = std::panic::catch_unwind(|| with_secrets(|| panic!("on the way")));
        assert!(panicked.is_err());
        assert_eq!(written().as_deref(), Some("\"[redacted]\""));
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }

    #[test]
    fn a_secret_is_read_and_never_written() {
        let secret: Secret = serde_json::from_str("\"do-not-print-me\"").expect("a text");
        assert_eq!(secret.expose(), "do-not-print-me");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(serde_json::to_string(&secret).ok().as_deref(), Some("\"[redacted]\""));
    }
}
