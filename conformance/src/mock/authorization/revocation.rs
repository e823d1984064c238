//! The revocation endpoint (RFC 7009): an unknown or invalid token counts as revoked.

use super::super::call::{Answer, Call};
use super::super::core::Core;
use super::super::mutant::Mutant;
use super::fault::OAuthError;
use crate::contract::AuthorizationServer;
use crate::credential::identity::State as TokenState;

impl Core {
    /// Answers a revocation request.
    pub(super) fn revocation_request(&self, call: &Call, server: &AuthorizationServer) -> Answer {
        if call.method != "POST" {
            let mut answer = Answer::empty(405);
            answer.header("allow", "POST");
            return answer;
        }
        let by_basic = call.headers.contains_key("authorization");
        self.revoke_token(call, server).map_or_else(|fault| self.fault(fault, by_basic), |()| Answer::empty(200))
    }

    fn revoke_token(&self, call: &Call, server: &AuthorizationServer) -> Result<(), OAuthError> {
        let parameters = self.parameters(call, server)?;
        match self.client(call, &parameters, server) {
            Err(_) if self.has(Mutant::RevokesForAnybody) => {}
            other => drop(other?),
        }
        let text = parameters.get("token").ok_or(OAuthError::request("`token` is missing"))?;
        let known = self.state().token(text).map(|token| token.state);
        let refused = match known {
            Some(TokenState::Revoked) => Mutant::RefusesSecondRevocation,
            Some(_) => Mutant::RefusesRevocations,
            None => Mutant::RefusesUnknownRevocation,
        };
        if self.has(refused) {
            return Err(OAuthError::request("The token cannot be revoked"));
        }
        if !self.has(Mutant::KeepsGivenUpTokens) {
            self.state().revoke(text);
        }
        Ok(())
    }
}
