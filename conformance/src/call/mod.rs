//! Calls of any API without a generated client: the preparation of a request and the output of the answer for the command `keyfit call`.

mod arguments;
mod batch;
mod body;
mod credential;
mod describe;
pub mod json;
mod near;
mod pages;
pub mod shown;
mod table;
mod value;

pub use arguments::Arguments;
pub use batch::Items as BatchItems;
pub use credential::{Chosen, Wanted, in_clear, refuse_in_clear};
pub use describe::{listed, taken};
pub use pages::{Items, items};

use keyfit_openapi::{
    AcceptedToken, Api, Carrier, Operation, Source, accepted_tokens, base_url_variable, did_you_mean,
};

use crate::{UserError, apis};

/// An API with callable operations.
#[derive(Debug)]
pub struct Callee {
    /// The parsed document.
    pub api: Api,
    /// Its table for the runtime.
    pub table: &'static keyfit::Api,
    /// The kinds of tokens that it accepts, without client certificates.
    pub openers: Vec<AcceptedToken>,
    /// The schemes that a client certificate satisfies.
    pub certificates: Vec<String>,
    /// The environment variable for a base URL that replaces the documented one.
    pub base_url_variable: String,
}

impl Callee {
    /// Reads an API. Its table for the runtime is leaked.
    ///
    /// # Errors
    /// Returns an error if the document, the overlay, or the contract cannot be used.
    pub fn read(source: &Source) -> Result<Self, UserError> {
        let api = Api::read(source)?;
        let (certificates, mut openers): (Vec<AcceptedToken>, Vec<AcceptedToken>) =
            accepted_tokens(&api, source.contract.as_ref())?
                .into_iter()
                .partition(|opener| opener.carrier == Carrier::ClientCertificate);
        let certificates: Vec<String> = certificates.into_iter().map(|opener| opener.name).collect();
        for opener in &mut openers {
            if opener.variable.is_none() {
                opener.variable = variable_elsewhere(opener)?;
            }
        }
        let table = table::of(&api, &source.facts()?, &certificates);
        let base_url_variable = base_url_variable(&api);
        Ok(Self { api, table, openers, certificates, base_url_variable })
    }

    /// Returns an operation by its id, by its id in kebab-case, or by method and path, as in `GET /sms/{id}`.
    ///
    /// # Errors
    /// Returns an error with similar names if there is no such operation.
    pub fn operation(&self, name: &str) -> Result<&Operation, UserError> {
        let operations = &self.api.operations;
        let is_at = |operation: &&Operation| {
            let (method, path) = name.split_once(' ').unwrap_or_default();
            operation.method.eq_ignore_ascii_case(method) && operation.key == path
        };
        let is_like = |operation: &&Operation| operation.function == name.replace('-', "_");
        let found = operations.iter().find(|operation| operation.id == name);
        let found = found.or_else(|| operations.iter().find(is_at)).or_else(|| operations.iter().find(is_like));
        found.ok_or_else(|| {
            let mut set_aside = self.api.unsupported.iter();
            if let Some(one) = set_aside.find(|one| one.operation == name || one.id.as_deref() == Some(name)) {
                return UserError::new(format!("the operation `{}` cannot be called: {}", one.operation, one.reason))
                    .help("without an operation, those that can be called are listed");
            }
            let known = || operations.iter().map(|operation| operation.id.as_str());
            UserError::new(format!("the API {} has no operation `{}`", self.api.name, near::repeated(name, known())))
                .help(did_you_mean(name, known(), "without an operation, all of them are listed"))
        })
    }
}

/// Returns the variable of a kind that the contract of another API names.
fn variable_elsewhere(opener: &AcceptedToken) -> Result<Option<String>, UserError> {
    let Some(source) = opener.of.as_deref().and_then(apis::named) else { return Ok(None) };
    let there = accepted_tokens(&Api::read(&source)?, source.contract.as_ref())?;
    Ok(there.into_iter().find(|known| known.name == opener.name).and_then(|known| known.variable))
}
