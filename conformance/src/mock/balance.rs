//! The balance that callers can read. Each call that costs money reduces it by one.

use hyper::body::Bytes;
use keyfit_openapi::Operation;
use serde_json::{Value, json};

use super::core::Core;

impl Core {
    /// Charges a tenant for a call, if the balance can be read.
    pub(super) fn charge(&self, tenant: usize, operation: &Operation) {
        if operation.spends && self.balance.is_some() {
            self.state().charge(tenant);
        }
    }

    /// Returns a success with the caller's balance in place of the example. It is never below zero.
    pub(super) fn with_balance(&self, index: usize, tenant: usize, body: Bytes) -> Bytes {
        let Some(balance) = self.balance.as_ref().filter(|balance| balance.reads == index) else { return body };
        let charged = self.state().charged(tenant);
        if charged == 0 {
            return body;
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(&body) else { return body };
        if let Some(place) = value.pointer_mut(&balance.at)
            && let Some(left) = remaining_balance(place, charged)
        {
            *place = left;
            return value.to_string().into();
        }
        body
    }
}

/// Returns an amount reduced by the charges; `None` if it is not a number.
fn remaining_balance(amount: &Value, charged: i64) -> Option<Value> {
    if let Some(whole) = amount.as_i64() {
        return Some(json!((whole - charged).max(0.min(whole))));
    }
    #[expect(clippy::cast_precision_loss, reason = "a few calls")]
    let less = |number: f64| (number - charged as f64).max(0.0_f64.min(number));
    match amount {
        Value::String(text) => Some(json!(less(text.trim().parse().ok()?).to_string())),
        other => Some(json!(less(other.as_f64()?))),
    }
}
