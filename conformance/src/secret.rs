//! Secrets that do not print themselves, and the mask that keeps them out of every report.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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

    /// The credential as it may stand in a text: plain, percent-encoded, in Base64 of either alphabet, and with the
    /// slashes escaped as some writers of JSON do. None where it is empty, which stands everywhere.
    pub(crate) fn forms(&self) -> BTreeSet<String> {
        let plain = &self.0;
        if plain.is_empty() {
            return BTreeSet::new();
        }
        let percent = utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string();
        // As `encodeURIComponent` does, which leaves more alone.
        let component = ["%2D", "%2E", "%5F", "%7E"].into_iter().zip(["-", ".", "_", "~"]);
        let component = component.fold(percent.clone(), |text, (code, mark)| text.replace(code, mark));
        // Without padding it stands in the padded form too.
        let [standard, url_safe] = [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(plain));
        [plain.clone(), percent, component, standard, url_safe, plain.replace('/', "\\/")].into()
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
        if self.0.read().is_ok_and(|known| known.contains(secret.reveal())) {
            return;
        }
        if let Ok(mut known) = self.0.write() {
            known.extend(secret.forms());
        }
    }

    /// The text with every known secret masked.
    pub fn mask(&self, text: &str) -> String {
        let Ok(known) = self.0.read() else { return MASK.to_owned() };
        let mut masked = text.to_owned();
        let mut found: Vec<&String> = known.iter().filter(|secret| text.contains(secret.as_str())).collect();
        // A secret that holds another one goes first.
        found.sort_by_key(|secret| Reverse(secret.len()));
        for secret in found {
            masked = masked.replace(secret, MASK);
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
    fn a_secret_that_holds_another_is_masked_whole() {
        let redactor = Redactor::default();
        for secret in ["bcd", "abcdef", ""] {
            redactor.learn(&Secret::new(secret));
        }
        assert_eq!(redactor.mask("x abcdef y bcd"), format!("x {MASK} y {MASK}"));
    }

    #[test]
    fn a_secret_is_masked_as_it_is_commonly_encoded() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("sword/fish+1_2"));
        for form in ["sword%2Ffish%2B1%5F2", "sword%2Ffish%2B1_2", r"sword\/fish+1_2", "c3dvcmQvZmlzaCsxXzI="] {
            let masked = redactor.mask(&format!("x {form} y"));
            assert!(masked.starts_with(&format!("x {MASK}")) && !masked.contains("fish"), "{form}: {masked}");
        }
    }
}
