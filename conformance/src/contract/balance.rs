//! The balance that pays for calls.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Citation;

/// Where who calls reads what is left to pay with, where the document does not show it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadBalance {
    /// The id of the GET that answers it.
    pub read_by: String,
    /// Where it stands in the answer: a JSON pointer to a number, or to a text that is one.
    pub at: String,
    /// Where this is said.
    pub source: Citation,
}
