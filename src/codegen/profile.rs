//! Clients of profiles. Generated code is the same with and without the feature `profile`.

use crate::client::Connect;
use crate::error::Error;

/// A client with what the file of profiles and the environment say.
///
/// # Errors
/// Returns an error if `Profile::load` or `Profile::client` does, and without the feature `profile`.
pub fn from_profile<C: Connect>() -> Result<C, Error> {
    #[cfg(feature = "profile")]
    return crate::profile::Profile::load()?.client();
    #[cfg(not(feature = "profile"))]
    Err(Error::configuration(format!(
        "this build of keyfit reads no profile for {}: turn on its feature `profile` in Cargo.toml",
        C::API.name
    )))
}
