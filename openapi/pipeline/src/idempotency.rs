//! Idempotency keys, by which a server recognizes a call that is sent twice (draft-ietf-httpapi-idempotency-key-header),
//! under the names that documents give them.

use serde::Deserialize;
use serde_json::Value;

use crate::schema::{self, Direction, Validation};
use crate::{Api, BodyFormat, Operation, Parameter, ParameterLocation, walk};

/// The place of an operation's idempotency key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyLocation<'a> {
    /// In a header.
    Header(&'a str),
    /// In the query.
    Query(&'a str),
    /// In a member of its JSON body.
    Member(&'a str),
}

/// The endings of names that are idempotency keys.
const KEY_ENDINGS: [&str; 2] = ["idempotencykey", "idempotencytoken"];
/// The endings of names that are idempotency keys if their description says that they make a call idempotent.
const AMBIGUOUS_ENDINGS: [&str; 5] = ["requestid", "clienttoken", "requesttoken", "clientreference", "deduplicationid"];
/// The methods of calls whose effect a key can limit to one.
const METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];
/// An example of the keys that clients make: a UUID of version 4.
const SAMPLE: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/// Returns the place of an operation's idempotency key: the header that [clients make one for](Operation::idempotency_key);
/// `Idempotency-KeyLocation` or another name that ends with the two words; or a name such as `request_id` whose description mentions
/// idempotency. A header has precedence over the query, and the query over the body.
pub fn key_location<'a>(api: &'a Api, operation: &'a Operation) -> Option<KeyLocation<'a>> {
    if let Some(header) = &operation.idempotency_key {
        return Some(KeyLocation::Header(header));
    }
    if !METHODS.contains(&operation.method.as_str()) {
        return None;
    }
    let is_key = |name: &str, schema: &Value| {
        let schema = api.resolve(schema);
        (is_named(name) || is_described(name, schema)) && takes_uuid(&api.document, schema)
    };
    let named = |place: ParameterLocation| {
        let mut parameters = operation.parameters.iter().filter(move |one| one.location == place);
        parameters.find(|one| is_key(&one.name, &one.schema)).map(|one| one.name.as_str())
    };
    let member = || {
        let body = operation.body.as_ref().filter(|body| body.format(api) == BodyFormat::Json)?;
        let schema = api.resolve(&body.schema);
        let mut members = schema.get("properties")?.as_object()?.iter();
        let is_sent = |name: &str| schema::is_sent(api, Direction::Request, schema, name);
        let found = members.find(|(name, member)| is_key(name, member) && is_sent(name))?;
        Some(KeyLocation::Member(found.0.as_str()))
    };
    let header = named(ParameterLocation::Header).map(KeyLocation::Header);
    header.or_else(|| named(ParameterLocation::Query).map(KeyLocation::Query)).or_else(member)
}

/// Returns the documented header for which clients make a key. Only its name decides: a call with an effect is retried
/// because of it, and a description may say that the header does not help.
pub(crate) fn header_of(document: &Value, method: &str, parameters: &[Parameter]) -> Option<String> {
    let is_effect = METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
    let mut headers =
        parameters.iter().filter(|one| is_effect && one.location == ParameterLocation::Header && one.style.is_none());
    let found =
        headers.find(|one| is_named(&one.name) && takes_uuid(document, walk::resolve(document, &one.schema)))?;
    Some(found.name.clone())
}

/// The hint `x-keyfit: idempotency-key`: the name of the header; `None` if the operation has no key.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct KeyHint(pub(crate) Option<String>);

impl TryFrom<Value> for KeyHint {
    type Error = String;

    fn try_from(said: Value) -> Result<Self, String> {
        match said {
            Value::Bool(false) => Ok(Self(None)),
            Value::String(name) if is_header(&name) => Ok(Self(Some(name))),
            _ => Err("`idempotency-key` is the name of a header, or `false` where there is none".to_owned()),
        }
    }
}

/// Returns whether a text is a valid header name (RFC 9110, section 5.6.2) and not a header that clients set themselves.
fn is_header(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_set = ["accept", "authorization", "content-length", "content-type", "cookie", "host"];
    !name.is_empty() && name.bytes().all(is_token) && !is_set.iter().any(|set| name.eq_ignore_ascii_case(set))
}

/// Returns whether the name is that of an idempotency key.
fn is_named(name: &str) -> bool {
    ends_with_any(name, &KEY_ENDINGS)
}

/// Returns whether the description makes an ambiguous name that of an idempotency key.
fn is_described(name: &str, schema: &Value) -> bool {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    ends_with_any(name, &AMBIGUOUS_ENDINGS) && description.contains("idempoten")
}

fn ends_with_any(name: &str, names: &[&str]) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    names.iter().any(|known| letters.to_ascii_lowercase().ends_with(known))
}

/// Returns whether the schema accepts any UUID, and not just some.
fn takes_uuid(document: &Value, schema: &Value) -> bool {
    let is_uuid = schema.get("format").is_none_or(|format| format == "uuid");
    is_uuid && schema::check(&Validation::of(document, Direction::Request), schema, &Value::from(SAMPLE), "").is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_key(name: &str, schema: &Value) -> bool {
        (is_named(name) || is_described(name, schema)) && takes_uuid(&json!({ "openapi": "3.0.3" }), schema)
    }

    #[test]
    fn a_key_is_known_by_its_name_or_by_what_the_document_says_of_it() {
        let text = |description: &str| json!({ "type": "string", "description": description });
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
    }

    #[test]
    fn a_key_is_one_only_where_the_document_allows_a_uuid() {
        for (schema, expected) in [
            (json!({}), true),
            (json!({ "type": "string", "maxLength": 255 }), true),
            (json!({ "type": "string", "pattern": "^[0-9a-f-]{36}$" }), true),
            (json!({ "type": ["string", "null"], "format": "uuid" }), true),
            (json!({ "type": "string", "maxLength": 20 }), false),
            (json!({ "type": "string", "pattern": "^ord_" }), false),
            (json!({ "type": "string", "enum": ["a", "b"] }), false),
            (json!({ "type": "string", "format": "date-time" }), false),
            (json!({ "type": "integer" }), false),
        ] {
            assert_eq!(is_key("idempotency_key", &schema), expected, "{schema}");
        }
    }

    #[test]
    fn clients_make_a_key_for_a_header_with_the_name_and_for_no_other() {
        let parameter = |name: &str, place| {
            let schema = json!({ "type": "string", "description": "This does not make the call idempotent." });
            vec![Parameter { name: name.to_owned(), location: place, required: true, schema, style: None }]
        };
        let document = json!({ "openapi": "3.0.3" });
        let of = |method, name, place| header_of(&document, method, &parameter(name, place));
        assert_eq!(of("post", "Idempotency-Key", ParameterLocation::Header).as_deref(), Some("Idempotency-Key"));
        assert_eq!(of("post", "X-Request-Id", ParameterLocation::Header), None);
        assert_eq!(of("post", "idempotency_key", ParameterLocation::Query), None);
        assert_eq!(of("get", "Idempotency-Key", ParameterLocation::Header), None);
    }
}
