//! The probes: the requests of server-side cases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chain::ChainProbe;
use super::flaw::Flaw;
use super::key_management::KeyProbe;
use super::token_probe::{JwtProbe, OauthProbe, Tampering};
use crate::document::reference::ReferenceKind;

/// What a server-side case sends.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Nothing: every answer that other rules had from the operation is judged, by `hides` and `keeps`.
    Any,
    /// A valid request.
    Valid,
    /// A valid request without a credential, where the document says that none is needed.
    Anonymous,
    /// A valid request with these credentials, which are together one of the alternatives of the operation.
    Alternative(Vec<String>),
    /// No credential.
    NoToken,
    /// Everything but the client certificate that is needed.
    NoCertificate,
    /// The place of a token with nothing in it: the scheme alone, an empty header.
    EmptyToken,
    /// A valid token under another scheme: `Basic`, or `Bearer` where that is its own.
    WrongScheme,
    /// A valid token without a scheme.
    BareToken,
    /// A valid token under its scheme in lower case.
    LowerCaseScheme,
    /// Two tokens in one place.
    MalformedToken,
    /// A valid token in another place than its own: in a header that nothing names.
    OtherPlace,
    /// The valid token of another alternative, in the place of the first.
    OtherAlternative,
    /// A valid request without the credential of this kind, where it is needed with others.
    Without(String),
    /// A credential of this kind that was never issued, where it is needed with others, and those are valid.
    WithUnknown(String),
    /// A user and a password that is not the user's.
    WrongPassword,
    /// A valid token in which one character is another.
    ChangedToken,
    /// A valid token with its letters in the other case, where they say something: those of hexadecimal digits need not.
    OtherCaseToken,
    /// A valid JWT that was tampered with by somebody who does not have its key.
    Tampered(Tampering),
    /// A JWT of the same issuer for another audience.
    OtherAudience,
    /// A well-formed token that was never issued.
    UnknownToken,
    /// A token that was valid once.
    RevokedToken,
    /// A token that has expired.
    ExpiredToken,
    /// A valid token in this query parameter, and no header.
    QueryToken(String),
    /// No credential, and the path in other spellings: a slash at its end, two slashes, a letter percent-encoded, the other letter case,
    /// `;x` and `.json` at its end. Each is sent until one is served.
    OtherSpelling,
    /// A body that is not JSON, and no token.
    BrokenBodyWithoutToken,
    /// A token with every scope but the one that is needed.
    LackingScope,
    /// A token with the scope that is needed and no other.
    OnlyItsScope,
    /// A token with a scope that includes the one that is needed, and no other.
    IncludingScope,
    /// A token whose grant lists the action for the operation's resource and nothing else.
    OnlyItsResource,
    /// A token whose grant lists every action, but for other resources only.
    OtherResources,
    /// A token with an empty list of scopes.
    NoScopes,
    /// A valid token of this kind, which is not one that the operation takes.
    OtherKind(String),
    /// The id of somebody else in this path parameter.
    Foreign(String),
    /// The id of somebody else for this path parameter in the query of another path, which names it there.
    ForeignQuery(String),
    /// The same in a member of a JSON body that adds or changes something, at its top, in an object or in a list.
    ForeignMember(String),
    /// The list of what this path parameter names: what of it is somebody else's.
    ForeignListed(String),
    /// An id that nobody has in this path parameter.
    UnknownId(String),
    /// A body that breaks off.
    BrokenJson,
    /// A body of another media type: `text/plain`.
    OtherMediaType,
    /// An object where the body is an array, an array where it is an object.
    WrongTopLevel,
    /// A body without a required field.
    MissingField,
    /// A page's start without its length.
    StartWithoutLimit,
    /// The pages of a list, in small ones and in large ones: none of its items stands on two pages, and none on none.
    Pages,
    /// A valid request for a page with a cursor that nobody handed out.
    BrokenCursor,
    /// The same with a cursor that was handed out to another identity, whose list is another one.
    ForeignCursor,
    /// A valid request for the first page of a list, and the question where its next one is.
    NextPage,
    /// A body of this many bytes.
    Oversize(usize),
    /// A valid request of an account without funds.
    NoFunds,
    /// Calls that cost money and are to be refused, for their body, their id or their credential, with the balance read before and
    /// after them.
    RefusedSpending,
    /// Requests that are valid but for one thing each.
    Invalid(Flaw),
    /// A create or change that sets members which are `readOnly`, and the question what came of them.
    ReadOnlyMembers,
    /// Something is made, read, changed, removed and read again.
    Chain(ChainProbe),
    /// Each method of DELETE, PUT, PATCH and POST that the path does not have.
    UndeclaredMethod,
    /// A valid request from a web page of an origin that nobody knows, and the question whether it may be sent.
    CrossOrigin,
    /// `TRACE` in place of `GET`.
    Trace,
    /// `HEAD` in place of `GET`.
    Head,
    /// The same without a token.
    HeadWithoutToken,
    /// One item more than the maximum.
    OverMaximum,
    /// An array without items.
    EmptyBatch,
    /// Good items with bad ones between them.
    MixedBatch,
    /// Bad items only.
    RejectedBatch,
    /// The maximum of items, all good.
    FullBatch,
    /// The call after the last one that the window allows.
    Exhausted,
    /// As many calls at the same instant as are left in a window, and a few more, where few are left. The last that was refused is
    /// judged, and more that are served than were left break the rule.
    AtOnce,
    /// A call that adds something, twice with one body under one idempotency key.
    RepeatedKey,
    /// A call that adds something, and another one with another body under the same idempotency key.
    ReusedKey,
    /// A valid read twice, the second time under the `ETag` of its answer.
    NotModified,
    /// The same under an `ETag` that nothing has.
    Modified,
    /// A few valid calls, where answers say what is left of a limit that the contract does not describe: each takes from it.
    SeenLimit,
    /// A call after the end of a window that was used up. It waits for that end.
    Recovered,
    /// A valid token of the test environment, where the other one is checked.
    TestToken,
    /// A token of this kind without the scope that is needed.
    KindLackingScope(String),
    /// A token of this kind with the scope that is needed and no other.
    KindOnlyItsScope(String),
    /// Requests to the authorization server.
    Oauth(OauthProbe),
    /// A JWT that the client signed.
    Jwt(JwtProbe),
    /// Requests with a key that is minted for them.
    Key(KeyProbe),
    /// A valid request that hands over the URL of a receiver, and the one that makes the server deliver to it. The receiver answers
    /// with 200.
    Delivery,
    /// The same, with a receiver that answers the first delivery with 503.
    RefusedDelivery,
}

impl Probe {
    /// Returns whether it is about the scheme in the `Authorization` header, which other places do not have.
    pub fn is_about_scheme(&self) -> bool {
        matches!(self, Self::WrongScheme | Self::BareToken | Self::LowerCaseScheme)
    }

    /// Returns whether it is about webhook deliveries.
    pub fn is_of_webhooks(&self) -> bool {
        matches!(self, Self::Delivery | Self::RefusedDelivery)
    }

    /// Returns whether it omits the credential of a valid request. A client certificate that is required with other credentials is still sent.
    pub fn is_without_token(&self) -> bool {
        matches!(
            self,
            Self::NoToken
                | Self::QueryToken(_)
                | Self::OtherSpelling
                | Self::BrokenBodyWithoutToken
                | Self::HeadWithoutToken
        )
    }

    /// Returns whether it does not apply to operations that also serve calls without a credential: these need not check a flawed credential or
    /// its rights.
    pub fn needs_required_credential(&self) -> bool {
        let is_about_credential = matches!(
            self,
            Self::EmptyToken
                | Self::MalformedToken
                | Self::WrongScheme
                | Self::BareToken
                | Self::NoCertificate
                | Self::UnknownToken
                | Self::RevokedToken
                | Self::ExpiredToken
                | Self::OtherPlace
                | Self::OtherAlternative
                | Self::Without(_)
                | Self::WithUnknown(_)
                | Self::WrongPassword
                | Self::ChangedToken
                | Self::OtherCaseToken
                | Self::Trace
                | Self::Tampered(_)
                | Self::OtherAudience
                | Self::OtherKind(_)
                | Self::TestToken
                | Self::Foreign(_)
                | Self::ForeignQuery(_)
                | Self::ForeignMember(_)
                | Self::ForeignListed(_)
                | Self::ForeignCursor
                | Self::Jwt(_)
        );
        is_about_credential || self.is_without_token() || self.is_about_scopes()
    }

    /// Returns whether it is about the items of a batch.
    pub fn is_about_items(&self) -> bool {
        matches!(self, Self::OverMaximum | Self::EmptyBatch | Self::MixedBatch | Self::RejectedBatch | Self::FullBatch)
    }

    /// Returns whether its request has a valid credential, whatever its rights.
    pub fn is_of_good_credential(&self) -> bool {
        !self.needs_required_credential()
            || self.is_about_scopes()
            || self.refers().is_some()
            || matches!(self, Self::Foreign(_) | Self::ForeignCursor)
    }

    /// Returns the path parameter whose resource it refers to outside a path, and the kind of reference.
    pub(crate) fn refers(&self) -> Option<(ReferenceKind, &str)> {
        match self {
            Self::ForeignQuery(name) => Some((ReferenceKind::Query, name)),
            Self::ForeignMember(name) => Some((ReferenceKind::Member, name)),
            Self::ForeignListed(name) => Some((ReferenceKind::List, name)),
            _ => None,
        }
    }

    /// Returns whether its request depends on the scopes that the operation requires.
    pub fn is_about_scopes(&self) -> bool {
        matches!(
            self,
            Self::LackingScope
                | Self::OnlyItsScope
                | Self::IncludingScope
                | Self::OnlyItsResource
                | Self::OtherResources
                | Self::NoScopes
                | Self::KindLackingScope(_)
                | Self::KindOnlyItsScope(_)
        )
    }
}
