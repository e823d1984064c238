//! The reason why a rotation did not complete.

use std::error::Error as StdError;
use std::fmt;

use crate::auth::rotation::Aborted;
use crate::error::Error;

/// A rotation that has not reached its end.
///
/// # Troubleshooting
/// After [`Aborted`](Self::Aborted) the old key is in use, and a new run begins anew. After [`MintLost`](Self::MintLost) look in the list of
/// keys. After the others run the rotation again, in any process.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotationStopped {
    /// A step failed. The old key is valid and in use; the new one is revoked, or named by [`Aborted::leftover`]: the next run revokes it
    /// before anything else.
    Aborted(Aborted),
    /// The request for a new key was sent and nobody has its answer, since it was lost or its process was killed. No other one is sent: look
    /// in the list of keys, revoke a new one that nobody has, and call [`forget_lost_mint`](super::SharedRotation::forget_lost_mint).
    MintLost {
        /// The id of the key to replace, which is in use.
        old: String,
        /// The reason why the answer was lost; `None` if another process lost it.
        cause: Option<Error>,
    },
    /// The new key is in use, and the old one could not be revoked.
    RevokeFailed {
        /// The id of the old key.
        old: String,
        /// The reason why it could not be revoked.
        cause: Error,
    },
    /// The store cannot be used, another process works on the rotation, or one of another key goes on under its name. What was recorded
    /// stands.
    Unfinished(Error),
}

impl RotationStopped {
    fn cause(&self) -> Option<&Error> {
        match self {
            Self::Aborted(aborted) => Some(aborted.cause()),
            Self::MintLost { cause, .. } => cause.as_ref(),
            Self::RevokeFailed { cause, .. } | Self::Unfinished(cause) => Some(cause),
        }
    }
}

impl fmt::Display for RotationStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted(aborted) => fmt::Display::fmt(aborted, f),
            Self::MintLost { old, cause } => {
                write!(f, "a new key in place of {old} was asked for and the answer is lost")?;
                if let Some(cause) = cause {
                    write!(f, " ({cause})")?;
                }
                f.write_str(
                    ": look in the list of keys, revoke a new one that nobody has, then call `forget_lost_mint`",
                )
            }
            Self::RevokeFailed { old, cause } => {
                write!(
                    f,
                    "the old key {old} could not be revoked: {cause}; the new key is in use: run the rotation again"
                )
            }
            Self::Unfinished(cause) => write!(f, "the rotation is not finished: {cause}"),
        }
    }
}

impl StdError for RotationStopped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}
