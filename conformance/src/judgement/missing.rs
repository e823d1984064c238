//! Missing inputs and permissions, and the way to provide them. All inputs that a user can provide are defined here; all report formats
//! show them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::quoting::key;

/// Why something is not done.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Missing {
    /// What is missing.
    pub what: String,
    /// What to give, and where: any of these will do. Empty where nobody can give it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// What to give, and where.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case", tag = "in")]
pub enum Answer {
    /// An option of `keyfit check`.
    Options {
        /// The option: `--allow`.
        option: String,
        /// What follows it, where it takes a value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// The tokens file.
    TokensFile {
        /// The table: `[ids]`, or `[[identity]]` for one more.
        table: String,
        /// What stands in it.
        entry: String,
    },
    /// The overlay, at the operation under `x-keyfit`.
    Overlay {
        /// What it says.
        entry: String,
    },
}

impl Missing {
    /// Creates a missing input that the user cannot provide.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), answers: Vec::new() }
    }

    /// Adds an answer.
    #[must_use]
    pub fn or(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Adds an option as an answer.
    #[must_use]
    pub fn pass(self, option: &str) -> Self {
        self.or(Answer::Options { option: option.to_owned(), value: None })
    }

    /// Adds an option with a value as an answer.
    #[must_use]
    pub fn pass_value(self, option: &str, value: impl Into<String>) -> Self {
        self.or(Answer::Options { option: option.to_owned(), value: Some(value.into()) })
    }

    /// Adds the permission of the operation with `--allow` as an answer.
    #[must_use]
    pub fn allow(self, operation: &str) -> Self {
        self.pass_value("--allow", operation)
    }

    /// Adds an entry of the tokens file as an answer.
    #[must_use]
    pub fn add(self, table: &str, entry: impl Into<String>) -> Self {
        self.or(Answer::TokensFile { table: table.to_owned(), entry: entry.into() })
    }

    /// Adds a context.
    #[must_use]
    pub(crate) fn within(self, context: &str) -> Self {
        Self { what: format!("{context}: {}", self.what), ..self }
    }

    /// Changes all its texts in the same way.
    pub(crate) fn map(self, change: &dyn Fn(&str) -> String) -> Self {
        let answer = |answer: &Answer| match answer {
            Answer::Options { option, value } => {
                Answer::Options { option: change(option), value: value.as_deref().map(change) }
            }
            Answer::TokensFile { table, entry } => Answer::TokensFile { table: change(table), entry: change(entry) },
            Answer::Overlay { entry } => Answer::Overlay { entry: change(entry) },
        };
        Self { what: change(&self.what), answers: self.answers.iter().map(answer).collect() }
    }

    /// Returns a missing identity, with its entry.
    pub(crate) fn identity(need: &dyn fmt::Display, entry: String) -> Self {
        Self::new(format!("the tokens file names no identity `{need}`")).add("[[identity]]", entry)
    }

    /// Returns a missing id of the caller's own.
    pub(crate) fn id(parameter: &str) -> Self {
        let entry = format!("{} = \"an-id-that-exists\"", key(parameter));
        Self::new(format!("the tokens file names no id `{parameter}`")).add("[ids]", entry)
    }

    /// Returns a missing id of another user.
    pub(crate) fn foreign_id(parameter: &str) -> Self {
        let entry = format!("{} = \"an-id-of-somebody-else\"", key(parameter));
        Self::new(format!("the tokens file names no foreign `{parameter}`")).add("[foreign]", entry)
    }

    /// Returns a missing id that may be changed and removed.
    pub(crate) fn expendable(parameter: &str) -> Self {
        let entry = format!("{} = [\"ids-that-may-be-changed-and-removed\"]", key(parameter));
        Self::new(format!("the tokens file names no expendable `{parameter}` that is left")).add("[expendable]", entry)
    }

    /// Returns a missing OAuth client.
    pub(crate) fn client(need: &dyn fmt::Display) -> Self {
        Self::new(format!("the tokens file names no OAuth client {need}")).add("[[client]]", "")
    }

    /// Returns a missing signer of JWTs.
    pub(crate) fn signer() -> Self {
        Self::new("the tokens file names no signer of JWTs").add("[[signer]]", "")
    }

    /// Returns a missing secret of a webhook.
    pub(crate) fn webhook_secret(name: &str) -> Self {
        let entry = format!("{} = {{ env = \"VARIABLE\" }}", key(name));
        Self::new(format!("the tokens file names no secret of the webhook `{name}`")).add("[webhook-secrets]", entry)
    }

    /// Returns the permission for a change that affects all users.
    pub(crate) fn shared(what: String, operation: &str) -> Self {
        let entry = "retry: safe".to_owned();
        Self::new(what).allow(operation).or(Answer::Overlay { entry })
    }
}

impl From<String> for Missing {
    fn from(what: String) -> Self {
        Self::new(what)
    }
}

impl From<&str> for Missing {
    fn from(what: &str) -> Self {
        Self::new(what)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.answers.is_empty() { Ok(()) } else { write!(f, ": {}", answers_text(&self.answers)) }
    }
}

/// Returns the answers as text; any one is sufficient.
pub(crate) fn answers_text(answers: &[Answer]) -> String {
    answers.iter().map(Answer::to_string).collect::<Vec<_>>().join(", or ")
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options { option, value: None } => write!(f, "pass {option}"),
            Self::Options { option, value: Some(value) } => write!(f, "pass {option} {value}"),
            Self::TokensFile { table, entry } if entry.is_empty() => write!(f, "add {table}"),
            Self::TokensFile { table, entry } if table.ends_with("]]") => write!(f, "add {table} with {entry}"),
            Self::TokensFile { table, entry } => write!(f, "add `{entry}` under {table}"),
            Self::Overlay { entry } => write!(f, "say `{entry}` in the overlay if it only reads"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_place_of_each_answer() {
        let text = |missing: Missing| missing.to_string();
        assert_eq!(text("no request tells it from `a`".into()), "no request tells it from `a`");
        assert_eq!(text(Missing::new("it writes").pass("--allow-writes")), "it writes: pass --allow-writes");
        assert_eq!(
            text(Missing::id("a b")),
            "the tokens file names no id `a b`: add `\"a b\" = \"an-id-that-exists\"` under [ids]"
        );
        assert_eq!(text(Missing::signer()), "the tokens file names no signer of JWTs: add [[signer]]");
        assert_eq!(
            text(Missing::shared("POST /a may change all".to_owned(), "a")),
            "POST /a may change all: pass --allow a, or say `retry: safe` in the overlay if it only reads"
        );
    }
}
