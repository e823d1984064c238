//! Errors of a queue, in words.

use super::address::Address;
use crate::error::Error;

/// A queue that cannot be used, and why.
pub(super) fn refused(address: &Address, why: &str) -> Error {
    Error::configuration(format!("the queue {address} cannot be used: {why}"))
}

/// An error with what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}
