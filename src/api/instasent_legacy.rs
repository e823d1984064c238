//! The Instasent Legacy API: SMS, number lookup, account and prices, at the root of the host.
//!
//! Superseded by the [Transactional API](super::instasent_transactional), which has the same operations; it stays online.

use crate::auth::LegacyToken;
use crate::runtime::Transport;
use crate::{Config, Error};

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

/// Generated from `openapi/apis/instasent-legacy` by the build script.
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
    include!(concat!(env!("OUT_DIR"), "/instasent_legacy.rs"));
}

impl Client {
    /// A client for the documented host. The token is an account-wide token made in the dashboard under *API tokens*.
    ///
    /// # Errors
    /// A TLS back end that cannot be set up.
    pub fn new(token: LegacyToken) -> Result<Self, Error> {
        Self::with_config(token, Config::default())
    }

    /// A client with a configuration of your own: another base URL, timeouts, user agent.
    ///
    /// # Errors
    /// A base URL that is not https (plain http is for loopback hosts only) or holds credentials, a query or a fragment.
    pub fn with_config(token: LegacyToken, config: Config) -> Result<Self, Error> {
        let (http, transport) = Transport::connect(token, config, BASE_URL)?;
        let base_url = transport.base_url().to_owned();
        Ok(Self::new_with_client(&base_url, http, transport))
    }
}
