//! Money, in decimals: prices and balances are exact, and floats are not.

pub use rust_decimal::Decimal;
use serde_json::Value;

/// The reason why a value is not a valid amount.
///
/// # Troubleshooting
/// The API does not document the type of its amounts. Report the value, without your balance, if the server sends
/// something else than a number or a string that holds one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found} is no amount: expected a decimal number, or a string that holds one, of at most 28 digits")]
pub struct InvalidAmount {
    found: String,
}

/// Reads an amount as the API sends it, such as `pricePerSms` of a message or `available` of the account: a JSON number,
/// or a string that holds one.
///
/// ```
/// use keyfit::instasent::sms::amount;
/// use serde_json::json;
///
/// assert_eq!(amount(&json!(0.1)), amount(&json!("0.10")));
/// assert!(amount(&json!(null)).is_err());
/// ```
///
/// # Errors
/// Returns an error if the value has another type, is a text that is not a number, or has more digits than a [`Decimal`] keeps.
pub fn amount(value: &Value) -> Result<Decimal, InvalidAmount> {
    let read = match value {
        Value::String(text) => decimal(text.trim()),
        // A float is written with the fewest digits that tell it apart, which are those that the server wrote.
        Value::Number(number) => decimal(&number.to_string()),
        _ => None,
    };
    read.ok_or_else(|| {
        let found = match value {
            Value::String(text) => format!("the string {:?}", text.chars().take(40).collect::<String>()),
            Value::Number(number) => number.to_string(),
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "a boolean".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        InvalidAmount { found }
    })
}

/// Returns the cost of a number of parts at a price for each part; `None` if the product is too large for a [`Decimal`].
///
/// It is an estimate: what a country costs comes from your price profile, and how many parts are charged is for the
/// server to say. Parts as [`Segments::parts`](super::Segments::parts) counts them give the higher figure.
pub fn cost(parts: usize, price_per_part: Decimal) -> Option<Decimal> {
    Decimal::from(parts).checked_mul(price_per_part)
}

fn decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) }.ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Option<String> {
        amount(value).ok().map(|amount| amount.to_string())
    }

    #[test]
    fn numbers_and_strings_are_read_exactly() {
        for (value, text) in [
            (json!(0.1), "0.1"),
            (json!(42), "42"),
            (json!(1e-7), "0.0000001"),
            (json!("0.10"), "0.10"),
            (json!(" 7.5 "), "7.5"),
            (json!("-3"), "-3"),
        ] {
            assert_eq!(read(&value).as_deref(), Some(text), "{value}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_what_it_is() {
        for value in
            [json!(null), json!(true), json!([1]), json!({}), json!("free"), json!(""), json!("1,5"), json!(1e300)]
        {
            let error = amount(&value).expect_err("no amount").to_string();
            assert!(error.contains("is no amount: expected a decimal number"), "{error}");
        }
        assert!(amount(&json!("0.12345678901234567890123456789")).is_err(), "no digit is dropped");
    }

    #[test]
    fn thirty_parts_at_ten_cents_are_three_euros() {
        let price = amount(&json!(0.1)).expect("a price");
        assert_eq!(cost(30, price).map(|cost| cost.to_string()).as_deref(), Some("3.0"));
        assert_eq!(cost(usize::MAX, Decimal::MAX), None);
    }
}
