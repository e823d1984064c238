//! How a command ends, and the exit code that says so.

use std::process::ExitCode;

/// What shells say of a program that an interrupt ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// How a command ended that could begin its work. What kept it from that is a `UserError`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// Everything is as it should be.
    Fine,
    /// Something was found about what was looked at.
    Findings,
    /// Not all of the work could be done; what was said already tells why.
    Incomplete,
    /// A call failed, in the way that this exit code says.
    Failed(u8),
    /// An interrupt ended the work.
    Interrupted,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Fine => 0,
            Ending::Findings => 1,
            Ending::Incomplete => 2,
            Ending::Failed(code) => code,
            Ending::Interrupted => INTERRUPTED,
        })
    }
}
