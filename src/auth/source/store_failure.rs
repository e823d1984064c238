//! The reason why a secret store did not return a secret.

use crate::error::Error;

/// The reason why a secret store did not return a secret. It is the source of the [`Error`]; [`StoreFailure::of`] finds it there.
///
/// # Troubleshooting
/// - [`Forbidden`](Self::Forbidden): the store's own credential is unknown, expired, or its policy does not allow to
///   read this secret.
/// - [`NotFound`](Self::NotFound): check the name, the mount, the region, the namespace and the version.
/// - [`Sealed`](Self::Sealed), [`RateLimited`](Self::RateLimited), [`Unavailable`](Self::Unavailable),
///   [`Unreachable`](Self::Unreachable): worth another attempt later.
/// - [`Refused`](Self::Refused), [`Unreadable`](Self::Unreadable): the address is probably not that of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// The store's credential may not read the secret.
    #[error("the store refuses the credential")]
    Forbidden,
    /// There is no such secret, or no such version of it.
    #[error("the store has no such secret")]
    NotFound,
    /// The store is sealed: an operator has to unseal it.
    #[error("the store is sealed")]
    Sealed,
    /// Too many requests.
    #[error("the store limits requests")]
    RateLimited,
    /// The store failed.
    #[error("the store failed")]
    Unavailable,
    /// No answer came.
    #[error("the store could not be reached")]
    Unreachable,
    /// The store refused the request for another reason.
    #[error("the store refused the request")]
    Refused,
    /// The answer is not what the store's protocol says.
    #[error("the store's answer could not be read")]
    Unreadable,
}

impl StoreFailure {
    /// The failure behind an error of a source, or of a call whose credential could not be had, if a store is what failed.
    pub fn of(error: &Error) -> Option<Self> {
        error.find_source().copied()
    }

    /// The error of a source. The message must not hold the secret.
    pub(super) fn error(self, message: String) -> Error {
        Error::credential_from(message, self)
    }
}
