//! The Scopien API: API keys, opportunities, accounts, contacts and reports.
//!
//! The key alone selects sandbox or production: both share one host.

use crate::auth::ScopienKey;
use crate::runtime::Transport;
use crate::{Config, Error};

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

/// Generated from `openapi/apis/scopien` by the build script.
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
    include!(concat!(env!("OUT_DIR"), "/scopien.rs"));
}

impl Client {
    /// A client for the documented host. The key is an API key made in the dashboard under *Settings*, *API Keys*.
    ///
    /// # Errors
    /// A TLS back end that cannot be set up.
    pub fn new(key: ScopienKey) -> Result<Self, Error> {
        Self::with_config(key, Config::default())
    }

    /// A client with a configuration of your own: another base URL, timeouts, user agent.
    ///
    /// # Errors
    /// A base URL that is not https (plain http is for loopback hosts only) or holds credentials, a query or a fragment.
    pub fn with_config(key: ScopienKey, config: Config) -> Result<Self, Error> {
        let (http, transport) = Transport::connect(key, config, BASE_URL)?;
        let base_url = transport.base_url().to_owned();
        Ok(Self::new_with_client(&base_url, http, transport))
    }
}
