//! The Instasent Ingest API: contacts and events into one data source, in batches of up to 100.
//!
//! A push of which some items failed is an error of kind [`PartialFailure`](crate::ErrorKind::PartialFailure), so that `?` cannot lose a
//! contact; [`batch::outcome`](crate::batch::outcome) turns it into a value for callers who handle items themselves.

use crate::auth::IngestToken;
use crate::runtime::Transport;
use crate::{Config, Error};

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

/// Generated from `openapi/apis/instasent-ingest` by the build script.
#[expect(
    unreachable_pub,
    unused_mut,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    missing_docs,
    reason = "generated code follows its generator's style"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/instasent_ingest.rs"));
}

impl Client {
    /// A client for the documented host. The token is a data source's own token, or a Product token with `PROJECT_DATASOURCE_WRITE`.
    ///
    /// # Errors
    /// A TLS back end that cannot be set up.
    pub fn new(token: impl Into<IngestToken>) -> Result<Self, Error> {
        Self::with_config(token, Config::default())
    }

    /// A client with a configuration of your own: another base URL, timeouts, user agent.
    ///
    /// # Errors
    /// A base URL that is not https (plain http is for loopback hosts only) or holds credentials, a query or a fragment.
    pub fn with_config(token: impl Into<IngestToken>, config: Config) -> Result<Self, Error> {
        let (http, transport) = Transport::connect(token.into(), config, BASE_URL)?;
        let base_url = transport.base_url().to_owned();
        Ok(Self::new_with_client(&base_url, http, transport))
    }
}
