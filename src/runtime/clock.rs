//! The only reader of the clock.

use std::time::SystemTime;

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this file is where the clock is read")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
