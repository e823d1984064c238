//! JSON formatting for humans without changes to values: numbers keep their digits, and members their order and duplicates.

use std::iter;

use keyfit::redact::{MASK, plain_json};
use serde::de::IgnoredAny;

use crate::credential::secret::{Redactor, names_secret};

/// The format of JSON output.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonStyle<'a> {
    /// True if each member and item is on its own line.
    pub is_pretty: bool,
    /// Masks these secrets in texts and numbers.
    pub redactor: Option<&'a Redactor>,
    /// True if the values of members whose names denote a secret are omitted.
    pub hides_secrets: bool,
}

/// Formats a JSON text; returns `None` if it is not JSON. Control characters become JSON escapes.
pub fn format_json(text: &str, style: JsonStyle<'_>) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut tokens = Tokens(text).peekable();
    // The depth within an omitted value.
    let mut left_out: Option<usize> = None;
    let mut last = "";
    while let Some(token) = tokens.next() {
        if let Some(inside) = &mut left_out {
            match token {
                "{" | "[" => *inside += 1,
                "}" | "]" => *inside -= 1,
                _ => {}
            }
            left_out = left_out.filter(|inside| *inside > 0);
            continue;
        }
        match token {
            "{" | "[" => {
                out.push_str(token);
                if let Some(end) = tokens.next_if(|next| matches!(*next, "}" | "]")) {
                    out.push_str(end);
                } else {
                    depth += 1;
                    style.line(&mut out, depth);
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                style.line(&mut out, depth);
                out.push_str(token);
            }
            "," => {
                out.push_str(token);
                style.line(&mut out, depth);
            }
            ":" => {
                out.push_str(if style.is_pretty { ": " } else { ":" });
                let name: String = serde_json::from_str(last).unwrap_or_default();
                if style.hides_secrets && names_secret(&name) {
                    out.extend(["\"", MASK, "\""]);
                    left_out = Some(0);
                }
            }
            scalar => out.push_str(&style.scalar(scalar)),
        }
        last = token;
    }
    Some(out)
}

impl JsonStyle<'_> {
    fn line(self, out: &mut String, depth: usize) {
        if self.is_pretty {
            out.push('\n');
            out.extend(iter::repeat_n("  ", depth));
        }
    }

    fn scalar(self, token: &str) -> String {
        let masked = self.redactor.map(|redactor| redactor.mask_raw(token)).filter(|masked| masked != token);
        match masked {
            // The masked token may not be a valid escape or number any more.
            Some(masked) if serde_json::from_str::<String>(&masked).is_ok() => plain_json(&masked),
            Some(_) => format!("\"{MASK}\""),
            None => plain_json(token),
        }
    }
}

/// The tokens of a JSON text.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_ascii_start();
        let length = match text.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => {
                let mut is_escaped = false;
                let end = text.bytes().skip(1).position(|byte| {
                    let is_end = byte == b'"' && !is_escaped;
                    is_escaped = byte == b'\\' && !is_escaped;
                    is_end
                });
                end.map_or(text.len(), |end| end + 2)
            }
            _ => text
                .bytes()
                .position(|byte| matches!(byte, b'}' | b']' | b',' | b':') || byte.is_ascii_whitespace())
                .unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::secret::Secret;

    const PRETTY: JsonStyle<'_> = JsonStyle { is_pretty: true, redactor: None, hides_secrets: false };

    #[test]
    fn values_stay_as_they_came() {
        let text = r#" {"b": 12345678901234567890.10, "a" :[ ],"c":{ }, "d":["x, {\"y\\", null ,[1]], "b":1e400}"#;
        let lines = "{\n  \"b\": 12345678901234567890.10,\n  \"a\": [],\n  \"c\": {},\n  \"d\": [\n    \"x, {\\\"y\\\\\",\n    \
                     null,\n    [\n      1\n    ]\n  ],\n  \"b\": 1e400\n}";
        assert_eq!(format_json(text, PRETTY).as_deref(), Some(lines));
        let line = r#"{"b":12345678901234567890.10,"a":[],"c":{},"d":["x, {\"y\\",null,[1]],"b":1e400}"#;
        assert_eq!(format_json(text, JsonStyle::default()).as_deref(), Some(line));
        assert_eq!(format_json(lines, JsonStyle::default()).as_deref(), Some(line));
        assert_eq!(format_json(" \"a\" ", PRETTY).as_deref(), Some("\"a\""));
    }

    #[test]
    fn what_is_not_json_is_told() {
        for text in ["", "{", "<html>", "{} {}", "{'a': 1}"] {
            assert_eq!(format_json(text, PRETTY), None, "{text}");
        }
    }

    #[test]
    fn what_commands_a_terminal_is_an_escape_and_the_same_value() {
        let text = "{\"a\u{9b}\":\"\u{202e}b\u{7f}\"}";
        let line = format_json(text, JsonStyle::default()).expect("JSON");
        assert_eq!(line, "{\"a\\u009b\":\"\\u202eb\\u007f\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).ok(), serde_json::from_str(text).ok());
    }

    #[test]
    fn known_secrets_are_masked_and_what_is_left_is_json() {
        let redactor = Redactor::default();
        for secret in ["4929123456789012", "sw/ord\"fish-1"] {
            redactor.learn(&Secret::new(secret));
        }
        let text = r#"{"a":4929123456789012,"b":"x sw\/ord\"fish-1 y","sw/ord\"fish-1":[1]}"#;
        let line = format_json(text, JsonStyle { redactor: Some(&redactor), ..JsonStyle::default() }).expect("JSON");
        assert_eq!(line, r#"{"a":"[redacted]","b":"x [redacted] y","[redacted]":[1]}"#);
    }

    #[test]
    fn members_that_are_called_like_secrets_are_left_out_whole() {
        let text = r#"{"user":"ada","password":"a","nested":[{"clientSecret":{"a":[1,{"b":2}],"c":"}"},"d":1}],"api_key":1,"e":[]}"#;
        let line = format_json(text, JsonStyle { hides_secrets: true, ..JsonStyle::default() }).expect("JSON");
        let expected = r#"{"user":"ada","password":"[redacted]","nested":[{"clientSecret":"[redacted]","d":1}],"api_key":"[redacted]","e":[]}"#;
        assert_eq!(line, expected);
    }
}
