//! Scopes under a vendor's extension key: OpenAPI 3.0 has no place for the scopes of bearer tokens and API keys.

use std::collections::BTreeSet;

use serde_json::Value;

/// Returns the scopes that an operation names under extension keys such as `x-required-scopes`, as a list or as a text with
/// blanks between them.
pub fn vendor_scopes(operation: &Value) -> BTreeSet<String> {
    let members = operation.as_object().into_iter().flatten();
    let named = members.filter(|(key, _)| key.starts_with("x-") && key.to_lowercase().contains("scope"));
    named.flat_map(|(_, scopes)| texts(scopes)).map(str::to_owned).collect()
}

fn texts(scopes: &Value) -> Vec<&str> {
    match scopes {
        Value::String(text) => text.split_whitespace().collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::vendor_scopes;

    #[test]
    fn scopes_are_a_list_or_words() {
        let of = |operation| vendor_scopes(&operation).into_iter().collect::<Vec<_>>();
        assert_eq!(of(json!({ "x-required-scopes": ["write", "read"] })), ["read", "write"]);
        assert_eq!(of(json!({ "x-Scope": "read write", "x-other": ["no"], "scopes": ["no"] })), ["read", "write"]);
        assert!(of(json!({ "x-scopes": { "read": true } })).is_empty());
    }
}
