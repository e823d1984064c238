//! Token requests, and the requested scopes.

use super::authorization_case::{AuthorizationCase, BROWSER, LIFETIME, failure_message};
use super::wire::{authenticated, check_encoding};
use super::{GrantFlow, Registration};
use crate::contract::{ClientAuthentication, GrantType};
use crate::credential::jws;

impl AuthorizationCase<'_> {
    pub(super) async fn verifier(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        self.exchange(&registration).await
    }

    pub(super) async fn public_client(&self) -> Result<(), String> {
        let registration = Registration { secret: None, ..self.registration(GrantFlow::Code) };
        self.exchange(&registration).await?;
        let (request, parameters) = self.nth_token_request(0)?;
        authenticated(&request, &parameters, &registration)
    }

    /// Runs a login. Returns an error if its verifier does not match its challenge.
    async fn exchange(&self, registration: &Registration) -> Result<(), String> {
        let holder = self.holder(registration)?;
        self.answer_tokens([self.grant(1, Some(1))]);
        let login = self.begin(&*holder, registration).await?;
        login.expect("code_challenge_method", "S256")?;
        let challenge = login.required("code_challenge")?;
        let url = registration.callback_url(&[("code", &self.code()), ("state", login.required("state")?)])?;
        holder.callback(BROWSER, &url).await.map_err(|refusal| failure_message("the callback", &refusal))?;
        let (_, parameters) = self.nth_token_request(0)?;
        let verifier = parameters.required("code_verifier")?;
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
            return Err("`code_verifier` is not 43 to 128 unreserved characters".to_owned());
        }
        if jws::s256(verifier) == challenge {
            return Ok(());
        }
        Err("`code_verifier` does not fit the challenge".to_owned())
    }

    pub(super) async fn token_request(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        let (request, parameters) = self.nth_token_request(0)?;
        check_encoding(&request, registration.body)?;
        parameters.expect("grant_type", GrantType::AuthorizationCode.name())?;
        parameters.expect("code", &self.code())?;
        parameters.expect("redirect_uri", &registration.redirect_uri)?;
        parameters.required("code_verifier")?;
        authenticated(&request, &parameters, &registration)?;
        if !self.server.grants(GrantType::RefreshToken) {
            return Ok(());
        }
        registration.pass(LIFETIME + 1);
        self.answer_tokens([self.grant(2, None)]);
        self.call_with(&*holder, &self.access(2)).await?;
        let (request, parameters) = self.nth_token_request(1)?;
        check_encoding(&request, registration.body)?;
        parameters.expect("grant_type", GrantType::RefreshToken.name())?;
        parameters.expect("refresh_token", &self.refresh(1))?;
        authenticated(&request, &parameters, &registration)
    }

    pub(super) async fn client_authentication(&self) -> Result<(), String> {
        let authentication = match self.variant {
            Some("basic") => ClientAuthentication::Basic,
            _ => ClientAuthentication::Body,
        };
        let registration = Registration { authentication, ..self.registration(GrantFlow::Code) };
        self.logged_in(&registration).await?;
        let (request, parameters) = self.nth_token_request(0)?;
        authenticated(&request, &parameters, &registration)
    }

    pub(super) async fn scopes(&self) -> Result<(), String> {
        if self.server.grants(GrantType::AuthorizationCode) {
            let registration = self.registration(GrantFlow::Code);
            let holder = self.holder(&registration)?;
            let login = self.begin(&*holder, &registration).await?;
            login.expect("scope", &registration.scopes.join(" "))?;
        }
        if self.server.grants(GrantType::ClientCredentials) {
            let registration = self.registration(GrantFlow::ClientCredentials);
            let holder = self.holder(&registration)?;
            self.answer_tokens([self.grant(1, None)]);
            self.call_with(&*holder, &self.access(1)).await?;
            let (_, parameters) = self.nth_token_request(0)?;
            parameters.expect("scope", &registration.scopes.join(" "))?;
        }
        Ok(())
    }
}
