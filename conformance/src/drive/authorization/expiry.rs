//! Expiry of tokens, with a clock that the case controls.

use super::GrantFlow;
use super::authorization_case::{AuthorizationCase, LIFETIME, failure_message};
use crate::contract::GrantType;

impl AuthorizationCase<'_> {
    pub(super) async fn refresh_ahead(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        self.answer_tokens([self.grant(2, Some(2))]);
        self.call_with(&*holder, &self.access(1)).await?;
        self.check_token_requests(1)?;
        registration.pass(LIFETIME - 30);
        let next = self.call_until_other_than(&*holder, &self.access(1)).await?;
        if next != self.access(2) {
            return Err(format!("the call is made with the token `{next}`"));
        }
        self.check_token_requests(2)
    }

    /// Checks that expiry is absolute: a client that counts seconds from its restart would consider the token an hour newer than it is.
    pub(super) async fn absolute_expiry(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.logged_in(&registration).await?;
        registration.pass(LIFETIME - 600);
        let holder = holder.restart().await.map_err(|refusal| failure_message("the restart", &refusal))?;
        self.answer_tokens([self.grant(2, Some(2))]);
        self.call_with(&*holder, &self.access(1)).await?;
        registration.pass(601);
        self.call_with(&*holder, &self.access(2)).await
    }

    pub(super) async fn own_token(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::ClientCredentials);
        let holder = self.holder(&registration)?;
        // The answer should have no refresh token; the client must not use one.
        self.answer_tokens([self.grant(1, Some(1))]);
        for _ in 0..3 {
            self.call_with(&*holder, &self.access(1)).await?;
        }
        self.check_token_requests(1)?;
        registration.pass(LIFETIME + 1);
        self.answer_tokens([self.grant(2, None)]);
        self.call_with(&*holder, &self.access(2)).await?;
        self.check_token_requests(2)?;
        for number in 0..2 {
            let (_, parameters) = self.nth_token_request(number)?;
            parameters.expect("grant_type", GrantType::ClientCredentials.name())?;
        }
        Ok(())
    }

    pub(super) async fn one_token_request(&self) -> Result<(), String> {
        let (holder, access, before) = if self.variant == Some("refresh") {
            let registration = self.registration(GrantFlow::Code);
            let holder = self.logged_in(&registration).await?;
            registration.pass(LIFETIME + 1);
            (holder, 2, 1)
        } else {
            (self.holder(&self.registration(GrantFlow::ClientCredentials))?, 1, 0)
        };
        self.answer_tokens([self.grant(access, Some(2))]);
        // In one task, so that all calls begin before the first answer.
        let calls = tokio::join!(holder.call(), holder.call(), holder.call(), holder.call());
        if [calls.0, calls.1, calls.2, calls.3].iter().any(Result::is_err) {
            return Err("of several calls at once not all are made".to_owned());
        }
        if self.presented_tokens().iter().any(|token| *token != self.access(access)) {
            return Err("of several calls at once one has another token".to_owned());
        }
        self.check_token_requests(before + 1)
    }
}
