//! The Instasent Ingest API: contacts and events into one data source, in batches of up to 100.
//!
//! It is opened by a data source's own token, or, with the feature `instasent-product`, by a token of the Product API.
//!
//! A push of which some items failed is an error of kind [`PartialFailure`](crate::ErrorKind::PartialFailure), so that `?` cannot lose a
//! contact; [`batch::outcome`](crate::instasent::batch::outcome) turns it into a value for callers who handle items themselves.

use crate::auth::Scopes;
use crate::client::PathArgument;
use crate::codegen::IntoArgument;
use crate::error::Error;

include!(concat!(env!("OUT_DIR"), "/keyfit/instasent_ingest.rs"));

/// With `PROJECT_DATASOURCE_WRITE` it reaches the data sources of its project.
#[cfg(feature = "instasent-product")]
impl crate::auth::Opens<Api> for super::product::kind::Product {}

impl Client {
    /// Returns the scopes of this client's token in a data source, as the API reports them; `None` where the answer names
    /// no scope, which is what it looks like when it does not say. Compare it with [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// Returns an error if the call fails, like any call.
    pub async fn granted_scopes(
        &self,
        project: impl IntoArgument<PathArgument>,
        datasource: impl IntoArgument<PathArgument>,
    ) -> Result<Option<Scopes>, Error> {
        let call = self.stream_get().project(project).datasource(datasource);
        let answer = call.send().await?.into_inner();
        Ok(answer.token.map(|token| token.scopes).filter(|scopes| !scopes.is_empty()).map(Scopes::flat))
    }
}
