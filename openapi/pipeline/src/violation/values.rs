//! The texts, numbers and patterns of violations.

use serde_json::{Value, json};

/// Returns whether a pattern has the same meaning in all dialects. Patterns that JavaScript reads differently from the
/// languages of servers are skipped.
pub(super) fn is_common(pattern: &str) -> bool {
    let own = [r"\A", r"\Z", r"\z", r"\h", r"\p", r"\P", r"\Q", r"\X", "(?", "[[:", "&&", "++", "*+"];
    !own.iter().any(|word| pattern.contains(word))
}

/// Returns the text, extended at its beginning to a length.
pub(super) fn extended(text: &str, length: usize) -> String {
    let fill = text.chars().next().filter(char::is_ascii_alphanumeric).unwrap_or('k');
    let missing = length.saturating_sub(text.chars().count());
    let mut filled: String = std::iter::repeat_n(fill, missing).collect();
    filled.push_str(text);
    filled
}

/// Returns a copy of the item that differs from other copies, if it is a text or a number.
pub(super) fn numbered(item: &Value, place: usize) -> Value {
    match item {
        Value::String(text) if place > 0 => json!(format!("{text}{place}")),
        Value::Number(number) => number.as_i64().map_or_else(
            || item.clone(),
            |number| json!(i64::try_from(place).map_or(number, |place| number.saturating_add(place))),
        ),
        _ => item.clone(),
    }
}

/// Returns a JSON number; a whole number has no fraction.
#[expect(clippy::cast_possible_truncation, reason = "bounds beyond what a float holds are left alone")]
pub(super) fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(12).collect()
}
