//! The defects that the mock can be given: each breaks one rule, to prove that the check of that rule can fail.

use clap::ValueEnum;

/// A defect of the mock.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Mutant {
    /// Refuses every token.
    RefusesEveryone,
    /// Serves requests without a token.
    AcceptsNoToken,
    /// Serves requests with an empty token.
    AcceptsEmptyToken,
    /// Takes a token under any scheme.
    AcceptsAnyScheme,
    /// Takes a token without a scheme.
    AcceptsBareToken,
    /// Takes the first of two tokens.
    AcceptsTwoTokens,
    /// Takes any text for a token.
    AcceptsUnknownToken,
    /// Takes tokens that were revoked.
    AcceptsRevokedToken,
    /// Compares the scheme letter by letter.
    RefusesLowerCaseScheme,
    /// Takes a token in the query where it is not documented, and refuses it where it is.
    TurnsQueryTokens,
    /// Judges the body before the token.
    ValidatesBeforeAuth,
    /// Repeats the token in the refusal.
    EchoesToken,
    /// Answers 401 without a challenge.
    OmitsChallenge,
    /// Leaves a required member out of successes.
    DropsRequiredMembers,
    /// Lets every token do everything.
    IgnoresScopes,
    /// Demands a scope that no document names, besides the documented ones.
    DemandsAnotherScope,
    /// Reads a list of scopes and not a map by resource.
    RefusesResourceGrants,
    /// Applies the grant for one resource to all of them.
    SpreadsResourceGrants,
    /// Takes tokens of kinds that are not for the operation.
    TurnsOtherKinds,
    /// Serves everybody's data to everybody.
    IgnoresTenant,
    /// Says 403 of what exists and 404 of what does not.
    RevealsTenant,
    /// Serves ids that do not exist.
    InventsResources,
    /// Takes a body that is not JSON.
    AcceptsBrokenJson,
    /// Takes an array for an object and an object for an array.
    AcceptsAnyTopLevel,
    /// Takes bodies without required fields.
    AcceptsMissingFields,
    /// Takes a page's start without its length.
    AcceptsStartAlone,
    /// Takes bodies of any size.
    AcceptsOversize,
    /// Lets everybody spend.
    IgnoresFunds,
    /// Answers client faults with 500.
    FailsOnBadInput,
    /// Refuses with a web page.
    RefusesInHtml,
    /// Gives the members of error bodies other names.
    RenamesErrorMembers,
    /// Takes every method that a path does not have for one that it has.
    AcceptsAnyMethod,
    /// Answers 405 without `Allow`.
    OmitsAllow,
    /// Refuses `HEAD`.
    RefusesHead,
    /// Takes batches of any size.
    AcceptsOverMaximum,
    /// Takes batches without items.
    AcceptsEmptyBatch,
    /// Refuses the whole batch for one bad item.
    RefusesMixedBatch,
    /// Takes bad items.
    AcceptsBadItems,
    /// Refuses a batch of the documented maximum.
    RefusesFullBatch,
    /// Reports the outcome of items in another order.
    ReordersOutcome,
    /// Counts one item too few.
    MiscountsOutcome,
    /// Leaves an item out of the outcome.
    LosesItem,
    /// Sends no rate-limit headers.
    OmitsRateHeaders,
    /// Sends no rate-limit headers with refusals.
    OmitsRateHeadersOnRefusal,
    /// Gives the reset in milliseconds.
    ResetsInMilliseconds,
    /// Does not count calls.
    NeverCounts,
    /// Counts every item of a batch.
    CountsItems,
    /// Never refuses for too many calls.
    NeverExhausts,
    /// Says that calls are left when none is.
    PromisesMore,
    /// Gives 429 a body of its own.
    ExplainsLimit,
    /// Gives a time to wait that does not agree with the reset.
    ContradictsReset,
}

impl Mutant {
    /// Every defect.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name, in kebab-case.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
