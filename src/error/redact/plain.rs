//! Texts of servers, documents and files, for terminals, logs and reports.

use std::fmt::{self, Write as _};

/// The text in one line, with what commands a terminal or cannot be seen as Rust writes it, `\u{1b}` and `\n`: control
/// characters, line and paragraph separators, marks that change the direction of writing, characters without width.
pub fn plain(text: &str) -> String {
    OneLine(text, usize::MAX).to_string()
}

/// The same for a text of several lines. Line breaks are kept, as line feeds.
pub fn plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n").split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// The same for a text that is JSON, whose lines are kept: such characters stand in its strings alone, and become escapes of
/// JSON, so that its values stay what they are.
pub fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // A text takes whatever is written.
                let _ = write!(plain, "\\u{unit:04x}");
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

/// The [`plain`] text, of which so many characters are shown.
pub(crate) struct OneLine<'a>(pub(crate) &'a str, pub(crate) usize);

impl<'a> OneLine<'a> {
    /// Makes the text of a server a part of an error, with a bounded length.
    pub(crate) fn of_server(text: &'a str) -> Self {
        Self(text, 500)
    }
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index == self.1 {
                return f.write_char('…');
            }
            if is_hidden(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// `keyfit_openapi::plain` has the same list: neither crate stands upon the other, and a crate of its own for a list would
/// be one more to publish. The contract check, which stands upon both, holds them to each other.
fn is_hidden(character: char) -> bool {
    let is_control = character.is_control() && character != '\t';
    let is_unseen = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    is_control || is_unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_a_terminal_or_is_not_seen_becomes_an_escape() {
        let shown = plain("a\u{1b}[2J\r\n\t\u{9b}\u{202e}b\u{feff}\u{200b}\u{2028}é 日本 👩");
        assert_eq!(shown, "a\\u{1b}[2J\\r\\n\t\\u{9b}\\u{202e}b\\u{feff}\\u{200b}\\u{2028}é 日本 👩");
        assert_eq!(plain_lines("a\r\n\tb\r\u{7f}\n"), "a\n\tb\\r\\u{7f}\n");
    }

    #[test]
    fn plain_json_is_the_same_value() {
        let value =
            serde_json::json!({"a\u{9b}": ["\u{1b}[2J", "\u{202e}b", "\u{e0001}", "\\u{1b} é \"🙂\"\n\t"], "c": 1});
        let text = plain_json(&format!("{value:#}"));
        assert!(text.lines().count() > 1 && text.chars().all(|character| !is_hidden(character) || character == '\n'));
        assert!(text.contains("\\u009b") && text.contains("\\udb40\\udc01") && text.contains("\\u202eb"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }

    #[test]
    fn a_servers_words_stay_on_one_line_of_bounded_length() {
        assert_eq!(OneLine::of_server("no\r\n200 OK\u{2028}").to_string(), r"no\r\n200 OK\u{2028}");
        assert_eq!(OneLine::of_server(&"é".repeat(10_000)).to_string().chars().count(), 501);
    }
}
