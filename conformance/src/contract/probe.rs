//! What a server-side case sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key_management::KeyProbe;
use super::token_probe::{JwtProbe, OauthProbe};

/// What a server-side case sends.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Nothing: every answer that other rules had from the operation is judged, by what it must not hold.
    Any,
    /// A valid request.
    Valid,
    /// No `Authorization` header.
    NoToken,
    /// The scheme and nothing behind it.
    EmptyToken,
    /// A valid token under the scheme `Basic`.
    WrongScheme,
    /// A valid token without a scheme.
    BareToken,
    /// A valid token under the scheme `bearer`.
    LowerCaseScheme,
    /// Two tokens behind one scheme.
    MalformedToken,
    /// A well-formed token that was never issued.
    UnknownToken,
    /// A token that was valid once.
    RevokedToken,
    /// A token that has expired.
    ExpiredToken,
    /// A valid token in this query parameter, and no header.
    QueryToken(String),
    /// A body that is not JSON, and no token.
    BrokenBodyWithoutToken,
    /// A token with every scope but the one that is needed.
    LackingScope,
    /// A token with the scope that is needed and no other.
    OnlyItsScope,
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
    /// A body of this many bytes.
    Oversize(usize),
    /// A valid request of an account without funds.
    NoFunds,
    /// A method that the path does not have.
    UndeclaredMethod,
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
}

impl Probe {
    /// Whether it is about the scheme in the header `Authorization`, which no other header has.
    pub fn is_about_scheme(&self) -> bool {
        matches!(
            self,
            Self::EmptyToken | Self::WrongScheme | Self::BareToken | Self::LowerCaseScheme | Self::MalformedToken
        )
    }

    /// Whether what is sent depends on the scopes that the operation needs.
    pub fn is_about_scopes(&self) -> bool {
        matches!(
            self,
            Self::LackingScope
                | Self::OnlyItsScope
                | Self::OnlyItsResource
                | Self::OtherResources
                | Self::NoScopes
                | Self::KindLackingScope(_)
                | Self::KindOnlyItsScope(_)
        )
    }
}
