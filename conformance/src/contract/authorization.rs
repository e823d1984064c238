//! The authorization server of an API: its endpoints, its grants, and the JWTs that it accepts in place of tokens. Also the expectations of
//! its answers.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Citation;

/// The paths of an issuer's metadata, relative to the issuer.
pub const WELL_KNOWN: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// Where access tokens come from (RFC 6749).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorizationServer {
    /// Where users are led who consent; left out where no grant needs it.
    pub authorization_url: Option<Endpoint>,
    /// Where tokens are had; left out where no grant needs it.
    pub token_url: Option<Endpoint>,
    /// Where refresh tokens are used, if that is somewhere else.
    pub refresh_url: Option<Endpoint>,
    /// Where devices ask for a code that a user types (RFC 8628); left out where no grant needs it.
    pub device_authorization_url: Option<Endpoint>,
    /// Where the server describes itself (OpenID Connect Discovery 1.0, RFC 8414).
    pub discovery_url: Option<Endpoint>,
    /// Where tokens are given up (RFC 7009). Where left out, what the server says of itself names it.
    pub revocation_url: Option<Endpoint>,
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

/// Where an endpoint is: a path from the root of the authorization server, or a whole URL.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(transparent)]
pub struct Endpoint(String);

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
    /// A device whose user consents elsewhere (RFC 8628).
    DeviceCode,
    /// A user's password.
    Password,
    /// A user's consent that gives a token at once, and no code.
    Implicit,
}

/// What a token endpoint answers with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// An access token and its type, `Bearer`.
    Token,
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
    /// A redirect to the client with an access token, its type and the `state` that was sent, all of them in the fragment.
    Fragment,
    /// What a device needs: a code of its own, one for its user, where to type that, and the seconds for which they are good.
    DeviceCodes,
    /// What a server says of itself: an issuer at which it was asked, and where users are led.
    Metadata,
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

impl Endpoint {
    /// Creates an endpoint from a path or URL.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        let path = &self.0[self.origin().map_or(0, str::len)..];
        path.split('?').next().filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// Returns scheme and host, if the endpoint has them.
    pub fn origin(&self) -> Option<&str> {
        let host = self.0.find("://").filter(|_| !self.0.starts_with('/'))? + "://".len();
        let end = self.0[host..].find(['/', '?']).map_or(self.0.len(), |path| host + path);
        Some(&self.0[..end])
    }

    /// Returns its URL below this root of its server.
    pub fn below(&self, root: &str) -> String {
        format!("{root}{}", &self.0[self.origin().map_or(0, str::len)..])
    }

    /// Returns whether it is a valid path or URL.
    pub(crate) fn is_sound(&self) -> bool {
        let is_whole = |origin: &str| {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            !host.is_empty() && (origin.starts_with("https://") || origin.starts_with("http://"))
        };
        let is_plain = self.0.chars().all(|letter| letter.is_ascii_graphic() && letter != '#');
        is_plain && self.origin().map_or(self.0.starts_with('/') && !self.0.starts_with("//"), is_whole)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl GrantType {
    /// Returns the endpoints that it requires, by their names in a contract.
    pub(crate) fn needs(self) -> &'static [&'static str] {
        match self {
            Self::AuthorizationCode => &["authorization-url", "token-url"],
            Self::RefreshToken | Self::ClientCredentials | Self::Password => &["token-url"],
            Self::DeviceCode => &["device-authorization-url", "token-url"],
            Self::Implicit => &["authorization-url"],
        }
    }

    /// Returns its name in a contract.
    pub fn word(self) -> &'static str {
        if self == Self::DeviceCode { "device_code" } else { self.name() }
    }

    /// Returns the value of `grant_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Password => "password",
            Self::Implicit => "implicit",
        }
    }
}

impl AuthorizationServer {
    /// Returns its endpoints, by their names in a contract.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let all = [
            ("authorization-url", &self.authorization_url),
            ("token-url", &self.token_url),
            ("refresh-url", &self.refresh_url),
            ("device-authorization-url", &self.device_authorization_url),
            ("discovery-url", &self.discovery_url),
            ("revocation-url", &self.revocation_url),
        ];
        all.into_iter().filter_map(|(name, endpoint)| Some((name, endpoint.as_ref()?)))
    }

    /// Returns the endpoint for refresh tokens.
    pub fn refresh_endpoint(&self) -> Option<&Endpoint> {
        self.refresh_url.as_ref().or(self.token_url.as_ref())
    }

    /// Returns whether clients may authenticate with this method.
    pub fn takes(&self, way: ClientAuthentication) -> bool {
        self.client_authentication.contains(&way)
    }

    /// Returns whether it supports a grant.
    pub fn grants(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}
