//! The errors of a rotation that did not complete.

use std::error::Error as StdError;
use std::fmt;

use crate::error::operation::Retry;
use crate::error::{Error, ErrorKind};

/// A step that can fail with the old key still in use.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Making the new key.
    Mint,
    /// Storing it where the programs look for it.
    Distribute,
    /// Checking that the server accepts it.
    Verify,
    /// Making the programs use it.
    Switch,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mint => "mint",
            Self::Distribute => "distribute",
            Self::Verify => "verify",
            Self::Switch => "switch",
        })
    }
}

/// A rotation that stopped. The old key is valid and in use.
///
/// # Troubleshooting
/// [`leftover`](Self::leftover) is a new key that could not be revoked: revoke it by hand. Where the answer to
/// [`Mint`](Step::Mint) was lost, the message says to look for a new key in the list.
#[derive(Debug)]
pub struct Aborted(Box<Inner>);

#[derive(Debug)]
struct Inner {
    step: Step,
    cause: Error,
    /// The id of the new key, if it was made.
    new: Option<String>,
    /// The reason why the new key could not be revoked.
    cleanup: Option<Error>,
}

impl Aborted {
    /// The step that failed.
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// Returns the error that stopped the rotation.
    pub fn cause(&self) -> &Error {
        &self.0.cause
    }

    /// The id of a new key that is still valid, and why it could not be revoked.
    pub fn leftover(&self) -> Option<(&str, &Error)> {
        Some((self.0.new.as_deref()?, self.0.cleanup.as_ref()?))
    }

    pub(in crate::auth) fn before(cause: Error) -> Self {
        Self(Box::new(Inner { step: Step::Mint, cause, new: None, cleanup: None }))
    }

    pub(in crate::auth) fn at(step: Step, cause: Error, new: String, cleanup: Option<Error>) -> Self {
        Self(Box::new(Inner { step, cause, new: Some(new), cleanup }))
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { step, cause, new, cleanup } = &*self.0;
        write!(f, "the rotation stopped at {step}: {cause}; the old key is still valid")?;
        match (new, cleanup) {
            (Some(new), Some(error)) => {
                write!(f, "; the new key {new} could not be revoked ({error}): revoke it by hand")
            }
            (Some(new), None) => write!(f, "; the new key {new} is revoked"),
            (None, _) if may_have_happened(cause) => f.write_str("; a new key may have been made: look in the list"),
            (None, _) => Ok(()),
        }
    }
}

impl StdError for Aborted {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0.cause)
    }
}

/// Returns whether a failed call may have changed something: it was sent, was not a look-up, and was not clearly refused.
pub(in crate::auth) fn may_have_happened(cause: &Error) -> bool {
    let is_look_up = cause.operation().is_some_and(|operation| operation.retry == Retry::Safe);
    let is_refused = cause.status().is_some_and(|status| status.is_client_error())
        || matches!(cause.kind(), ErrorKind::NotModified | ErrorKind::Redirect);
    cause.may_have_been_sent() && !is_look_up && !is_refused
}
