//! Keys by which a server knows a call again that is sent twice (draft-ietf-httpapi-idempotency-key-header), as documents name them.

use keyfit_openapi::{Operation, Parameter, Place};

/// The header of an operation that takes such a key: `Idempotency-Key`, or another one that has the two words in its name.
pub(crate) fn key_of(operation: &Operation) -> Option<&Parameter> {
    let is_one = |parameter: &&Parameter| {
        let letters: String = parameter.name.chars().filter(char::is_ascii_alphabetic).collect();
        let is_named = letters.to_ascii_lowercase().ends_with("idempotencykey");
        parameter.place == Place::Header && is_named && takes_any_text(parameter)
    };
    let changes = matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH");
    operation.parameters.iter().find(is_one).filter(|_| changes)
}

/// A key that no call had: a UUID of chance (RFC 9562, version 4). Without a source of chance it is one of zeros.
pub(crate) fn new_key() -> String {
    let mut bytes = [0_u8; 16];
    let _ = getrandom::fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Whether a key of ours is one: a text, or a UUID.
fn takes_any_text(parameter: &Parameter) -> bool {
    let schema = &parameter.schema;
    let is_uuid = schema.get("format").is_none_or(|format| format == "uuid");
    let is_long = schema.get("maxLength").and_then(serde_json::Value::as_u64).is_none_or(|most| most >= 36);
    is_uuid && is_long && ["pattern", "enum", "const", "$ref"].iter().all(|word| schema.get(word).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_uuid_of_version_4_and_another_one_each_time() {
        let (one, other) = (new_key(), new_key());
        assert_ne!(one, other);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one.as_bytes()[14] == b'4' && b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }
}
