//! The questions of a client to a budget, and the answers.

use std::time::Duration;

/// A client's request for calls, with the outcome of those that it had before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reservation {
    /// Tells clients apart: chosen at random by each.
    pub holder: u64,
    /// The number of calls wanted; 0 reports and asks for nothing.
    pub wanted: u64,
    /// The outcome of calls that were granted before.
    pub report: Report,
}

/// The outcome of calls that were granted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The [epoch](Granted::epoch) of the grant that these calls are of.
    pub epoch: u64,
    /// Calls that were answered, and that the server counted in the window of that epoch.
    pub answered: u64,
    /// Calls that were answered, and that the server counted in the next window: they are in what `seen` says of that.
    pub counted_later: u64,
    /// Calls that were not sent.
    pub unused: u64,
    /// The window as the newest answer told it.
    pub seen: Option<Seen>,
    /// The wait that the server asked for when it refused a call for its limit.
    pub refused: Option<Duration>,
    /// True if an answer to a call did not mention limits.
    pub is_unlimited: bool,
}

/// The window that an answer was counted in, as the answer told it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Calls that a window allows.
    pub limit: Option<u64>,
    /// Calls left in this window.
    pub remaining: u64,
    /// When the window ends, in seconds since 1970 by the server's clock: its name.
    pub reset: u64,
    /// The time until then.
    pub resets_in: Duration,
}

/// The answer to a [`Reservation`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reserved {
    /// Calls may be sent.
    Granted(Granted),
    /// None is left: ask again after this time.
    Wait(Duration),
    /// The report is noted; nothing was wanted.
    Noted,
}

/// Calls that a client may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Granted {
    /// The number of calls.
    pub calls: u64,
    /// Counts the windows of the budget, for the [`Report`] on these calls.
    pub epoch: u64,
    /// The window that they are of, by its [`reset`](Seen::reset); `None` where no answer has named it yet.
    pub reset: Option<u64>,
    /// For how long they may be sent, from when they were asked for. What is left then goes back by a report.
    pub valid_for: Duration,
    /// Calls that a window allows, where that is known.
    pub limit: Option<u64>,
    /// The number of clients that have asked within the last minute, this one included.
    pub holders: u64,
}
