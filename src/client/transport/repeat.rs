//! Whether a request can be executed twice without a second effect.

use std::collections::HashMap;

use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use serde_json::Value;

use crate::client::CallOptions;
use crate::client::idempotency::has_key;
use crate::error::Operation;
use crate::error::operation::Retry;
use crate::http_client::{Body, Request};

/// What makes a request conditional (RFC 9110, section 13.1).
const CONDITIONS: [HeaderName; 4] = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// By an idempotency key, by the operation table, or by the caller's word.
pub(crate) fn is_harmless(operation: &Operation, options: &CallOptions, request: &Request) -> bool {
    if options.idempotent || has_key(request, operation) {
        return true;
    }
    // The first attempt may have changed what the condition is about: the second would be refused for that.
    if operation.retry != Retry::Safe && CONDITIONS.iter().any(|name| request.headers().contains_key(name)) {
        return false;
    }
    match operation.retry {
        Retry::Safe | Retry::Idempotent => true,
        // Without its key an item would be taken for a new one.
        Retry::Keyed => operation
            .retry_key
            .is_some_and(|key| request.body().and_then(Body::as_bytes).is_some_and(|body| every_item_has(body, key))),
        Retry::Never => false,
    }
}

/// Whether each item of a JSON body has a text or a number under this key.
fn every_item_has(body: &[u8], key: &str) -> bool {
    type Item = HashMap<String, Value>;
    let has_key = |item: &Item| match item.get(key) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(_)) => true,
        _ => false,
    };
    match serde_json::from_slice::<Vec<Item>>(body) {
        Ok(items) => items.iter().all(has_key),
        Err(_) => serde_json::from_slice(body).is_ok_and(|item: Item| has_key(&item)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_repeated_only_if_each_item_has_its_key() {
        for (body, is_keyed) in [
            (r#"[{"_event_id":"a"},{"_event_id":"b"}]"#, true),
            (r#"[{"_event_id":"a"},{"_event_id":""}]"#, false),
            (r#"[{"_event_id":"a"},{"_user_id":"b"}]"#, false),
            (r#"{"_event_id":"a"}"#, true),
            (r#"{"_event_id":null}"#, false),
            ("", false),
            ("[1]", false),
        ] {
            assert_eq!(every_item_has(body.as_bytes(), "_event_id"), is_keyed, "{body}");
        }
    }
}
