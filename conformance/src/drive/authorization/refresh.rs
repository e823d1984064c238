//! Valid and invalid answers of the token endpoint, and the tokens that are stored after them.

use serde_json::json;

use super::super::scripted_server::ScriptedAnswer;
use super::authorization_case::{AuthorizationCase, BROWSER, LIFETIME, failure_message};
use super::{GrantFlow, Registration, TokenHolder, UserTokens};
use crate::contract::GrantType;

/// Longer than a client pauses after a failure, in seconds.
const PAUSE_AFTER_FAILURE: u64 = 300;

impl AuthorizationCase<'_> {
    pub(super) async fn failed_exchange(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.holder(&registration)?;
        self.answer_tokens([self.without_tokens()]);
        let login = self.begin(&*holder, &registration).await?;
        let url = registration.callback_url(&[("code", &self.code()), ("state", login.required("state")?)])?;
        if holder.callback(BROWSER, &url).await.is_ok() {
            return Err("the login succeeds without tokens".to_owned());
        }
        if holder.stored().await.is_some() {
            return Err("an answer without tokens is stored".to_owned());
        }
        // No user is logged in.
        let is_called = holder.call().await.is_ok() || !self.presented_tokens().is_empty();
        if is_called { Err("the API is called without a token".to_owned()) } else { Ok(()) }
    }

    pub(super) async fn failed_refresh(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        registration.pass(LIFETIME + 1);
        self.answer_tokens([self.without_tokens()]);
        if holder.call().await.is_ok() || !self.presented_tokens().is_empty() {
            return Err("the API is called without a good token".to_owned());
        }
        self.check_stored(&*holder, 1, Some(1)).await?;
        // The failure may be temporary.
        registration.pass(PAUSE_AFTER_FAILURE);
        self.answer_tokens([self.grant(2, None)]);
        self.call_with(&*holder, &self.access(2)).await
    }

    pub(super) async fn refresh_kept(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        self.renew(&*holder, &registration, 2, None, 1).await?;
        self.check_stored(&*holder, 2, Some(1)).await?;
        self.renew(&*holder, &registration, 3, None, 1).await
    }

    pub(super) async fn refresh_replaced(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        self.renew(&*holder, &registration, 2, Some(2), 1).await?;
        self.check_stored(&*holder, 2, Some(2)).await?;
        self.renew(&*holder, &registration, 3, Some(3), 2).await
    }

    pub(super) async fn without_refresh(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let offline = self.server.offline_scope.as_ref();
        let scopes = registration.scopes.iter().filter(|scope| Some(*scope) != offline).cloned().collect();
        let registration = Registration { scopes, ..registration };
        let holder = self.holder(&registration)?;
        self.answer_tokens([self.grant(1, None)]);
        self.log_in(&*holder, &registration).await?;
        // One minute before its expiry, there is no better token.
        for seconds in [0, LIFETIME - 1] {
            registration.pass(seconds);
            self.call_with(&*holder, &self.access(1)).await?;
        }
        self.check_token_requests(1)?;
        let calls = self.presented_tokens().len();
        registration.pass(PAUSE_AFTER_FAILURE);
        if holder.call().await.is_ok() || self.presented_tokens().len() > calls {
            return Err("the API is called with a token that has expired".to_owned());
        }
        self.check_token_requests(1)
    }

    pub(super) async fn tokens_hidden(&self) -> Result<(), String> {
        let registration = self.registration(self.flow_of_variant());
        let holder = self.holder(&registration)?;
        let secret = registration.secret.as_ref().map_or("", |secret| secret.reveal());
        let (mut texts, refresh) = (Vec::new(), self.refresh(1));
        // A server that repeats the request in its error.
        let echo = |code: &str| {
            ScriptedAnswer::json(400, &json!({ "error": code, "error_description": format!("{code} {secret}") }))
        };
        match &registration.flow {
            GrantFlow::Code => {
                self.answer_tokens([echo(&self.code()), self.grant(1, Some(1))]);
                let login = self.begin(&*holder, &registration).await?;
                let state = login.required("state")?;
                self.add_secret(state);
                let url = registration.callback_url(&[("code", &self.code()), ("state", state)])?;
                texts.extend(holder.printed().await);
                texts.extend(holder.callback(BROWSER, &url).await.err().into_iter().flat_map(|refusal| refusal.texts));
                self.log_in(&*holder, &registration).await?;
                self.nth_token_request(1)?;
            }
            GrantFlow::ClientCredentials => self.answer_tokens([echo(secret), self.grant(1, None)]),
            GrantFlow::Jwt { .. } => {}
        }
        texts.extend(holder.call().await.err().into_iter().flat_map(|refusal| refusal.texts));
        registration.pass(PAUSE_AFTER_FAILURE);
        holder.call().await.map_err(|refusal| failure_message("a call", &refusal))?;
        texts.extend(holder.printed().await);
        let token = self.presented_tokens().pop().unwrap_or_default();
        self.answer_calls(ScriptedAnswer::json(401, &json!({ "error": "unauthorized", "message": token })));
        self.answer_tokens([echo(if registration.flow == GrantFlow::Code { &refresh } else { secret })]);
        texts.extend(holder.call().await.err().into_iter().flat_map(|refusal| refusal.texts));
        self.presented_tokens().iter().for_each(|token| self.add_secret(token));
        self.check_no_secrets(&texts)
    }

    fn flow_of_variant(&self) -> GrantFlow {
        match self.variant {
            Some("client-credentials") => GrantFlow::ClientCredentials,
            Some("jwt") => self.signing(),
            _ => GrantFlow::Code,
        }
    }

    /// Calls after the expiry of the access token, which has to be refreshed with the refresh token of this number.
    async fn renew(
        &self,
        holder: &dyn TokenHolder,
        registration: &Registration,
        access: usize,
        refresh: Option<usize>,
        with: usize,
    ) -> Result<(), String> {
        registration.pass(LIFETIME + 1);
        self.answer_tokens([self.grant(access, refresh)]);
        let before = self.token_requests().len();
        self.call_with(holder, &self.access(access)).await?;
        let (_, parameters) = self.nth_token_request(before)?;
        parameters.expect("grant_type", GrantType::RefreshToken.name())?;
        parameters.expect("refresh_token", &self.refresh(with))
    }

    async fn check_stored(
        &self,
        holder: &dyn TokenHolder,
        access: usize,
        refresh: Option<usize>,
    ) -> Result<(), String> {
        let expected = UserTokens { access: self.access(access), refresh: refresh.map(|number| self.refresh(number)) };
        match holder.stored().await {
            Some(stored) if stored == expected => Ok(()),
            Some(stored) => Err(format!("what is stored is {stored:?}, not {expected:?}")),
            None => Err("nothing is stored any more".to_owned()),
        }
    }

    /// Returns an answer of the token endpoint without tokens.
    fn without_tokens(&self) -> ScriptedAnswer {
        match self.variant {
            Some("without-token") => {
                ScriptedAnswer::json(200, &json!({ "token_type": "Bearer", "expires_in": LIFETIME }))
            }
            Some("page") => ScriptedAnswer::text(200, "text/html", "<html><body>Down for maintenance</body></html>"),
            _ => ScriptedAnswer::json(401, &json!({ "error": "invalid_client", "error_description": "who is that?" })),
        }
    }
}
