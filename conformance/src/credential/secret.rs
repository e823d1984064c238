//! Secrets that are never printed, and the redactor that keeps them out of reports.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

pub use keyfit::redact::MASK;
use keyfit::redact::{self, plain_lines};

use crate::text::words::words;

/// The text of a credential. It is revealed only where a request is built.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret from a credential.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the credential itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Returns whether a text is likely a mistyped word and not a misplaced secret: a message may repeat it.
pub fn is_word(text: &str) -> bool {
    let is_of = |longest: usize, allowed: fn(char) -> bool| text.len() <= longest && text.chars().all(allowed);
    is_of(24, |one| one.is_ascii_alphabetic() || matches!(one, '-' | '_' | ' '))
        || is_of(5, |one| one.is_ascii_alphanumeric())
}

/// Returns a mistyped name for a message if its parts are words, or else `...`.
pub fn name_for_message(name: &str) -> String {
    let is_mark = |one: char| matches!(one, '.' | '/' | '*' | '_' | '-');
    if name.split(is_mark).all(is_word) { name.to_owned() } else { "...".to_owned() }
}

/// Words in names whose values are secrets.
const SECRET_WORDS: [&str; 20] = [
    "auth",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "csrf",
    "jwt",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "pwd",
    "secret",
    "secrets",
    "sig",
    "signature",
    "token",
];
/// Words that make a key a secret.
const SECRET_KEY_WORDS: [&str; 5] = ["access", "api", "private", "secret", "signing"];

/// Returns whether the name of a parameter, header, or member denotes a secret.
pub fn names_secret(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| is_of_secret(word)) || words.windows(2).any(is_key)
}

/// Returns whether the end of a name denotes a secret: `clientSecret`, but not `secret_type`.
pub fn ends_as_secret(name: &str) -> bool {
    let words = words(name);
    words.last().is_some_and(|word| is_of_secret(word)) || words.windows(2).next_back().is_some_and(is_key)
}

fn is_of_secret(word: &str) -> bool {
    SECRET_WORDS.contains(&word) || word == "apikey"
}

fn is_key(pair: &[String]) -> bool {
    pair[1] == "key" && SECRET_KEY_WORDS.contains(&pair[0].as_str())
}

/// Returns an external message without its quoted parts, unless they are words.
pub fn without_quotes(message: &str) -> String {
    let (mut cleaned, mut rest) = (String::new(), message);
    while let Some((before, quote)) = rest.find(['`', '"']).map(|at| rest.split_at(at)) {
        let (mark, inside) = quote.split_at(1);
        // An unterminated quote is cut off.
        let (quoted, after) = inside.split_once(mark).unwrap_or((inside, ""));
        let name_for_message = if is_word(quoted) { quoted } else { "..." };
        cleaned.extend([before, mark, name_for_message, mark]);
        rest = after;
    }
    cleaned + rest
}

/// All secrets of a run. Reports pass their texts through [`mask`](Redactor::mask). Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    secrets: HashSet<Secret>,
    /// Secrets that were not used for masking yet: a run learns many more secrets than it masks texts.
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

    /// Returns the text with all known secrets masked, and with control and invisible characters escaped.
    pub fn mask(&self, text: &str) -> String {
        self.with(|redactor| plain_lines(&redactor.mask(text)))
    }

    /// Returns whether a text contains a known secret in any encoding.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.with(|redactor| redactor.finds(text))
    }

    /// Returns the text with all known secrets masked, and all other characters unchanged, for texts that are not for a terminal.
    pub fn mask_raw(&self, text: &str) -> String {
        self.with(|redactor| redactor.mask(text).into_owned())
    }

    /// Masks a text whose beginning or end, and so a part of a secret, may be missing.
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
    use super::{MASK, Redactor, Secret, ends_as_secret, names_secret, without_quotes};

    #[test]
    fn a_name_tells_whether_its_value_is_a_secret() {
        for name in [
            "password",
            "X-Api-Key",
            "clientSecret",
            "access_token",
            "APIKey",
            "Authorization",
            "set-cookie",
            "filter[pin]",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in ["author", "shipping", "keyword", "country_code", "key", "design", "mapping", "passenger", "id", ""]
        {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn the_end_of_a_name_tells_whether_its_value_is_the_secret_itself() {
        for name in ["password", "clientSecret", "x-api-key", "apiKey", "user_pwd"] {
            assert!(ends_as_secret(name), "{name}");
        }
        for name in ["token_type", "auth-method", "secretName", "key", "username", ""] {
            assert!(!ends_as_secret(name), "{name}");
        }
    }

    #[test]
    fn a_message_repeats_words_and_no_secrets() {
        for (message, cleaned) in [
            ("unknown field `tokn`, expected `token`", "unknown field `tokn`, expected `token`"),
            ("unknown field `sk_live_a1b2c3`, expected `token`", "unknown field `...`, expected `token`"), // not-a-secret
            (
                "invalid type: string \"sk`live`1234\", expected a boolean",
                "invalid type: string \"...\", expected a boolean",
            ),
            ("cut off \"sk_live_a1", "cut off \"...\""),
            ("integer `12345678`", "integer `...`"),
        ] {
            assert_eq!(without_quotes(message), cleaned);
        }
    }

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
