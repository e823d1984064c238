//! The parts of `contract.toml` that generation needs. The contract check reads the whole file and refuses unknown parts;
//! here other parts are ignored.

mod credential;
mod facts;
mod webhook;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::batching::{BatchTable, one_or_several};
use crate::error::SourceLocation;
use crate::{Error, Text};

pub use credential::Carrier;
pub(crate) use credential::{Credential, is_header};
pub use facts::{ErrorEnvelope, Facts, RateLimitNames};
use facts::{ErrorShape, RateLimit};
pub(crate) use webhook::{Signature, WebhookTerms};

/// The parts of a contract that shape the generated client.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Contract {
    /// The kinds of token. `None` if the contract does not name any, an empty list if the API takes none.
    #[serde(rename = "credential")]
    pub(crate) credentials: Option<Vec<Credential>>,
    /// The bodies of error responses, by the name of the envelope and the status.
    #[serde(default)]
    errors: BTreeMap<String, BTreeMap<String, ErrorShape>>,
    /// The rate limit terms of the API.
    rate_limit: Option<RateLimit>,
    /// The batch parameters of calls that take many items.
    #[serde(rename = "batch", default, deserialize_with = "one_or_several")]
    pub(crate) batches: Vec<BatchTable>,
    /// The terms of the webhooks that the server sends.
    #[serde(default)]
    pub(crate) webhooks: BTreeMap<String, WebhookTerms>,
}

impl Contract {
    /// Reads a contract.
    ///
    /// # Errors
    /// Returns an error if the text is not valid TOML, or a part that is read here has another form.
    pub(crate) fn read(text: &Text) -> Result<Self, Error> {
        let contract: Self = toml::from_str(&text.text).map_err(|error| Error {
            location: error.span().map_or_else(|| place(text, None), |span| place(text, Some(span.start))),
            problem: error.message().trim_end().replace('\n', "; "),
            help: "correct this part of the contract; openapi/contract.schema.json describes the format".to_owned(),
        })?;
        credential::check(text, contract.credentials.as_deref().unwrap_or_default())?;
        Ok(contract)
    }
}

/// Creates a failure at a byte of the contract.
fn error_at_offset(text: &Text, offset: usize, problem: impl Into<String>, help: impl Into<String>) -> Error {
    Error { location: place(text, Some(offset)), problem: problem.into(), help: help.into() }
}

/// Returns the place of a byte in a text, or of the text as a whole.
fn place(text: &Text, offset: Option<usize>) -> SourceLocation {
    let Some(before) = offset.and_then(|offset| text.text.get(..offset)) else {
        return SourceLocation { path: text.path.clone(), ..SourceLocation::default() };
    };
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    SourceLocation {
        path: text.path.clone(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        pointer: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_generation_does_not_need_are_not_looked_at() {
        let text = "name = \"parcels\"\nanything = [1]\n\n[[rule]]\nid = \"x\"\n\n[[credential]]\nkind = \"key\"\nscoped = true\n";
        let contract = Contract::read(&Text::new("contract.toml", text)).expect("a contract");
        assert_eq!(contract.credentials.expect("credentials").len(), 1);
        let silent = Contract::read(&Text::new("contract.toml", "name = \"parcels\"\n")).expect("a contract");
        assert!(silent.credentials.is_none());
    }

    #[test]
    fn a_text_that_is_not_toml_is_refused_with_its_place() {
        let error = Contract::read(&Text::new("api/contract.toml", "a = 1\nb = = 2\n")).expect_err("not TOML");
        assert_eq!(error.location.to_string(), "api/contract.toml:2:5");
    }
}
