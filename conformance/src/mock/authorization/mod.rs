//! The authorization server of the mock: a user consents at once, and the tokens that it issues are good at the API
//! beside it. Every defect is one question on the way.

mod authorize;
mod device;
mod fault;
mod jwt;
mod metadata;
mod refresh;
mod revocation;
mod token;

use hyper::body::Bytes;
use hyper::http::request::Parts;

use super::call::{Answer, Call};
use super::core::Core;
use crate::contract::{AuthorizationServer, Endpoint, GrantType, WELL_KNOWN};

/// The paths at which it is asked.
struct Paths {
    authorize: Option<String>,
    token: Option<String>,
    refresh: Option<String>,
    device: Option<String>,
    revocation: Option<String>,
    /// Where it describes itself, and the keys that it names there.
    discovery: Option<String>,
    keys: Option<String>,
}

impl Paths {
    /// Those of the contract. Where only the place is known at which it describes itself, the others are below its issuer.
    fn of(server: &AuthorizationServer) -> Self {
        let path = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(|endpoint| endpoint.path().to_owned());
        let discovery = path(&server.discovery_url);
        let below = |name: &str| discovery.as_deref().map(|path| format!("{}/{name}", metadata::issuer(path)));
        let token = path(&server.token_url).or_else(|| below("token"));
        // Where no contract says it, below a path that no call of the API has.
        let revocation = || token.as_ref().map(|token| format!("{token}/revocation"));
        Self {
            authorize: path(&server.authorization_url).or_else(|| below("authorize")),
            refresh: path(&server.refresh_url),
            device: path(&server.device_authorization_url),
            revocation: path(&server.revocation_url).or_else(revocation),
            keys: below("jwks"),
            token,
            discovery: discovery.or_else(|| Some(WELL_KNOWN[1].to_owned())),
        }
    }
}

impl Core {
    /// Answers a request to one of the endpoints; `None` where it is for the API.
    pub(super) fn authorization(&self, request: &Parts, body: &Bytes) -> Option<Answer> {
        let server = self.contract.authorization_server.as_ref()?;
        let paths = Paths::of(server);
        let is_at = |path: &Option<String>| path.as_deref() == Some(request.uri.path());
        let call = || Call::read(request, body.clone(), "");
        if is_at(&paths.authorize) {
            return Some(self.authorize(&call()?, server));
        }
        if is_at(&paths.token) || is_at(&paths.refresh) {
            return Some(self.token_request(&call()?, server));
        }
        if is_at(&paths.device) {
            return Some(self.device_request(&call()?, server));
        }
        if is_at(&paths.revocation) {
            return Some(self.revocation_request(&call()?, server));
        }
        if is_at(&paths.keys) {
            // It signs nothing.
            return Some(Answer::json(200, r#"{"keys":[]}"#));
        }
        is_at(&paths.discovery).then(|| self.metadata(request, server, &paths))
    }
}

/// Whether it knows a grant. Of a server that describes itself the sources may name none.
fn grants(server: &AuthorizationServer, grant: GrantType) -> bool {
    let is_usual = matches!(grant, GrantType::AuthorizationCode | GrantType::ClientCredentials);
    server.grants(grant) || (server.grant_types.is_empty() && is_usual)
}
