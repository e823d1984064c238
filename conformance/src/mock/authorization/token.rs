//! The token endpoint (RFC 6749, sections 3.2 and 5): it authenticates the client, checks the grant, and issues tokens.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::core::Core;
use super::super::mutant::Mutant;
use super::super::registered_client::RegisteredClient;
use super::super::token::{Grant, Token, token_text};
use super::fault::OAuthError;
use super::grants;
use crate::clock;
use crate::contract::{AuthorizationServer, ClientAuthentication, GrantType, TokenBody};
use crate::credential::basic;
use crate::credential::identity::{ClientKind, State as TokenState};
use crate::credential::jws;

/// The first seed of refresh tokens, disjoint from those of other tokens.
const SEED: u64 = 1 << 42;

/// The parameters of a token request.
pub(super) type Parameters = BTreeMap<String, String>;

/// The tokens to issue.
#[derive(Default)]
pub(super) struct IssueRequest {
    pub(super) scopes: BTreeSet<String>,
    /// The family of the user's consent; `None` for the client's own tokens.
    pub(super) family: Option<usize>,
    /// True if a new refresh token is included.
    pub(super) refresh: bool,
}

impl Core {
    /// Answers a token request.
    pub(super) fn token_request(&self, call: &Call, server: &AuthorizationServer) -> Answer {
        let is_get = call.method == "GET" && self.has(Mutant::AcceptsTokenByGet);
        if call.method != "POST" && !is_get {
            let mut answer = Answer::empty(405);
            answer.header("allow", "POST");
            return answer;
        }
        let by_basic = call.headers.contains_key("authorization");
        let parameters = if is_get { Ok(call.query.iter().cloned().collect()) } else { self.parameters(call, server) };
        let answer = parameters.and_then(|parameters| {
            let own = GrantType::ClientCredentials;
            let grant = match parameters.get("grant_type") {
                Some(grant) => grant.as_str(),
                None if self.has(Mutant::AssumesGrantType) => own.name(),
                None => return Err(OAuthError::request("`grant_type` is missing")),
            };
            let client = self.client(call, &parameters, server)?;
            let known =
                [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode, GrantType::Password];
            let grant = known.into_iter().chain([own]).find(|known| known.name() == grant && grants(server, *known));
            let issue = match grant.or_else(|| self.has(Mutant::AcceptsUnknownGrantType).then_some(own)) {
                Some(GrantType::AuthorizationCode) => self.redeem(&parameters, &client, server, call.is_concurrent)?,
                Some(GrantType::RefreshToken) => self.refresh(&parameters, &client, server, call.is_concurrent)?,
                Some(GrantType::ClientCredentials) => self.own(&parameters, &client, server)?,
                Some(GrantType::DeviceCode) => self.device(&parameters, &client, server)?,
                Some(GrantType::Password) => self.password(&parameters, &client, server)?,
                Some(GrantType::Implicit) | None => {
                    return Err(OAuthError::new("unsupported_grant_type", "The grant is not known"));
                }
            };
            Ok(self.issue(issue, &client, server))
        });
        answer.unwrap_or_else(|fault| self.fault(fault, by_basic))
    }

    pub(super) fn parameters(&self, call: &Call, server: &AuthorizationServer) -> Result<Parameters, OAuthError> {
        match server.token_body {
            TokenBody::Json => {
                let members: BTreeMap<String, Value> = serde_json::from_slice(&call.body)
                    .map_err(|_| OAuthError::request("The body is not a JSON object"))?;
                let text = |value: Value| value.as_str().map(str::to_owned);
                Ok(members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
            }
            TokenBody::Form => {
                let mut parameters: Parameters = url::form_urlencoded::parse(&call.body).into_owned().collect();
                let literal = [("+", Mutant::ReadsPlusLiterally), ("%20", Mutant::ReadsPercentLiterally)];
                let written = String::from_utf8_lossy(&call.body);
                let literal = literal.iter().find(|(space, mutant)| self.has(*mutant) && written.contains(space));
                if let (Some((space, _)), Some(scope)) = (literal, parameters.get_mut("scope")) {
                    *scope = scope.replace(' ', space);
                }
                Ok(parameters)
            }
        }
    }

    /// Authenticates the client with HTTP Basic or the body.
    pub(super) fn client(
        &self,
        call: &Call,
        parameters: &Parameters,
        server: &AuthorizationServer,
    ) -> Result<RegisteredClient, OAuthError> {
        let unknown = OAuthError::new("invalid_client", "The client is not known or did not authenticate");
        let basic = call.headers.get("authorization").filter(|_| server.takes(ClientAuthentication::Basic));
        let (id, secret) = match basic {
            Some(header) => {
                let (id, secret) = header.to_str().ok().and_then(basic::pair).ok_or(unknown)?;
                (id, Some(secret))
            }
            None => {
                (parameters.get("client_id").cloned().unwrap_or_default(), parameters.get("client_secret").cloned())
            }
        };
        if basic.is_some() && self.has(Mutant::RefusesBasic) {
            return Err(unknown);
        }
        let client = match RegisteredClient::by_id(&id) {
            Some(client) => client,
            None if self.has(Mutant::AcceptsUnknownClient) => return Ok(RegisteredClient::of(ClientKind::Keeping)),
            None => return Err(unknown),
        };
        if client.is_proven_by(secret.as_deref()) || self.has(Mutant::AcceptsAnyClientSecret) {
            return Ok(client);
        }
        Err(unknown)
    }

    /// Redeems an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
    fn redeem(
        &self,
        parameters: &Parameters,
        client: &RegisteredClient,
        server: &AuthorizationServer,
        is_concurrent: bool,
    ) -> Result<IssueRequest, OAuthError> {
        let text = parameters.get("code").ok_or(OAuthError::request("`code` is missing"))?;
        let mut state = self.state();
        let code = match state.grants.code(text) {
            Some(code) => code,
            None if self.has(Mutant::AcceptsUnknownCode) => {
                return Ok(IssueRequest::default());
            }
            None => return Err(OAuthError::grant()),
        };
        if code.client != client.id && !self.has(Mutant::AcceptsForeignCodes) {
            return Err(OAuthError::grant());
        }
        let is_overlooked = self.has(Mutant::AcceptsCodeTwice) || (is_concurrent && self.has(Mutant::RacesOnCodes));
        if code.is_used && !is_overlooked {
            // The second use may be the owner's, so the tokens of the first one are revoked.
            if !self.has(Mutant::KeepsTokensOfReusedCode) {
                for access in state.grants.revoke(code.family) {
                    state.revoke(&access);
                }
            }
            return Err(OAuthError::grant());
        }
        let redirect_uri = parameters.get("redirect_uri");
        if redirect_uri != Some(&code.redirect_uri) && !self.has(Mutant::IgnoresRedirectUri) {
            return Err(OAuthError::grant());
        }
        self.verify(code.challenge.as_ref(), parameters.get("code_verifier"))?;
        state.grants.mark_used(text);
        let refresh = self.is_offline(&code.scopes, server);
        Ok(IssueRequest { scopes: code.scopes, family: Some(code.family), refresh })
    }

    /// Checks the verifier against the challenge.
    fn verify(&self, challenge: Option<&(String, bool)>, verifier: Option<&String>) -> Result<(), OAuthError> {
        if self.has(Mutant::IgnoresVerifier) {
            return Ok(());
        }
        let (Some((challenge, is_s256)), Some(verifier)) = (challenge, verifier) else {
            let waiver = if challenge.is_none() { Mutant::WaivesChallenge } else { Mutant::WaivesVerifier };
            return if self.has(waiver) { Ok(()) } else { Err(OAuthError::grant()) };
        };
        let is_written_well = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if !is_written_well && !self.has(Mutant::AcceptsShortVerifier) {
            return Err(OAuthError::grant());
        }
        let expected = if *is_s256 { jws::s256(verifier) } else { verifier.clone() };
        if expected == *challenge { Ok(()) } else { Err(OAuthError::grant()) }
    }

    /// Handles the client credentials grant (RFC 6749, section 4.4).
    fn own(
        &self,
        parameters: &Parameters,
        client: &RegisteredClient,
        server: &AuthorizationServer,
    ) -> Result<IssueRequest, OAuthError> {
        if client.kind == ClientKind::Public && !self.has(Mutant::LetsPublicClientsIn) {
            return Err(OAuthError::new("unauthorized_client", "The client may not use this grant"));
        }
        let scopes = self.known_scopes(parameters.get("scope").map(String::as_str), server)?;
        Ok(IssueRequest { scopes, family: None, refresh: self.has(Mutant::RefreshesOwn) })
    }

    /// Handles the password grant (RFC 6749, section 4.3).
    fn password(
        &self,
        parameters: &Parameters,
        client: &RegisteredClient,
        server: &AuthorizationServer,
    ) -> Result<IssueRequest, OAuthError> {
        let text = |name: &str| parameters.get(name).map(String::as_str);
        let (Some(name), Some(password)) = (text("username"), text("password")) else {
            return Err(OAuthError::request("`username` or `password` is missing"));
        };
        let is_known = client.knows(name, password) && !self.has(Mutant::RefusesPasswords);
        if !is_known && !self.has(Mutant::AcceptsAnyPassword) {
            return Err(OAuthError::grant());
        }
        let scopes = self.known_scopes(text("scope"), server)?;
        let refresh = self.is_offline(&scopes, server);
        Ok(IssueRequest { scopes, family: Some(self.state().grants.new_family()), refresh })
    }

    /// Returns whether consent to these scopes includes a refresh token.
    pub(super) fn is_offline(&self, scopes: &BTreeSet<String>, server: &AuthorizationServer) -> bool {
        if !server.grants(GrantType::RefreshToken) || self.has(Mutant::RefreshesNever) {
            return false;
        }
        self.has(Mutant::RefreshesAlways) || server.offline_scope.as_ref().is_none_or(|scope| scopes.contains(scope))
    }

    fn issue(&self, issue: IssueRequest, client: &RegisteredClient, server: &AuthorizationServer) -> Answer {
        let mut answer = Answer::json(200, self.token_answer(issue, client, server).to_string());
        self.forbid_caching(&mut answer, Mutant::LetsTokensBeCached);
        answer
    }

    /// Issues the tokens, and returns the body of the answer to the client.
    pub(super) fn token_answer(
        &self,
        issue: IssueRequest,
        client: &RegisteredClient,
        server: &AuthorizationServer,
    ) -> Value {
        let scope = issue.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
        let may_all = self.has(Mutant::IssuesForEverything);
        let grant = if may_all { Grant::All } else { Grant::Flat(issue.scopes.clone()) };
        let token = Token {
            state: if self.has(Mutant::RefusesIssuedTokens) { TokenState::Revoked } else { TokenState::Valid },
            expires: Some(clock::epoch_seconds().saturating_add(server.lifetime_seconds)),
            ..Token::new(&server.issues, grant)
        };
        let mut state = self.state();
        let access = state.admit(self.contract.credential(&server.issues), false, token).0;
        let mut body = json!({ "access_token": access, "scope": scope });
        let omission = if issue.family.is_some() { Mutant::OmitsTokenType } else { Mutant::OmitsOwnTokenType };
        if !self.has(omission) {
            body["token_type"] = json!("Bearer");
        }
        let silence = if issue.family.is_some() { Mutant::OmitsLifetime } else { Mutant::OmitsOwnLifetime };
        if !self.has(silence) {
            body["expires_in"] = json!(server.lifetime_seconds);
        }
        if issue.refresh {
            let text = format!("refresh_{}", token_text(SEED + state.grants.number()));
            let family = issue.family.unwrap_or_else(|| state.grants.new_family());
            state.grants.put_refresh(text.clone(), client, issue.scopes, family);
            body["refresh_token"] = json!(text);
        }
        if let Some(family) = issue.family {
            state.grants.put_access(family, access);
        }
        body
    }
}
