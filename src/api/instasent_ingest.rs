//! The Instasent Ingest API: contacts and events into one data source, in batches of up to 100.
//!
//! A push of which some items failed is an error of kind [`PartialFailure`](crate::ErrorKind::PartialFailure), so that `?` cannot lose a
//! contact; [`batch::outcome`](crate::batch::outcome) turns it into a value for callers who handle items themselves.

use crate::auth::Scopes;
use crate::{Error, IntoArgument, PathArgument};

/// What opens this API: a data source's own token, or a Product token with `PROJECT_DATASOURCE_WRITE`.
pub type Credential = crate::auth::Credential<crate::auth::Ingest>;

include!(concat!(env!("OUT_DIR"), "/instasent_ingest.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

impl Client {
    /// What the token of this client may do in a data source, as the API says it; `None` where the answer names
    /// no scope, which is what it looks like when it does not say. Compare it with [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// As any call.
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
