//! Texts of strangers, for terminals and logs.

/// A text in one line without control characters. What a document names or a server answers could otherwise move the
/// cursor of a terminal, or begin a line with a command to the CI system that reads the log.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// The beginning of a text, as a message can hold it.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_plain_text_is_one_line() {
        assert_eq!(plain("a\n::error::b\tc \u{9b}1m"), "a\\n::error::b\tc \\u{9b}1m");
    }
}
