//! The authorization endpoint (RFC 6749, section 4.1.1; RFC 7636, section 4.3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::call::{Answer, Call};
use super::super::core::Core;
use super::super::grants::AuthorizationCode;
use super::super::mutant::Mutant;
use super::super::registered_client::RegisteredClient;
use super::super::token::token_text;
use super::fault::OAuthError;
use super::token::IssueRequest;
use crate::contract::{AuthorizationServer, GrantType};

/// The first seed of authorization codes, disjoint from those of tokens.
const SEED: u64 = 1 << 41;

impl Core {
    /// Answers an authorization request as if the user gave consent.
    pub(super) fn authorize(&self, call: &Call, server: &AuthorizationServer) -> Answer {
        let client = call.query("client_id").and_then(RegisteredClient::by_id);
        let redirect_uri = call.query("redirect_uri").unwrap_or_default();
        let client = match client {
            Some(client) if client.redirect_uri == redirect_uri || self.has(Mutant::RedirectsAnywhere) => client,
            // No redirect to an unregistered URI: the server would be an open redirector.
            _ => return self.fault(OAuthError::request("The client or its redirect URI is not registered"), false),
        };
        let is_implicit = call.query("response_type") == Some("token") && server.grants(GrantType::Implicit);
        let outcome = if is_implicit {
            self.token_at_once(call, server, &client)
        } else {
            self.code(call, server, &client, redirect_uri).map(|code| vec![("code".to_owned(), code)])
        };
        let outcome = outcome.unwrap_or_else(|fault| {
            let parameters = [("error", fault.code), ("error_description", fault.description)];
            parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        });
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(outcome);
        if let Some(state) = call.query("state").filter(|_| !self.has(Mutant::LosesState)) {
            query.append_pair("state", state);
        }
        let mut answer = Answer::empty(302);
        let mark = if is_implicit && !self.has(Mutant::SendsTokensInQuery) { '#' } else { '?' };
        answer.header("location", format!("{redirect_uri}{mark}{}", query.finish()));
        self.forbid_caching(&mut answer, Mutant::LetsTokensBeCached);
        answer
    }

    /// Issues a token without a code (RFC 6749, section 4.2.2).
    fn token_at_once(
        &self,
        call: &Call,
        server: &AuthorizationServer,
        client: &RegisteredClient,
    ) -> Result<Vec<(String, String)>, OAuthError> {
        let scopes = self.known_scopes(call.query("scope"), server)?;
        let family = Some(self.state().grants.new_family());
        let granted = self.token_answer(IssueRequest { scopes, family, refresh: false }, client, server);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(granted.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect())
    }

    fn code(
        &self,
        call: &Call,
        server: &AuthorizationServer,
        client: &RegisteredClient,
        redirect_uri: &str,
    ) -> Result<String, OAuthError> {
        if call.query("response_type") != Some("code") && !self.has(Mutant::IgnoresResponseType) {
            return Err(OAuthError::new("unsupported_response_type", "Only codes are given"));
        }
        let challenge = self.challenge(call)?;
        let scopes = self.known_scopes(call.query("scope"), server)?;
        let mut state = self.state();
        let text = format!("code_{}", token_text(SEED + state.grants.number()));
        let code = AuthorizationCode {
            client: client.id,
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            scopes,
            family: state.grants.new_family(),
            is_used: false,
        };
        state.grants.put_code(text.clone(), code);
        Ok(text)
    }

    /// Returns the code challenge, and whether its method is S256.
    fn challenge(&self, call: &Call) -> Result<Option<(String, bool)>, OAuthError> {
        let Some(challenge) = call.query("code_challenge") else {
            let is_waived = self.has(Mutant::WaivesChallenge);
            return if is_waived { Ok(None) } else { Err(OAuthError::request("A code challenge is required")) };
        };
        let is_s256 = call.query("code_challenge_method") == Some("S256");
        if is_s256 || self.has(Mutant::AcceptsPlainChallenge) {
            return Ok(Some((challenge.to_owned(), is_s256)));
        }
        Err(OAuthError::request("The code challenge method must be S256"))
    }

    /// Returns the requested scopes, or an error if one is unknown.
    pub(super) fn known_scopes(
        &self,
        asked: Option<&str>,
        server: &AuthorizationServer,
    ) -> Result<BTreeSet<String>, OAuthError> {
        let asked = asked.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty());
        let asked: BTreeSet<String> = asked.map(str::to_owned).collect();
        if asked.is_subset(&server.scopes) || self.has(Mutant::GrantsUnknownScopes) {
            return Ok(asked);
        }
        Err(OAuthError::new("invalid_scope", "A scope is not known"))
    }
}
