//! The authorization server of an API: its endpoints, what it grants, and the JWTs that it takes in place of tokens.
//! With what its answers must be.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Citation;

/// Where access tokens come from (RFC 6749).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorizationServer {
    /// The path of the authorization endpoint, from the root of its host.
    pub authorize_path: String,
    /// The path of the token endpoint, from the root of its host.
    pub token_path: String,
    /// How token requests are written.
    pub token_body: TokenBody,
    /// How clients authenticate at the token endpoint; the probes use the first one.
    pub client_authentication: Vec<ClientAuthentication>,
    /// Seconds for which an access token is good, for the mock: clients go by `expires_in`.
    pub lifetime_seconds: u64,
    /// What happens to a refresh token when it is used.
    pub rotation: Rotation,
    /// The grants that the token endpoint knows.
    pub grant_types: BTreeSet<GrantType>,
    /// The kind of token that it issues, one of the credentials.
    pub issues: String,
    /// The scopes that it grants.
    pub scopes: BTreeSet<String>,
    /// The scope without which it issues no refresh token, where there is such a scope.
    pub offline_scope: Option<String>,
    /// What it asks of JWTs that clients sign themselves, where the API takes such.
    pub jwt: Option<JwtRules>,
    /// Where this is said.
    pub source: Citation,
}

/// JWTs that are signed by the client with its secret (HS256) and sent as bearer tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JwtRules {
    /// The kind of token that they are, one of the credentials.
    pub kind: String,
    /// The value of `aud`.
    pub audience: String,
    /// The most seconds between `iat` and `exp`.
    pub maximum_lifetime_seconds: u64,
    /// Where this is said.
    pub source: Citation,
}

/// How token requests are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    Form,
    /// A JSON object.
    Json,
}

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    Body,
    /// HTTP Basic.
    Basic,
}

/// What happens to a refresh token when it is used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// It stays good.
    Off,
    /// A new one takes its place.
    On,
    /// One or the other, client by client.
    ByClient,
}

/// A grant, as `grant_type` names it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code that a user's consent gave.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// The client itself.
    ClientCredentials,
}

/// What a token endpoint answers with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// An access token, its type `Bearer` and the seconds for which it is good.
    Issued,
    /// An access token and a refresh token.
    WithRefresh,
    /// An access token and no refresh token.
    WithoutRefresh,
    /// An access token, and no other refresh token than the one that was used.
    RefreshKept,
    /// An access token, and another refresh token than the one that was used.
    RefreshReplaced,
    /// A redirect to the client with a code and the `state` that was sent.
    Code,
}

/// What the challenge of a refusal says (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Challenge {
    /// The scheme `Bearer`, with at least one parameter behind it.
    Bearer,
    /// No parameter stands twice, and each holds the characters that it may.
    WellFormed,
    /// There is no error code: nothing was presented.
    WithoutError,
    /// The error code is `invalid_token`.
    InvalidToken,
    /// The error code is `insufficient_scope`.
    InsufficientScope,
    /// The scheme `Basic`.
    Basic,
}

impl GrantType {
    /// The value of `grant_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl AuthorizationServer {
    /// Whether clients may authenticate in this way.
    pub fn takes(&self, way: ClientAuthentication) -> bool {
        self.client_authentication.contains(&way)
    }

    /// Whether it knows a grant.
    pub fn grants(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}
