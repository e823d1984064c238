//! The authorization side of the naive client: logins of users, and calls with their tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::future::BoxFuture;
use reqwest::Url;
use serde_json::Value;

use super::super::defect::Defect;
use super::naive_tokens::Tokens;
use super::{CALL, GrantFlow, HolderError, Registration, TokenHolder, UserTokens};
use crate::contract::GrantType;
use crate::credential::jws;

/// A token holder that uses reqwest directly.
pub(in super::super) struct NaiveHolder {
    pub(super) registration: Registration,
    pub(super) defect: Option<Defect>,
    pub(super) http: reqwest::Client,
    /// The state and the verifier of each browser that was redirected.
    pending: Mutex<HashMap<String, (String, String)>>,
    logins: Mutex<usize>,
    /// The persistent storage.
    store: Arc<Mutex<Option<Tokens>>>,
    /// Limits the client to one token request at a time.
    turn: tokio::sync::Mutex<()>,
}

impl NaiveHolder {
    pub(in super::super) fn new(registration: &Registration, defect: Option<Defect>, http: reqwest::Client) -> Self {
        Self::with_store(registration, defect, http, Arc::default())
    }

    fn with_store(
        registration: &Registration,
        defect: Option<Defect>,
        http: reqwest::Client,
        store: Arc<Mutex<Option<Tokens>>>,
    ) -> Self {
        let registration = registration.clone();
        Self {
            registration,
            defect,
            http,
            pending: Mutex::default(),
            logins: Mutex::default(),
            store,
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub(super) fn stored_tokens(&self) -> MutexGuard<'_, Option<Tokens>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the key under which the states of a browser are stored.
    fn state_key(&self, session: &str) -> String {
        if self.has(Defect::SharesStates) { String::new() } else { session.to_owned() }
    }

    fn begin(&self, session: &str) -> Result<String, HolderError> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        *logins += 1;
        let number = if self.has(Defect::RepeatsState) { 0 } else { *logins };
        // A real client would generate these randomly.
        let state = format!("state-of-the-login-number-{number}");
        let verifier = format!("verifier-of-the-login-number-{:020}", *logins);
        let (challenge, method) = if self.has(Defect::SendsPlainChallenges) {
            (verifier.clone(), "plain")
        } else {
            (jws::s256(&verifier), "S256")
        };
        let Registration { id, redirect_uri, authorize_url, .. } = &self.registration;
        let mut url = Url::parse(authorize_url).map_err(|error| self.holder_error(None, &error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &self.scope())
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", method);
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(self.state_key(session), (state, verifier));
        Ok(url.into())
    }

    pub(super) fn scope(&self) -> String {
        self.registration.scopes.join(if self.has(Defect::JoinsScopesByComma) { "," } else { " " })
    }

    async fn handle_callback(&self, session: &str, url: &str) -> Result<(), HolderError> {
        let url = Url::parse(url).map_err(|error| self.holder_error(Some(400), &error.to_string()))?;
        let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let known = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            let place = self.state_key(session);
            if self.has(Defect::KeepsStates) { pending.get(&place).cloned() } else { pending.remove(&place) }
        };
        let (own, sent) = (known.as_ref().map(|(state, _)| state), pairs.get("state"));
        let is_right = own == sent && (own.is_some() || self.has(Defect::ComparesMissingStates));
        if !is_right && !self.has(Defect::IgnoresState) {
            return Err(self.holder_error(Some(400), "the state is another one"));
        }
        if let Some(error) = pairs.get("error").filter(|_| !self.has(Defect::IgnoresCallbackErrors)) {
            return Err(self.holder_error(Some(400), error));
        }
        let mut verifier = known.map(|(_, verifier)| verifier).unwrap_or_default();
        if self.has(Defect::SendsOtherVerifier) {
            verifier = verifier.replace("verifier", "rewriter");
        }
        let mut fields = vec![
            ("grant_type", GrantType::AuthorizationCode.name().to_owned()),
            ("code", pairs.get("code").cloned().unwrap_or_default()),
            ("code_verifier", verifier),
        ];
        if !self.has(Defect::OmitsRedirectUri) {
            fields.push(("redirect_uri", self.registration.redirect_uri.clone()));
        }
        let tokens = self.request_tokens(fields).await.map_err(|text| self.holder_error(Some(502), &text))?;
        if tokens.refresh.is_none() && self.has(Defect::DemandsRefreshToken) {
            return Err(self.holder_error(Some(502), "there is no refresh token"));
        }
        *self.stored_tokens() = Some(tokens);
        Ok(())
    }

    async fn token(&self) -> Result<String, String> {
        let turn = if self.has(Defect::FetchesForEachCaller) { None } else { Some(self.turn.lock().await) };
        let kept = self.stored_tokens().clone();
        let now = self.registration.clock.seconds();
        let is_own = self.registration.flow != GrantFlow::Code;
        if let Some(tokens) = &kept {
            let can_renew = is_own || tokens.refresh.is_some() || self.has(Defect::RefreshesWithNothing);
            let leeway = if can_renew && !self.has(Defect::RefreshesTooLate) { 60 } else { 0 };
            let hurry = match self.registration.flow {
                GrantFlow::Code => None,
                GrantFlow::ClientCredentials => Some(Defect::FetchesEveryTime),
                GrantFlow::Jwt { .. } => Some(Defect::SignsEveryTime),
            };
            let is_kept = if hurry.is_some_and(|defect| self.has(defect)) {
                false
            } else {
                tokens.expires > now + leeway || (is_own && self.has(Defect::NeverFetchesAgain))
            };
            if is_kept {
                return Ok(tokens.access.clone());
            }
        }
        let renewed = self.fetch_or_refresh(kept.as_ref()).await?;
        let access = renewed.access.clone();
        *self.stored_tokens() = Some(renewed);
        drop(turn);
        Ok(access)
    }

    async fn fetch_or_refresh(&self, kept: Option<&Tokens>) -> Result<Tokens, String> {
        match &self.registration.flow {
            GrantFlow::Jwt { subject, audience } => self.signed(subject, audience),
            GrantFlow::ClientCredentials => {
                let grant = GrantType::ClientCredentials.name().to_owned();
                self.request_tokens(vec![("grant_type", grant), ("scope", self.scope())]).await
            }
            GrantFlow::Code => {
                let kept = kept.ok_or("nobody has logged in")?;
                let refresh = match &kept.refresh {
                    Some(refresh) => refresh.clone(),
                    None if self.has(Defect::RefreshesWithNothing) => "undefined".to_owned(),
                    None => return Err("there is no refresh token".to_owned()),
                };
                let grant = GrantType::RefreshToken.name().to_owned();
                let newer = self.request_tokens(vec![("grant_type", grant), ("refresh_token", refresh)]).await?;
                Ok(self.merged(kept, newer))
            }
        }
    }

    fn merged(&self, kept: &Tokens, newer: Tokens) -> Tokens {
        let refresh = match newer.refresh {
            _ if self.has(Defect::KeepsFirstRefreshToken) => kept.refresh.clone(),
            None if !self.has(Defect::LosesRefreshTokens) => kept.refresh.clone(),
            newer => newer,
        };
        Tokens { refresh, ..newer }
    }

    async fn call_api(&self) -> Result<u16, HolderError> {
        let token = self.token().await.map_err(|text| self.holder_error(None, &text))?;
        let request = self.http.get(format!("{}{CALL}", self.registration.api_url)).bearer_auth(&token);
        let answer = request.send().await.map_err(|error| self.holder_error(None, &error.without_url().to_string()))?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let said = if self.has(Defect::PrintsTokens) { body.to_string() } else { String::new() };
        Err(self.holder_error(Some(status.as_u16()), &format!("the API answers {status}: {said}")))
    }

    fn holder_error(&self, status: Option<u16>, text: &str) -> HolderError {
        let mut texts = vec![text.to_owned()];
        if self.has(Defect::PrintsTokens) {
            texts.push(format!("{:?}", *self.stored_tokens()));
        }
        HolderError { status, texts }
    }
}

impl TokenHolder for NaiveHolder {
    fn log_in<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<String, HolderError>> {
        Box::pin(async move { self.begin(session) })
    }

    fn callback<'a>(&'a self, session: &'a str, url: &'a str) -> BoxFuture<'a, Result<(), HolderError>> {
        Box::pin(self.handle_callback(session, url))
    }

    fn call(&self) -> BoxFuture<'_, Result<u16, HolderError>> {
        Box::pin(self.call_api())
    }

    fn stored(&self) -> BoxFuture<'_, Option<UserTokens>> {
        let stored = self.stored_tokens().clone().map(|Tokens { access, refresh, .. }| UserTokens { access, refresh });
        Box::pin(std::future::ready(stored))
    }

    fn restart(&self) -> BoxFuture<'_, Result<Box<dyn TokenHolder>, HolderError>> {
        if self.has(Defect::CountsExpiryFromLoading)
            && let Some(tokens) = &mut *self.stored_tokens()
        {
            tokens.expires = self.registration.clock.seconds().saturating_add(tokens.lifetime);
        }
        let holder = Self::with_store(&self.registration, self.defect, self.http.clone(), Arc::clone(&self.store));
        Box::pin(std::future::ready(Ok(Box::new(holder) as Box<dyn TokenHolder>)))
    }

    fn printed(&self) -> BoxFuture<'_, Vec<String>> {
        let shown =
            if self.has(Defect::PrintsTokens) { format!("{:?}", *self.stored_tokens()) } else { "a client".to_owned() };
        Box::pin(std::future::ready(vec![shown]))
    }
}
