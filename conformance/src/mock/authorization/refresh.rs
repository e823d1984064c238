//! The refresh grant (RFC 6749, section 6), with rotation and the detection of reuse (RFC 9700, section 4.14.2).

use super::super::core::Core;
use super::super::grants::RefreshState;
use super::super::mutant::Mutant;
use super::super::registered_client::RegisteredClient;
use super::fault::OAuthError;
use super::token::{IssueRequest, Parameters};
use crate::contract::{AuthorizationServer, Rotation};
use crate::credential::identity::ClientKind;

impl Core {
    /// Issues new tokens for a refresh token.
    pub(super) fn refresh(
        &self,
        parameters: &Parameters,
        client: &RegisteredClient,
        server: &AuthorizationServer,
        is_raced: bool,
    ) -> Result<IssueRequest, OAuthError> {
        let text = parameters.get("refresh_token").ok_or(OAuthError::request("`refresh_token` is missing"))?;
        let asked = match parameters.get("scope") {
            Some(scope) => Some(self.known_scopes(Some(scope), server)?),
            None => None,
        };
        let mut state = self.state();
        let known = state.grants.refresh(text).ok_or(OAuthError::grant())?;
        if known.client != client.id && !self.has(Mutant::AcceptsForeignRefreshTokens) {
            return Err(OAuthError::grant());
        }
        let is_overlooked =
            self.has(Mutant::AcceptsRotatedRefresh) || (is_raced && self.has(Mutant::RacesOnRefreshTokens));
        if known.state == RefreshState::Rotated && !is_overlooked {
            // One of the two parties that hold it is a thief, and the server cannot tell which.
            if !self.has(Mutant::KeepsFamilyAfterReuse) {
                for access in state.grants.revoke(known.family) {
                    state.revoke(&access);
                }
            }
            return Err(OAuthError::grant());
        }
        if known.state == RefreshState::Revoked {
            return Err(OAuthError::grant());
        }
        let scopes = asked.unwrap_or_else(|| known.scopes.clone());
        if !scopes.is_subset(&known.scopes) && !self.has(Mutant::WidensOnRefresh) {
            return Err(OAuthError::new("invalid_scope", "The scope was not granted"));
        }
        let rotates = self.rotates(client, server);
        if rotates {
            state.grants.rotate(text);
        }
        let refresh = rotates && !self.has(Mutant::LosesRotatedRefresh);
        Ok(IssueRequest { scopes, family: Some(known.family), refresh })
    }

    fn rotates(&self, client: &RegisteredClient, server: &AuthorizationServer) -> bool {
        let rotates = match server.rotation {
            Rotation::Off => false,
            Rotation::On => true,
            Rotation::ByClient => client.kind == ClientKind::Rotating,
        };
        rotates || self.has(Mutant::RotatesAlways)
    }
}
