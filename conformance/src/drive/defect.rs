//! The defects that the naive client can be given.

use clap::ValueEnum;

/// A defect of the naive client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Defect {
    /// Sends the header that generators like to add.
    SendsApiVersion,
    /// Sends the first of several credentials that are needed at once.
    SendsOneOfSeveral,
    /// Sends what it holds with calls that take nothing of it.
    SendsAllItHolds,
    /// Sends the defaults of the document.
    SendsDefaults,
    /// Sends members that only answers have.
    SendsReadOnly,
    /// Asks answers for members that only requests have.
    DemandsWriteOnly,
    /// Reads an answer that is one of several as the first of them.
    ReadsFirstAlternative,
    /// Takes zero, false and empty texts in an answer for nothing.
    LosesFalsyValues,
    /// Drops the value of a success.
    LosesValue,
    /// Drops the ids of events.
    LosesEventIds,
    /// Keeps the status of a refusal and nothing else.
    FlattensErrors,
    /// Reads every body of a refusal as JSON, and fails where it is none.
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
    /// Makes another idempotency key for each attempt.
    ChangesKeys,
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
    /// Asks for another token after a 401, three times over.
    ReauthorizesForever,
    /// Prints the body of a refusal as it came.
    PrintsBodies,
    /// Takes every 2xx for a whole success.
    HidesPartialFailure,
    /// Sends every user away with the same state.
    RepeatsState,
    /// Does not look at the state of a callback.
    IgnoresState,
    /// Compares states as they are, so that one that is missing on both sides is right.
    ComparesMissingStates,
    /// Keeps states for all browsers in one place.
    SharesStates,
    /// Takes a callback with an error for one with a code.
    IgnoresCallbackErrors,
    /// Does not forget a state that was used.
    KeepsStates,
    /// Sends the verifier itself as challenge.
    SendsPlainChallenges,
    /// Sends another verifier than the challenge was made from.
    SendsOtherVerifier,
    /// Sends an empty secret where it has none.
    SendsEmptySecret,
    /// Writes JSON where a form is asked for, and a form where JSON is.
    WritesOtherEncoding,
    /// Leaves out the redirect URI of a code.
    OmitsRedirectUri,
    /// Sends its secret in the body and in the header.
    AuthenticatesTwice,
    /// Joins id and secret for the header as they are.
    JoinsSecretsAsText,
    /// Puts commas between scopes.
    JoinsScopesByComma,
    /// Stores whatever the token endpoint answers to a code.
    StoresAnyAnswer,
    /// Stores whatever the token endpoint answers to a refresh.
    StoresAnyRefresh,
    /// Puts the answer to a refresh in the place of what was stored, refresh token or not.
    LosesRefreshTokens,
    /// Goes on with the first refresh token, whatever the server sends.
    KeepsFirstRefreshToken,
    /// Refreshes where there is no refresh token.
    RefreshesWithNothing,
    /// Takes an answer without a refresh token for a failure.
    DemandsRefreshToken,
    /// Waits until a token has expired.
    RefreshesTooLate,
    /// Counts the seconds of a stored token from when it was loaded.
    CountsExpiryFromLoading,
    /// Gets a token for each call.
    FetchesEveryTime,
    /// Signs a JWT for each call.
    SignsEveryTime,
    /// Uses its first token for ever.
    NeverFetchesAgain,
    /// Gets a token for each of the calls that wait for one.
    FetchesForEachCaller,
    /// Prints what it holds and what the server says.
    PrintsTokens,
    /// Reads the clock for `iat` and again for `exp`.
    ReadsClockTwice,
    /// Writes times with a fraction.
    WritesFractionalTimes,
    /// Leaves out the subject.
    OmitsSubject,
    /// Signs with secrets of any length.
    SignsWithShortSecrets,
}

impl Defect {
    /// Returns whether it only shows with an authorization server. Those defects are the last ones.
    pub fn is_of_authorization(self) -> bool {
        self >= Self::RepeatsState
    }
}
