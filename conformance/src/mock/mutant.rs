//! The defects that the mock can be given: each breaks one rule, to prove that the check of that rule can fail.

use clap::ValueEnum;

/// A defect of the mock.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Mutant {
    /// Refuses every token.
    RefusesEveryone,
    /// Serves requests without a token.
    AcceptsNoToken,
    /// Serves requests without the client certificate that they need.
    AcceptsNoCertificate,
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
    /// Takes tokens whose time is over.
    AcceptsExpiredToken,
    /// Asks for a credential where the document says that none is needed.
    RefusesAnonymous,
    /// Takes the first of the alternatives that an operation has, and no other.
    RefusesOtherAlternatives,
    /// Takes one of several credentials that are needed at once, without the others.
    AcceptsOneOfSeveral,
    /// Takes several credentials where one of them is good.
    JudgesOneOfSeveral,
    /// Takes the credential of one alternative in the place of another.
    MixesPlaces,
    /// Takes a credential wherever in the headers it stands.
    ReadsAnyPlace,
    /// Takes a user with any password.
    IgnoresPasswords,
    /// Compares the beginnings of tokens.
    ComparesBeginnings,
    /// Compares tokens without regard to the case of their letters.
    IgnoresTokenCase,
    /// Serves paths with two slashes in a row without a token.
    OpensDoubledSlashes,
    /// Compares the scheme letter by letter.
    RefusesLowerCaseScheme,
    /// Takes a token in the query where it is not documented, and refuses it where it is.
    TurnsQueryTokens,
    /// Judges the body before the token.
    ValidatesBeforeAuth,
    /// Repeats the token in the refusal.
    EchoesToken,
    /// Repeats the token in a header of each success.
    RepeatsToken,
    /// Refuses tokens with a stack trace.
    TracesRefusals,
    /// Answers 401 without a challenge.
    OmitsChallenge,
    /// Leaves a required member out of successes, but for what is said of keys.
    DropsRequiredMembers,
    /// Lets every token do everything.
    IgnoresScopes,
    /// Lets tokens of other kinds than the first do everything.
    IgnoresScopesOfOtherKinds,
    /// Does not know that a scope includes others.
    IgnoresIncludedScopes,
    /// Lets tokens without scopes do everything.
    TakesNoScopesForAll,
    /// Refuses for want of scope without a challenge.
    OmitsScopeChallenge,
    /// Demands a scope that no document names, besides the documented ones.
    DemandsAnotherScope,
    /// Demands such a scope of tokens of other kinds than the first.
    DemandsAnotherScopeOfOtherKinds,
    /// Reads a list of scopes, and neither a map by resource nor scopes of one resource.
    RefusesResourceGrants,
    /// Applies the grant for one resource to all of them.
    SpreadsResourceGrants,
    /// Takes tokens of kinds that are not for the operation.
    AcceptsOtherKinds,
    /// Refuses tokens of the other kinds that are for the operation.
    RefusesOtherKinds,
    /// Serves everybody's data to everybody.
    IgnoresTenant,
    /// Serves data of tenants that do not exist.
    InventsTenants,
    /// Tells what belongs to somebody else from what does not exist, by the words of the refusal.
    TellsTenantsApart,
    /// Says 403 of what exists and 404 of what does not.
    RevealsTenant,
    /// Serves ids that do not exist.
    InventsResources,
    /// Serves ids of somebody else that no token is bound to.
    ServesForeignResources,
    /// Serves what belongs to somebody else to whoever names it in the query.
    IgnoresTenantInQuery,
    /// Takes bodies that name what belongs to somebody else.
    IgnoresTenantInBody,
    /// Lists what belongs to somebody else.
    ListsForeign,
    /// Takes a body that is not JSON.
    AcceptsBrokenJson,
    /// Takes bodies of any media type.
    AcceptsAnyMediaType,
    /// Takes an array for an object.
    AcceptsArrayForObject,
    /// Takes an object for an array.
    AcceptsObjectForArray,
    /// Takes bodies without required fields.
    AcceptsMissingFields,
    /// Takes requests without the parameters that are required.
    WaivesParameters,
    /// Takes values of any type.
    IgnoresTypes,
    /// Takes numbers beyond their bounds.
    IgnoresBounds,
    /// Takes texts of any length.
    IgnoresLengths,
    /// Takes values that are none of the listed ones.
    IgnoresEnums,
    /// Takes texts that do not match their pattern.
    IgnoresPatterns,
    /// Takes lists of any length, and items twice.
    IgnoresLists,
    /// Takes members that the document excludes.
    AcceptsAnyMember,
    /// Fails of long ids, of texts with the character NUL, and of numbers that fit into no machine word.
    FailsOnExtremes,
    /// Fails of parameters that it does not know, and of lists in lists.
    FailsOnOddities,
    /// Lets the pages of every origin read with credentials.
    EchoesOrigin,
    /// Takes a page's start without its length.
    AcceptsStartAlone,
    /// Takes bodies of any size.
    AcceptsOversize,
    /// Lets everybody spend.
    IgnoresFunds,
    /// Charges for a call before it refuses it.
    ChargesRefusals,
    /// Answers a body that is not JSON with 500.
    FailsOnBrokenJson,
    /// Refuses with a web page.
    RefusesInHtml,
    /// Refuses a body that is not JSON with a stack trace.
    ShowsInternals,
    /// Gives error bodies another status than the answer has.
    ContradictsStatus,
    /// Gives the members of error bodies other names.
    RenamesErrorMembers,
    /// Takes every method that a path does not have for one that it has.
    AcceptsAnyMethod,
    /// Answers 405 without `Allow`.
    OmitsAllow,
    /// Serves `HEAD` without a token.
    AcceptsHeadWithoutToken,
    /// Answers `TRACE` with what it was sent.
    EchoesTrace,
    /// Refuses `HEAD`.
    RefusesHead,
    /// Answers `HEAD` without the headers that `GET` has.
    StripsHead,
    /// Takes batches of any size.
    AcceptsOverMaximum,
    /// Takes batches without items.
    AcceptsEmptyBatch,
    /// Refuses the whole batch for one bad item.
    RefusesMixedBatch,
    /// Takes bad items among good ones.
    AcceptsBadItems,
    /// Takes batches of nothing but bad items.
    AcceptsRejectedBatch,
    /// Refuses a batch of the documented maximum.
    RefusesFullBatch,
    /// Begins each page but the first with the last item of the one before.
    RepeatsItems,
    /// Leaves an item out between two pages.
    SkipsItems,
    /// Executes a call again whose idempotency key it knows.
    ForgetsKeys,
    /// Takes any body under an idempotency key that it knows.
    TakesAnyBodyUnderKey,
    /// Fails of a read that names what it knows already.
    FailsOnConditions,
    /// Says of whatever is known that it is as it was.
    NeverModified,
    /// Changes what is another one by now than the one that is meant.
    IgnoresIfMatch,
    /// Refuses such a change, and makes it all the same.
    ChangesOnRefusal,
    /// Takes any text for a cursor, and begins anew.
    TakesAnyCursor,
    /// Goes on with the list of whom a cursor was handed out to, whoever brings it.
    TakesForeignCursors,
    /// Has the next page at another origin.
    LeadsElsewhere,
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
    /// Shows no change of the calls that are left, but for those of batches, until none is.
    NeverCounts,
    /// Counts every item of a batch.
    CountsItems,
    /// Says that more calls are left than the limit allows, where no contract describes one.
    TellsImpossibleLimits,
    /// Says that as many calls are left after each call, where no contract describes a limit.
    TellsStandingLimits,
    /// Never refuses for too many calls.
    NeverExhausts,
    /// Says that calls are left when none is.
    PromisesMore,
    /// Opens no window again that was used up.
    NeverRecovers,
    /// Counts calls at the same instant too late to refuse any.
    RacesOnLimit,
    /// Says when to come again in words of its own.
    GarblesRetryAfter,
    /// Gives 429 a body of its own.
    ExplainsLimit,
    /// Gives a time to wait that does not agree with the reset.
    ContradictsReset,
    /// Takes tokens of the test environment where it has a place of its own, and refuses them where it has none.
    TurnsTestTokens,
    /// Gives 401 a challenge of the scheme alone.
    BaresChallenge,
    /// Gives a challenge one parameter twice.
    DoublesChallenge,
    /// Calls a missing token an invalid one.
    ErrsOnMissingToken,
    /// Does not say in the challenge that a token is invalid.
    OmitsChallengeError,
    /// Answers 401 without a challenge to tokens that were good once.
    OmitsChallengeOfOldTokens,
    /// Sends who brings a body that is not JSON somewhere else.
    RedirectsBrokenJson,
    /// Refuses a body that is not JSON as a conflict.
    MistakesBrokenJson,
    /// Gives members of error bodies, of which the contract says nothing, other types than the document has.
    MisshapesRefusals,
    /// Calls successes that are JSON a web page.
    MislabelsSuccesses,
    /// Does not say what successes are.
    OmitsContentType,
    /// Puts texts of no format in the place of those that the document gives one.
    MisformatsTexts,
    /// Leaves out the headers that the document demands.
    OmitsDocumentedHeaders,
    /// Lets every cache keep what it serves.
    LetsSuccessesBeCached,
    /// Serves members that only requests have.
    ShowsWriteOnly,
    /// Stores members that only answers have.
    StoresReadOnly,
    /// Keeps what is made without the members that need not be there.
    LosesMembers,
    /// Reads another thing than the one that is asked for, of those that were made.
    ReadsAnother,
    /// Says that what was made is at another place.
    MisplacesLocation,
    /// Lists nothing that was made.
    HidesCreated,
    /// Answers changes with what they would do, and does not do it.
    LosesChanges,
    /// Takes PATCH for PUT: what is not sent is gone.
    ResetsOthers,
    /// Says that something is removed, and serves it.
    KeepsRemoved,
    /// Serves the hash of a password with each success.
    ShowsPasswordHash,
    /// Refuses keys that it minted.
    RefusesMintedKeys,
    /// Mints keys that may do everything.
    MintsForEverything,
    /// Mints keys that may do nothing where scopes are sent by resource.
    MintsForLists,
    /// Mints keys without a limit of their own.
    IgnoresOwnLimits,
    /// Takes keys that have ended.
    IgnoresEnds,
    /// Mints keys with scopes that nobody knows.
    AcceptsUnknownScopes,
    /// Mints keys with scopes for resources that nobody knows.
    AcceptsUnknownResources,
    /// Mints keys of the other environment.
    MintsElsewhere,
    /// Describes a list of scopes as scopes by resource.
    SpreadsScopes,
    /// Describes scopes by resource as a list.
    FlattensScopes,
    /// Describes a key with another end of the window than the header.
    ContradictsOwnReset,
    /// Lists keys with their secrets.
    ListsSecrets,
    /// Lists no key.
    ListsNothing,
    /// Repeats the secret of a key that is updated.
    RepeatsSecret,
    /// Adds scopes by an update, and takes none away.
    OnlyWidens,
    /// Takes scopes away by an update, and adds none.
    OnlyNarrows,
    /// Says that a key is revoked, and serves it.
    RevokesNothing,
    /// Fails of two revocations of a key at the same instant.
    CollidesOnRevocation,
    /// Revokes keys that are gone.
    RevokesTwice,
    /// Delivers nothing.
    DeliversNothing,
    /// Delivers by another method than the documented one.
    DeliversByOtherMethod,
    /// Says that deliveries are of another media type.
    MislabelsDeliveries,
    /// Delivers JSON of another shape.
    MisshapesDeliveries,
    /// Leaves out the headers that the document demands of deliveries.
    OmitsDeliveryHeaders,
    /// Signs deliveries with another key.
    MissignsDeliveries,
    /// Signs deliveries with a time that is long past.
    DeliversLate,
    /// Repeats the credential of who called in deliveries.
    DeliversCredential,
    /// Delivers again what was taken.
    DeliversTwice,
    /// Does not deliver again what was refused for a fault of the receiver.
    DeliversOnlyOnce,
    /// Sends codes to redirect URIs that are not registered.
    RedirectsAnywhere,
    /// Does not repeat the `state`.
    LosesState,
    /// Gives a code whatever was asked for.
    IgnoresResponseType,
    /// Takes the challenge method `plain`.
    AcceptsPlainChallenge,
    /// Gives codes without a challenge.
    WaivesChallenge,
    /// Gives tokens without a verifier.
    WaivesVerifier,
    /// Takes any verifier.
    IgnoresVerifier,
    /// Takes verifiers of any length.
    AcceptsShortVerifier,
    /// Takes a code again.
    AcceptsCodeTwice,
    /// Takes a code as often as it comes at the same instant.
    RacesOnCodes,
    /// Refuses a code that was used, and leaves its tokens good.
    KeepsTokensOfReusedCode,
    /// Takes codes of other clients.
    AcceptsForeignCodes,
    /// Takes refresh tokens of other clients.
    AcceptsForeignRefreshTokens,
    /// Does not compare the redirect URI of a code.
    IgnoresRedirectUri,
    /// Issues tokens that may do everything.
    IssuesForEverything,
    /// Issues tokens that the API refuses.
    RefusesIssuedTokens,
    /// Does not say of which type a user's token is.
    OmitsTokenType,
    /// Does not say of which type a client's own token is.
    OmitsOwnTokenType,
    /// Does not say for how long a user's token is good.
    OmitsLifetime,
    /// Does not say for how long a client's own token is good.
    OmitsOwnLifetime,
    /// Lets caches keep tokens.
    LetsTokensBeCached,
    /// Lets caches keep refusals.
    LetsRefusalsBeCached,
    /// Issues refresh tokens to every user.
    RefreshesAlways,
    /// Issues refresh tokens for a client's own grant.
    RefreshesOwn,
    /// Issues no refresh tokens.
    RefreshesNever,
    /// Rotates refresh tokens that stay.
    RotatesAlways,
    /// Rotates refresh tokens away and sends no other.
    LosesRotatedRefresh,
    /// Takes refresh tokens that were rotated away.
    AcceptsRotatedRefresh,
    /// Takes a refresh token that rotates as often as it comes at the same instant.
    RacesOnRefreshTokens,
    /// Refuses a refresh token that was rotated away, and leaves the newest one good.
    KeepsFamilyAfterReuse,
    /// Grants scopes that nobody knows.
    GrantsUnknownScopes,
    /// Grants scopes on a refresh that the user did not grant.
    WidensOnRefresh,
    /// Takes the plus between scopes for a part of a name.
    ReadsPlusLiterally,
    /// Takes the `%20` between scopes for a part of a name.
    ReadsPercentLiterally,
    /// Grants tokens by `GET`.
    AcceptsTokenByGet,
    /// Gives refusals of grants that are not good a code of its own.
    NamesFaultsFreely,
    /// Refuses a client that came by HTTP Basic without a challenge.
    OmitsBasicChallenge,
    /// Takes any secret of a client.
    AcceptsAnyClientSecret,
    /// Takes clients that nobody knows.
    AcceptsUnknownClient,
    /// Refuses clients that come by HTTP Basic.
    RefusesBasic,
    /// Takes codes that never were.
    AcceptsUnknownCode,
    /// Takes a token request without a grant for the client's own.
    AssumesGrantType,
    /// Takes a grant that nobody knows for the client's own.
    AcceptsUnknownGrantType,
    /// Lets clients without a secret act for themselves.
    LetsPublicClientsIn,
    /// Sends tokens back in the query, which is logged, and not in the fragment.
    SendsTokensInQuery,
    /// Gives a device no code that its user could type.
    OmitsUserCode,
    /// Gives a device tokens before its user has consented.
    AwaitsNoConsent,
    /// Takes device codes that never were.
    AcceptsUnknownDeviceCode,
    /// Takes no password of a user.
    RefusesPasswords,
    /// Takes any password of a user.
    AcceptsAnyPassword,
    /// Refuses to revoke tokens that are good.
    RefusesRevocations,
    /// Refuses to revoke a token again.
    RefusesSecondRevocation,
    /// Refuses to revoke tokens that never were.
    RefusesUnknownRevocation,
    /// Revokes tokens for clients that did not authenticate.
    RevokesForAnybody,
    /// Says that a token is revoked, and serves it.
    KeepsGivenUpTokens,
    /// Says that it is another issuer.
    NamesAnotherIssuer,
    /// Refuses every JWT.
    RefusesJwts,
    /// Refuses JWTs for several audiences.
    RefusesAudienceLists,
    /// Takes JWTs that have expired.
    AcceptsExpiredJwts,
    /// Takes JWTs that were issued in the future.
    AcceptsJwtsOfTomorrow,
    /// Takes JWTs for others.
    IgnoresAudience,
    /// Takes JWTs of clients that nobody knows.
    AcceptsUnknownIssuer,
    /// Takes JWTs with any signature.
    IgnoresSignature,
    /// Takes a signature that was good once for good.
    TrustsSeenSignatures,
    /// Takes JWTs that say that they are not signed.
    AcceptsAlgorithmNone,
    /// Takes JWTs whose signature was taken away.
    AcceptsMissingSignature,
    /// Takes the key of a JWT from its own header.
    TrustsNamedKeys,
    /// Takes HS256 under any name.
    AcceptsAnyAlgorithm,
    /// Takes JWTs that are good for years.
    IgnoresLifetime,
    /// Takes HS256 in lower case.
    IgnoresAlgorithmCase,
    /// Takes JWTs without `iss`.
    WaivesIss,
    /// Takes JWTs without `sub`.
    WaivesSub,
    /// Takes JWTs without `aud`.
    WaivesAud,
    /// Takes JWTs without `iat`.
    WaivesIat,
    /// Takes JWTs without `exp`.
    WaivesExp,
    /// Passes over critical extensions of JWTs.
    IgnoresCritical,
    /// Says what is wrong with a JWT.
    ExplainsJwts,
}

impl Mutant {
    /// Returns all defects.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Returns whether it only shows if there is an authorization server. Those defects are the last ones.
    pub fn is_of_authorization_server(self) -> bool {
        self >= Self::RedirectsAnywhere
    }

    /// Returns whether it only shows if the API manages keys. Those defects are adjacent.
    pub fn is_of_key_management(self) -> bool {
        (Self::RefusesMintedKeys..=Self::RevokesTwice).contains(&self)
    }

    /// Returns whether it only shows if the server delivers webhooks. Those defects are adjacent.
    pub fn is_of_webhooks(self) -> bool {
        (Self::DeliversNothing..=Self::DeliversOnlyOnce).contains(&self)
    }

    /// Returns whether it only shows in concurrent requests.
    pub fn is_of_races(self) -> bool {
        matches!(
            self,
            Self::RacesOnLimit | Self::CollidesOnRevocation | Self::RacesOnCodes | Self::RacesOnRefreshTokens
        )
    }

    /// Returns the name, in kebab-case.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
