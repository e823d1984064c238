//! The results of a command, with their exit codes.

use std::process::ExitCode;

/// The exit code of shells for a program that an interrupt ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// The result of a command that could begin its work. Otherwise it is a `UserError`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ExitStatus {
    /// The command succeeded.
    Success,
    /// The command has findings.
    Findings,
    /// Not all of the work could be done; earlier messages have the reason.
    Incomplete,
    /// A call failed, with this exit code.
    Failed(u8),
    /// An interrupt ended the work.
    Interrupted,
}

impl From<ExitStatus> for ExitCode {
    fn from(ending: ExitStatus) -> Self {
        Self::from(match ending {
            ExitStatus::Success => 0,
            ExitStatus::Findings => 1,
            ExitStatus::Incomplete => 2,
            ExitStatus::Failed(code) => code,
            ExitStatus::Interrupted => INTERRUPTED,
        })
    }
}
