//! Secrets that do not print themselves, and the mask that keeps them out of every report.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, RwLock};

/// What stands in a report where a secret stood.
pub const MASK: &str = "<redacted>";

/// A credential's text. It is read where a request is built and nowhere else.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Takes a credential.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The credential itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Every secret of a run. Reports pass their texts through [`mask`](Redactor::mask).
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<BTreeSet<String>>>);

impl Redactor {
    /// Adds a secret.
    pub fn learn(&self, secret: &Secret) {
        // An empty needle would be found between all characters.
        if secret.reveal().is_empty() {
            return;
        }
        if let Ok(mut known) = self.0.write() {
            known.insert(secret.reveal().to_owned());
        }
    }

    /// The text with every known secret masked.
    pub fn mask(&self, text: &str) -> String {
        let Ok(known) = self.0.read() else { return MASK.to_owned() };
        let mut masked = text.to_owned();
        // From the end of the order: a secret that begins with another one goes first.
        for secret in known.iter().rev().filter(|secret| text.contains(secret.as_str())) {
            masked = masked.replace(secret.as_str(), MASK);
        }
        masked
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::{MASK, Redactor, Secret};

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("swordfish");
        let redactor = Redactor::default();
        redactor.learn(&secret);
        assert!(!format!("{secret:?} {redactor:?}").contains("swordfish"));
    }

    #[test]
    fn a_secret_that_begins_with_another_is_masked_whole() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("abc"));
        redactor.learn(&Secret::new("abcdef"));
        redactor.learn(&Secret::new(""));
        assert_eq!(redactor.mask("x abcdef y abc"), format!("x {MASK} y {MASK}"));
    }
}
