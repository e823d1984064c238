//! The authorization server of the mock: a user consents at once, and the API of the mock accepts the tokens that it issues. Each defect
//! is a condition in its handlers.

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

/// The paths of its endpoints.
struct Paths {
    authorize: Option<String>,
    token: Option<String>,
    refresh: Option<String>,
    device: Option<String>,
    revocation: Option<String>,
    /// The path of its metadata, and the path of the keys that the metadata names.
    discovery: Option<String>,
    keys: Option<String>,
}

impl Paths {
    /// Returns the paths of the contract. If it only names the metadata, the others are below its issuer.
    fn of(server: &AuthorizationServer) -> Self {
        let path = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(|endpoint| endpoint.path().to_owned());
        let discovery = path(&server.discovery_url);
        let below = |name: &str| discovery.as_deref().map(|path| format!("{}/{name}", metadata::issuer(path)));
        let token = path(&server.token_url).or_else(|| below("token"));
        // If the contract does not name it, it is below a path that no call of the API has.
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
    /// Answers a request to one of the endpoints; `None` if it is for the API.
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
            // The mock does not sign anything.
            return Some(Answer::json(200, r#"{"keys":[]}"#));
        }
        is_at(&paths.discovery).then(|| self.metadata(request, server, &paths))
    }
}

/// Returns whether the server supports a grant. If it has metadata, the contract may list no grants.
fn grants(server: &AuthorizationServer, grant: GrantType) -> bool {
    let is_usual = matches!(grant, GrantType::AuthorizationCode | GrantType::ClientCredentials);
    server.grants(grant) || (server.grant_types.is_empty() && is_usual)
}
