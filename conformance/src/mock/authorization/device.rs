//! The device grant (RFC 8628): the user consents after the first poll.

use serde_json::json;

use super::super::call::{Answer, Call};
use super::super::core::Core;
use super::super::mutant::Mutant;
use super::super::registered_client::RegisteredClient;
use super::super::token::token_text;
use super::fault::OAuthError;
use super::token::{IssueRequest, Parameters};
use crate::contract::AuthorizationServer;

/// The first seed of device codes, disjoint from those of tokens.
const SEED: u64 = 1 << 43;
/// The lifetime of the codes, and the interval between two polls, in seconds.
const LIFETIME: u64 = 600;
const INTERVAL: u64 = 1;

impl Core {
    /// Issues the codes for a device (RFC 8628, section 3.2).
    pub(super) fn device_request(&self, call: &Call, server: &AuthorizationServer) -> Answer {
        if call.method != "POST" {
            let mut answer = Answer::empty(405);
            answer.header("allow", "POST");
            return answer;
        }
        let by_basic = call.headers.contains_key("authorization");
        let answer = self.parameters(call, server).and_then(|parameters| {
            let client = self.client(call, &parameters, server)?;
            let scopes = self.known_scopes(parameters.get("scope").map(String::as_str), server)?;
            let mut state = self.state();
            let number = state.grants.number();
            let code = format!("device_{}", token_text(SEED + number));
            state.grants.put_device(code.clone(), &client, scopes);
            drop(state);
            let mut body = json!({
                "device_code": code,
                "user_code": format!("MOCK-{number:04}"),
                "verification_uri": "https://client.example/device",
                "expires_in": LIFETIME,
                "interval": INTERVAL,
            });
            if let (true, Some(members)) = (self.has(Mutant::OmitsUserCode), body.as_object_mut()) {
                members.remove("user_code");
            }
            let mut answer = Answer::json(200, body.to_string());
            self.forbid_caching(&mut answer, Mutant::LetsTokensBeCached);
            Ok(answer)
        });
        answer.unwrap_or_else(|fault| self.fault(fault, by_basic))
    }

    /// Issues the tokens for a device once its user has consented (RFC 8628, section 3.5).
    pub(super) fn device(
        &self,
        parameters: &Parameters,
        client: &RegisteredClient,
        server: &AuthorizationServer,
    ) -> Result<IssueRequest, OAuthError> {
        let text = parameters.get("device_code").ok_or(OAuthError::request("`device_code` is missing"))?;
        let mut state = self.state();
        let device = match state.grants.poll_device(text) {
            Some(device) if device.client == client.id => device,
            None if self.has(Mutant::AcceptsUnknownDeviceCode) => return Ok(IssueRequest::default()),
            _ => return Err(OAuthError::grant()),
        };
        match device.asked {
            1 if !self.has(Mutant::AwaitsNoConsent) => {
                Err(OAuthError::new("authorization_pending", "The user has not consented yet"))
            }
            1 | 2 => {
                let family = Some(state.grants.new_family());
                drop(state);
                let refresh = self.is_offline(&device.scopes, server);
                Ok(IssueRequest { scopes: device.scopes, family, refresh })
            }
            _ => Err(OAuthError::grant()),
        }
    }
}
