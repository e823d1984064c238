//! The Scopien API: API keys, opportunities, accounts, contacts and reports.
//!
//! The key alone selects sandbox or production: both share one host.

use crate::Error;
use crate::auth::Scopes;

/// What opens this API: a key made in the dashboard under *Settings*, *API Keys*.
pub type Credential = crate::auth::Credential<crate::auth::Scopien>;

include!(concat!(env!("OUT_DIR"), "/scopien.rs"));

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

impl Client {
    /// What the token of this client may do, as the API says it; `None` where the answer does not say it. Compare it with
    /// [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// As any call.
    pub async fn granted_scopes(&self) -> Result<Option<Scopes>, Error> {
        let answer = self.auth_test().send().await?.into_inner();
        Ok(answer.scopes.map(Scopes::from))
    }
}

impl From<types::GrantedScopes> for Scopes {
    fn from(granted: types::GrantedScopes) -> Self {
        match granted {
            types::GrantedScopes::FlatScopes(scopes) => Self::flat(scopes.0),
            types::GrantedScopes::ResourceScopes(resources) => Self::by_resource(resources.0),
        }
    }
}
