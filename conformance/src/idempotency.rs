//! Keys by which a server knows a call again that is sent twice (draft-ietf-httpapi-idempotency-key-header), as documents name them.

use keyfit_openapi::schema::{self, Direction};
use keyfit_openapi::{Api, Operation, Place, Writing};
use serde_json::Value;

/// Where an operation takes a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Key<'a> {
    /// In a header.
    Header(&'a str),
    /// In the query.
    Query(&'a str),
    /// In a member of its JSON body.
    Member(&'a str),
}

/// How the names of keys end.
const KEYS: [&str; 2] = ["idempotencykey", "idempotencytoken"];
/// How names end that are those of keys where the document says that they make a call idempotent.
const DESCRIBED: [&str; 5] = ["requestid", "clienttoken", "requesttoken", "clientreference", "deduplicationid"];

/// Where an operation takes such a key: `Idempotency-Key`, or another name that ends with the two words; or one such as `request_id`,
/// of which the document says what it does. A header goes before the query, and that before the body.
pub(crate) fn key_of<'a>(api: &'a Api, operation: &'a Operation) -> Option<Key<'a>> {
    if !matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH") {
        return None;
    }
    let named = |place: Place| {
        let mut parameters = operation.parameters.iter().filter(move |one| one.place == place);
        parameters.find(|one| is_key(&one.name, api.resolve(&one.schema))).map(|one| one.name.as_str())
    };
    let member = || {
        let body = operation.body.as_ref().filter(|body| body.writing(api) == Writing::Json)?;
        let schema = api.resolve(&body.schema);
        let mut members = schema.get("properties")?.as_object()?.iter();
        let is_sent = |name: &str| schema::is_sent(api, Direction::Request, schema, name);
        let found = members.find(|(name, member)| is_key(name, api.resolve(member)) && is_sent(name))?;
        Some(Key::Member(found.0.as_str()))
    };
    let header = named(Place::Header).map(Key::Header);
    header.or_else(|| named(Place::Query).map(Key::Query)).or_else(member)
}

fn is_key(name: &str, schema: &Value) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let ends = |names: &[&str]| names.iter().any(|known| letters.to_ascii_lowercase().ends_with(known));
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let is_named = ends(&KEYS) || (ends(&DESCRIBED) && description.contains("idempoten"));
    let is_text = schema.get("type").is_none_or(|kind| {
        kind == "string" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
    });
    is_named && is_text && takes_any_text(schema)
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
fn takes_any_text(schema: &Value) -> bool {
    let is_uuid = schema.get("format").is_none_or(|format| format == "uuid");
    let is_long = schema.get("maxLength").and_then(Value::as_u64).is_none_or(|most| most >= 36);
    is_uuid && is_long && ["pattern", "enum", "const", "$ref"].iter().all(|word| schema.get(word).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_name_or_by_what_the_document_says_of_it() {
        let text = |description: &str| serde_json::json!({ "type": "string", "description": description });
        let said = "Makes the call idempotent: one that comes again under it is answered as before.";
        for (name, description, expected) in [
            ("Idempotency-Key", "", true),
            ("x-idempotency-key", "", true),
            ("idempotencyToken", "", true),
            ("client_request_id", said, true),
            ("requestId", said, true),
            ("requestId", "The id under which the call is logged.", false),
            ("key", said, false),
        ] {
            assert_eq!(is_key(name, &text(description)), expected, "{name}: {description}");
        }
        assert!(
            !is_key("idempotency_key", &serde_json::json!({ "type": "string", "maxLength": 20 })),
            "a UUID does not fit"
        );
        assert!(!is_key("idempotency_key", &serde_json::json!({ "type": "integer" })));
    }

    #[test]
    fn a_key_is_a_uuid_of_version_4_and_another_one_each_time() {
        let (one, other) = (new_key(), new_key());
        assert_ne!(one, other);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one.as_bytes()[14] == b'4' && b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }
}
