//! Variables in a tokens file: those of the process, or else of a `.env` file, which does not change the process.

use std::collections::BTreeMap;
use std::path::Path;

use keyfit::Error;
use keyfit::auth::SecretSource as _;
use keyfit::auth::source::EnvSource;
use keyfit_openapi::{Error as FileError, Text};
use secrecy::SecretString;

use super::failure;
use crate::UserError;
use crate::secret::{Secret, shown};

/// The variables of a `.env` file, with lower precedence than those of the process.
#[derive(Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, Secret>,
    file: Option<String>,
    /// True if the variables of the process are ignored.
    is_alone: bool,
}

/// Returns a file with these variables that [`Environment::read`] can parse.
pub fn env_file(variables: &BTreeMap<String, Secret>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    variables
        .iter()
        .fold(String::new(), |text, (name, value)| format!("{text}{name}=\"{}\"\n", escaped(value.reveal())))
}

/// The position in a file that is parsed sequentially.
struct Cursor<'t> {
    text: &'t Text,
    at: usize,
}

impl Environment {
    /// Reads the file that the user names, or else `.env` beside the tokens file, if it exists.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or a line of it is not `NAME=VALUE`.
    pub fn beside(tokens: &Path, named: Option<&Path>) -> Result<Self, UserError> {
        let beside = tokens.with_file_name(".env");
        let Some(file) = named.or_else(|| beside.is_file().then_some(&beside)) else { return Ok(Self::default()) };
        Ok(Self::read(&crate::file::read(file, "file of variables")?)?)
    }

    /// Parses a file: one `NAME=VALUE` per line, optionally after `export`, and comments after `#`. A value in double quotes may contain line
    /// breaks, and `\n`, `\t`, `\"`, `\\` and `\$`; one in single quotes is literal. `${NAME}` is not expanded.
    ///
    /// # Errors
    /// Returns an error, with its line and without any value, if a line has another form or repeats a name.
    pub fn read(text: &Text) -> Result<Self, FileError> {
        let mut cursor = Cursor { text, at: if text.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } };
        let mut variables = BTreeMap::new();
        while let Some(line) = cursor.next_line() {
            let begin = cursor.at - line.len();
            let assignment = line.trim_start().strip_prefix("export ").unwrap_or(line).trim_start();
            if assignment.trim().is_empty() || assignment.starts_with('#') {
                continue;
            }
            let Some((name, value)) = assignment.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
                return Err(cursor.refuse(begin, "the line is not `NAME=VALUE`", "correct it, or begin it with `#`"));
            };
            cursor.at -= value.len();
            let value = cursor.value(begin)?;
            let name = name.trim();
            if variables.insert(name.to_owned(), Secret::new(value)).is_some() {
                let problem = format!("`{}` is there already", shown(name));
                return Err(cursor.refuse(begin, problem, "keep one of the two"));
            }
        }
        Ok(Self { variables, file: Some(text.path.clone()), is_alone: false })
    }

    /// Creates an environment of only these variables.
    pub(super) fn alone(variables: BTreeMap<String, Secret>) -> Self {
        Self { variables, file: None, is_alone: true }
    }

    /// Returns a variable. That of the process takes precedence.
    ///
    /// # Errors
    /// Returns an error if it is not set, or empty.
    pub(super) async fn variable(&self, name: &str) -> Result<SecretString, Error> {
        if self.is_alone {
            let value = self.variables.get(name).map(|value| value.reveal().to_owned().into());
            return value.ok_or_else(|| Error::credential(format!("`{name}` is not set")));
        }
        let missing = match EnvSource::new(name).read().await {
            Ok(secret) => return Ok(secret),
            Err(error) => error,
        };
        match (self.variables.get(name).filter(|value| !value.reveal().is_empty()), &self.file) {
            (Some(value), _) => Ok(value.reveal().to_owned().into()),
            (None, Some(file)) => Err(Error::credential(format!("{missing}, or add it to {file}"))),
            (None, None) => Err(missing),
        }
    }
}

impl<'t> Cursor<'t> {
    /// Returns the next line without its line break, and moves the cursor behind it.
    fn next_line(&mut self) -> Option<&'t str> {
        let rest = &self.text.text[self.at..];
        let rest = rest.trim_start_matches(['\n', '\r']);
        if rest.is_empty() {
            return None;
        }
        let line = rest.split(['\n', '\r']).next().unwrap_or(rest);
        self.at = self.text.text.len() - rest.len() + line.len();
        Some(line)
    }

    /// Returns the value that begins here, and checks the rest of its line.
    fn value(&mut self, begin: usize) -> Result<String, FileError> {
        let rest = &self.text.text[self.at..];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let quote = trimmed.chars().next().filter(|one| matches!(one, '"' | '\''));
        let Some(quote) = quote else {
            let line = self.next_line_from_here();
            let value = line.split_once(" #").map_or(line, |(value, _)| value).trim();
            return match value {
                value if value.starts_with('#') => Ok(String::new()),
                value if value.contains("${") => Err(self.refuse_reference(begin)),
                value => Ok(value.to_owned()),
            };
        };
        let inside = &trimmed[1..];
        let (mut value, mut characters) = (String::new(), inside.char_indices());
        let end = loop {
            match characters.next() {
                Some((at, one)) if one == quote => break at,
                Some((_, '\\')) if quote == '"' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, one @ ('"' | '\\' | '$' | '\''))) => value.push(one),
                    _ => {
                        let help = "write `\\\\` for a backslash, or the value in single quotes";
                        return Err(self.refuse(
                            begin,
                            "a backslash in the value stands before no character that it may",
                            help,
                        ));
                    }
                },
                Some((at, '$')) if quote == '"' && inside[at..].starts_with("${") => {
                    return Err(self.refuse_reference(begin));
                }
                Some((_, one)) => value.push(one),
                None => return Err(self.refuse(begin, "the quote of the value does not end", "close it")),
            }
        };
        self.at = self.text.text.len() - inside.len() + end + 1;
        let behind = self.next_line_from_here().trim();
        if !behind.is_empty() && !behind.starts_with('#') {
            return Err(self.refuse(begin, "something stands behind the quotes of the value", "remove it"));
        }
        Ok(value)
    }

    /// Returns the rest of this line, which may be empty.
    fn next_line_from_here(&mut self) -> &'t str {
        let line = self.text.text[self.at..].split(['\n', '\r']).next().unwrap_or_default();
        self.at += line.len();
        line
    }

    /// Returns the error for a reference, which other parsers of such files would expand.
    fn refuse_reference(&self, begin: usize) -> FileError {
        let help = "write the value itself, or put it in single quotes where it is meant so";
        self.refuse(begin, "the value refers to another variable, which is not looked up", help)
    }

    fn refuse(&self, begin: usize, problem: impl Into<String>, help: &str) -> FileError {
        failure(crate::contract::place(self.text, Some(begin)), problem, help)
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |one: char| one.is_ascii_alphabetic() || one == '_';
    text.starts_with(is_letter) && text.chars().all(|one| is_letter(one) || one.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, FileError> {
        let read = Environment::read(&Text::new(".env", text))?;
        Ok(read.variables.into_iter().map(|(name, value)| (name, value.reveal().to_owned())).collect())
    }

    #[test]
    fn a_value_is_read_as_it_is_quoted() {
        for (line, value) in [
            ("A=plain", "plain"),
            ("  export A = spaced out  # a comment", "spaced out"),
            ("A=pass#word", "pass#word"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=\"two\\nlines \\\"and\\\" \\$more\" # a comment", "two\nlines \"and\" $more"),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A=\"\\${as} it \\\\ is\"", "${as} it \\ is"),
            ("A='as $it {is}\\n ${X}'", "as $it {is}\\n ${X}"),
            ("\u{feff}A=begun", "begun"),
            ("# a comment\r\n\r\nA=p$1\r\n", "p$1"),
            ("A=a=b==", "a=b=="),
        ] {
            assert_eq!(read(line).expect(line), [("A".to_owned(), value.to_owned())], "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_not_shown() {
        for line in [
            "do-not-print",
            "do not=print",
            "9A=do-not-print",
            "A=\"do-not-print",
            "A='do-not-print",
            "A=\"do-not\" print",
            "A=\"do-not\\print\"",
            "A=${do-not-print}",
            "A=\"${do-not-print}\"",
            "A=\"\\\\${do-not-print}\"",
            "B=do-not-print",
        ] {
            let failure = read(&format!("B=1\n\n{line}\nC=2\n")).expect_err(line);
            let told = format!("{failure}{failure:?}");
            assert!(
                failure.location.line == 3 && !told.contains("do-not") && !failure.help.is_empty(),
                "{line}: {told}"
            );
        }
    }

    #[tokio::test]
    async fn a_variable_of_the_process_comes_first_and_no_value_prints() {
        let text = "CARGO_PKG_NAME=do-not-print\nKEYFIT_TEST_ONLY_IN_A_FILE=do-not-print\nKEYFIT_TEST_EMPTY=\n";
        let environment = Environment::read(&Text::new("a/.env", text)).expect("it can be read");
        let own = environment.variable("CARGO_PKG_NAME").await.expect("cargo sets it");
        assert_eq!(own.expose_secret(), "keyfit-conformance");
        let filed = environment.variable("KEYFIT_TEST_ONLY_IN_A_FILE").await.expect("the file has it");
        assert_eq!(filed.expose_secret(), "do-not-print");
        for unset in ["KEYFIT_TEST_UNSET", "KEYFIT_TEST_EMPTY"] {
            let told = environment.variable(unset).await.expect_err("it is set nowhere").to_string();
            assert!(told.ends_with("or add it to a/.env"), "{told}");
        }
        assert!(!format!("{environment:?}").contains("do-not"), "{environment:?}");
        let alone = Environment::alone(environment.variables);
        let filed = alone.variable("CARGO_PKG_NAME").await.expect("it has it");
        assert_eq!(filed.expose_secret(), "do-not-print");
        assert!(alone.variable("CARGO_PKG_VERSION").await.is_err(), "the process alone has it");
    }

    proptest! {
        #[test]
        fn a_quoted_value_is_read_back_and_no_text_is_too_much(value in "\\PC*", text in "[A-Z='\"#$\\{\\} \\\\\n]*") {
            let written = env_file(&BTreeMap::from([("A".to_owned(), Secret::new(value.as_str()))]));
            prop_assert_eq!(read(&written).expect("it is quoted"), [("A".to_owned(), value)]);
            drop(read(&text));
        }
    }
}
