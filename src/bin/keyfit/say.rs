//! What the command says. Names, cells and a server's words may hold anything; a terminal is not to obey it.

use std::fmt::Write as _;
use std::path::Path;

use keyfit::redact::{plain, plain_lines};
use serde_json::Value;

/// Prints a message. Its line ends are the program's own: what comes from elsewhere is [`plain`] in it already.
pub(crate) fn say(message: &str) {
    eprintln!("{}", plain_lines(message));
}

/// The name of a file, for a message.
pub(crate) fn place(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// JSON in one line in which a terminal finds nothing to obey. The values stay what they are: what is not plain stands in
/// texts only, where JSON has escapes for it.
pub(crate) fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        let mut units = [0; 2];
        let mut text = [0; 4];
        if plain(character.encode_utf8(&mut text)).starts_with("\\u") {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_keeps_its_values_and_commands_no_terminal() {
        let value = json!({"a\u{9b}": ["\u{1b}[2J", "\u{202e}b", "\u{e0001}", "\\u{1b} é \"🙂\"\n\t"]});
        let line = json_line(&value);
        assert_eq!(
            line,
            "{\"a\\u009b\":[\"\\u001b[2J\",\"\\u202eb\",\"\\udb40\\udc01\",\"\\\\u{1b} é \\\"🙂\\\"\\n\\t\"]}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON"), value);
    }
}
