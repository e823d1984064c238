//! JSON as a person reads it, without a change to its values: numbers keep their digits, members their order.

use serde::de::IgnoredAny;

/// The text with a line for each member and item; `None` where it is not JSON.
pub fn pretty(text: &str) -> Option<String> {
    written(text, true)
}

/// The text in one line.
pub fn compact(text: &str) -> Option<String> {
    written(text, false)
}

/// The text is known to be JSON when it is walked through, so that what stands outside of strings is structure.
fn written(text: &str, is_pretty: bool) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let (mut is_inside, mut is_escaped) = (false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        if is_pretty {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    while let Some(one) = characters.next() {
        if is_inside {
            out.push(one);
            is_inside = is_escaped || one != '"';
            is_escaped = one == '\\' && !is_escaped;
            continue;
        }
        match one {
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                out.push(one);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(one);
            }
            ',' => {
                out.push(one);
                line(&mut out, depth);
            }
            ':' if is_pretty => out.push_str(": "),
            _ => {
                is_inside = one == '"';
                out.push(one);
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_came() {
        let text = r#" {"b": 12345678901234567890.10, "a" :[ ],"c":{ }, "d":["x, {\"y\\", null ,[1]], "b":1e400}"#;
        let lines = "{\n  \"b\": 12345678901234567890.10,\n  \"a\": [],\n  \"c\": {},\n  \"d\": [\n    \"x, {\\\"y\\\\\",\n    \
                     null,\n    [\n      1\n    ]\n  ],\n  \"b\": 1e400\n}";
        assert_eq!(pretty(text).as_deref(), Some(lines));
        let line = r#"{"b":12345678901234567890.10,"a":[],"c":{},"d":["x, {\"y\\",null,[1]],"b":1e400}"#;
        assert_eq!(compact(text).as_deref(), Some(line));
        assert_eq!(compact(lines).as_deref(), Some(line));
    }

    #[test]
    fn what_is_not_json_is_told() {
        for text in ["", "{", "<html>", "{} {}", "{'a': 1}"] {
            assert_eq!(pretty(text), None, "{text}");
        }
    }
}
