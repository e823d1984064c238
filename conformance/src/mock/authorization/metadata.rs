//! The metadata of the authorization server (OpenID Connect Discovery 1.0, section 3; RFC 8414).

use hyper::header::HOST;
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::super::call::Answer;
use super::super::core::Core;
use super::super::mutant::Mutant;
use super::{Paths, grants};
use crate::contract::{AuthorizationServer, ClientAuthentication, GrantType, WELL_KNOWN};

/// Returns the path of the issuer whose metadata is at this path.
pub(super) fn issuer(path: &str) -> &str {
    WELL_KNOWN.iter().find_map(|known| path.strip_suffix(known)).unwrap_or_default()
}

impl Core {
    /// Returns the metadata: the endpoints at the requested host, and the supported features.
    pub(super) fn metadata(&self, request: &Parts, server: &AuthorizationServer, paths: &Paths) -> Answer {
        if request.method != "GET" {
            let mut answer = Answer::empty(405);
            answer.header("allow", "GET");
            return answer;
        }
        let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let origin = format!("http://{host}");
        let known = [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
            GrantType::DeviceCode,
        ];
        let ways: Vec<&str> = server
            .client_authentication
            .iter()
            .map(|way| match way {
                ClientAuthentication::Body => "client_secret_post",
                ClientAuthentication::Basic => "client_secret_basic",
            })
            .collect();
        let other = if self.has(Mutant::NamesAnotherIssuer) { "/another" } else { "" };
        let mut metadata = Map::from_iter([
            ("issuer".to_owned(), json!(format!("{origin}{}{other}", issuer(request.uri.path())))),
            ("response_types_supported".to_owned(), json!(["code"])),
            ("subject_types_supported".to_owned(), json!(["public"])),
            ("id_token_signing_alg_values_supported".to_owned(), json!(["RS256"])),
            ("code_challenge_methods_supported".to_owned(), json!(["S256"])),
            ("token_endpoint_auth_methods_supported".to_owned(), json!(ways)),
            ("scopes_supported".to_owned(), json!(server.scopes)),
            (
                "grant_types_supported".to_owned(),
                known.into_iter().filter(|grant| grants(server, *grant)).map(GrantType::name).collect::<Value>(),
            ),
        ]);
        for (member, path) in [
            ("authorization_endpoint", &paths.authorize),
            ("token_endpoint", &paths.token),
            ("device_authorization_endpoint", &paths.device),
            ("revocation_endpoint", &paths.revocation),
            ("jwks_uri", &paths.keys),
        ] {
            metadata.extend(path.as_ref().map(|path| (member.to_owned(), json!(format!("{origin}{path}")))));
        }
        Answer::json(200, Value::Object(metadata).to_string())
    }
}
