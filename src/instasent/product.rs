//! The Instasent Product API: projects, audience, events, segments, campaigns, automations and direct SMS.
//!
//! A token holds the scopes that were ticked when it was made; each operation's are in [`API`].
//!
//! A token is made in the dashboard under *Project settings*, *API tokens*.

use crate::auth::Scopes;
use crate::client::PathArgument;
use crate::codegen::IntoArgument;
use crate::error::Error;

include!(concat!(env!("OUT_DIR"), "/keyfit/instasent_product.rs"));

impl Client {
    /// Returns the scopes of this client's token in its organization, as the API reports them; `None` where the answer names
    /// no scope, which is what it looks like when it does not say. Compare it with [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// Returns an error if the call fails, like any call.
    pub async fn granted_scopes(&self) -> Result<Option<Scopes>, Error> {
        let answer = self.organization_get().send().await?.into_inner();
        Ok(answer.metadata.map(|metadata| metadata.scopes).filter(|scopes| !scopes.is_empty()).map(Scopes::flat))
    }

    /// As [`granted_scopes`](Self::granted_scopes), in one project.
    ///
    /// # Errors
    /// Returns an error if the call fails, like any call.
    pub async fn granted_scopes_in(&self, project: impl IntoArgument<PathArgument>) -> Result<Option<Scopes>, Error> {
        let answer = self.project_get().project(project).send().await?.into_inner();
        Ok(answer.metadata.map(|metadata| metadata.scopes).filter(|scopes| !scopes.is_empty()).map(Scopes::flat))
    }
}
