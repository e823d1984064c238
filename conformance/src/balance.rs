//! The balance of an account: the operation that reads it, from the contract or the document, and the comparison of two balances.

use std::collections::HashSet;

use keyfit_openapi::{Api, Operation, ParameterLocation, Retry};
use serde_json::Value;

use crate::contract::Contract;
use crate::pointer;
use crate::words::words;

/// The operation that reads the caller's balance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Balance {
    /// The index of the GET in the document.
    pub(crate) reads: usize,
    /// The place in the answer, as a JSON pointer.
    pub(crate) at: String,
}

/// The depth to which an answer is searched.
const DEPTH: usize = 4;
/// Words for the remaining balance, alone or in a name: `balance`, `credits_left`, `walletBalance`.
const HOLDINGS: [&str; 6] = ["balance", "credit", "credits", "funds", "wallet", "prepaid"];
/// Names that denote a balance below such a word: `balance.amount`.
const AMOUNTS: [&str; 8] = ["amount", "available", "current", "left", "remaining", "total", "units", "value"];
/// Words that exclude a name: for usage, limits, or ways of payment.
const OTHERS: [&str; 24] = [
    "alert",
    "at",
    "bonus",
    "card",
    "cost",
    "count",
    "currency",
    "date",
    "expires",
    "id",
    "limit",
    "line",
    "low",
    "max",
    "maximum",
    "min",
    "minimum",
    "note",
    "price",
    "rate",
    "score",
    "spent",
    "threshold",
    "used",
];

impl Balance {
    /// Returns the balance that the contract names, or else the one that the document shows. Its path parameters have to be bound to
    /// credentials. If no call costs money, the document is not searched.
    pub(crate) fn of(api: &Api, contract: &Contract) -> Option<Self> {
        if let Some(told) = &contract.balance {
            let reads = api.operations.iter().position(|operation| operation.id == told.read_by)?;
            return Some(Self { reads, at: told.at.clone() });
        }
        if !api.operations.iter().any(|operation| operation.spends) {
            return None;
        }
        let binds = |name: &str| contract.credentials.iter().any(|kind| kind.binds.iter().any(|bound| bound == name));
        Self::guess(api, &binds)
    }

    /// Finds the number with such a name in the answer of a GET without other path parameters than `is_own`: the one with the shortest pointer.
    pub(crate) fn guess(api: &Api, is_own: &dyn Fn(&str) -> bool) -> Option<Self> {
        let is_reached = |operation: &Operation| {
            let in_path = operation.parameters.iter().filter(|one| one.location == ParameterLocation::Path);
            let needs_more =
                operation.parameters.iter().any(|one| one.location == ParameterLocation::Query && one.required);
            operation.method == "GET"
                && operation.retry == Retry::Safe
                && !operation.spends
                && !operation.security.is_optional()
                && !needs_more
                && in_path.into_iter().all(|one| is_own(&one.name))
        };
        let reading = api.operations.iter().enumerate().filter(|(_, operation)| is_reached(operation));
        let found = reading.filter_map(|(reads, operation)| Some(Self { reads, at: member_of(api, operation)? }));
        let steps =
            |balance: &Self| (api.operations[balance.reads].path.matches('{').count(), balance.at.matches('/').count());
        found.min_by_key(steps)
    }

    /// Reads the balance from an answer; `None` if there is none, or it is not a valid amount.
    pub(crate) fn read(&self, body: &[u8]) -> Option<Amount> {
        Amount::read(serde_json::from_slice::<Value>(body).ok()?.pointer(&self.at)?)
    }
}

/// Returns the pointer to a balance in the success of an operation: the shortest one, and of equal ones a number before a text.
fn member_of(api: &Api, operation: &Operation) -> Option<String> {
    let success = operation.responses.iter().find(|(status, shape)| status.starts_with('2') && shape.is_json());
    let schema = success?.1.schema.as_ref()?;
    let around = operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut search = Search { api, seen: HashSet::new(), found: Vec::new() };
    search.gather(schema, ("", around), DEPTH);
    let steps = |(at, is_text): &(String, bool)| (at.matches('/').count(), *is_text);
    search.found.into_iter().min_by_key(steps).map(|(at, _)| at)
}

/// The pointers to balances, each with a flag that is true for a text. Each schema is searched once, since schemas may be recursive.
struct Search<'a> {
    api: &'a Api,
    seen: HashSet<*const Value>,
    found: Vec<(String, bool)>,
}

impl<'a> Search<'a> {
    fn gather(&mut self, schema: &'a Value, (at, around): (&str, &str), depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let schema = self.api.resolve(schema);
        if !self.seen.insert(schema) {
            return;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.gather(part, (at, around), depth);
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let at = pointer::join(at, name);
            match self.api.kind(member) {
                Some("object") => self.gather(member, (&at, name), depth),
                Some(kind @ ("integer" | "number" | "string")) if is_balance(name, around) => {
                    self.found.push((at, kind == "string"));
                }
                _ => {}
            }
        }
    }
}

/// Returns whether a member with this name, in an object with the name `around`, is the balance of an account.
fn is_balance(name: &str, around: &str) -> bool {
    let own = words(name);
    let is_held = |words: &[String]| words.iter().any(|word| HOLDINGS.contains(&word.as_str()));
    let is_other = own.iter().any(|word| OTHERS.contains(&word.as_str()));
    let is_amount = own.last().is_some_and(|word| AMOUNTS.contains(&word.as_str()));
    !is_other && (is_held(&own) || (is_amount && is_held(&words(around))))
}

/// A number with its exact value: integers may exceed the precision of a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    Whole(i64),
    Fraction(f64),
}

impl Amount {
    /// Parses a number, or a text that contains one, as amounts of money often do.
    fn read(value: &Value) -> Option<Self> {
        let whole = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        let fraction =
            || value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite());
        whole.map(Self::Whole).or_else(|| fraction().map(Self::Fraction))
    }

    pub(crate) fn is_less_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one < other,
            (one, other) => one.float() < other.float(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a whole number beside a fraction")]
    fn float(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Fraction(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use keyfit_openapi::{Source, Text};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_balance_is_known_by_its_name_and_by_what_it_stands_in() {
        for (name, around) in [
            ("balance", "account"),
            ("credits", "me"),
            ("credits_remaining", "usage"),
            ("walletBalance", "me"),
            ("amount", "balance"),
            ("available", "credits"),
        ] {
            assert!(is_balance(name, around), "{around}.{name}");
        }
        for (name, around) in [
            ("remaining", "rate_limit"),
            ("credit_limit", "account"),
            ("creditsUsed", "me"),
            ("balance_id", "account"),
            ("credit_card", "account"),
            ("currency", "balance"),
            ("amount", "invoice"),
            ("name", "wallet"),
        ] {
            assert!(!is_balance(name, around), "{around}.{name}");
        }
    }

    fn found(paths: &Value) -> Option<(String, String)> {
        let document = json!({
            "openapi": "3.0.3", "info": { "title": "A", "version": "1" }, "servers": [{ "url": "https://a.example" }],
            "security": [{ "key": [] }], "paths": paths,
            "components": { "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } },
        });
        let document = Text::new("a.json", document.to_string());
        let api = Api::read(&Source { name: "a".to_owned(), document, overlay: None, contract: None });
        let api = api.unwrap_or_else(|failure| panic!("{failure}"));
        let found = Balance::guess(&api, &|name| name == "account")?;
        Some((api.operations[found.reads].path.clone(), found.at))
    }

    /// Returns a GET that answers an object with these members.
    fn reading(parameter: Option<&str>, members: &Value) -> Value {
        let parameters: Vec<Value> = parameter
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .into_iter()
            .collect();
        let schema = json!({ "type": "object", "properties": members });
        let success = json!({ "description": "d", "content": { "application/json": { "schema": schema } } });
        json!({ "get": { "parameters": parameters, "responses": { "200": success } } })
    }

    #[test]
    fn a_balance_is_read_where_no_id_of_others_is_needed_by_the_shortest_way() {
        let number = json!({ "balance": { "type": "integer" } });
        let within = json!({ "data": { "type": "object", "properties": { "credits": { "type": "number" } } } });
        let all = json!({
            "/accounts/{account}": reading(Some("account"), &number),
            "/users/{user}": reading(Some("user"), &number),
            "/usage": reading(None, &within),
        });
        assert_eq!(found(&all), Some(("/usage".to_owned(), "/data/credits".to_owned())));
        let own = json!({ "/accounts/{account}": reading(Some("account"), &number) });
        assert_eq!(found(&own), Some(("/accounts/{account}".to_owned(), "/balance".to_owned())));
        assert_eq!(found(&json!({ "/users/{user}": reading(Some("user"), &number) })), None);
        let both = json!({ "wallet": { "type": "string" }, "balance": { "type": "number" } });
        assert_eq!(found(&json!({ "/me": reading(None, &both) })), Some(("/me".to_owned(), "/balance".to_owned())));
        let flag = json!({ "/me": reading(None, &json!({ "balance": { "type": "boolean" } })) });
        assert_eq!(found(&flag), None);
    }

    #[test]
    fn amounts_are_compared_as_they_are_written() {
        let amount = |value: Value| Amount::read(&value).expect("an amount");
        assert!(amount(json!(9_007_199_254_740_993_i64)).is_less_than(amount(json!(9_007_199_254_740_994_i64))));
        assert!(amount(json!("12.40")).is_less_than(amount(json!("12.5"))));
        assert!(amount(json!(12)).is_less_than(amount(json!(12.5))));
        assert!(!amount(json!(12.5)).is_less_than(amount(json!("12.50"))));
        assert_eq!(Amount::read(&json!("plenty")), None);
        assert_eq!(Amount::read(&json!("NaN")), None);
    }
}
