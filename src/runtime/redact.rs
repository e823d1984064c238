//! Masks credentials in text that a server wrote, before it can reach a message or a log.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

/// What stands for a masked credential.
const MASK: &str = "[redacted]";

/// The shapes of secrets of the APIs that we speak: keys with a mode, connected apps, SMS tokens, JWTs, 40 hex digits.
/// `rk_` counts at the start of a word only, or `network_error` would be masked.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:sk_(?:live|test)_|\brk_|isoa_|issw_)[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?|\b[0-9A-Fa-f]{40}\b")
        .expect("the pattern is a constant")
});

/// The text without the given secret and without anything that looks like one.
pub(crate) fn mask(text: &str, secret: &str) -> String {
    let without_ours = if secret.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(text.replace(secret, MASK)) };
    SHAPES.replace_all(&without_ours, MASK).into_owned()
}

/// The value with every text in it masked, names of members too.
pub(crate) fn mask_value(value: Value, secret: &str) -> Value {
    match value {
        Value::String(text) => Value::String(mask(&text, secret)),
        Value::Array(items) => items.into_iter().map(|item| mask_value(item, secret)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (mask(&name, secret), mask_value(member, secret))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn our_own_secret_is_masked_whatever_it_looks_like() {
        assert_eq!(mask("the key hunter2 is revoked", "hunter2"), "the key [redacted] is revoked");
    }

    #[test]
    fn known_shapes_are_masked() {
        let forty = "0123456789abcdef".repeat(3)[..40].to_owned();
        for secret in ["sk_live_x", "sk_test_x1", "rk_x", "isoa_x", "issw_x", "eyJh.eyJi.c", forty.as_str()] {
            assert_eq!(mask(&format!("a {secret} b"), ""), "a [redacted] b", "{secret}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in ["the message sms_1 was not found", "network_error", "mark_as_read"] {
            assert_eq!(mask(text, "hunter2"), text);
        }
    }

    #[test]
    fn a_value_keeps_its_form_whatever_the_secret_is_made_of() {
        // Masked as JSON text this secret would break the quotes of the value that holds it.
        let secret = r#"a"b\c"#;
        let value = json!({"why": [format!("the key {secret} is revoked"), 7, null]});
        assert_eq!(mask_value(value, secret), json!({"why": ["the key [redacted] is revoked", 7, null]}));
    }
}
