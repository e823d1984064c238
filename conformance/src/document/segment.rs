//! Segments of path templates: `{id}`, and parameters among other text, as in `{id}:cancel` and `{base}...{head}`.

use std::collections::BTreeMap;

/// Returns a segment with values for its parameters; a parameter without a value is kept.
pub(crate) fn filled(segment: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = segment;
    while let Some((before, name, after)) = parameter(rest) {
        text.push_str(before);
        text.push_str(&value(name).unwrap_or_else(|| format!("{{{name}}}")));
        rest = after;
    }
    text + rest
}

/// Returns whether a value stays a single path segment: an empty one leads to the list, dot segments lead above it, and servers decode a
/// segment before they look for dots. URLs drop tabs and line breaks.
pub(crate) fn is_one(value: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
    let is_led_away = |text: &str| text.split(['/', '\\']).any(|part| matches!(part, "." | ".."));
    let has_control = |text: &str| text.chars().any(char::is_control);
    !value.trim().is_empty() && ![value, &*decoded].into_iter().any(|text| is_led_away(text) || has_control(text))
}

/// Adds the values of a segment's parameters in a text; returns `false` if the text does not match.
pub(crate) fn read(segment: &str, text: &str, values: &mut BTreeMap<String, String>) -> bool {
    let (mut segment, mut text) = (segment, text);
    while let Some((before, name, after)) = parameter(segment) {
        let Some(rest) = text.strip_prefix(before) else { return false };
        let literal = parameter(after).map_or(after, |(literal, ..)| literal);
        // A value is not empty, and ends where the following text begins.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = match literal {
            "" if after.is_empty() => Some(rest.len()),
            "" => Some(first),
            _ if literal.len() == after.len() => rest.len().checked_sub(literal.len()),
            _ => rest.get(first..).and_then(|rest| rest.find(literal)).map(|at| at + first),
        };
        let Some((value, rest)) = end.and_then(|end| rest.split_at_checked(end)) else { return false };
        if value.is_empty() {
            return false;
        }
        values.insert(name.to_owned(), value.to_owned());
        (segment, text) = (after, rest);
    }
    segment == text
}

/// Returns the text before the first parameter, its name, and the rest.
fn parameter(segment: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = segment.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_read_again() {
        for (segment, values) in [
            ("{id}", vec![("id", "7")]),
            ("{id}:cancel", vec![("id", "a:b")]),
            ("{base}...{head}", vec![("base", "v1"), ("head", "main")]),
            ("v{n}.json", vec![("n", "3.json")]),
            ("status", vec![]),
        ] {
            let known =
                |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let mut found = BTreeMap::new();
            assert!(read(segment, &filled(segment, known), &mut found), "{segment}");
            let expected = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(found, expected, "{segment}");
        }
    }

    #[test]
    fn a_value_that_leads_elsewhere_is_no_segment() {
        for value in ["", " ", ".", "..", "../../a", "a/..", "..\\a", "%2e%2E", "..%2fa", ".\t.", "a\r\nb", "%0d"] {
            assert!(!is_one(value), "{value:?}");
        }
        for value in ["7", "a.b", "..a", "a b", "a/b", "100%", "...", "ä", "main..next"] {
            assert!(is_one(value), "{value:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for (segment, text) in
            [("{id}:cancel", "7"), ("{id}:cancel", ":cancel"), ("{a}...{b}", "a..b"), ("a", "b"), ("{id}", "")]
        {
            assert!(!read(segment, text, &mut BTreeMap::new()), "{segment} {text}");
        }
    }
}
