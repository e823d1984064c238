//! Hints for values that spreadsheets write differently from the API.

use serde_json::Value;

/// Attributes of contacts that are flags: yes, no, or unknown.
const FLAG_ATTRIBUTES: [&str; 3] = ["_accepts_marketing_", "_is_subscribed_", "_verified"];

/// Returns whether an attribute is a flag: yes, no, or unknown.
pub(super) fn is_flag(key: &str) -> bool {
    key.starts_with(FLAG_ATTRIBUTES[0])
        || key.starts_with(FLAG_ATTRIBUTES[1])
        || (key.starts_with('_') && key.ends_with(FLAG_ATTRIBUTES[2]))
}

/// Returns the reason for an invalid flag.
pub(super) fn not_a_flag() -> String {
    "is not a flag: the values are `1` for yes, `0` for no, and an empty cell for not known".to_owned()
}

/// Returns the correct notation for a refused value of an attribute or of an event parameter, if it is known.
pub(crate) fn hint(item: &[u8], field: &str) -> Option<String> {
    let item: Value = serde_json::from_slice(item).ok()?;
    let key = field.rsplit('.').next().unwrap_or(field);
    let value = item.get(key).or_else(|| item.get("_event_parameters")?.get(key))?;
    if is_flag(key) && !matches!(value.as_str(), Some("1" | "0")) && !value.is_null() {
        return Some(format!("it {}", not_a_flag()));
    }
    let text = value.as_str()?;
    if let Some(number) = without_decimal_comma(text) {
        return Some(format!("`{text}` has a decimal comma: write `{number}`"));
    }
    let is_yes_or_no = ["true", "false", "yes", "no"].iter().any(|word| text.eq_ignore_ascii_case(word));
    is_yes_or_no.then(|| "attributes that are yes or no take `1` and `0`".to_owned())
}

/// Converts `-1.234,50` to `-1234.50`; returns `None` for other texts.
fn without_decimal_comma(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once(',')?;
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = digits.split(['.', ' ', '\u{a0}', '\u{202f}']);
    let first = groups.next()?;
    let is_number = all_digits(first) && groups.all(|group| group.len() == 3 && all_digits(group));
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    (is_number && all_digits(decimals)).then(|| format!("{sign}{digits}.{decimals}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_commas_are_told_and_other_texts_are_not() {
        for (text, wanted) in
            [("12,50", "12.50"), ("-1.234,5", "-1234.5"), ("1 234 567,1", "1234567.1"), ("+0,5", "0.5")]
        {
            assert_eq!(without_decimal_comma(text).as_deref(), Some(wanted));
        }
        for text in ["12.50", "1,234,567", "a,5", ",5", "5,", "12.34,5", "Calle 1, 2"] {
            assert_eq!(without_decimal_comma(text), None, "{text}");
        }
    }

    #[test]
    fn a_refused_value_has_a_hint_that_lists_the_values() {
        let item =
            br#"{"_accepts_marketing_sms":"TRUE","price":"12,50","vip":"Yes","n":7,"_event_parameters":{"sum":"1,5"}}"#;
        let hint = |field: &str| hint(item, field).unwrap_or_default();
        assert!(hint("_accepts_marketing_sms").contains("`1` for yes, `0` for no"));
        assert!(hint("price").contains("write `12.50`"));
        assert!(hint("vip").contains("`1` and `0`"));
        assert!(hint("_event_parameters.sum").contains("write `1.5`"));
        assert_eq!((hint("n"), hint("missing")), (String::new(), String::new()));
    }
}
