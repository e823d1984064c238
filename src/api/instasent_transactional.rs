//! The Instasent Transactional API: SMS, number lookup, account and prices, with tokens of a project.
//!
//! An SMS costs money and no create is ever repeated by the client: an unknown outcome is reported as such, see
//! [`Error::may_have_been_sent`].

use crate::auth::SmsToken;
use crate::runtime::Transport;
use crate::{Config, Error};

#[cfg(feature = "dispatch")]
pub(crate) use generated::dispatch;
pub use generated::{BASE_URL, Client, OPERATIONS, builder, types, values};

/// Generated from `openapi/apis/instasent-transactional` by the build script.
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
    include!(concat!(env!("OUT_DIR"), "/instasent_transactional.rs"));
}

impl Client {
    /// A client for the documented host. The token is an `api_sms` token made in the dashboard under *API tokens*.
    ///
    /// # Errors
    /// A TLS back end that cannot be set up.
    pub fn new(token: SmsToken) -> Result<Self, Error> {
        Self::with_config(token, Config::default())
    }

    /// A client with a configuration of your own: another base URL, timeouts, user agent.
    ///
    /// # Errors
    /// A base URL that is not https (plain http is for loopback hosts only) or holds credentials, a query or a fragment.
    pub fn with_config(token: SmsToken, config: Config) -> Result<Self, Error> {
        let (http, transport) = Transport::connect(token, config, BASE_URL)?;
        let base_url = transport.base_url().to_owned();
        Ok(Self::new_with_client(&base_url, http, transport))
    }
}
