//! Secrets that do not print themselves, and the mask that keeps them out of every report.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

pub use keyfit::redact::MASK;
use keyfit::redact::{self, plain_lines};

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

/// Every secret of a run. Reports pass their texts through [`mask`](Redactor::mask). Cloning shares it.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    secrets: HashSet<Secret>,
    /// Those that nothing was masked with yet: a run learns many more secrets than it masks texts.
    fresh: Vec<Secret>,
    redactor: redact::Redactor,
}

impl Redactor {
    /// Adds a secret.
    pub fn learn(&self, secret: &Secret) {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).secrets.contains(secret) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.secrets.insert(secret.clone()) {
            known.fresh.push(secret.clone());
        }
    }

    /// The text with every known secret masked, and with characters that command a terminal, or are not seen, as escapes.
    pub fn mask(&self, text: &str) -> String {
        self.with(|redactor| plain_lines(&redactor.mask(text)))
    }

    /// The same for a text whose beginning or end may be missing, and with it a part of a secret.
    pub fn mask_cut(&self, text: &str) -> String {
        self.with(|redactor| plain_lines(&redactor.mask_cut(text)))
    }

    fn with<T>(&self, mask: impl FnOnce(&redact::Redactor) -> T) -> T {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.fresh.is_empty() {
                return mask(&known.redactor);
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = std::mem::take(&mut known.fresh);
        known.redactor.learn(fresh.iter().map(Secret::reveal));
        mask(&known.redactor)
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
    fn a_secret_that_is_learned_after_a_text_was_masked_is_masked_too() {
        let redactor = Redactor::default();
        for secret in ["bcde", "abcdef", "", "swordfish"] {
            redactor.learn(&Secret::new(secret));
            assert!(redactor.mask(&format!("x {secret} y")).starts_with("x "));
        }
        assert_eq!(redactor.mask("x abcdef y bcde SWORD%66ish"), format!("x {MASK} y {MASK} {MASK}"));
        assert_eq!(redactor.mask_cut("x swordf"), format!("x {MASK}"));
    }

    #[test]
    fn a_masked_text_commands_no_terminal() {
        assert_eq!(Redactor::default().mask("a\u{1b}[2J\u{202e}b\rc\r\nd"), "a\\u{1b}[2J\\u{202e}b\\rc\nd");
    }
}
