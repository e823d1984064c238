//! What may be wrong with the naive client.

use clap::ValueEnum;

/// A defect of the naive client.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, ValueEnum)]
pub enum Defect {
    /// Sends the header that generators like to add.
    SendsApiVersion,
    /// Drops the value of a success.
    LosesValue,
    /// Keeps the status of a refusal and nothing else.
    FlattensErrors,
    /// Reads every refusal as JSON, and fails where it is none.
    ChokesOnHostileBodies,
    /// Does not read the rate-limit headers.
    IgnoresRateHeaders,
    /// Takes documented statuses only for success.
    RefusesUndocumentedSuccess,
    /// Holds answers to every letter of the document.
    DecodesStrictly,
    /// Joins path arguments as they are.
    JoinsPathsAsText,
    /// Follows redirects with all headers.
    FollowsRedirects,
    /// Repeats calls that must not be repeated.
    RepeatsEverything,
    /// Repeats refusals that stand.
    RepeatsRefusals,
    /// Never repeats anything.
    NeverRepeats,
    /// Repeats at once, whatever the server asks.
    NeverWaits,
    /// Takes a reset that is over for leave to ask again at once.
    SpinsOnPastReset,
    /// Repeats for as long as the server says no.
    NeverGivesUp,
    /// Takes the first 401 for the last word.
    NeverReauthorizes,
    /// Asks for another token on every refusal, three times over.
    ReauthorizesForever,
    /// Prints the body of a refusal as it came.
    PrintsBodies,
    /// Takes every 2xx for a whole success.
    HidesPartialFailure,
}
