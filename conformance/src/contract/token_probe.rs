//! The probes of an authorization server, and the JWTs that are sent in place of its tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authorization::{AuthorizationServer, ClientAuthentication, GrantType, Rotation, TokenBody};

/// What is sent to an authorization server. The last request of each is the one that is judged.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OauthProbe {
    /// An authorization request with a `state`.
    Authorize,
    /// An authorization request of a redirect URI that is not registered.
    UnregisteredRedirectUri,
    /// An authorization request with the challenge method `plain`.
    PlainChallenge,
    /// An authorization request without a challenge.
    MissingChallenge,
    /// An authorization request for something else than a code.
    UnknownResponseType,
    /// A code for tokens, with the scope for refresh tokens.
    Code,
    /// A code for tokens, without the scope for refresh tokens.
    CodeWithoutOffline,
    /// A call with the token that a code gave.
    Call,
    /// A call with a token whose scopes do not cover it.
    CallOutsideScope,
    /// A call with a token whose scopes cover it for its resource alone.
    CallWithResourceScope,
    /// A code that never was.
    UnknownCode,
    /// A code for the second time.
    CodeReuse,
    /// A code twice at the same instant: at most one is served.
    CodeAtOnce,
    /// A call with the token of a code that was used for a second time.
    CallAfterCodeReuse,
    /// The code of another client.
    CodeOfAnother,
    /// A code with another redirect URI than it was asked for with.
    OtherRedirectUri,
    /// A code with another verifier than the challenge was made from.
    WrongVerifier,
    /// A code without the verifier.
    MissingVerifier,
    /// A code with a verifier of 42 characters, from which the challenge was made.
    ShortVerifier,
    /// The client's own grant.
    ClientCredentials,
    /// The client's own grant, with the scope for refresh tokens.
    ClientCredentialsOffline,
    /// A call with a token of the client's own grant for two scopes, written with `+` between them.
    ScopesJoinedByPlus,
    /// The same with `%20` between them.
    ScopesJoinedByPercent,
    /// A refresh token of a client whose refresh tokens stay.
    Refresh,
    /// A refresh token of a client whose refresh tokens rotate.
    RefreshRotating,
    /// A refresh token that was rotated away.
    RotatedRefresh,
    /// A refresh token of a client whose refresh tokens rotate, twice at the same instant: at most one is served.
    RefreshAtOnce,
    /// The newest refresh token after an older one was used again.
    RefreshAfterReuse,
    /// A refresh token for a scope that was not granted.
    RefreshWider,
    /// A refresh token of another client.
    RefreshOfAnother,
    /// A token request by `GET`.
    TokenByGet,
    /// A token request without `grant_type`.
    MissingGrantType,
    /// A token request with a grant that nobody knows.
    UnknownGrantType,
    /// A token request of a client that nobody knows.
    UnknownClient,
    /// A token request with a wrong secret in the body.
    WrongSecret,
    /// A token request with a wrong secret by HTTP Basic.
    WrongBasicSecret,
    /// The client's own grant, by HTTP Basic.
    Basic,
    /// The client's own grant, asked for by a client without a secret.
    UnauthorizedClient,
    /// The client's own grant for a scope that nobody knows.
    UnknownScope,
    /// What the server says of itself.
    Discovery,
    /// An authorization request for a token, with a `state`.
    Implicit,
    /// What a device asks for first.
    DeviceCodes,
    /// A token request of a device whose user did not consent yet.
    DevicePending,
    /// A token request with a device code that never was.
    UnknownDeviceCode,
    /// A token request with a user's password.
    Password,
    /// A token request with the password of a user that nobody knows.
    UnknownUser,
    /// The revocation of a token that was granted for it.
    Revoke,
    /// The same for a second time.
    RevokeAgain,
    /// The revocation of a token that never was.
    RevokeUnknown,
    /// The revocation of a token that was granted for it by its client, without the client's secret.
    RevokeWithoutSecret,
    /// A call with a token that was granted for it, served, and revoked.
    CallAfterRevocation,
}

/// A JWT that is sent as bearer token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JwtProbe {
    /// A good one.
    Good,
    /// A good one whose `aud` is a list.
    AudienceList,
    /// One whose `exp` is past.
    Expired,
    /// One whose `iat` lies ahead.
    IssuedAhead,
    /// One for another audience.
    WrongAudience,
    /// One of a client that nobody knows.
    UnknownIssuer,
    /// One with another signature.
    BadSignature,
    /// A good one with claims that were changed afterwards.
    ChangedClaims,
    /// One with the algorithm `none` and no signature.
    AlgorithmNone,
    /// One that says RS256 and is signed with the secret.
    Rs256WithSecret,
    /// One that says `hs256`.
    AlgorithmInLowerCase,
    /// One that is good for longer than the maximum.
    TooLong,
    /// One without `iss`.
    WithoutIss,
    /// One without `sub`.
    WithoutSub,
    /// One without `aud`.
    WithoutAud,
    /// One without `iat`.
    WithoutIat,
    /// One without `exp`.
    WithoutExp,
    /// One whose header names an extension as critical that nobody knows.
    UnknownCritical,
}

/// What is done to a valid JWT.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tampering {
    /// `sub` is somebody else, and the signature stays.
    ChangedClaim,
    /// The signature is another one.
    ChangedSignature,
    /// The signature is taken away.
    NoSignature,
    /// The algorithm is `none`, and there is no signature.
    AlgorithmNone,
    /// It is signed with another key, which its header names (`jwk`).
    OtherKey,
}

impl OauthProbe {
    /// Returns whether it requests a scope that the operation does not require.
    pub(crate) fn asks_for_other_scope(self) -> bool {
        matches!(
            self,
            Self::CallOutsideScope | Self::ScopesJoinedByPlus | Self::ScopesJoinedByPercent | Self::RefreshWider
        )
    }

    /// Returns whether it only sends GET requests, and requests no token.
    pub fn only_reads(self) -> bool {
        matches!(
            self,
            Self::Authorize
                | Self::UnregisteredRedirectUri
                | Self::PlainChallenge
                | Self::MissingChallenge
                | Self::UnknownResponseType
                | Self::Discovery
        )
    }

    /// Returns whether it applies to an authorization server.
    pub fn applies(self, server: &AuthorizationServer) -> bool {
        let refreshes = server.grants(GrantType::RefreshToken) && server.grants(GrantType::AuthorizationCode);
        let asks = server.grants(GrantType::ClientCredentials) || server.grants(GrantType::AuthorizationCode);
        match self {
            Self::ClientCredentials
            | Self::UnauthorizedClient
            | Self::UnknownScope
            | Self::CallOutsideScope
            | Self::CallWithResourceScope
            | Self::TokenByGet => server.grants(GrantType::ClientCredentials),
            Self::MissingGrantType | Self::UnknownGrantType | Self::UnknownClient => asks,
            Self::ScopesJoinedByPlus | Self::ScopesJoinedByPercent => {
                server.grants(GrantType::ClientCredentials) && server.token_body == TokenBody::Form
            }
            Self::ClientCredentialsOffline => {
                server.grants(GrantType::ClientCredentials) && server.offline_scope.is_some()
            }
            Self::WrongSecret => asks && server.takes(ClientAuthentication::Body),
            Self::WrongBasicSecret => asks && server.takes(ClientAuthentication::Basic),
            Self::Basic => server.grants(GrantType::ClientCredentials) && server.takes(ClientAuthentication::Basic),
            Self::Discovery => server.discovery_url.is_some(),
            Self::Implicit => server.grants(GrantType::Implicit),
            Self::DeviceCodes | Self::DevicePending | Self::UnknownDeviceCode => server.grants(GrantType::DeviceCode),
            Self::Revoke
            | Self::RevokeAgain
            | Self::RevokeUnknown
            | Self::RevokeWithoutSecret
            | Self::CallAfterRevocation => {
                let may_be_named = [&server.revocation_url, &server.discovery_url, &server.token_url];
                asks && may_be_named.into_iter().any(Option::is_some)
            }
            Self::Password | Self::UnknownUser => server.grants(GrantType::Password),
            Self::Refresh => refreshes && server.rotation != Rotation::On,
            Self::RefreshWider | Self::RefreshOfAnother => refreshes,
            Self::RefreshRotating | Self::RotatedRefresh | Self::RefreshAtOnce | Self::RefreshAfterReuse => {
                refreshes && server.rotation != Rotation::Off
            }
            Self::CodeWithoutOffline => server.grants(GrantType::AuthorizationCode) && server.offline_scope.is_some(),
            _ => server.grants(GrantType::AuthorizationCode),
        }
    }
}
