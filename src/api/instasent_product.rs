//! The Instasent Product API: projects, audience, events, segments, campaigns, automations and direct SMS.
//!
//! A token holds the scopes that were ticked when it was made; each operation's are in [`OPERATIONS`].

use crate::auth::ProductToken;
use crate::runtime::Transport;
use crate::{Config, Error};

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

/// Generated from `openapi/apis/instasent-product` by the build script.
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
    include!(concat!(env!("OUT_DIR"), "/instasent_product.rs"));
}

impl Client {
    /// A client for the documented host. The token is a token made in the dashboard under *Project settings*, *API tokens*.
    ///
    /// # Errors
    /// A TLS back end that cannot be set up.
    pub fn new(token: ProductToken) -> Result<Self, Error> {
        Self::with_config(token, Config::default())
    }

    /// A client with a configuration of your own: another base URL, timeouts, user agent.
    ///
    /// # Errors
    /// A base URL that is not https (plain http is for loopback hosts only) or holds credentials, a query or a fragment.
    pub fn with_config(token: ProductToken, config: Config) -> Result<Self, Error> {
        let (http, transport) = Transport::connect(token, config, BASE_URL)?;
        let base_url = transport.base_url().to_owned();
        Ok(Self::new_with_client(&base_url, http, transport))
    }
}
