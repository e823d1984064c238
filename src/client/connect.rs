//! Making a client of any API by its type alone.

use crate::auth::{Credential, CredentialKind};
use crate::client::Config;
use crate::error::{Api, Error};

/// A client that can be made of credentials and settings that are read at run time. Generated clients implement it, for
/// `Profile::client` (feature `profile`).
pub trait Connect: Sized {
    /// The API.
    const API: &'static Api;
    /// The kinds of token that open it, in the order in which they are preferred.
    const KINDS: &'static [CredentialKind];
    /// The environment variable that holds another base URL than the documented one.
    const BASE_URL_VARIABLE: &'static str;

    /// Makes the client.
    ///
    /// # Errors
    /// Returns an error if the base URL may not be used, a credential may not be sent, or the TLS backend cannot be initialized.
    fn connect(credential: Credential<()>, config: Config) -> Result<Self, Error>;
}
