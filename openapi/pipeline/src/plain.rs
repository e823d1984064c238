//! Untrusted text in terminals, logs and reports.

/// Returns a text in one line, with control characters and invisible characters escaped as in Rust. A text from a document or
/// a server could otherwise move the cursor of a terminal, reverse the text, or begin a line with a command to the CI system
/// that reads the log.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Returns the first 200 characters of a text, with an ellipsis if it is longer.
pub(crate) fn short(text: &str) -> String {
    const MAX_LENGTH: usize = 200;
    if text.chars().count() <= MAX_LENGTH {
        text.to_owned()
    } else {
        text.chars().take(MAX_LENGTH).chain(['…']).collect()
    }
}

/// Returns whether a character is a control or invisible character. `keyfit::redact` has the same list: neither crate depends
/// on the other.
fn is_hidden(character: char) -> bool {
    let is_control = character.is_control() && character != '\t';
    let is_unseen = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    is_control || is_unseen
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_plain_text_is_one_line() {
        assert_eq!(plain("a\n::error::b\tc \u{9b}1m\u{202e}"), "a\\n::error::b\tc \\u{9b}1m\\u{202e}");
    }
}
