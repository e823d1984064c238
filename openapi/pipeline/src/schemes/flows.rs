//! The OAuth flows of a scheme.

use serde_json::Value;

use super::{SchemeProblem, SecurityScheme, url};
use crate::pointer;

/// A flow that the document describes well enough to use. Its URLs are absolute, or paths from the root of the API's host if
/// the document names no server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flow {
    /// The grant of the flow.
    pub kind: FlowKind,
    /// The authorization endpoint, to which users are redirected.
    pub authorization_url: Option<String>,
    /// The device authorization endpoint, where devices request a code that a user types.
    pub device_authorization_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// The endpoint for refresh tokens, if it is stated.
    pub refresh_url: Option<String>,
    /// The available scopes.
    pub scopes: Vec<String>,
    /// The number of seconds after its first use during which a refresh token is still accepted, as the overlay states.
    pub refresh_grace: Option<u64>,
}

/// The grant of a flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FlowKind {
    /// A service that acts for itself.
    ClientCredentials,
    /// A user who consents in a browser, and a code that is exchanged.
    AuthorizationCode,
    /// A device without a browser, whose user consents elsewhere (RFC 8628).
    DeviceAuthorization,
    /// A user whose password is given to the client.
    Password,
    /// A user who consents in a browser, and a token in the redirect URL.
    Implicit,
}

impl FlowKind {
    /// Every flow of OpenAPI.
    pub const ALL: [Self; 5] =
        [Self::ClientCredentials, Self::AuthorizationCode, Self::DeviceAuthorization, Self::Password, Self::Implicit];

    /// Returns the name of the flow in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "clientCredentials",
            Self::AuthorizationCode => "authorizationCode",
            Self::DeviceAuthorization => "deviceAuthorization",
            Self::Password => "password",
            Self::Implicit => "implicit",
        }
    }

    /// Returns the URLs that the flow needs.
    fn required_urls(self) -> &'static [&'static str] {
        match self {
            Self::ClientCredentials | Self::Password => &["tokenUrl"],
            Self::AuthorizationCode => &["authorizationUrl", "tokenUrl"],
            Self::DeviceAuthorization => &["deviceAuthorizationUrl", "tokenUrl"],
            Self::Implicit => &["authorizationUrl"],
        }
    }
}

impl SecurityScheme {
    /// Reads the flows of an OAuth scheme.
    pub(super) fn flows(&mut self, flows: &Value, base_url: &str) {
        let place = pointer::join(&self.pointer, "flows");
        let Some(members) = flows.as_object().filter(|members| !members.is_empty()) else {
            self.remark(place, "it names no flow: how tokens are had is not known", "describe one under `flows`");
            return;
        };
        for (member, flow) in members.iter().filter(|(member, _)| !member.starts_with("x-")) {
            let at = pointer::join(&place, member);
            let Some(kind) = FlowKind::ALL.into_iter().find(|kind| kind.name() == member) else {
                let names: Vec<&str> = FlowKind::ALL.map(FlowKind::name).into();
                let help = format!("use one of {}", names.join(", "));
                self.remark(at, &format!("`{member}` is no flow that OpenAPI knows"), &help);
                continue;
            };
            let read = self.flow(kind, flow, &at, base_url);
            self.flows.extend(read);
        }
    }

    fn remark(&mut self, pointer: String, problem: &str, help: &str) {
        let problem = format!("the security scheme `{}`: {problem}", self.name);
        self.defects.push(SchemeProblem { pointer, problem, help: help.to_owned(), is_malformed: false });
    }

    fn flow(&mut self, kind: FlowKind, flow: &Value, at: &str, base_url: &str) -> Option<Flow> {
        let of = format!("the flow `{}` of `{}`", kind.name(), self.name);
        let Ok(refresh_grace) = expiry_grace(&flow["x-keyfit"]) else {
            let help = "say `refresh-grace: 30` for 30 s, and nothing else";
            let problem = format!("{of}: `x-keyfit` is `refresh-grace`, a whole number of seconds, from 1 on");
            self.defects.push(SchemeProblem {
                pointer: pointer::join(at, "x-keyfit"),
                problem,
                help: help.to_owned(),
                is_malformed: true,
            });
            return None;
        };
        let mut url = |member: &str| {
            if !kind.required_urls().contains(&member) && (member != "refreshUrl" || flow.get(member).is_none()) {
                return None;
            }
            self.url(at, member, &of, url::url(&flow[member], base_url))
        };
        let read = Flow {
            kind,
            authorization_url: url("authorizationUrl"),
            device_authorization_url: url("deviceAuthorizationUrl"),
            token_url: url("tokenUrl"),
            refresh_url: url("refreshUrl"),
            scopes: scopes(&flow["scopes"]),
            refresh_grace,
        };
        let is_had = |member: &&str| read.url(member).is_some();
        kind.required_urls().iter().all(is_had).then_some(read)
    }
}

impl Flow {
    fn url(&self, member: &str) -> Option<&String> {
        match member {
            "authorizationUrl" => self.authorization_url.as_ref(),
            "deviceAuthorizationUrl" => self.device_authorization_url.as_ref(),
            "tokenUrl" => self.token_url.as_ref(),
            _ => self.refresh_url.as_ref(),
        }
    }
}

/// Reads the overlay's hints for a flow.
fn expiry_grace(hints: &Value) -> Result<Option<u64>, ()> {
    match hints {
        Value::Null => Ok(None),
        Value::Object(keys) if keys.keys().all(|key| key == "refresh-grace") => match keys.values().next() {
            Some(seconds) => seconds.as_u64().filter(|seconds| *seconds > 0).map(Some).ok_or(()),
            None => Ok(None),
        },
        _ => Err(()),
    }
}

fn scopes(listed: &Value) -> Vec<String> {
    listed.as_object().into_iter().flatten().map(|(scope, _)| scope).filter(|scope| is_scope(scope)).cloned().collect()
}

/// Returns whether a text is a valid scope: RFC 6749 (section 3.3) allows no spaces, quotes or backslashes.
pub(super) fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}
