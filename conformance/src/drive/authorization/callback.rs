//! Users who are redirected to the authorization server and return.

use super::authorization_case::{AuthorizationCase, BROWSER, failure_message};
use super::wire::Parameters;
use super::{GrantFlow, HolderError};

/// The shortest `state`: RFC 6749 (section 10.10) requires 128 bits, which are 22 characters of base64url.
const MIN_STATE_LENGTH: usize = 22;
/// The length of a SHA-256 in base64url.
const CHALLENGE_LENGTH: usize = 43;

impl AuthorizationCase<'_> {
    pub(super) async fn authorization_request(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.holder(&registration)?;
        let mut logins = Vec::new();
        for session in [BROWSER, "browser-2"] {
            let url = holder.log_in(session).await.map_err(|refusal| failure_message("the login", &refusal))?;
            let login = Parameters::of_url(&url, &registration.authorize_url)?;
            login.expect("response_type", "code")?;
            login.expect("client_id", &registration.id)?;
            login.expect("redirect_uri", &registration.redirect_uri)?;
            login.expect("code_challenge_method", "S256")?;
            if login.required("code_challenge")?.len() != CHALLENGE_LENGTH {
                return Err("`code_challenge` is no SHA-256 in base64url".to_owned());
            }
            if login.required("state")?.len() < MIN_STATE_LENGTH {
                return Err("`state` is too short to be unguessable".to_owned());
            }
            logins.push(login);
        }
        for name in ["state", "code_challenge"] {
            if logins[0].get(name) == logins[1].get(name) {
                return Err(format!("two logins have the same `{name}`"));
            }
        }
        Ok(())
    }

    pub(super) async fn callback_state(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.holder(&registration)?;
        self.answer_tokens([self.grant(1, Some(1))]);
        let variant = self.variant.unwrap_or_default();
        let is_begun = !matches!(variant, "not-started" | "neither");
        let login = if is_begun { Some(self.begin(&*holder, &registration).await?) } else { None };
        let (own, other) = (login.as_ref().and_then(|login| login.get("state")), "a-state-of-somebody-else");
        let (state, session) = match variant {
            "missing" | "neither" => (None, BROWSER),
            "another-browser" => (own, "browser-2"),
            _ => (Some(other), BROWSER),
        };
        let code = self.code();
        let mut pairs = vec![("code", code.as_str())];
        pairs.extend(state.map(|state| ("state", state)));
        let url = registration.callback_url(&pairs)?;
        self.expect_refusal(holder.callback(session, &url).await, 0).map(drop)?;
        match holder.stored().await {
            None => Ok(()),
            Some(_) => Err("tokens are stored".to_owned()),
        }
    }

    pub(super) async fn callback_error(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.holder(&registration)?;
        self.answer_tokens([self.grant(1, Some(1))]);
        let login = self.begin(&*holder, &registration).await?;
        let pairs = [("error", "access_denied"), ("error_description", "no"), ("state", login.required("state")?)];
        let url = registration.callback_url(&pairs)?;
        let refusal = self.expect_refusal(holder.callback(BROWSER, &url).await, 0)?;
        let has_error_code = refusal.texts.iter().any(|text| text.contains("access_denied"));
        if has_error_code { Ok(()) } else { Err("what the server says is lost".to_owned()) }
    }

    pub(super) async fn callback_once(&self) -> Result<(), String> {
        let registration = self.registration(GrantFlow::Code);
        let holder = self.holder(&registration)?;
        self.answer_tokens([self.grant(1, Some(1)), self.grant(2, Some(2))]);
        let login = self.begin(&*holder, &registration).await?;
        let url = registration.callback_url(&[("code", &self.code()), ("state", login.required("state")?)])?;
        holder.callback(BROWSER, &url).await.map_err(|refusal| failure_message("the callback", &refusal))?;
        self.expect_refusal(holder.callback(BROWSER, &url).await, 1).map(drop)
    }

    /// Returns the refusal of a callback that has to be refused with 400, after this number of token requests.
    fn expect_refusal(&self, result: Result<(), HolderError>, token_requests: usize) -> Result<HolderError, String> {
        self.check_token_requests(token_requests)?;
        match result {
            Ok(()) => Err("the callback is taken".to_owned()),
            Err(refusal) if refusal.status != Some(400) => {
                Err(format!("the callback is refused with {:?}, not with 400", refusal.status))
            }
            Err(refusal) => Ok(refusal),
        }
    }
}
